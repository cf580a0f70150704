/** Secrets that must be read again, kept so that the database alone opens nothing: the key is in the data folder. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { LabError } from '@fernlab/shared/primitives/lab-error'

const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

export interface Seal {
  close(plain: Uint8Array): string
  open(sealed: string): Uint8Array
}

/** A seal for one purpose under the hub's own secret. */
export function createSeal(secret: string, purpose: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
  return {
    close: (plain) => {
      const nonce = randomBytes(nonceBytes)
      const sealing = createCipheriv(cipher, key, nonce)
      const text = Buffer.concat([sealing.update(plain), sealing.final()])
      return Buffer.concat([nonce, sealing.getAuthTag(), text]).toString('base64url')
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed, 'base64url')
      const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes))
      opening.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
      try {
        return Buffer.concat([opening.update(bytes.subarray(nonceBytes + tagBytes)), opening.final()])
      } catch (cause) {
        const message = `what was kept for ${purpose} was sealed by another identity.json; restore that with the database`
        throw new LabError({ code: 'seal-broken', kind: 'configuration', message, cause })
      }
    },
  }
}

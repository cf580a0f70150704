import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits as text that stands in an address or a header, after `prefix`. */
export function newSecret(prefix = ''): string {
  return `${prefix}${randomBytes(32).toString('base64url')}`
}

/** What is stored of a secret with 256 random bits; a slow hash would add nothing to those. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

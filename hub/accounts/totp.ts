/** Codes of authenticator apps (RFC 6238: HMAC-SHA-1, 30 s, six digits, which every app knows). Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto'

const stepMs = 30_000
const digits = 6
/** Steps that a person's clock may be away from ours. */
const skew = 1

/** The step of a moment. */
export const stepAt = (nowMs: number): number => Math.floor(nowMs / stepMs)

/** The code of a step. */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const at = (mac.at(-1) ?? 0) & 0xf
  return String((mac.readUInt32BE(at) & 0x7fff_ffff) % 10 ** digits).padStart(digits, '0')
}

/** The step whose code it is, near now and after `lastStep`: a code that was taken is not taken again. */
export function findStep(secret: Uint8Array, code: string, nowMs: number, lastStep: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined
  const now = stepAt(nowMs)
  const given = Buffer.from(code)
  for (let step = Math.max(now - skew, lastStep + 1); step <= now + skew; step++) {
    if (timingSafeEqual(Buffer.from(totpCode(secret, step)), given)) return step
  }
  return undefined
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A secret as people type it into their app (RFC 4648, base 32). */
export function secretText(secret: Uint8Array): string {
  let bits = ''
  for (const byte of secret) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => base32[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

/** What the picture says to an app. */
export function totpUri({ site, email, secret }: { site: string; email: string; secret: Uint8Array }): string {
  const label = `${encodeURIComponent(site)}:${encodeURIComponent(email)}`
  return `otpauth://totp/${label}?secret=${secretText(secret)}&issuer=${encodeURIComponent(site)}`
}

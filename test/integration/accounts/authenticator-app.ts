import { stepAt, totpCode } from '@fernlab/hub/accounts/totp'

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const bytesOf = (text: string) => {
  const bits = [...text].map((letter) => base32.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
/** An authenticator app: each code is a later one, none further than what a clock may be away. */
export const appWith = (secret: string) => {
  let last = 0
  return () => {
    last = Math.max(last + 1, stepAt(Date.now()) - 1)
    return totpCode(bytesOf(secret), last)
  }
}

/** Base64 (RFC 4648, section 4) of bytes, in Node and in browsers. */

const CHARS = /^[A-Za-z0-9+/]*={0,2}$/
const SLICE = 0x8000

export function toBase64(bytes: Uint8Array): string {
  if (typeof Buffer !== 'undefined')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let text = ''
  for (let i = 0; i < bytes.length; i += SLICE) text += String.fromCharCode(...bytes.subarray(i, i + SLICE))
  return btoa(text)
}

/** The bytes, in memory of their own; undefined for what is no base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !CHARS.test(text)) return undefined
  if (typeof Buffer !== 'undefined') {
    const bytes = new Uint8Array((text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0))
    Buffer.from(bytes.buffer).write(text, 'base64')
    return bytes
  }
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
}

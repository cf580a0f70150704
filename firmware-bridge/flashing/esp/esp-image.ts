/** Images for Espressif's chips (ESP-IDF's "Firmware Image Format"): what they are for, and whether they are whole. Pure. */
import { createHash } from 'node:crypto'

const MAGIC = 0xe9
const HEADER_BYTES = 24
const CHECKSUM_SEED = 0xef
const HASH_BYTES = 32
/** Of the description that every application has first in its first segment. */
const APP_MAGIC = 0xabcd5432
const APP_AT = HEADER_BYTES + 8

export interface EspImage {
  readonly chipId: number
  /** Bytes from its first to its last. */
  readonly length: number
  /** Absent where it is a boot loader. */
  readonly app?: { readonly name: string; readonly version: string }
}

/** Whether an image may begin there. */
export const isEspImage = (data: Uint8Array, at: number): boolean => data[at] === MAGIC

/** Whether what begins there says of itself that it is an application, though it may be damaged. */
export const saysApp = (data: Uint8Array, at: number): boolean => isEspImage(data, at) && appOf(data, at) !== undefined

/** Reads the image that begins there; a text says what is wrong with it. */
export function readEspImage(data: Uint8Array, at: number): EspImage | string {
  if (!isEspImage(data, at)) return 'does not begin with 0xe9'
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (at + HEADER_BYTES > data.length) return 'ends within its header; it is truncated'
  let next = at + HEADER_BYTES
  let sum = CHECKSUM_SEED
  for (let segment = 1; segment <= (data[at + 1] ?? 0); segment++) {
    if (next + 8 > data.length) return `ends before its segment ${segment}; it is truncated`
    const length = view.getUint32(next + 4, true)
    next += 8
    if (next + length > data.length) return `ends within its segment ${segment}; it is truncated`
    for (let i = next; i < next + length; i++) sum ^= data[i] ?? 0
    next += length
  }
  // The checksum is the last byte of a block of 16.
  const sumAt = at + Math.ceil((next - at + 1) / 16) * 16 - 1
  if (sumAt >= data.length) return 'ends before its checksum; it is truncated'
  if (data[sumAt] !== sum) return 'has a wrong checksum; it is damaged'
  const isHashed = data[at + HEADER_BYTES - 1] === 1
  const length = sumAt + 1 - at + (isHashed ? HASH_BYTES : 0)
  if (at + length > data.length) return 'ends before its SHA-256; it is truncated'
  if (isHashed) {
    const hash = createHash('sha256')
      .update(data.subarray(at, sumAt + 1))
      .digest()
    if (!hash.equals(data.subarray(sumAt + 1, sumAt + 1 + HASH_BYTES))) return 'has a wrong SHA-256; it is damaged'
  }
  const app = appOf(data, at)
  return { chipId: view.getUint16(at + 12, true), length, ...(app === undefined ? {} : { app }) }
}

function appOf(data: Uint8Array, at: number): EspImage['app'] {
  const from = at + APP_AT
  if (from + 80 > data.length) return undefined
  if (new DataView(data.buffer, data.byteOffset).getUint32(from, true) !== APP_MAGIC) return undefined
  return { version: text(data, from + 16), name: text(data, from + 48) }
}

function text(data: Uint8Array, at: number): string {
  const bytes = data.subarray(at, at + 32)
  const end = bytes.indexOf(0)
  return new TextDecoder('latin1').decode(end === -1 ? bytes : bytes.subarray(0, end))
}

/** Frames on the wire between a node and a microcontroller; see firmware/fernlab-link/README.md. */
import { crc32 } from 'node:zlib'
import { cobsDecode, cobsEncode } from './cobs.ts'

/** The version of the wire that this node speaks. */
export const LINK_VERSION = 1

export interface Frame {
  readonly version: number
  readonly kind: number
  readonly number: number
  readonly acknowledged: number
  readonly credit: number
  readonly payload: Uint8Array
}

const HEADER = 4
const CHECK = 4
/** The longest frame of any firmware, with its stuffing. */
const LONGEST = 256

/** With a delimiter on either side: the first ends whatever noise stands before it. */
export function encodeFrame({ kind, number, acknowledged, credit, payload }: Omit<Frame, 'version'>): Uint8Array {
  const raw = new Uint8Array(HEADER + payload.length + CHECK)
  raw.set([(LINK_VERSION << 5) | kind, number, acknowledged, credit])
  raw.set(payload, HEADER)
  const end = raw.length - CHECK
  new DataView(raw.buffer).setUint32(end, crc32(raw.subarray(0, end)), true)
  const stuffed = cobsEncode(raw)
  const out = new Uint8Array(stuffed.length + 2)
  out.set(stuffed, 1)
  return out
}

/** The frame between two delimiters; undefined when it is none. */
export function decodeFrame(stuffed: Uint8Array): Frame | undefined {
  const raw = cobsDecode(stuffed)
  if (raw === undefined || raw.length < HEADER + CHECK) return undefined
  const end = raw.length - CHECK
  const check = new DataView(raw.buffer, raw.byteOffset).getUint32(end, true)
  if (crc32(raw.subarray(0, end)) !== check) return undefined
  const [first = 0, number = 0, acknowledged = 0, credit = 0] = raw
  return { version: first >> 5, kind: first & 31, number, acknowledged, credit, payload: raw.slice(HEADER, end) }
}

/** Finds frames in bytes that come split and merged in any way; what is none is counted and dropped. */
export class FrameReader {
  readonly #held = new Uint8Array(LONGEST)
  #length = 0
  #isTooLong = false
  #bad = 0

  /** How many pieces between delimiters were no frames. */
  get bad(): number {
    return this.#bad
  }

  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = []
    for (const byte of bytes) {
      if (byte !== 0) this.#hold(byte)
      else {
        const frame = this.#take()
        if (frame !== undefined) frames.push(frame)
      }
    }
    return frames
  }

  #hold(byte: number): void {
    if (this.#length < LONGEST) this.#held[this.#length++] = byte
    else this.#isTooLong = true
  }

  #take(): Frame | undefined {
    if (this.#length === 0) return undefined
    const frame = this.#isTooLong ? undefined : decodeFrame(this.#held.subarray(0, this.#length))
    if (frame === undefined) this.#bad++
    this.#length = 0
    this.#isTooLong = false
    return frame
  }
}

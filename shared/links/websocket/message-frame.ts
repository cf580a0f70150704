/**
 * Messages as frames of RFC 6455, section 5.2: whole and uncompressed, so that one goes to the kernel in one write.
 *
 * INVARIANTS: what a client sends is masked with 32 bits that nobody can foretell, anew for each frame (section 5.3); what
 * it is made of stays as it is.
 */
import { randomFillSync } from 'node:crypto'

const FIN_TEXT = 0x81
const FIN_BINARY = 0x82
const MASKED = 0x80
const MASK_BYTES = 4
const KEYS_AT_ONCE = 2048

const keys = Buffer.alloc(KEYS_AT_ONCE * MASK_BYTES)
let nextKey = keys.length

/** The frame of a message from a client; `head` stands before the payload, where there is one. */
export function maskedFrame(payload: string | Uint8Array, head?: Uint8Array): Buffer {
  const headBytes = head?.length ?? 0
  const length = headBytes + bytesOf(payload)
  const frame = Buffer.allocUnsafe(headerBytes(length) + MASK_BYTES + length)
  const maskAt = writeHeader(frame, payload, length, MASKED)
  if (nextKey === keys.length) {
    randomFillSync(keys)
    nextKey = 0
  }
  keys.copy(frame, maskAt, nextKey, nextKey + MASK_BYTES)
  nextKey += MASK_BYTES
  const at = maskAt + MASK_BYTES
  if (head !== undefined) frame.set(head, at)
  put(frame, payload, at + headBytes)
  mask(frame, at)
  return frame
}

/** The frame of a message from a server. */
export function plainFrame(payload: string | Uint8Array): Buffer {
  const length = bytesOf(payload)
  const frame = Buffer.allocUnsafe(headerBytes(length) + length)
  put(frame, payload, writeHeader(frame, payload, length, 0))
  return frame
}

/** What stands before the payload in the frame of a message of bytes from a server, `head` included. */
export function plainHeader(head: Uint8Array, payload: Uint8Array): Buffer {
  const length = head.length + payload.length
  const header = Buffer.allocUnsafe(headerBytes(length) + head.length)
  header.set(head, writeHeader(header, payload, length, 0))
  return header
}

const bytesOf = (payload: string | Uint8Array) =>
  typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length

const headerBytes = (length: number) => (length < 126 ? 2 : length < 0x10000 ? 4 : 10)

/** Returns where it ends. */
function writeHeader(frame: Buffer, payload: string | Uint8Array, length: number, masked: number): number {
  frame[0] = typeof payload === 'string' ? FIN_TEXT : FIN_BINARY
  if (length < 126) {
    frame[1] = masked | length
    return 2
  }
  if (length < 0x10000) {
    frame[1] = masked | 126
    frame.writeUInt16BE(length, 2)
    return 4
  }
  frame[1] = masked | 127
  frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2)
  frame.writeUInt32BE(length % 2 ** 32, 6)
  return 10
}

function put(frame: Buffer, payload: string | Uint8Array, at: number): void {
  if (typeof payload === 'string') frame.write(payload, at)
  else frame.set(payload, at)
}

/** Below this, words are not worth it. */
const FEW_BYTES = 64

/** Masks what follows the key, which stands just before `from`: by words, of which there are many in a piece. */
function mask(frame: Buffer, from: number): void {
  const to = frame.length
  const key = from - MASK_BYTES
  let at = from
  const byBytes = (end: number) => {
    for (; at < end; at++) frame[at] = (frame[at] as number) ^ (frame[key + ((at - from) & 3)] as number)
  }
  if (to - from < FEW_BYTES) return void byBytes(to)
  while (((frame.byteOffset + at) & 3) !== 0) byBytes(at + 1)
  const words = new Uint32Array(frame.buffer, frame.byteOffset + at, (to - at) >> 2)
  const turned = new Uint8Array(MASK_BYTES)
  for (let n = 0; n < MASK_BYTES; n++) turned[n] = frame[key + ((at - from + n) & 3)] as number
  const word = new Uint32Array(turned.buffer)[0] as number
  for (let n = 0; n < words.length; n++) words[n] = (words[n] as number) ^ word
  at += words.length * 4
  byBytes(to)
}

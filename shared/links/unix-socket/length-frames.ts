/** Frames on a stream of bytes: a length of 32 bits, high byte first, then so many bytes. */
import { tooLarge } from '../../rpc/errors.ts'

const HEADER_BYTES = 4

/** The frame as it goes over the wire. */
export function lengthFrame(frame: string | Uint8Array): Buffer {
  const length = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length)
  bytes.writeUInt32BE(length)
  if (typeof frame === 'string') bytes.write(frame, HEADER_BYTES)
  else bytes.set(frame, HEADER_BYTES)
  return bytes
}

/** What stands before the body on the wire in a frame of two parts, `head` included. */
export function lengthHeader(head: Uint8Array, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + head.length)
  bytes.writeUInt32BE(head.length + body.length)
  bytes.set(head, HEADER_BYTES)
  return bytes
}

/** Takes bytes as they come, and gives frames; holds less than one frame. */
export class LengthFrames {
  readonly #mostBytes: number
  #parts: Buffer[] = []
  #bytes = 0
  /** Of the frame that is coming, header included; 0 until its header is there. */
  #needed = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Calls `frame` for each whole one. Throws `message-too-large` for a length that nobody sends, before its bytes come. */
  take(chunk: Buffer, frame: (bytes: Buffer) => void): void {
    this.#parts.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes >= (this.#needed || HEADER_BYTES)) {
      const all = this.#joined()
      if (this.#needed === 0) {
        const length = all.readUInt32BE(0)
        if (length > this.#mostBytes)
          throw tooLarge(`a frame of ${length} bytes comes, and at most ${this.#mostBytes} may`, this.#mostBytes)
        this.#needed = HEADER_BYTES + length
        continue
      }
      const end = this.#needed
      this.#needed = 0
      this.#bytes -= end
      this.#parts = this.#bytes === 0 ? [] : [all.subarray(end)]
      frame(all.subarray(HEADER_BYTES, end))
    }
  }

  #joined(): Buffer {
    const [first] = this.#parts
    if (first !== undefined && this.#parts.length === 1) return first
    const all = Buffer.concat(this.#parts, this.#bytes)
    this.#parts = [all]
    return all
  }
}

/** SLIP (RFC 1055) as Espressif's boot loaders frame their messages. */

const END = 0xc0
const ESCAPE = 0xdb
const ESCAPED_END = 0xdc
const ESCAPED_ESCAPE = 0xdd
/** Boot loaders send blocks of 16 KiB at most; what a board sends that is longer is no message. */
const LONGEST = 64 * 1024

/** The message with an END on both sides. */
export function slipFrame(message: Uint8Array): Uint8Array {
  const framed = [END]
  for (const byte of message) {
    if (byte === END) framed.push(ESCAPE, ESCAPED_END)
    else if (byte === ESCAPE) framed.push(ESCAPE, ESCAPED_ESCAPE)
    else framed.push(byte)
  }
  return Uint8Array.from([...framed, END])
}

/** Takes bytes as they come; what stands outside of frames, and frames with a wrong escape or without an end, are left out. */
export class SlipReader {
  #frame: number[] | undefined
  #escaping = false

  /** Forgets a frame that has begun. */
  clear(): void {
    this.#frame = undefined
    this.#escaping = false
  }

  /** The messages that are whole now; empty ones, between two ENDs, are none. */
  take(bytes: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = []
    for (const byte of bytes) {
      if (byte === END) {
        // An END ends a frame and begins the next; one that is lost costs one frame.
        if (this.#frame !== undefined && this.#frame.length > 0) {
          messages.push(Uint8Array.from(this.#frame))
          this.#frame = undefined
        } else this.#frame = []
        this.#escaping = false
      } else if (this.#frame !== undefined) this.#add(byte)
    }
    return messages
  }

  #add(byte: number): void {
    if (this.#escaping) {
      this.#escaping = false
      if (byte === ESCAPED_END) this.#frame?.push(END)
      else if (byte === ESCAPED_ESCAPE) this.#frame?.push(ESCAPE)
      else this.#frame = undefined
    } else if (byte === ESCAPE) this.#escaping = true
    else this.#frame?.push(byte)
    if ((this.#frame?.length ?? 0) > LONGEST) this.#frame = undefined
  }
}

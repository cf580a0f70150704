/**
 * Cuts the bytes that an instrument sends into replies: lines, and IEEE 488.2 definite-length blocks
 * (`#<digits><length><data>`, clause 8.7.9).
 *
 * INVARIANTS: the same bytes give the same replies however they are split or merged; a malformed reply costs itself
 * only: reading goes on after the next terminator; no reply makes the buffer grow beyond the limits.
 */

/** One reply, or what kept a reply from being one. */
export type Reply =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'block'; readonly bytes: Uint8Array }
  | { readonly kind: 'malformed'; readonly reason: string }

export interface FramingLimits {
  /** Longest line, terminator excluded. */
  readonly maxLineBytes: number
  /** Longest block payload. */
  readonly maxBlockBytes: number
}

export const DEFAULT_FRAMING_LIMITS: FramingLimits = { maxLineBytes: 65_536, maxBlockBytes: 64 * 1024 * 1024 }

const LF = 0x0a
const CR = 0x0d
const HASH = 0x23

type State =
  | { readonly at: 'start' }
  | { readonly at: 'line' }
  | { readonly at: 'header' }
  | { readonly at: 'block'; readonly length: number }
  | { readonly at: 'block-end' }
  | { readonly at: 'skip' }

/** Takes bytes in pieces of any size and gives whole replies. */
export class ReplyFraming {
  readonly #limits: FramingLimits
  /** The byte that ends a reply. */
  readonly #end: number
  #state: State = { at: 'start' }
  #bytes = new Uint8Array(1024)
  #used = 0

  /** `terminator` is that of the instrument: a line feed, alone or after a carriage return, or a carriage return. */
  constructor(terminator = '\n', limits: FramingLimits = DEFAULT_FRAMING_LIMITS) {
    this.#limits = limits
    this.#end = terminator === '\r' ? CR : LF
  }

  /** True when nothing of a reply has arrived yet. */
  get idle(): boolean {
    return this.#state.at === 'start'
  }

  /** Forgets an unfinished reply. */
  reset(): void {
    this.#state = { at: 'start' }
    this.#used = 0
  }

  /** The replies that these bytes complete, in order. */
  push(bytes: Uint8Array): Reply[] {
    const replies: Reply[] = []
    let position = 0
    while (position < bytes.length) position = this.#step(bytes, position, replies)
    return replies
  }

  /** The reply that the end of a message completes: a terminator may be left out before it. */
  end(): Reply[] {
    const replies: Reply[] = []
    const { at } = this.#state
    if (at === 'line') this.#finishLine(replies)
    else if (at === 'header' || at === 'block') this.#fail('a block ends before it is whole', replies)
    this.reset()
    return replies
  }

  #step(bytes: Uint8Array, position: number, replies: Reply[]): number {
    const state = this.#state
    switch (state.at) {
      case 'start': {
        const byte = bytes[position] ?? 0
        // Some that end their replies by a carriage return add a line feed.
        if (byte === LF && this.#end === CR) return position + 1
        this.#used = 0
        this.#state = byte === HASH ? { at: 'header' } : { at: 'line' }
        return byte === HASH ? position + 1 : position
      }
      case 'header':
        this.#header(bytes[position] ?? 0, replies)
        return position + 1
      case 'line':
        return this.#line(bytes, position, replies)
      case 'block': {
        const take = Math.min(state.length - this.#used, bytes.length - position)
        this.#append(bytes.subarray(position, position + take))
        if (this.#used === state.length) this.#finishBlock(replies)
        return position + take
      }
      case 'block-end': {
        const byte = bytes[position] ?? 0
        if (byte === this.#end) this.#state = { at: 'start' }
        else if (byte !== CR) this.#fail('bytes follow the end of a block', replies)
        return position + 1
      }
      case 'skip': {
        const end = bytes.indexOf(this.#end, position)
        if (end === -1) return bytes.length
        this.reset()
        return end + 1
      }
    }
  }

  #line(bytes: Uint8Array, position: number, replies: Reply[]): number {
    const end = bytes.indexOf(this.#end, position)
    const stop = end === -1 ? bytes.length : end
    if (this.#used + (stop - position) > this.#limits.maxLineBytes) {
      this.#fail(`a line is longer than ${this.#limits.maxLineBytes} bytes`, replies)
      return position
    }
    this.#append(bytes.subarray(position, stop))
    if (end === -1) return bytes.length
    this.#finishLine(replies)
    return end + 1
  }

  #finishLine(replies: Reply[]): void {
    const length = this.#used > 0 && this.#bytes[this.#used - 1] === CR ? this.#used - 1 : this.#used
    replies.push({ kind: 'line', text: latin1(this.#bytes.subarray(0, length)) })
    this.reset()
  }

  /** After `#`: a digit 1–9, then that many digits of length; `#H`, `#Q`, `#B` are numbers and stay lines. */
  #header(byte: number, replies: Reply[]): void {
    if (this.#used === 0 && /[HQBhqb]/.test(String.fromCharCode(byte))) {
      this.#append(Uint8Array.of(HASH, byte))
      this.#state = { at: 'line' }
      return
    }
    const digit = byte - 0x30
    if (digit < 0 || digit > 9 || (this.#used === 0 && digit === 0)) {
      this.#fail('a block has a malformed header', replies)
      if (byte === this.#end) this.reset()
      return
    }
    this.#append(Uint8Array.of(byte))
    const digits = (this.#bytes[0] ?? 0) - 0x30
    if (this.#used <= digits) return
    const length = Number(latin1(this.#bytes.subarray(1, this.#used)))
    this.#used = 0
    if (length > this.#limits.maxBlockBytes) {
      this.#fail(`a block announces ${length} bytes; the limit is ${this.#limits.maxBlockBytes}`, replies)
      return
    }
    this.#state = { at: 'block', length }
    if (length === 0) this.#finishBlock(replies)
  }

  #finishBlock(replies: Reply[]): void {
    replies.push({ kind: 'block', bytes: this.#bytes.slice(0, this.#used) })
    this.#used = 0
    this.#state = { at: 'block-end' }
  }

  #fail(reason: string, replies: Reply[]): void {
    replies.push({ kind: 'malformed', reason })
    this.#used = 0
    this.#state = { at: 'skip' }
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#used + bytes.length
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.#used))
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#used)
    this.#used = needed
  }
}

const latin1Decoder = new TextDecoder('latin1')
const latin1 = (bytes: Uint8Array): string => latin1Decoder.decode(bytes)

/** A payload as an IEEE 488.2 definite-length block, without terminator. */
export function encodeBlock(payload: Uint8Array): Uint8Array {
  const length = String(payload.length)
  const header = new TextEncoder().encode(`#${length.length}${length}`)
  const block = new Uint8Array(header.length + payload.length)
  block.set(header)
  block.set(payload, header.length)
  return block
}

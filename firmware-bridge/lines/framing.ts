/**
 * Cuts the bytes that an instrument sends into lines, or, where a question says so, into answers of so many bytes.
 *
 * INVARIANTS: the same bytes give the same replies however they are split or merged; empty lines are none; no reply makes
 * the buffer grow beyond the limit; a line that is too long costs itself only.
 */
import type { Framing } from '../sessions/connection.ts'

/** One reply, or what kept a reply from being one. */
export type LineReply =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'malformed'; readonly reason: string }

export interface LineFramingOptions {
  /** What ends a line; carriage returns and line feeds around one are dropped in any case. */
  readonly end: string
  /** True for a line that is no answer. */
  readonly ignores?: (line: string) => boolean
  /** Lines come by themselves: what has come of one is kept whatever is asked meanwhile, or its rest would be an answer. */
  readonly talks?: boolean
}

/** What the next reply looks like. */
export interface Expectation {
  /** So many bytes instead of a line. */
  readonly bytes?: number
  /** The message, where the instrument repeats it before its answer. */
  readonly echo?: string
}

const MAX_LINE = 4096

export class LineFraming implements Framing<LineReply> {
  readonly #options: LineFramingOptions
  #buffer = ''
  #expected: Expectation = {}
  #skipping = false

  constructor(options: LineFramingOptions) {
    this.#options = options
  }

  get idle(): boolean {
    return this.#options.talks === true || (bare(this.#buffer) === '' && !this.#skipping)
  }

  reset(): void {
    this.#expected = {}
    if (this.#options.talks === true) return
    this.#buffer = ''
    this.#skipping = false
  }

  /** Holds for the next reply; after it, lines come again. */
  expect(expected: Expectation): void {
    this.#expected = expected
    if (this.#options.talks !== true) this.#buffer = ''
  }

  push(bytes: Uint8Array): LineReply[] {
    this.#buffer += Buffer.from(bytes).toString('latin1')
    const replies: LineReply[] = []
    for (let reply = this.#next(); reply !== undefined; reply = this.#next()) {
      if (reply !== 'none') replies.push(reply)
    }
    return replies
  }

  /** The next reply in the buffer; `none` for a line that is none, undefined when more bytes are needed. */
  #next(): LineReply | 'none' | undefined {
    const { bytes, echo } = this.#expected
    if (bytes !== undefined && echo === undefined) {
      if (this.#buffer.length < bytes) return undefined
      const reply = Buffer.from(this.#buffer.slice(0, bytes), 'latin1')
      this.#buffer = this.#buffer.slice(bytes)
      this.#expected = {}
      return { kind: 'bytes', bytes: reply }
    }
    const { end, ignores } = this.#options
    const at = this.#buffer.indexOf(end)
    if (at === -1) return this.#tooLong()
    const line = bare(this.#buffer.slice(0, at))
    this.#buffer = this.#buffer.slice(at + end.length)
    if (this.#skipping) {
      this.#skipping = false
      return 'none'
    }
    if (line === '' || ignores?.(line)) return 'none'
    if (echo !== undefined) {
      this.#expected = bytes === undefined ? {} : { bytes }
      if (line === echo) return 'none'
    }
    return { kind: 'line', text: line }
  }

  #tooLong(): LineReply | undefined {
    if (this.#buffer.length <= MAX_LINE) return undefined
    const first = !this.#skipping
    this.#skipping = true
    // The end may be half there.
    this.#buffer = this.#buffer.slice(-(this.#options.end.length - 1) || this.#buffer.length)
    return first ? { kind: 'malformed', reason: `a line is longer than ${MAX_LINE} bytes` } : undefined
  }
}

const bare = (text: string): string => text.replace(/^[\r\n]+|[\r\n]+$/g, '')

/** The samples of one stream, out of the frames that have come: which are there, at which times, and how many are not. */
import { type BoardSignal, decodeValue, sizeOf } from './description.ts'
import { viewOf } from './messages.ts'

/** Samples that follow each other without a gap. */
export interface Samples {
  readonly count: number
  /** The firmware's counter at each, in µs modulo 2³². */
  readonly counter: (at: number) => number
  /** By signal, in the order of the stream. */
  readonly columns: readonly Float64Array[]
}

const HEAD = 6

export class SampleReader {
  readonly #signals: readonly BoardSignal[]
  readonly #periodUs: number
  readonly #bytes: number
  #next: { readonly number: number; readonly counter: number } | undefined
  #lost = 0

  constructor(signals: readonly BoardSignal[], periodUs: number) {
    this.#signals = signals
    this.#periodUs = periodUs
    this.#bytes = signals.reduce((sum, { type }) => sum + sizeOf(type), 0)
  }

  /** Samples that the firmware left out or whose frames did not come; what is lost at the end shows with the next. */
  get lost(): number {
    return this.#lost
  }

  /** Undefined for a frame that cannot be of this stream. */
  read(payload: Uint8Array): Samples | undefined {
    const view = viewOf(payload)
    const count = (payload.length - HEAD) / this.#bytes
    if (!Number.isInteger(count) || count < 1) return undefined
    const number = view.getUint16(0, true)
    const counter = view.getUint32(2, true)
    const missing = this.#missing(number, counter)
    if (missing === undefined) return undefined
    this.#lost += missing
    this.#next = { number: number + count, counter: counter + count * this.#periodUs }
    return { count, counter: (at) => counter + at * this.#periodUs, columns: this.#columns(view, count) }
  }

  /** Numbers alone would hide a loss of 65536; the counter tells those. */
  #missing(number: number, counter: number): number | undefined {
    if (this.#next === undefined) return number
    const sinceUs = (counter - this.#next.counter) | 0
    const periods = sinceUs / this.#periodUs
    const isOfStream = Number.isInteger(periods) && periods >= 0
    return isOfStream && ((number - this.#next.number - periods) & 0xffff) === 0 ? periods : undefined
  }

  #columns(view: DataView, count: number): Float64Array[] {
    let offset = HEAD
    return this.#signals.map((signal) => {
      const column = new Float64Array(count)
      for (let at = 0; at < count; at++) column[at] = decodeValue(signal, view, offset + at * this.#bytes, false)
      offset += sizeOf(signal.type)
      return column
    })
  }
}

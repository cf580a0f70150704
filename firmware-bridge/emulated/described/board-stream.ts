/** The samples of a described board's stream, in frames as the C library fills them. Pure but for its place in the stream. */
import { type BoardSignal, sizeOf } from '../../link/description.ts'
import { viewOf } from '../../link/messages.ts'

const HEAD = 6
/** As in the library: half of its ring, and a slow stream is sent at least this often. */
const MOST_BYTES = 64
const FLUSH_US = 20_000

export interface SampleFrame {
  readonly number: number
  readonly payload: Uint8Array
}

/** Steps of a signal so many µs ago. */
type Read = (index: number, agoUs: number) => number

export class BoardStream {
  readonly #signals: readonly BoardSignal[]
  readonly #periodUs: number
  readonly #bytes: number
  readonly #most: number
  #dueUs: number
  #sample = 0
  #frame = 0
  #limit: number

  constructor(signals: readonly BoardSignal[], periodUs: number, nowUs: number, credit: number) {
    this.#signals = signals
    this.#periodUs = periodUs
    this.#bytes = signals.reduce((sum, { type }) => sum + sizeOf(type), 0)
    this.#most = Math.max(1, Math.min(Math.floor((MOST_BYTES - HEAD) / this.#bytes), Math.ceil(FLUSH_US / periodUs)))
    this.#dueUs = nowUs + periodUs
    this.#limit = credit & 0xff
  }

  /** Of frames and of samples, modulo what the wire has for them. */
  get nextFrame(): number {
    return this.#frame
  }

  get nextSample(): number {
    return this.#sample & 0xffff
  }

  /** The first frame that the host does not want yet. */
  allow(limit: number): void {
    this.#limit = limit & 0xff
  }

  /** The frames that are full by that time of the counter; a sample without credit is left out, and its number used up. */
  until(nowUs: number, read: Read): SampleFrame[] {
    const frames: SampleFrame[] = []
    const lateUs = () => (nowUs - this.#dueUs) | 0
    while (lateUs() - (this.#most - 1) * this.#periodUs >= 0) {
      if (this.#frame !== this.#limit) {
        frames.push({ number: this.#frame, payload: this.#payload(lateUs(), read) })
        this.#frame = (this.#frame + 1) & 0xff
      }
      this.#sample += this.#most
      this.#dueUs = (this.#dueUs + this.#most * this.#periodUs) % 2 ** 32
    }
    return frames
  }

  #payload(lateUs: number, read: Read): Uint8Array {
    const payload = new Uint8Array(HEAD + this.#most * this.#bytes)
    const view = viewOf(payload)
    view.setUint16(0, this.#sample & 0xffff, true)
    view.setUint32(2, this.#dueUs, true)
    let at = HEAD
    for (let i = 0; i < this.#most; i++) {
      for (const { index, type } of this.#signals) {
        const steps = read(index, lateUs - i * this.#periodUs)
        if (type === 'f32') view.setFloat32(at, steps, true)
        else if (sizeOf(type) === 4) view.setInt32(at, steps, true)
        else if (sizeOf(type) === 2) view.setInt16(at, steps, true)
        else view.setInt8(at, steps)
        at += sizeOf(type)
      }
    }
    return payload
  }
}

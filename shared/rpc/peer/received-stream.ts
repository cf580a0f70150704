/**
 * A stream that this end receives.
 *
 * INVARIANTS: items are taken in order, each once; at most `credit` of them wait here, of long ones about `windowBytes` where
 * that is given; and a sender that sends more ends the stream with an error; leaving the loop gives up the stream at the
 * other end.
 */
import { LabError } from '../../primitives/lab-error.ts'
import { mostWithin } from './sent-stream.ts'

export interface StreamPort {
  /** Tells the sender that it may send up to `upTo`, and that those up to `seen` have come. */
  more(upTo: number, seen: number): void
  cancel(): void
}

/** Where a stream stands that may be gone on with. */
export interface StreamPlace {
  readonly token: string
  readonly seen: number
}

interface Taker {
  resolve(result: IteratorResult<unknown, undefined>): void
  reject(error: LabError): void
}

export interface Window {
  /** Items that may be on the way, or wait here. */
  readonly credit: number
  /** The same in bytes, as long as items have been last; the first comes alone then, but of a stream that is gone on with. */
  readonly windowBytes?: number | undefined
}

export class ReceivedStream implements AsyncIterableIterator<unknown, undefined> {
  readonly #most: number
  readonly #windowBytes: number | undefined
  #credit: number
  readonly #port: StreamPort
  readonly #items: unknown[] = []
  readonly #takers: Taker[] = []
  #at = 0
  #seen: number
  #told = 0
  #taken: number
  #upTo: number
  #token: string | undefined
  #over: { readonly error: LabError | undefined } | undefined

  constructor(port: StreamPort, { credit, windowBytes }: Window, place?: StreamPlace) {
    this.#port = port
    this.#most = credit
    this.#windowBytes = windowBytes
    // What was sent and not seen comes again together.
    this.#credit = windowBytes === undefined || place !== undefined ? credit : 1
    this.#seen = place?.seen ?? 0
    this.#taken = this.#seen
    this.#upTo = this.#seen + this.#credit
    this.#token = place?.token
  }

  /** What its sender is told first. */
  get credit(): number {
    return this.#credit
  }

  /** Where to go on from on another link; undefined for a stream that the other end does not keep. */
  get place(): StreamPlace | undefined {
    return this.#token === undefined ? undefined : { token: this.#token, seen: this.#seen }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#at < this.#items.length) return Promise.resolve({ done: false, value: this.#shift() })
    if (this.#over !== undefined) {
      const { error } = this.#over
      this.#over = { error: undefined }
      return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
    }
    return new Promise((resolve, reject) => void this.#takers.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    const wasOver = this.#over !== undefined
    this.#items.length = 0
    this.#at = 0
    this.end(undefined)
    this.#over = { error: undefined }
    if (!wasOver) this.#port.cancel()
    return Promise.resolve({ done: true, value: undefined })
  }

  keptUnder(token: string): void {
    this.#token = token
  }

  receive(from: number, items: readonly unknown[], bytes: number): void {
    if (this.#over !== undefined) return
    const last = from + items.length - 1
    if (from !== this.#seen + 1 || last > this.#upTo) {
      const message = `the stream sent items ${from} to ${last}, where ${this.#seen + 1} to ${this.#upTo} were waited for`
      this.end(new LabError({ code: 'stream-out-of-step', kind: 'link', message }))
      this.#port.cancel()
      return
    }
    this.#seen = last
    if (this.#windowBytes !== undefined && items.length > 0)
      this.#credit = mostWithin(this.#windowBytes, bytes / items.length, this.#most)
    for (const item of items) {
      const taker = this.#takers.shift()
      if (taker === undefined) this.#items.push(item)
      else {
        this.#taken++
        taker.resolve({ done: false, value: item })
      }
    }
    this.#grant()
  }

  /** No more items come; those that wait are still taken first. */
  end(error: LabError | undefined): void {
    if (this.#over !== undefined) return
    this.#over = { error }
    // Whoever sent it keeps it until it is known that all has come.
    if (this.#token !== undefined) this.#port.more(this.#upTo, this.#seen)
    const [first, ...others] = this.#takers.splice(0)
    if (first === undefined) return
    this.#over = { error: undefined }
    if (error === undefined) first.resolve({ done: true, value: undefined })
    else first.reject(error)
    for (const taker of others) taker.resolve({ done: true, value: undefined })
  }

  #shift(): unknown {
    const item = this.#items[this.#at]
    this.#items[this.#at++] = undefined
    // Once in a while: shifting a long list for each item would cost its length.
    if (this.#at === this.#items.length || this.#at >= 256) {
      this.#items.splice(0, this.#at)
      this.#at = 0
    }
    this.#taken++
    this.#grant()
    return item
  }

  #grant(): void {
    if (this.#over !== undefined) return
    const upTo = Math.max(this.#upTo, this.#taken + this.#credit)
    // A sender that keeps items may hold few of them, if they are long: it is told as soon as all were taken.
    const isKept = this.#token !== undefined && this.#taken === this.#seen && this.#told !== this.#seen
    if (!isKept && upTo - this.#upTo < Math.max(1, this.#credit / 2)) return
    this.#upTo = upTo
    this.#told = this.#seen
    this.#port.more(upTo, this.#seen)
  }
}

/**
 * A stream that this end sends, item by item as its source gives them and the receiver has room.
 *
 * INVARIANTS: the source is asked only while there is credit and room on the link; items that come without waiting go in
 * one message, long ones in several; one that lingers keeps what the receiver has not said to have seen, at most
 * `lingerBytes` and its credit, and asks its source for nothing while it has no link.
 */
import { LabError } from '../../primitives/lab-error.ts'
import { thrownError } from '../errors.ts'
import { PIECE_BYTES, type RpcLimits } from '../limits.ts'
import { SharedRoom, type TakeRoom } from './shared-room.ts'

/** Where a stream goes, as long as it has a link. */
export interface StreamSink {
  /** Returns the bytes of the message; throws when an item can't be sent. */
  items(from: number, items: readonly unknown[]): number
  readonly hasRoom: boolean
  room(): Promise<void>
  /** After the last item, or for good. */
  end(error: LabError | undefined, items: number): void
  /** The stream is no more of this link: the receiver needs nothing of it, or goes on with it over another. */
  over(): void
}

export interface SentStreamOptions {
  readonly source: AsyncIterable<unknown>
  readonly sink: StreamSink
  readonly credit: number
  readonly limits: RpcLimits
  /** For what is kept, besides the first PIECE_BYTES; where it refuses the stream ends with that. */
  readonly takeRoom?: TakeRoom | undefined
  /** The source has ended, and the receiver needs nothing of it any more. */
  readonly onOver: () => void
  /** It was stopped before its source ended. */
  readonly onStop: (reason: LabError) => void
}

const MOST_TOGETHER = 64
/** Long items go in messages of about so many bytes, so that few of them are had before any is sent. */
const TOGETHER_BYTES = 4 * PIECE_BYTES
/** How many turns of promises an item may take and still count as there at once. */
const TURNS = 4

interface KeptItems {
  readonly from: number
  readonly items: readonly unknown[]
  readonly bytes: number
}

export class SentStream {
  readonly #iterator: AsyncIterator<unknown>
  readonly #limits: RpcLimits
  readonly #onOver: () => void
  readonly #onStop: (reason: LabError) => void
  readonly #kept: KeptItems[] = []
  #keptBytes = 0
  readonly #room: SharedRoom
  /** How many go in a message, as long as the last were; the first goes alone. */
  #together = 1
  #sink: StreamSink | undefined
  #sent = 0
  #upTo: number
  #outcome: { readonly error: LabError | undefined } | undefined
  #stopped = false
  #lingers = false
  #wake: (() => void) | undefined

  constructor({ source, sink, credit, limits, takeRoom, onOver, onStop }: SentStreamOptions) {
    this.#iterator = source[Symbol.asyncIterator]()
    this.#sink = sink
    this.#upTo = credit
    this.#limits = limits
    this.#room = new SharedRoom(takeRoom, PIECE_BYTES)
    this.#onOver = onOver
    this.#onStop = onStop
  }

  /** From now on what the receiver has not seen is kept, until {@link more} says that it has. */
  linger(): void {
    this.#lingers = true
  }

  /** Whether a link has it. */
  get isAttached(): boolean {
    return this.#sink !== undefined
  }

  /** Sends until the source ends or it is stopped. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#pump()
      this.#finish(undefined)
    } catch (thrown) {
      this.#finish(thrownError(thrown))
    }
  }

  more(upTo: number, seen: number): void {
    this.#upTo = Math.min(Math.max(this.#upTo, upTo), this.#sent + this.#limits.streamItems)
    while (this.#kept[0] !== undefined && this.#kept[0].from + this.#kept[0].items.length - 1 <= seen) {
      this.#keptBytes -= this.#kept.shift()?.bytes ?? 0
    }
    this.#room.shrink(this.#keptBytes)
    if (this.#outcome !== undefined && seen >= this.#sent) this.#over()
    this.#wakeUp()
  }

  /** Its link has ended; it waits for another. */
  detach(): void {
    this.#sink = undefined
  }

  /**
   * Goes on after item `seen` over that link; false when items after it are not there any more. A link that still has it
   * is told that it has it no longer: what comes over that one, and its end, concern the stream no more. Throws what the
   * new link does, and waits for another then.
   */
  attach(sink: StreamSink, seen: number, credit: number): boolean {
    const firstKept = this.#kept[0]?.from ?? this.#sent + 1
    if (this.#stopped || seen > this.#sent || seen < firstKept - 1) return false
    const before = this.#sink
    this.#sink = sink
    this.#upTo = seen + credit
    before?.over()
    before?.end(movedOn(), this.#sent)
    try {
      for (const { from, items } of this.#kept) {
        const skip = Math.max(0, seen + 1 - from)
        if (skip < items.length) sink.items(from + skip, items.slice(skip))
      }
    } catch (thrown) {
      this.#sink = undefined
      throw thrown
    }
    if (this.#outcome !== undefined) sink.end(this.#outcome.error, this.#sent)
    this.#wakeUp()
    return true
  }

  /** Nobody wants it any more. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#sink = undefined
    this.#forget()
    this.#wakeUp()
    if (this.#outcome !== undefined) return
    this.#onStop(new LabError({ code: 'call-cancelled', kind: 'caller', message: 'nobody takes the stream any more' }))
    // A source that waits for something ends when that comes, or by the signal of its call.
    this.#leave()
  }

  /** Also a source that is none, and throws, ends no link. */
  #leave(): void {
    void (async () => this.#iterator.return?.())().then(undefined, () => {})
  }

  #forget(): void {
    this.#kept.length = 0
    this.#keptBytes = 0
    this.#room.shrink(0)
  }

  #over(): void {
    this.#forget()
    this.#sink?.over()
    this.#onOver()
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  async #pump(): Promise<void> {
    let items: unknown[] = []
    while (!this.#stopped) {
      if (!this.#maySend(items.length)) {
        this.#send(items)
        items = []
        await this.#untilMaySend()
        continue
      }
      let settled = false
      const next = this.#iterator.next()
      const watch = next.then(
        () => {
          settled = true
        },
        () => {
          settled = true
        },
      )
      for (let turn = 0; turn < TURNS && !settled; turn++) await undefined
      if (!settled) {
        this.#send(items)
        items = []
      }
      await watch
      let result: IteratorResult<unknown>
      try {
        result = await next
      } catch (error) {
        this.#send(items)
        throw error
      }
      if (result.done !== true) items.push(result.value ?? null)
      if (result.done === true || items.length >= this.#together) {
        this.#send(items)
        items = []
      }
      if (result.done === true) return
    }
  }

  #maySend(waiting: number): boolean {
    const sink = this.#sink
    return (
      sink !== undefined &&
      this.#sent + waiting < this.#upTo &&
      sink.hasRoom &&
      this.#keptBytes < this.#limits.lingerBytes
    )
  }

  async #untilMaySend(): Promise<void> {
    let asked: StreamSink | undefined
    while (!this.#stopped && !this.#maySend(0)) {
      const sink = this.#sink
      // Another link may have it before this one has room.
      if (sink !== undefined && !sink.hasRoom && sink !== asked) {
        asked = sink
        void sink.room().then(() => {
          if (asked === sink) asked = undefined
          this.#wakeUp()
        })
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #send(items: readonly unknown[]): void {
    if (items.length === 0 || this.#stopped) return
    const from = this.#sent + 1
    const written = this.#sink?.items(from, items)
    const bytes = written ?? 0
    this.#sent += items.length
    // Within a process nothing is written.
    if (written !== undefined) this.#together = mostWithin(TOGETHER_BYTES, bytes / items.length, MOST_TOGETHER)
    if (!this.#lingers) return
    this.#kept.push({ from, items, bytes })
    this.#keptBytes += bytes
    try {
      this.#room.cover(this.#keptBytes)
    } catch (thrown) {
      // It is gone on with no more.
      this.#lingers = false
      throw thrown
    }
  }

  #finish(error: LabError | undefined): void {
    if (this.#stopped) return void this.#over()
    this.#outcome = { error }
    this.#sink?.end(error, this.#sent)
    if (!this.#lingers) this.#over()
    if (error !== undefined) this.#leave()
  }
}

/** How many of so many bytes have that much together: at least one. */
export const mostWithin = (bytes: number, each: number, most: number): number =>
  Math.max(1, Math.min(most, Math.floor(bytes / each)))

const movedOn = () =>
  new LabError({ code: 'stream-gone', kind: 'link', message: 'the stream is gone on with over another link' })

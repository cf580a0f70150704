/**
 * A stream that a firmware sends by itself: a queue between the wire and who reads it.
 *
 * INVARIANTS: the firmware may be at most `MOST_AHEAD` frames ahead of the reader; what it was not allowed to send it
 * leaves out, and that is counted as lost; blocks come in order and are never made up.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { BoardSignal } from './description.ts'
import type { Frame } from './frames.ts'
import { SampleReader, type Samples } from './sample-reader.ts'

/** Samples with the host's time. */
export interface TimedSamples {
  /** On the host's steady clock, in ms. */
  readonly timeMs: Float64Array
  readonly columns: readonly Float64Array[]
}

export interface SampleStreamOptions {
  readonly board: string
  readonly clock: Clock
  readonly signals: readonly BoardSignal[]
  readonly periodUs: number
  readonly hostMs: (counter: number) => number
  /** Tells the firmware how many frames it may send after that one. */
  readonly allow: (nextFrame: number, frames: number) => void
  /** Ends it on the firmware. */
  readonly end: () => Promise<void>
}

const MOST_AHEAD = 200
/** The firmware is told anew after so many frames. */
const TELL_EVERY = 20

export class SampleStream {
  readonly #options: SampleStreamOptions
  readonly #reader: SampleReader
  readonly #queue: Samples[] = []
  #nextFrame = 0
  #untold = 0
  #wake: (() => void) | undefined
  #failed: LabError | undefined
  #closed: Promise<void> | undefined

  constructor(options: SampleStreamOptions) {
    this.#options = options
    this.#reader = new SampleReader(options.signals, options.periodUs)
  }

  /** How many frames may come now. */
  get credit(): number {
    return MOST_AHEAD - this.#queue.length
  }

  /** Samples that are missing so far. */
  get lost(): number {
    return this.#reader.lost
  }

  /** All samples that have come since, with those that follow each other in one block; rejects when there will be none. */
  async next(signal: AbortSignal): Promise<TimedSamples> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#closed !== undefined) throw this.#ended()
      if (this.#queue.length > 0) return this.#take()
      if (this.#failed !== undefined) throw this.#failed
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', wake)
          resolve()
        }
        this.#wake = wake
        signal.addEventListener('abort', wake, { once: true })
      })
    }
  }

  /** Stops it on the firmware, too; idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#options.end()
    this.#wake?.()
    return this.#closed
  }

  receive(frame: Frame): void {
    const read = this.#reader.read(frame.payload)
    if (read === undefined) {
      this.fail(this.#garbage())
      return
    }
    this.#queue.push(read)
    this.#nextFrame = (frame.number + 1) & 0xff
    this.#untold++
    if (this.#untold >= TELL_EVERY) this.#tell()
    this.#wake?.()
  }

  /** All frames before that number have come or will never. */
  upTo(frame: number): void {
    this.#nextFrame = frame
    this.#tell()
  }

  fail(reason: LabError): void {
    this.#failed ??= reason
    this.#wake?.()
  }

  #tell(): void {
    this.#untold = 0
    this.#options.allow(this.#nextFrame, this.credit)
  }

  #take(): TimedSamples {
    const blocks = this.#queue.splice(0)
    if (this.#untold + blocks.length >= TELL_EVERY) this.#tell()
    const count = blocks.reduce((sum, block) => sum + block.count, 0)
    const timeMs = new Float64Array(count)
    const columns = this.#options.signals.map(() => new Float64Array(count))
    let at = 0
    for (const block of blocks) {
      for (let i = 0; i < block.count; i++) timeMs[at + i] = this.#options.hostMs(block.counter(i))
      for (const [c, column] of columns.entries()) column.set(block.columns[c] ?? [], at)
      at += block.count
    }
    return { timeMs, columns }
  }

  #ended(): LabError {
    const { board } = this.#options
    return new LabError({ code: 'board-stream-ended', kind: 'caller', message: `the stream of ${board} was ended` })
  }

  #garbage(): LabError {
    const { board } = this.#options
    return new LabError({
      code: 'board-garbage',
      kind: 'instrument',
      retry: 'later',
      message: `${board} sent samples that are not of its stream: its library does not match this node`,
    })
  }
}

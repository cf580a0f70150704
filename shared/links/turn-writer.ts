/**
 * Writes frames to the stream that carries a link, at either end.
 *
 * INVARIANTS: frames of one turn go in one write; who waits for room is told once there is less than half of HIGH_WATER_BYTES
 * on the way again.
 */
import type { Writable } from 'node:stream'
import { PIECE_BYTES } from '../rpc/limits.ts'
import { HIGH_WATER_BYTES } from '../rpc/link.ts'
import { Attention, stayAwake } from './stay-awake.ts'

export class TurnWriter {
  readonly #stream: Writable
  readonly #drained: () => void
  readonly #attention = new Attention()
  #isCorked = false
  #wasHigh = false

  constructor(stream: Writable, drained: () => void) {
    this.#stream = stream
    this.#drained = drained
  }

  /** What is written and not yet with the kernel. */
  get pendingBytes(): number {
    return this.#stream.writableLength
  }

  write(frame: Uint8Array): void {
    this.#cork()
    this.#last(frame)
  }

  /** A frame whose body stands elsewhere: it is not copied. */
  writeParts(header: Uint8Array, body: Uint8Array): void {
    this.#cork()
    this.#stream.write(header)
    this.#last(body)
  }

  /** The other end has said something. */
  heard(): void {
    this.#attention.came(performance.now())
  }

  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#stream.cork()
    process.nextTick(this.#uncork)
  }

  #last(bytes: Uint8Array): void {
    // Who waits for room is told by the last frame that is written.
    const isLow = bytes.length < PIECE_BYTES / 2 && this.#stream.writableLength < HIGH_WATER_BYTES / 2
    if (isLow) this.#stream.write(bytes)
    else this.#stream.write(bytes, this.#onWritten)
    if (this.#stream.writableLength > HIGH_WATER_BYTES) this.#wasHigh = true
  }

  readonly #uncork = (): void => {
    this.#isCorked = false
    this.#stream.uncork()
    const nowMs = performance.now()
    if (this.#attention.sent(nowMs)) stayAwake(nowMs)
  }

  readonly #onWritten = (): void => {
    if (!this.#wasHigh || this.#stream.writableLength > HIGH_WATER_BYTES / 2) return
    this.#wasHigh = false
    this.#drained()
  }
}

/**
 * What one end sends: small messages at once, long ones in pieces between them.
 *
 * INVARIANTS: messages of one call keep their order; of long messages of several calls each in turn sends one piece; no
 * piece is given to a link that has more than HIGH_WATER_BYTES to send; what waits here is at most `pendingBytes`,
 * and what of it is beyond HIGH_WATER_BYTES was taken of the room that links share.
 */
import { busy } from '../errors.ts'
import { type Frame, frameBytes } from '../formats.ts'
import { PIECE_BYTES, type RpcLimits } from '../limits.ts'
import { HIGH_WATER_BYTES, type Link } from '../link.ts'
import type { CallId } from '../messages.ts'
import type { Callback } from '../values.ts'
import { Pieces } from './pieces.ts'
import { SharedRoom, type TakeRoom } from './shared-room.ts'

/** Which call a message is of: asked by this end, or by the other. */
export type Side = 'ours' | 'theirs'

interface Queue {
  readonly frames: (Frame | Pieces)[]
}

export class Outbox {
  readonly #link: Link
  readonly #limits: RpcLimits
  /** Calls whose messages wait, by side and id. */
  readonly #queues = new Map<string, Queue>()
  readonly #waiting: (() => void)[] = []
  readonly #room: SharedRoom
  #queuedBytes = 0
  #numbers = 0
  #ended = false

  constructor(link: Link, limits: RpcLimits, takeRoom?: TakeRoom) {
    this.#link = link
    this.#limits = limits
    this.#room = new SharedRoom(takeRoom, HIGH_WATER_BYTES)
  }

  /**
   * Sends a message of a call; returns its bytes. Throws `value-unwritable`, `message-too-large`, `link-busy` or what the
   * shared room does, and has sent nothing then.
   */
  send(message: object, side: Side, id: CallId | undefined, keep?: (callback: Callback) => number): number {
    const frame = this.#link.format.write(message, this.#limits, keep)
    const bytes = frameBytes(frame)
    if (this.#queues.size === 0 && bytes <= PIECE_BYTES) {
      this.#requireRoom(bytes)
      this.#link.send(frame)
      this.#giveBack()
      return bytes
    }
    this.#queue(frame, bytes, `${side}:${id}`)
    this.#pump()
    this.#giveBack()
    return bytes
  }

  /** Whether all of the call's request has been given to the link. */
  isSent(id: CallId): boolean {
    return !this.#queues.has(`ours:${id}`)
  }

  /** Resolves when there is room for a stream's next item, or when the link has ended. */
  async room(): Promise<void> {
    while (!this.#ended && this.#queuedBytes + this.#link.pendingBytes > HIGH_WATER_BYTES) {
      await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    }
  }

  get hasRoom(): boolean {
    return this.#queuedBytes + this.#link.pendingBytes <= HIGH_WATER_BYTES
  }

  drained(): void {
    this.#pump()
    this.#giveBack()
    if (!this.hasRoom) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  end(): void {
    this.#ended = true
    this.#queues.clear()
    this.#queuedBytes = 0
    this.#room.shrink(0)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #requireRoom(bytes: number): void {
    const waiting = this.#queuedBytes + this.#link.pendingBytes
    const { pendingBytes } = this.#limits
    if (waiting > 0 && waiting + bytes > pendingBytes) {
      throw busy(
        `${waiting} bytes wait to be sent already, and at most ${pendingBytes} may: the other end does not take them`,
      )
    }
    this.#room.cover(waiting + bytes)
  }

  #giveBack(): void {
    this.#room.shrink(this.#queuedBytes + this.#link.pendingBytes)
  }

  #queue(frame: Frame, bytes: number, key: string): void {
    const queue = this.#queues.get(key)
    if (queue === undefined && bytes <= PIECE_BYTES) {
      this.#requireRoom(bytes)
      this.#link.send(frame)
      return
    }
    this.#requireRoom(bytes)
    this.#queuedBytes += bytes
    const entry = bytes <= PIECE_BYTES ? frame : new Pieces(frame as string | Uint8Array, ++this.#numbers)
    if (queue === undefined) this.#queues.set(key, { frames: [entry] })
    else queue.frames.push(entry)
  }

  #pump(): void {
    while (this.#queues.size > 0 && !this.#ended) {
      for (const [key, queue] of this.#queues) {
        if (this.#link.pendingBytes > HIGH_WATER_BYTES) return
        this.#sendNext(key, queue)
        if (this.#ended) return
      }
    }
  }

  #sendNext(key: string, { frames }: Queue): void {
    const [first] = frames
    if (first === undefined) return void this.#queues.delete(key)
    if (first instanceof Pieces) {
      first.sendNext(this.#link)
      this.#queuedBytes -= first.lastBytes
      if (!first.isDone) return
    } else {
      this.#queuedBytes -= frameBytes(first)
      this.#link.send(first)
    }
    frames.shift()
    if (frames.length === 0) this.#queues.delete(key)
  }
}

/**
 * Long messages in pieces: `+7:` and text, for the last `.7:`; in bytes 1, for the last 2, and a number of 32 bits. No
 * message of JSON or CBOR begins so.
 *
 * INVARIANTS: memory of messages that are being put together is bounded in number, in bytes and in time, whatever comes;
 * what was taken of the room that links share is given back with the message, and when the link ends.
 */
import type { Clock } from '../../primitives/clock.ts'
import { joinedBytes } from '../../primitives/joined-bytes.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { tooLarge, unreadable } from '../errors.ts'
import { type Frame, frameBytes } from '../formats.ts'
import { PARTIAL_MS, PIECE_BYTES, type RpcLimits } from '../limits.ts'
import type { Link } from '../link.ts'
import type { TakeRoom } from './shared-room.ts'

const HEADER_BYTES = 5
const MORE = 1
const LAST = 2

/** A long message that is on its way. */
export class Pieces {
  readonly #frame: string | Uint8Array
  readonly #number: number
  #at = 0
  /** Of the message, in the piece that was taken last. */
  lastBytes = 0

  constructor(frame: string | Uint8Array, number: number) {
    this.#frame = frame
    this.#number = number >>> 0
  }

  get isDone(): boolean {
    return this.#at >= this.#frame.length
  }

  /** Gives the next piece to the link. */
  sendNext(link: Pick<Link, 'send' | 'sendParts'>): void {
    const frame = this.#frame
    const from = this.#at
    this.#at = Math.min(from + PIECE_BYTES, frame.length)
    // Half a character of two parts can't be sent.
    if (typeof frame === 'string' && !this.isDone && isHighSurrogate(frame.charCodeAt(this.#at - 1))) this.#at--
    this.lastBytes = this.#at - from
    if (typeof frame === 'string') {
      return void link.send(`${this.isDone ? '.' : '+'}${this.#number}:${frame.slice(from, this.#at)}`)
    }
    const body = frame.subarray(from, this.#at)
    if (link.sendParts !== undefined) return void link.sendParts(this.#head(new Uint8Array(HEADER_BYTES)), body)
    const piece = this.#head(new Uint8Array(HEADER_BYTES + this.lastBytes))
    piece.set(body, HEADER_BYTES)
    link.send(piece)
  }

  #head(into: Uint8Array): Uint8Array {
    into[0] = this.isDone ? LAST : MORE
    new DataView(into.buffer).setUint32(1, this.#number)
    return into
  }
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

interface Unfinished {
  readonly parts: (string | Uint8Array)[]
  readonly begunAtMs: number
  readonly giveBack: (() => void)[]
  bytes: number
}

export interface InboxOptions {
  readonly limits: RpcLimits
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  /** Besides what the link itself may have. */
  readonly takeRoom: TakeRoom | undefined
  /** A message did not become whole in its time; what came of it is gone. */
  readonly onLate: (error: LabError) => void
}

/** Puts messages together. */
export class Inbox {
  readonly #options: InboxOptions
  readonly #limits: RpcLimits
  readonly #partial = new Map<number, Unfinished>()
  #bytes = 0
  #cancel: (() => void) | undefined

  constructor(options: InboxOptions) {
    this.#options = options
    this.#limits = options.limits
  }

  /** The whole message, when that was its last piece. Throws `rpc-unreadable`, `message-too-large`, or what the room does. */
  take(frame: Frame): Frame | undefined {
    if (typeof frame === 'string') return this.#takeText(frame)
    if (!(frame instanceof Uint8Array) || (frame[0] !== MORE && frame[0] !== LAST)) return frame
    if (frame.length < HEADER_BYTES) throw unreadable('it is a piece without a number')
    const number = new DataView(frame.buffer, frame.byteOffset).getUint32(1)
    // A short one may stand in a long buffer, of which nothing would be counted.
    const isLong = frame.length > PIECE_BYTES / 2
    const part = isLong ? frame.subarray(HEADER_BYTES) : frame.slice(HEADER_BYTES)
    return this.#add(number, part, frame[0] === LAST)
  }

  clear(): void {
    for (const [number, partial] of this.#partial) this.#drop(number, partial)
  }

  #takeText(frame: string): Frame | undefined {
    const mark = frame[0]
    if (mark !== '+' && mark !== '.') return frame
    const colon = frame.indexOf(':')
    const number = colon > 1 && colon < 12 ? Number(frame.slice(1, colon)) : Number.NaN
    if (!Number.isSafeInteger(number)) throw unreadable('it is a piece without a number')
    return this.#add(number, frame.slice(colon + 1), mark === '.')
  }

  #add(number: number, part: string | Uint8Array, isLast: boolean): Frame | undefined {
    const partial = this.#partial.get(number) ?? {
      parts: [],
      begunAtMs: this.#options.clock.monotonic(),
      giveBack: [],
      bytes: 0,
    }
    // A piece without content would cost memory that nothing counts.
    const bytes = Math.max(frameBytes(part), 64)
    try {
      const back = this.#options.takeRoom?.(bytes)
      if (back !== undefined) partial.giveBack.push(back)
    } catch (thrown) {
      this.#drop(number, partial)
      throw thrown
    }
    partial.bytes += bytes
    this.#bytes += bytes
    partial.parts.push(part)
    const { messageBytes, pendingBytes, partialMessages } = this.#limits
    if (isLast || partial.bytes > messageBytes + PIECE_BYTES) this.#drop(number, partial)
    else this.#keep(number, partial)
    if (partial.bytes > messageBytes + PIECE_BYTES)
      throw tooLarge(`a message has more than ${messageBytes} bytes`, messageBytes)
    if (this.#bytes > pendingBytes || this.#partial.size > partialMessages) {
      this.#drop(number, partial)
      throw tooLarge(
        `more than ${partialMessages} messages, or ${pendingBytes} bytes of them, come in pieces at once`,
        pendingBytes,
      )
    }
    return isLast ? joined(partial.parts) : undefined
  }

  #drop(number: number, partial: Unfinished): void {
    this.#partial.delete(number)
    this.#bytes -= partial.bytes
    for (const back of partial.giveBack.splice(0)) back()
    if (this.#partial.size > 0) return
    this.#cancel?.()
    this.#cancel = undefined
  }

  #keep(number: number, partial: Unfinished): void {
    this.#partial.set(number, partial)
    this.#cancel ??= this.#options.clock.after(PARTIAL_MS, () => this.#expire())
  }

  #expire(): void {
    this.#cancel = undefined
    const { clock, onLate } = this.#options
    const now = clock.monotonic()
    let next = Number.POSITIVE_INFINITY
    let isLate = false
    for (const [number, partial] of this.#partial) {
      const leftMs = partial.begunAtMs + PARTIAL_MS - now
      if (leftMs > 0) next = Math.min(next, leftMs)
      else {
        this.#drop(number, partial)
        isLate = true
      }
    }
    if (next < Number.POSITIVE_INFINITY) this.#cancel = clock.after(next, () => this.#expire())
    if (isLate) onLate(late())
  }
}

const late = () =>
  new LabError({
    code: 'deadline-exceeded',
    kind: 'link',
    retry: 'later',
    message: `a message that came in pieces was not whole after ${PARTIAL_MS / 1000} s`,
  })

function joined(parts: readonly (string | Uint8Array)[]): Frame {
  if (typeof parts[0] === 'string') return parts.join('')
  return joinedBytes(parts as readonly Uint8Array[])
}

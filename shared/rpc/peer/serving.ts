/**
 * The calls that the other end has made.
 *
 * INVARIANTS: at most `callsUnderWay` are under way, and their arguments have at most `pendingBytes`, also those that were
 * given up and still run; each is answered at most once, and not at all when it was cancelled; a call's signal aborts when
 * it is cancelled, when its time is over, when it gives a stream that nobody asked for, and when the link ends; what a
 * service throws or returns never ends the link.
 */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { LazyAbort } from '../../primitives/lazy-abort.ts'
import { busy, thrownError, wireError } from '../errors.ts'
import { PIECE_BYTES, type RpcLimits } from '../limits.ts'
import { type CallId, type More, type OneWay, PING, RESUME, type Request, readResume } from '../messages.ts'
import { TIMEOUT_MS } from './calls.ts'
import { Deadlines } from './deadlines.ts'
import type { OnwardMethod } from './handing-on.ts'
import type { Outbox } from './outbox.ts'
import { discard, type ServedStreams } from './served-streams.ts'
import { SharedRoom, type TakeRoom } from './shared-room.ts'
import { UnderWay } from './under-way.ts'

/** What a service is told of a call besides its arguments. */
export interface CallContext {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** Whether a stream was asked for; else an async iterable is no answer. */
  readonly wantsStream: boolean
}

export interface Serve {
  /** Does a call: returns or resolves with the result, or an async iterable where a stream is wanted. */
  (method: string, params: unknown, context: CallContext): unknown
  /** How calls of a batch go on to another process together, where they may; throws as the call would. */
  readonly onward?: (method: string) => OnwardMethod | undefined
}

/** Why calls of the method are refused by now, if they are. */
export type Refusal = (method: string) => LabError | undefined

export class ServedCall extends LazyAbort implements CallContext {
  readonly id: CallId | undefined
  /** Of one that goes on with a stream, that by which the stream was asked for. */
  method: string
  readonly at: number
  readonly bytes: number
  readonly wantsStream: boolean
  /** No answer is wanted any more. */
  isOver = false
  /** Of one that is made of others, as a batch is: gives up those that it is at, where they are refused by now. */
  judge: ((refusal: Refusal) => void) | undefined

  constructor(id: CallId | undefined, method: string, at: number, bytes: number, wantsStream: boolean) {
    super()
    this.id = id
    this.method = method
    this.at = at
    this.bytes = bytes
    this.wantsStream = wantsStream
  }

  /** Nobody waits for the answer any more. */
  giveUp(reason: LabError): void {
    if (this.isOver) return
    this.isOver = true
    this.abort(reason)
  }
}

export interface ServingOptions {
  readonly serve: Serve
  readonly outbox: Outbox
  readonly streams: ServedStreams
  readonly limits: RpcLimits
  readonly clock: Clock
  /** For the arguments of calls under way, besides what the link itself may have. */
  readonly takeRoom?: TakeRoom | undefined
  /** A one-way call failed, which nobody waits for. */
  readonly onUnanswered: (method: string, error: LabError) => void
  /** An answer can't be given: the other end takes none. */
  readonly onStuck: (error: LabError) => void
}

export class Serving {
  readonly #options: ServingOptions
  readonly #deadlines: Deadlines
  readonly #calls = new UnderWay<CallId, ServedCall>()
  readonly #oneWay = new Set<ServedCall>()
  readonly #room: SharedRoom
  #bytes = 0

  constructor(options: ServingOptions) {
    this.#options = options
    this.#room = new SharedRoom(options.takeRoom, PIECE_BYTES)
    this.#deadlines = new Deadlines(options.clock, (now) => this.#expire(now))
  }

  get size(): number {
    return this.#calls.size + this.#oneWay.size
  }

  request({ id, method, params, timeoutMs, credit, lingerMs = 0 }: Request, bytes: number): void {
    const wantsStream = credit !== undefined
    // A ping is answered at once: it takes no place.
    const refusal = this.#calls.has(id) ? duplicate(id) : method === PING ? undefined : this.#fullness(bytes)
    if (refusal !== undefined) return void this.#answer(id, refusal, undefined)
    const waitMs = timeoutMs ?? (wantsStream ? Number.POSITIVE_INFINITY : TIMEOUT_MS)
    const at = waitMs === Number.POSITIVE_INFINITY ? waitMs : this.#deadlines.after(waitMs)
    const call = new ServedCall(id, method, at, bytes, wantsStream)
    this.#calls.add(id, call)
    this.#bytes += bytes
    let result: unknown
    try {
      if (method === RESUME) return void this.#resume(call, params, credit)
      result = this.#options.serve(method, params, call)
    } catch (thrown) {
      return void this.#settle(call, thrownError(thrown), undefined)
    }
    if (isThenable(result)) {
      result.then(
        (value) => this.#take(call, value, credit, lingerMs),
        (thrown) => this.#settle(call, thrownError(thrown), undefined),
      )
    } else this.#take(call, result, credit, lingerMs)
  }

  oneWay({ method, params }: OneWay, bytes: number): void {
    const refusal = this.#fullness(bytes)
    if (refusal !== undefined) return void this.#options.onUnanswered(method, refusal)
    const call = new ServedCall(undefined, method, Number.POSITIVE_INFINITY, bytes, false)
    this.#oneWay.add(call)
    this.#bytes += bytes
    const done = () => {
      // When the link has ended, nothing of it is counted any more.
      if (this.#oneWay.delete(call)) this.#free(bytes)
    }
    const failed = (thrown: unknown) => {
      done()
      this.#options.onUnanswered(method, thrownError(thrown))
    }
    // Also what is thrown at once is a rejection here.
    void (async () => this.#options.serve(method, params, call))().then((value) => {
      if (!isAsyncIterable(value)) return done()
      const error = leaveStream(value, method)
      call.giveUp(error)
      failed(error)
    }, failed)
  }

  cancel(id: CallId): void {
    const error = new LabError({ code: 'call-cancelled', kind: 'caller', message: 'the caller gave up the call' })
    this.#calls.get(id)?.giveUp(error)
    if (this.#options.streams.stop(id)) this.#forget(id)
  }

  /** Ends what is refused by now, and answers with why; of a batch, the calls that it is at. */
  judge(refusal: Refusal): void {
    for (const call of [...[...this.#calls].map(([, call]) => call), ...this.#oneWay]) {
      if (call.isOver) continue
      call.judge?.(refusal)
      const error = refusal(call.method)
      if (error !== undefined) this.#endWith(call, error)
    }
  }

  more(more: More): void {
    this.#options.streams.more(more)
  }

  end(error: LabError): void {
    this.#deadlines.end()
    this.#options.streams.end()
    for (const call of [...[...this.#calls].map(([, call]) => call), ...this.#oneWay]) {
      if (call.id === undefined || !this.#options.streams.isKept(call.id)) call.giveUp(error)
    }
    this.#calls.clear()
    this.#oneWay.clear()
    this.#bytes = 0
    this.#room.shrink(0)
  }

  #fullness(bytes: number): LabError | undefined {
    const { callsUnderWay, pendingBytes } = this.#options.limits
    if (this.size >= callsUnderWay)
      return busy(`${callsUnderWay} calls of this link are under way already, and at most so many may be`)
    if (this.#bytes > 0 && this.#bytes + bytes > pendingBytes) {
      return busy(
        `the arguments of the calls under way have ${this.#bytes} bytes already, and at most ${pendingBytes} may`,
      )
    }
    try {
      this.#room.cover(this.#bytes + bytes)
      return undefined
    } catch (thrown) {
      return thrownError(thrown)
    }
  }

  #free(bytes: number): void {
    this.#bytes -= bytes
    this.#room.shrink(this.#bytes)
  }

  #take(call: ServedCall, result: unknown, credit: number | undefined, lingerMs: number): void {
    if (isAsyncIterable(result)) {
      if (credit !== undefined && call.id !== undefined) {
        if (call.isOver) {
          discard(result)
          return void this.#forget(call.id)
        }
        const id = call.id
        return void this.#options.streams.begin({
          id,
          source: result,
          credit,
          lingerMs,
          call,
          onOver: () => this.#forget(id),
        })
      }
      const error = leaveStream(result, call.method)
      this.#settle(call, error, undefined)
      // What it holds besides its source ends by the signal.
      return void call.giveUp(error)
    }
    if (credit !== undefined) this.#settle(call, cannot(`${call.method} is no stream`), undefined)
    else this.#settle(call, undefined, result)
  }

  #resume(call: ServedCall, params: unknown, credit: number | undefined): void {
    const { id } = call
    if (id === undefined || credit === undefined) throw cannot('a stream is gone on with as a stream')
    const method = this.#options.streams.resume({
      id,
      place: readResume(params),
      credit,
      onOver: () => this.#forget(id),
    })
    if (method === undefined)
      throw new LabError({
        code: 'stream-gone',
        kind: 'link',
        message: 'the stream is not kept any more, or not from there on',
      })
    call.method = method
  }

  /** A stream ends at once, any other call when whoever does it has ended it. */
  #endWith(call: ServedCall, error: LabError): void {
    const { id } = call
    if (id !== undefined) this.#answer(id, error, undefined)
    call.giveUp(error)
    if (id !== undefined && this.#options.streams.stop(id)) this.#forget(id)
  }

  #settle(call: ServedCall, error: LabError | undefined, result: unknown): void {
    if (call.id === undefined || this.#calls.get(call.id) !== call) return
    this.#forget(call.id)
    if (!call.isOver) this.#answer(call.id, error, result)
  }

  #forget(id: CallId): void {
    const call = this.#calls.take(id)
    if (call !== undefined) this.#free(call.bytes)
  }

  #answer(id: CallId, error: LabError | undefined, result: unknown): void {
    const { outbox, onStuck } = this.#options
    try {
      if (error === undefined) {
        try {
          outbox.send({ id, result: result ?? null }, 'theirs', id)
        } catch (thrown) {
          outbox.send({ id, error: wireError(thrownError(thrown)) }, 'theirs', id)
        }
      } else outbox.send({ id, error: wireError(error) }, 'theirs', id)
    } catch (thrown) {
      onStuck(thrownError(thrown))
    }
  }

  #expire(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const [, call] of [...this.#calls]) {
      if (call.isOver) continue
      if (call.at > now) {
        next = Math.min(next, call.at)
        continue
      }
      this.#endWith(call, late(call.method))
    }
    return next
  }
}

/** Ends a stream that nobody asked for; the error of its call, whose signal is to be given up as well. */
export function leaveStream(source: AsyncIterable<unknown>, method: string): LabError {
  discard(source)
  return cannot(`${method} is a stream, and must be asked for as one`)
}

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

export const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'

const cannot = (message: string) => new LabError({ code: 'call-invalid', kind: 'caller', message })
const duplicate = (id: CallId) => cannot(`a call with the id ${JSON.stringify(id)} is under way already`)
const late = (method: string) =>
  new LabError({
    code: 'deadline-exceeded',
    kind: 'instrument',
    retry: 'later',
    message: `${method} did not end in the time that its caller gave it`,
  })

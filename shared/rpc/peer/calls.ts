/**
 * The calls that this end has made.
 *
 * INVARIANTS: each settles exactly once: by its answer, its deadline, its signal, or the end of the link; a call of which all
 * was sent and nothing came back when the link ended is `call-uncertain` unless it may be repeated; nothing is repeated here;
 * giving up a call throws nothing: a link that takes no more messages is left.
 */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { busy, linkEnded, readWireError, thrownError, whyEnded } from '../errors.ts'
import type { RpcLimits } from '../limits.ts'
import {
  CANCEL,
  type CallId,
  type Failure,
  type Items,
  type Linger,
  PING,
  type Request,
  type Result,
} from '../messages.ts'
import type { Callbacks } from './callbacks.ts'
import { Deadlines } from './deadlines.ts'
import type { Outbox } from './outbox.ts'
import type { ReceivedStream } from './received-stream.ts'
import { UnderWay } from './under-way.ts'

export interface CallOptions {
  /** 30 s unless given; Infinity for none, as streams have. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
  /** Doing it twice is as good as once: when the link ends the error is `link-ended`, which says that it may be repeated. */
  readonly idempotent?: boolean
}

export const TIMEOUT_MS = 30_000
const noOptions: CallOptions = {}

interface Waiting {
  readonly method: string
  readonly at: number
  readonly idempotent: boolean
  readonly settle: (error: LabError | undefined, result: unknown) => void
  readonly stream: ReceivedStream | undefined
  callbacks: readonly number[]
  signal: AbortSignal | undefined
  onAbort: (() => void) | undefined
}

export interface CallsOptions {
  readonly outbox: Outbox
  readonly callbacks: Callbacks
  readonly limits: RpcLimits
  readonly clock: Clock
  /** The other end can't be told that a call was given up: it takes nothing. */
  readonly onStuck: (error: LabError) => void
}

export class Calls {
  readonly #outbox: Outbox
  readonly #callbacks: Callbacks
  readonly #limits: RpcLimits
  readonly #deadlines: Deadlines
  readonly #onStuck: (error: LabError) => void
  readonly #waiting = new UnderWay<CallId, Waiting>()
  #last = 0
  #ended: LabError | undefined

  constructor({ outbox, callbacks, limits, clock, onStuck }: CallsOptions) {
    this.#outbox = outbox
    this.#callbacks = callbacks
    this.#limits = limits
    this.#onStuck = onStuck
    this.#deadlines = new Deadlines(clock, (now) => this.#expire(now))
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Sends the request; `settle` is called once, later. Throws what `Outbox.send` throws, `link-busy`, or why the link ended. */
  begin(
    method: string,
    params: unknown,
    options: CallOptions | undefined,
    settle: Waiting['settle'],
    stream?: { readonly received: ReceivedStream; readonly credit: number; readonly lingerMs: number },
  ): CallId {
    if (this.#ended !== undefined) throw this.#ended
    const {
      timeoutMs = stream === undefined ? TIMEOUT_MS : Number.POSITIVE_INFINITY,
      signal,
      idempotent = false,
    } = options ?? noOptions
    if (signal?.aborted === true) throw aborted(method, signal)
    // Whether the other end is there is asked above all when it answers nothing.
    if (this.#waiting.size >= this.#limits.callsUnderWay && method !== PING) {
      throw busy(`${this.#waiting.size} calls are under way already, and at most so many may be`)
    }
    const id = ++this.#last
    const request: { -readonly [Key in keyof Request]: Request[Key] } = { id, method }
    if (params !== undefined) request.params = params
    if (timeoutMs !== Number.POSITIVE_INFINITY) request.timeoutMs = timeoutMs
    if (stream !== undefined) {
      request.credit = stream.credit
      if (stream.lingerMs > 0) request.lingerMs = stream.lingerMs
    }
    const at = timeoutMs === Number.POSITIVE_INFINITY ? timeoutMs : this.#deadlines.after(timeoutMs)
    const waiting: Waiting = {
      method,
      at,
      idempotent,
      settle,
      stream: stream?.received,
      callbacks: [],
      signal,
      onAbort: undefined,
    }
    this.#waiting.add(id, waiting)
    try {
      this.#outbox.send(request, 'ours', id, this.#callbacks.keep)
    } catch (error) {
      this.#waiting.take(id)
      this.#callbacks.forget(this.#callbacks.taken())
      throw error
    }
    waiting.callbacks = this.#callbacks.taken()
    if (signal !== undefined) {
      waiting.onAbort = () => this.#giveUp(id, aborted(method, signal))
      signal.addEventListener('abort', waiting.onAbort, { once: true })
    }
    return id
  }

  result({ id, result }: Result): void {
    this.#take(id)?.settle(undefined, result)
  }

  /** False when it answers nothing that is waited for. */
  failure({ id, error }: Failure): boolean {
    const waiting = id === null ? undefined : this.#take(id)
    waiting?.settle(readWireError(error), undefined)
    return waiting !== undefined
  }

  /** `bytes`: of the message. */
  items({ id, from, items }: Items, bytes: number): void {
    this.#waiting.get(id)?.stream?.receive(from, items, bytes)
  }

  linger({ id, token }: Linger): void {
    this.#waiting.get(id)?.stream?.keptUnder(token)
  }

  /** The caller wants no answer any more; the other end is told. */
  cancel(id: CallId, error: LabError): void {
    this.#giveUp(id, error)
  }

  end(error: LabError): void {
    this.#ended = linkEnded(whyEnded(error))
    this.#deadlines.end()
    for (const [id, { method, idempotent }] of [...this.#waiting]) {
      const isUncertain = !idempotent && this.#outbox.isSent(id)
      this.#take(id)?.settle(isUncertain ? uncertain(method, error) : this.#ended, undefined)
    }
  }

  #take(id: CallId): Waiting | undefined {
    const waiting = this.#waiting.take(id)
    if (waiting === undefined) return undefined
    if (waiting.callbacks.length > 0) this.#callbacks.forget(waiting.callbacks)
    if (waiting.onAbort !== undefined) waiting.signal?.removeEventListener('abort', waiting.onAbort)
    return waiting
  }

  #giveUp(id: CallId, error: LabError): void {
    const waiting = this.#take(id)
    if (waiting === undefined) return
    waiting.settle(error, undefined)
    if (this.#ended !== undefined) return
    try {
      this.#outbox.send({ method: CANCEL, params: { id } }, 'ours', id)
    } catch (thrown) {
      // It would go on for nobody.
      this.#onStuck(thrownError(thrown))
    }
  }

  #expire(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const [id, { method, at, idempotent }] of [...this.#waiting]) {
      if (at > now) next = Math.min(next, at)
      else this.#giveUp(id, late(method, idempotent))
    }
    // Nothing of a link that was left waits any more.
    if (this.#ended !== undefined) return Number.POSITIVE_INFINITY
    return next
  }
}

const uncertain = (method: string, error: LabError): LabError =>
  new LabError({
    code: 'call-uncertain',
    kind: 'link',
    message: `${method} was sent, and the link ended before an answer came, so it may have been done or not: ${whyEnded(error)}`,
    details: { method },
  })

const late = (method: string, idempotent: boolean): LabError =>
  new LabError({
    code: 'deadline-exceeded',
    kind: 'link',
    retry: idempotent ? 'later' : 'never',
    message: `${method} was not answered in time${idempotent ? '' : ', so it may have been done or not'}`,
    details: { method },
  })

function aborted(method: string, { reason }: AbortSignal): LabError {
  if (reason instanceof LabError) return reason
  return new LabError({ code: 'call-cancelled', kind: 'caller', message: `${method} was cancelled`, cause: reason })
}

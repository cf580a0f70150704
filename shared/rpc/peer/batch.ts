/** Many calls in one message, done one after another. */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { nextTurn } from '../../primitives/next-turn.ts'
import { readWireError, thrownError, tooLarge, type WireError, wireError } from '../errors.ts'
import type { RpcLimits } from '../limits.ts'
import { type Batch, type BatchAnswer, readBatchAnswer } from '../messages.ts'
import { WrittenSize } from '../values.ts'
import { type CallContext, isAsyncIterable, isThenable, leaveStream, type Serve, ServedCall } from './serving.ts'

export type BatchCall = readonly [method: string, params?: unknown]

/**
 * What became of one call of a batch; `skipped` when an earlier one failed and the batch was to stop there, or when the
 * answers before it fill a message.
 */
export type BatchOutcome = { readonly result: unknown } | { readonly error: LabError } | { readonly skipped: true }

/** Others get the machine at least so often. */
const LONGEST_TURN_MS = 5
const CHECK_EVERY = 64

/** The batch as it is sent. */
export function batchOf(calls: readonly BatchCall[], stop: boolean): Batch {
  const numbers = new Map<string, number>()
  const methodOf = (method: string) => {
    let number = numbers.get(method)
    if (number === undefined) {
      number = numbers.size
      numbers.set(method, number)
    }
    return number
  }
  const numbered = calls.map(([method]) => methodOf(method))
  return { methods: [...numbers.keys()], calls: numbered, params: calls.map(([, params]) => params ?? null), stop }
}

export interface DoBatchOptions {
  readonly serve: Serve
  readonly context: CallContext
  readonly clock: Clock
  readonly limits: RpcLimits
  /** How the answer is written. */
  readonly form: 'text' | 'binary'
}

/**
 * Does the calls in order; ends early, with the signal's reason, when nobody waits any more, and with `message-too-large` for
 * the call whose answer has no place any more beside the others: those after it are not done.
 */
export async function doBatch(batch: Batch, options: DoBatchOptions): Promise<BatchAnswer> {
  const { methods, calls, params, stop } = batch
  const { clock, context } = options
  const results: unknown[] = []
  const errors: [number, WireError][] = []
  const { signal } = context
  const gathered = new Gathered(options)
  let call: ServedCall | undefined
  signal.addEventListener('abort', () => call?.giveUp(thrownError(signal.reason)), { once: true })
  let turnBegan = clock.monotonic()
  for (let i = 0; i < calls.length; i++) {
    const method = methods[calls[i] as number] as string
    let value: unknown = null
    try {
      call = new ServedCall(undefined, method, Number.POSITIVE_INFINITY, 0, false)
      const done = doOne(call, params[i] ?? undefined, options.serve)
      value = gathered.add(isThenable(done) ? await done : done)
    } catch (thrown) {
      errors.push([i, gathered.addError(wireError(thrownError(thrown)))])
    }
    results.push(value)
    if (gathered.isFull || (stop && errors.length > 0)) break
    if (i % CHECK_EVERY === 0 && clock.monotonic() - turnBegan > LONGEST_TURN_MS) {
      await nextTurn()
      turnBegan = clock.monotonic()
      signal.throwIfAborted()
    }
  }
  return { results, errors }
}

function doOne(call: ServedCall, params: unknown, serve: Serve): unknown {
  if (call.method.startsWith('rpc.')) throw notInBatch(call.method)
  const value = serve(call.method, params, call)
  return isThenable(value) ? value.then((given) => noStream(given, call)) : noStream(value, call)
}

function noStream(value: unknown, call: ServedCall): unknown {
  if (!isAsyncIterable(value)) return value
  const error = leaveStream(value, call.method)
  call.giveUp(error)
  throw error
}

/** Of the message around the answers, and the error that says that no more have a place. */
const ROOM_BYTES = 1024
const ROOM_VALUES = 32
/** How deep the list of the answers is: in the answer of the batch, in the message. */
const LIST_DEPTH = 2

/** What the answers of a batch have together. */
class Gathered {
  isFull = false
  readonly #size: WrittenSize
  readonly #messageBytes: number

  constructor({ limits, form }: DoBatchOptions) {
    this.#messageBytes = limits.messageBytes
    const { messageBytes, values } = limits
    const left = { ...limits, messageBytes: messageBytes - ROOM_BYTES, values: values - ROOM_VALUES }
    this.#size = new WrittenSize(left, form)
  }

  /** The value as it stands in the answer. Throws when it can't be written, or not beside the others. */
  add(value: unknown): unknown {
    this.#add([value])
    return value ?? null
  }

  /** The error as it stands there, or that there is no place for it. */
  addError(error: WireError): WireError {
    if (this.isFull) return error
    try {
      this.#add([null, [0, error]])
      return error
    } catch (thrown) {
      return wireError(thrownError(thrown))
    }
  }

  #add(list: unknown[]): void {
    try {
      this.#size.add(list, LIST_DEPTH)
    } catch (thrown) {
      if (!(thrown instanceof LabError && thrown.code === 'message-too-large')) throw thrown
      this.isFull = true
      throw tooLarge('the answers of the batch are more than one message carries: ask for fewer', this.#messageBytes)
    }
  }
}

/** What became of each call. Throws `rpc-unreadable` for what answers no batch of so many calls. */
export function readOutcomes(answer: unknown, calls: number): BatchOutcome[] {
  const { results, errors } = readBatchAnswer(answer, calls)
  const outcomes: BatchOutcome[] = results.map((result) => ({ result }))
  while (outcomes.length < calls) outcomes.push({ skipped: true })
  for (const [call, error] of errors) outcomes[call] = { error: readWireError(error) }
  return outcomes
}

const notInBatch = (method: string) =>
  new LabError({ code: 'call-invalid', kind: 'caller', message: `a batch can't hold ${method}` })

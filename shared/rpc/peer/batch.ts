/** Many calls in one message, done one after another. */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { nextTurn } from '../../primitives/next-turn.ts'
import { readWireError, thrownError, type WireError, wireError } from '../errors.ts'
import { type Batch, type BatchAnswer, readBatchAnswer } from '../messages.ts'
import { type CallContext, isAsyncIterable, isThenable, leaveStream, type Serve, ServedCall } from './serving.ts'

export type BatchCall = readonly [method: string, params?: unknown]

/** What became of one call of a batch; `skipped` when an earlier one failed and the batch was to stop there. */
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

/** Does the calls in order; ends early, with the signal's reason, when nobody waits any more. */
export async function doBatch(batch: Batch, serve: Serve, context: CallContext, clock: Clock): Promise<BatchAnswer> {
  const { methods, calls, params, stop } = batch
  const results: unknown[] = []
  const errors: [number, WireError][] = []
  const { signal } = context
  let call: ServedCall | undefined
  signal.addEventListener('abort', () => call?.giveUp(thrownError(signal.reason)), { once: true })
  let turnBegan = clock.monotonic()
  for (let i = 0; i < calls.length; i++) {
    const method = methods[calls[i] as number] as string
    let value: unknown
    try {
      if (method.startsWith('rpc.')) throw notInBatch(method)
      call = new ServedCall(undefined, method, Number.POSITIVE_INFINITY, 0, false)
      value = serve(method, params[i] ?? undefined, call)
      if (isThenable(value)) value = await value
      if (isAsyncIterable(value)) {
        const error = leaveStream(value, method)
        call.giveUp(error)
        throw error
      }
    } catch (thrown) {
      errors.push([i, wireError(thrownError(thrown))])
      value = null
    }
    results.push(value ?? null)
    if (stop && errors.length > 0) break
    if (i % CHECK_EVERY === 0 && clock.monotonic() - turnBegan > LONGEST_TURN_MS) {
      await nextTurn()
      turnBegan = clock.monotonic()
      signal.throwIfAborted()
    }
  }
  return { results, errors }
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

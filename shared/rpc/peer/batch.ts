/** Many calls in one message, done one after another. */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { nextTurn } from '../../primitives/next-turn.ts'
import { isRecord, readWireError, thrownError, unreadable, type WireError, wireError } from '../errors.ts'
import type { Batch } from '../messages.ts'
import type { CallContext, Serve } from './serving.ts'

/** What became of one call of a batch; `skipped` when an earlier one failed and the batch was to stop there. */
export type BatchOutcome = { readonly result: unknown } | { readonly error: LabError } | { readonly skipped: true }

type WireOutcome = { readonly result: unknown } | { readonly error: WireError } | { readonly skipped: true }

/** Others get the machine at least so often. */
const LONGEST_TURN_MS = 5
const CHECK_EVERY = 64

/** Does the calls in order; ends early, with the signal's reason, when nobody waits any more. */
export async function doBatch(
  { calls, stop }: Batch,
  serve: Serve,
  context: CallContext,
  clock: Clock,
): Promise<WireOutcome[]> {
  const outcomes: WireOutcome[] = []
  const { signal } = context
  const one: CallContext = { signal, wantsStream: false }
  let isStopped = false
  let turnBegan = clock.monotonic()
  for (const [method, params] of calls) {
    if (isStopped) {
      outcomes.push({ skipped: true })
      continue
    }
    try {
      if (method.startsWith('rpc.'))
        throw new LabError({ code: 'call-invalid', kind: 'caller', message: `a batch can't hold ${method}` })
      const result = serve(method, params, one)
      const value: unknown = isThenable(result) ? await result : result
      outcomes.push({ result: value ?? null })
    } catch (thrown) {
      outcomes.push({ error: wireError(thrownError(thrown)) })
      isStopped = stop
    }
    if (outcomes.length % CHECK_EVERY === 0 && clock.monotonic() - turnBegan > LONGEST_TURN_MS) {
      await nextTurn()
      turnBegan = clock.monotonic()
      signal.throwIfAborted()
    }
  }
  return outcomes
}

/** Throws `rpc-unreadable` for what answers no batch of so many calls. */
export function readOutcomes(result: unknown, calls: number): BatchOutcome[] {
  if (!Array.isArray(result) || result.length !== calls) throw unreadable('it is no answer to that batch')
  return result.map((outcome: unknown): BatchOutcome => {
    if (!isRecord(outcome)) throw unreadable('it is no answer to that batch')
    const { error } = outcome
    if (isRecord(error) && typeof error.message === 'string' && Number.isInteger(error.code)) {
      return { error: readWireError(error as unknown as WireError) }
    }
    return outcome.skipped === true ? { skipped: true } : { result: outcome.result }
  })
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

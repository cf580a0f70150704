/** The answer of a batch as it is sent. Writing a large one at once would keep all else waiting. */
import type { Clock } from '../../primitives/clock.ts'
import { type Format, type Written, WrittenAnswer } from '../formats.ts'
import type { RpcLimits } from '../limits.ts'
import type { BatchAnswer } from '../messages.ts'
import { LONGEST_TURN_MS } from './turns.ts'

export interface WrittenAnswerOptions {
  readonly format: Format
  readonly limits: RpcLimits
  readonly clock: Pick<Clock, 'monotonic'>
  readonly next: () => Promise<void>
  /** Not gone on with once it is aborted: rejects with its reason. */
  readonly signal: AbortSignal
}

/** So few are written at once, whatever they are. */
const FEW = 8
/** How many are written at once is as many as take about so long. */
const SLICE_MS = 1
const MOST_AT_ONCE = 4096

/** Written a few results at a time, with a turn of others between, where there are many that are not packed. */
export async function writtenAnswer(answer: BatchAnswer, options: WrittenAnswerOptions): Promise<object> {
  const { format, limits, clock, next, signal } = options
  const { results, errors } = answer
  const { members } = format
  if (members === undefined || !Array.isArray(results) || results.length <= FEW) return answer
  const parts: Written[] = []
  let count = FEW
  let turnBegan = clock.monotonic()
  for (let i = 0; i < results.length; ) {
    if (clock.monotonic() - turnBegan > LONGEST_TURN_MS) {
      await next()
      signal.throwIfAborted()
      turnBegan = clock.monotonic()
    }
    const began = clock.monotonic()
    parts.push(members(results.slice(i, i + count), limits))
    i += count
    count = clock.monotonic() - began < SLICE_MS ? Math.min(2 * count, MOST_AT_ONCE) : Math.max(1, count >> 1)
  }
  return new WrittenAnswer(parts, results.length, errors)
}

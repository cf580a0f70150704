/** When it is news that others in the queue have moved. */
import type { RunWait } from './runs.ts'

/** A queue that moves is told of at most this often. */
export const queueMs = 1_000
/** A start that is put off by less than this is no news. */
const sameStartMs = 2_000

/** Whether whoever was told `before` should hear of `now`. */
export function hasMoved(before: RunWait | undefined, now: RunWait): boolean {
  if (before === undefined || before.position !== now.position || before.reason !== now.reason) return true
  if (before.estimatedStart === undefined || now.estimatedStart === undefined) {
    return before.estimatedStart !== now.estimatedStart
  }
  return Math.abs(Date.parse(before.estimatedStart) - Date.parse(now.estimatedStart)) > sameStartMs
}

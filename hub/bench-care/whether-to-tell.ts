/** Which changes of a bench staff get a letter about. Pure. */
import type { BenchHistoryTable } from './tables.ts'
import type { Condition } from './uptime.ts'

/** A node that starts again and a cable that is put back are nobody's to hurry for: so long they may take. */
export const AWAY_MS = 300_000

export interface TellableChange {
  readonly at: number
  readonly state: Condition
  readonly cause: BenchHistoryTable['cause']
}

/** What the staff do not plan and do not like. */
export const isTrouble = (state: Condition): boolean => state === 'fault' || state === 'offline'

/**
 * `wait`: it is too early to say. One letter tells that a bench is out of use, the next that it is of use again: nobody is
 * told of an end whose beginning was not told, and of the same trouble only once until it has ended.
 */
export function whetherToTell(
  change: TellableChange,
  /** When the next change of the bench came; undefined while it lasts. */
  endedAt: number | undefined,
  /** What the letter before about this bench told. */
  toldBefore: Pick<TellableChange, 'state' | 'cause'> | undefined,
  nowMs: number,
): 'tell' | 'leave' | 'wait' {
  if (!isTrouble(change.state)) {
    const isEnd = change.state === 'up' && toldBefore !== undefined && isTrouble(toldBefore.state)
    return isEnd ? 'tell' : 'leave'
  }
  // A node that was away for a moment, or the staff who worked on it, have come between.
  if (toldBefore?.state === change.state && toldBefore.cause === change.cause) return 'leave'
  const settleMs = change.cause === 'node' || change.cause === 'instrument' ? AWAY_MS : 0
  if ((endedAt ?? Number.POSITIVE_INFINITY) - change.at < settleMs) return 'leave'
  return nowMs - change.at < settleMs ? 'wait' : 'tell'
}

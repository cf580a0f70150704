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
 * told of an end whose beginning was not told.
 */
export function whetherToTell(
  change: TellableChange,
  /** When the next change of the bench came; undefined while it lasts. */
  endedAt: number | undefined,
  /** What the letter before about this bench told. */
  toldBefore: Condition | undefined,
  nowMs: number,
): 'tell' | 'leave' | 'wait' {
  if (!isTrouble(change.state)) {
    const isEnd = change.state === 'up' && toldBefore !== undefined && isTrouble(toldBefore)
    return isEnd ? 'tell' : 'leave'
  }
  const settleMs = change.cause === 'node' || change.cause === 'instrument' ? AWAY_MS : 0
  if ((endedAt ?? Number.POSITIVE_INFINITY) - change.at < settleMs) return 'leave'
  return nowMs - change.at < settleMs ? 'wait' : 'tell'
}

/** What is to be done about a recurring run at a moment. Pure. */
import { dueTimes } from './due-times.ts'
import type { RecurringTable } from './tables.ts'

/** Later than so, a due time was missed: the hub was down. */
export const lateMs = 5 * 60_000
const mostCounted = 100

export type Planned = Pick<RecurringTable, 'cron' | 'time_zone' | 'starts_at' | 'ends_at'>

/** The next due time after the instant; undefined when none is to come. */
export function nextDue({ cron, time_zone, starts_at, ends_at }: Planned, afterMs: number): number | undefined {
  const due = dueTimes(cron, time_zone).next(Math.max(afterMs, (starts_at ?? 0) - 1))
  return due === undefined || (ends_at !== null && due >= ends_at) ? undefined : due
}

/** The next so many due times. */
export function nextDues(plan: Planned, afterMs: number, count: number): number[] {
  const found: number[] = []
  for (let due = nextDue(plan, afterMs); due !== undefined && found.length < count; due = nextDue(plan, due)) {
    found.push(due)
  }
  return found
}

export type DueDecision =
  /** Nothing is due; `next` is set when it has to be worked out anew, since the clock went back. */
  | { readonly kind: 'wait'; readonly next?: number | undefined }
  | {
      readonly kind: 'due'
      /** The latest that has passed: it stands for all before. */
      readonly due: number
      readonly missedBefore: number
      /** True when the hub was down at that time. */
      readonly late: boolean
      readonly next: number | undefined
    }

/**
 * A clock that went back shows times again that seemed to have passed: those that got a run are known by their due time,
 * the others must not be lost.
 */
export function decideDue(row: Planned & Pick<RecurringTable, 'due_at' | 'decided_at'>, nowMs: number): DueDecision {
  if (nowMs < row.decided_at) return { kind: 'wait', next: nextDue(row, nowMs) }
  const { due_at } = row
  if (due_at === null || due_at > nowMs) return { kind: 'wait', next: due_at ?? undefined }
  const untilMs = Math.min(nowMs, (row.ends_at ?? Number.POSITIVE_INFINITY) - 1)
  const due = Math.max(due_at, dueTimes(row.cron, row.time_zone).last(untilMs) ?? due_at)
  let missedBefore = 0
  for (let at = due_at; at < due && missedBefore < mostCounted; missedBefore++) at = nextDue(row, at) ?? due
  return { kind: 'due', due, missedBefore, late: nowMs - due > lateMs, next: nextDue(row, nowMs) }
}

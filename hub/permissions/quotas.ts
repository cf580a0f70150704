/** Quotas of bench time per day and week (UTC, from Monday): what is used, and what is booked. Pure. */
import type { Terms } from '@fernlab/shared/contracts/permissions'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { dayOf, dayStart, mondayOf, type Used } from './bench-use.ts'

/** A booking to come. It counts on the day on which it ends, as bench time does. */
export interface BookedTime {
  readonly startsAt: number
  readonly endsAt: number
  readonly cleanUpMs: number
}

/** Bench time in the day and in the week of a moment, seconds. */
export type Taken = Pick<Used, 'dayS' | 'weekS'>

/** How long its bench is kept. */
export const bookedS = ({ startsAt, endsAt, cleanUpMs }: BookedTime): number => (endsAt - startsAt + cleanUpMs) / 1000

/** `used` is of now. */
export function takenAt(atMs: number, nowMs: number, used: Taken, booked: readonly BookedTime[]): Taken {
  const day = dayOf(atMs)
  const monday = mondayOf(day)
  const today = dayOf(nowMs)
  let dayS = day === today ? used.dayS : 0
  let weekS = monday === mondayOf(today) ? used.weekS : 0
  for (const one of booked) {
    const its = dayOf(one.endsAt)
    if (its === day) dayS += bookedS(one)
    if (mondayOf(its) === monday) weekS += bookedS(one)
  }
  return { dayS, weekS }
}

export interface WantedTime {
  readonly lab: string
  /** When it ends. */
  readonly atMs: number
  readonly nowMs: number
  readonly wantedS: number
}

/** Throws `quota-used` unless so much more may be used on that day and in its week. */
export function requireQuota(
  { dayS, weekS }: Pick<Terms, 'dayS' | 'weekS'>,
  taken: Taken,
  { lab, atMs, nowMs, wantedS }: WantedTime,
): void {
  const day = dayOf(atMs)
  const monday = mondayOf(day)
  const today = dayOf(nowMs)
  const dateOf = (one: number) => new Date(dayStart(one)).toISOString().slice(0, 10)
  if (dayS !== null && taken.dayS + wantedS > dayS) {
    const span = day === today ? 'today' : `on ${dateOf(day)}`
    throw quotaUsed(lab, span, dayS, taken.dayS, wantedS, dayStart(day + 1))
  }
  if (weekS !== null && taken.weekS + wantedS > weekS) {
    const span = monday === mondayOf(today) ? 'this week' : `in the week of ${dateOf(monday)}`
    throw quotaUsed(lab, span, weekS, taken.weekS, wantedS, dayStart(monday + 7))
  }
}

function quotaUsed(lab: string, span: string, mostS: number, usedS: number, wantedS: number, endsMs: number): LabError {
  const ends = new Date(endsMs).toISOString()
  const [used, most, wanted] = [usedS, mostS, wantedS].map((s) => `${Math.ceil(s)} s`)
  return new LabError({
    code: 'quota-used',
    kind: 'caller',
    retry: 'later',
    message: `${used} of ${most} of bench time of ${lab} are used or booked ${span}, and this takes about ${wanted}`,
    studentMessage: `You have used or booked ${used} of your ${most} on this lab’s benches ${span}, and this takes about ${wanted}. Your time begins anew at ${ends}.`,
  })
}

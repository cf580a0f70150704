/** The times of a booking that recurs, by the calendar of a time zone. Pure. */
import { instantOf, type LocalTime, plusDays, weekdayOf } from '@fernlab/shared/primitives/zoned-time'

export interface WeeklyTimes {
  /** 1 is Monday, 7 Sunday. */
  readonly weekdays: readonly number[]
  /** Minute of the day. */
  readonly minute: number
  readonly timeZone: string
  /** First and last day, both included; their minutes mean nothing. */
  readonly first: LocalTime
  readonly last: LocalTime
  /** Every so many weeks. */
  readonly everyWeeks: number
}

/** No series has more. */
export const mostTimes = 400

const dayNumber = ({ year, month, day }: LocalTime): number => Date.UTC(year, month - 1, day) / 86_400_000

/**
 * When each occurrence begins: at the same clock time on every day, whatever the clocks did in between. A time that the
 * clocks skip is the moment at which they skip it; of one that they show twice, the first. At most one more than
 * `mostTimes`, so that too many can be told from just enough.
 */
export function timesOf({ weekdays, minute, timeZone, first, last, everyWeeks }: WeeklyTimes): number[] {
  const times: number[] = []
  const days = dayNumber(last) - dayNumber(first)
  /** Weeks begin on Monday; the first is the one of the first day. */
  const intoWeek = weekdayOf(first) - 1
  for (let after = 0; after <= days && times.length <= mostTimes; after++) {
    const day = plusDays(first, after)
    if (!weekdays.includes(weekdayOf(day))) continue
    if (Math.floor((after + intoWeek) / 7) % everyWeeks !== 0) continue
    times.push(instantOf({ ...day, minute }, timeZone, 'first'))
  }
  return times
}

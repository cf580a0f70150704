import { weekdays } from '@fernlab/shared/contracts/bench-care'
import type { BookSeries, SeriesMove } from '@fernlab/shared/contracts/bookings'
import { typedDay } from '@fernlab/shared/primitives/typed-time'
import type { LocalTime } from '@fernlab/shared/primitives/zoned-time'
import { refuse } from './booking-refusals.ts'
import { mostTimes, timesOf } from './weekly.ts'

const dayOf = (path: string, text: string): LocalTime => {
  const day = typedDay(text)
  if (day === undefined) throw refuse('request-invalid', `${text} is no day`, path)
  return day
}

/** When each booking of the series begins, epoch ms. */
export function seriesTimes({ days, at, timeZone, from, until, everyWeeks = 1 }: BookSeries['weekly']): number[] {
  return timesOf({
    weekdays: days.map((name) => weekdays.indexOf(name) + 1),
    minute: Number(at.slice(0, 2)) * 60 + Number(at.slice(3)),
    timeZone,
    first: dayOf('weekly.from', from),
    last: dayOf('weekly.until', until),
    everyWeeks,
  })
}

/** Throws when there are none, too many, one after `latest`, or some that overlap. */
export function checkSeries(starts: readonly number[], lengthMs: number, latest: number): void {
  const iso = (ms: number | undefined) => new Date(ms ?? 0).toISOString()
  if (starts.length === 0) throw refuse('series-empty', 'no day of it is to come', 'weekly.until')
  if (starts.length > mostTimes) throw refuse('series-too-long', `it has more than ${mostTimes} times`, 'weekly.until')
  const far = starts.find((at) => at > latest)
  if (far !== undefined) {
    throw refuse('booking-too-far', `${iso(far)} is later than you may book, ${iso(latest)}`, 'weekly.until')
  }
  const at = starts.findIndex((start, index) => index > 0 && start < (starts[index - 1] ?? 0) + lengthMs)
  if (at < 0) return
  const message = `the one at ${iso(starts[at - 1])} is not over when the one at ${iso(starts[at])} begins`
  throw refuse('series-overlaps', message, 'seconds')
}

/** When each of the moved times is to begin, by when it would by the series; throws for one that the series has not. */
export function movesOf(moved: readonly SeriesMove[] = [], starts: readonly number[]): Map<number, number> {
  const moves = new Map<number, number>()
  for (const [index, { from, to }] of moved.entries()) {
    const at = Date.parse(from)
    const path = `moved[${index}].from`
    if (!starts.includes(at)) throw refuse('booking-invalid', `no time of the series to come begins at ${from}`, path)
    if (moves.has(at)) throw refuse('booking-invalid', `the time of ${from} is moved twice`, path)
    moves.set(at, Date.parse(to))
  }
  return moves
}

interface Times {
  readonly startsAt: number
  readonly endsAt: number
}

/** Whether it overlaps none of the others: a series meets once at a time. */
export const isApart = ({ startsAt, endsAt }: Times, others: readonly Times[]): boolean =>
  !others.some((other) => other.startsAt < endsAt && startsAt < other.endsAt)

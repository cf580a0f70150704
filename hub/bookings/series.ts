import { weekdays } from '@fernlab/shared/contracts/bench-care'
import type { BookSeries } from '@fernlab/shared/contracts/bookings'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { LocalTime } from '@fernlab/shared/primitives/zoned-time'
import { mostTimes, timesOf } from './weekly.ts'

const dayOf = (text: string): LocalTime => {
  const [year = 0, month = 1, day = 1] = text.split('-').map(Number)
  return { year, month, day, minute: 0 }
}

/** When each booking of the series begins, epoch ms. */
export function seriesTimes({ days, at, timeZone, from, until, everyWeeks = 1 }: BookSeries['weekly']): number[] {
  return timesOf({
    weekdays: days.map((name) => weekdays.indexOf(name) + 1),
    minute: Number(at.slice(0, 2)) * 60 + Number(at.slice(3)),
    timeZone,
    first: dayOf(from),
    last: dayOf(until),
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

function refuse(code: string, message: string, path: string): LabError {
  return new LabError({ code, kind: 'caller', message, issues: [{ path, message }] })
}

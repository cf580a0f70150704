/** What the dialog of a weekly series asks, and the request that it makes. Pure. */
import type { Weekday } from '@fernlab/shared/contracts/bench-care'
import type { BookSeries } from '@fernlab/shared/contracts/bookings'
import { dayText } from './booking-times.ts'
import { secondsOf } from './length-field.tsx'

export interface SeriesValues {
  readonly days: readonly Weekday[]
  /** `14:00`. */
  readonly at: string
  readonly timeZone: string
  /** First and last day, as a `date` field has them. */
  readonly from: string
  readonly until: string
  readonly everyWeeks: string
  readonly minutes: string
  readonly places: string
  /** Empty: nobody besides the one who books. */
  readonly group: string
  readonly note: string
}

/** What stands there first. */
export const firstValues = (nowMs: number, timeZone: string): SeriesValues => ({
  days: [],
  at: '14:00',
  timeZone,
  from: dayText(nowMs, timeZone),
  until: '',
  everyWeeks: '1',
  minutes: '60',
  places: '1',
  group: '',
  note: '',
})

/** The fields that can not be sent as they are. */
export function badFields({ days, at, from, until, places, minutes }: SeriesValues) {
  const count = Number(places)
  return {
    days: days.length === 0,
    at: at === '',
    from: from === '',
    until: until === '' || until < from,
    places: !Number.isInteger(count) || count < 1 || count > 50,
    minutes: secondsOf(minutes) === undefined,
  }
}

/** The request, but for what is to become of the times that are taken. */
export function bodyOf(lab: string, values: SeriesValues): BookSeries {
  const { days, at, timeZone, from, until, everyWeeks, minutes, places, group } = values
  const note = values.note.trim()
  return {
    lab,
    weekly: { days: [...days], at, timeZone, from, until, everyWeeks: Number(everyWeeks) },
    seconds: secondsOf(minutes) ?? 0,
    places: Number(places),
    ...(group === '' ? {} : { group }),
    ...(note === '' ? {} : { note }),
  }
}

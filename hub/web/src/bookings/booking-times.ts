/** Times of bookings in a time zone of one's choice, and the free ones among them. Pure. */
import type { FreeSpan } from '@fernlab/shared/contracts/bookable-times'
import { typedInstant } from '@fernlab/shared/primitives/typed-time'
import { instantOf, localTime, plusDays } from '@fernlab/shared/primitives/zoned-time'

const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const two = (value: number) => String(value).padStart(2, '0')

/** The day in the zone, as `2026-11-26`. */
export function dayText(ms: number, timeZone: string): string {
  const { year, month, day } = localTime(ms, timeZone)
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
}

/** A time as `<input type="datetime-local">` shows it, in the zone. */
export function wallText(ms: number, timeZone: string): string {
  const { minute } = localTime(ms, timeZone)
  return `${dayText(ms, timeZone)}T${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}

/** When the zone's clocks show what such a field says; undefined while it is empty or not whole. */
export const wallInstant = (text: string, timeZone: string): number | undefined =>
  text.includes('T') ? typedInstant(text, timeZone) : undefined

/** `Thu 26 Nov, 14:00–15:00 CET`, with the year where it is another than now. */
export function spanText(from: number, until: number, language: string, timeZone: string): string {
  const isFar = localTime(from, timeZone).year !== localTime(Date.now(), timeZone).year
  return new Intl.DateTimeFormat(language, {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(isFar ? { year: 'numeric' } : {}),
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  }).formatRange(from, until)
}

/** `14:00–15:00`. */
export function hoursText(from: number, until: number, language: string, timeZone: string): string {
  const format = new Intl.DateTimeFormat(language, { timeZone, hour: '2-digit', minute: '2-digit' })
  return `${format.format(from)}–${format.format(until)}`
}

/** The next quarter of an hour. */
export const quarterFrom = (ms: number): number => Math.ceil(ms / quarterMs) * quarterMs

/** The first quarter of an hour from which so long is free. */
export const firstFree = (spans: readonly FreeSpan[], lengthMs: number): number | undefined =>
  spans.map(({ from, until }) => ({ at: quarterFrom(from), until })).find(({ at, until }) => at + lengthMs <= until)?.at

/** Beginning and end of the day in the zone: 23 or 25 hours apart when the clocks change. */
export function dayBounds(ms: number, timeZone: string): { from: number; until: number } {
  const day = { ...localTime(ms, timeZone), minute: 0 }
  return { from: instantOf(day, timeZone, 'first'), until: instantOf(plusDays(day, 1), timeZone, 'first') }
}

/** Days and times as people type them; what no calendar and no clock shows is none, and never rolled over. Pure. */
import { instantOf, type LocalTime, plusDays } from './zoned-time.ts'

const wholeTime = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|[+-]\d{2}:\d{2})?)?$/

/** The day of `2027-02-28`; undefined for what is no day, such as `2027-02-30`. */
export function typedDay(text: string): LocalTime | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (found === null) return undefined
  const [year = 0, month = 0, day = 0] = found.slice(1).map(Number)
  const known = plusDays({ year, month, day, minute: 0 }, 0)
  return known.year === year && known.month === month && known.day === day ? known : undefined
}

/**
 * The instant, in epoch ms, of an ISO time with its offset, or of `2027-02-01 08:00` by the clocks of the zone: of a time
 * that they show twice, the first. A day alone is its beginning. Undefined for what is no time.
 */
export function typedInstant(text: string, timeZone: string): number | undefined {
  const found = wholeTime.exec(text.trim())
  const day = typedDay(found?.[1] ?? '')
  if (found === null || day === undefined) return undefined
  const [hour = 0, minute = 0, second = 0] = found.slice(2, 5).map((part = '0') => Number(part))
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const milliseconds = second * 1000 + Number((found[5] ?? '').padEnd(3, '0'))
  const minutes = hour * 60 + minute
  const offset = found[6]
  if (offset === undefined) return instantOf({ ...day, minute: minutes }, timeZone, 'first') + milliseconds
  const ahead = offsetMinutes(offset)
  if (ahead === undefined) return undefined
  return Date.UTC(day.year, day.month - 1, day.day) + (minutes - ahead) * 60_000 + milliseconds
}

function offsetMinutes(offset: string): number | undefined {
  if (offset === 'Z') return 0
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number)
  if (hours > 23 || minutes > 59) return undefined
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

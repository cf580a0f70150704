/** Times and lengths of bookings as a person types and reads them. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { instantOf, ownTimeZone, wallClock } from '@fernlab/shared/primitives/zoned-time'
import { mistake } from './problem.ts'

const unitS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 }
const wallTime = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$/
const withOffset = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*(?:Z|[+-]\d{2}:\d{2})$/

/** Seconds of `60m`, `90 min` or `1h30m`. */
export function secondsIn(option: string, text: string): number {
  const parts = [...text.matchAll(/(\d+)\s*(min|[smhd])\s*/g)]
  if (text.trim() === '' || parts.map(([part]) => part).join('') !== text.trimStart()) {
    throw mistake(option, `${option} "${text}" is not a length`, 'Write it as 60m, 90m or 1h30m.')
  }
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitS[unit] ?? 0), 0)
}

/** The shortest of such texts: `90m`, `2h`. */
export function lengthText(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}

/**
 * The instant, as the API takes it, of an ISO time with its offset or of `2027-02-01 08:00` by the clocks of the zone; of
 * a time that they show twice, the first.
 */
export function bookingTime(option: string, text: string, timeZone = ownTimeZone()): string {
  const ms = withOffset.test(text) ? Date.parse(text) : wallInstant(text, timeZone)
  if (ms !== undefined && !Number.isNaN(ms)) return new Date(ms).toISOString()
  throw mistake(
    option,
    `${option} "${text}" is not a time`,
    'Write it as "2027-02-01 08:00", by the clock of this machine, or as 2027-02-01T08:00+01:00.',
  )
}

/** A time that reads back as the same instant: by the zone's clocks, in full where they would be taken for another. */
export function timeText(time: string, timeZone = ownTimeZone()): string {
  const ms = Date.parse(time)
  const shown = wallClock(ms, timeZone).slice(0, 19)
  const text = shown.replace(/:00$/, '')
  return wallInstant(text, timeZone) === ms ? text : time
}

/** The refusal of a time that is taken, with the lines that take the nearest free ones. */
export function withSuggestions(error: unknown, commandAt: (start: string) => string): unknown {
  if (!(error instanceof LabError) || error.code !== 'booking-conflict') return error
  const { before, after } = error.details
  const lines = [before, after].flatMap((at) => (typeof at === 'string' ? [`  ${commandAt(timeText(at))}`] : []))
  if (lines.length === 0) return error
  const [message] = error.message.split('\n')
  return new LabError({ ...error.toJSON(), message: [message, ...lines].join('\n'), issues: [] })
}

/** A word of a command line, in quotes where it needs them. */
export const quoted = (text: string): string =>
  /^[\w.,:+/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

function wallInstant(text: string, timeZone: string): number | undefined {
  const found = wallTime.exec(text.trim())
  if (found === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map((part = '0') => Number(part))
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59)
    return undefined
  return instantOf({ year, month, day, minute: hour * 60 + minute }, timeZone, 'first') + second * 1000
}

/** Times and lengths of bookings as a person types and reads them. */
import type { EffectivePermission } from '@fernlab/shared/contracts/permissions'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { typedInstant } from '@fernlab/shared/primitives/typed-time'
import { ownTimeZone, wallClock } from '@fernlab/shared/primitives/zoned-time'
import { misspelt } from './problem.ts'

const unitS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 }

/** Seconds of `60m`, `90 min` or `1h30m`. */
export function secondsIn(option: string, text: string): number {
  const parts = [...text.matchAll(/(\d+)\s*(min|[smhd])\s*/g)]
  if (text.trim() === '' || parts.map(([part]) => part).join('') !== text.trimStart()) {
    throw misspelt(option, `${option} "${text}" is not a length`, 'Write it as 60m, 90m or 1h30m.')
  }
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitS[unit] ?? 0), 0)
}

/** The shortest of such texts: `90m`, `2h`. */
export function lengthText(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}

/** What somebody may book of a lab, a line for each limit. */
export function allowanceLines({ booking, ask }: Pick<EffectivePermission, 'booking' | 'ask'>): string[] {
  if (!booking.may) return [`You may not book this lab. Ask ${ask.join(', ') || 'the staff'}.`]
  const { longestS, aheadS, most, left, dayLeftS, weekLeftS } = booking
  const lines = [
    ...(longestS === null ? [] : [`one booking: ${lengthText(longestS)} at most`]),
    ...(aheadS === null ? [] : [`ahead: ${lengthText(aheadS)} at most`]),
    ...(most === null ? [] : [`bookings left: ${left} of ${most}`]),
    ...(dayLeftS === null ? [] : [`bench time left today: ${lengthText(dayLeftS)}`]),
    ...(weekLeftS === null ? [] : [`bench time left this week: ${lengthText(weekLeftS)}`]),
  ]
  return lines.length === 0 ? ['You may book this lab without limits.'] : lines
}

/** A time that reads back as the same instant: by the zone's clocks, in full where they would be taken for another. */
export function timeText(time: string, timeZone = ownTimeZone()): string {
  const ms = Date.parse(time)
  const shown = wallClock(ms, timeZone).slice(0, 19)
  const text = shown.replace(/:00$/, '')
  return typedInstant(text, timeZone) === ms ? text : time
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

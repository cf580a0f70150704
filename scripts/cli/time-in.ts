import { typedDay, typedInstant } from '@fernlab/shared/primitives/typed-time'
import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { misspelt } from './problem.ts'

/**
 * The time that an option or an argument names, as the API takes it: an ISO time with its offset, or `2027-02-01 08:00`
 * or a day alone by the clocks of the zone.
 */
export function timeIn(option: string, text: string, timeZone = ownTimeZone()): string {
  const ms = typedInstant(text, timeZone)
  if (ms !== undefined) return new Date(ms).toISOString()
  throw misspelt(
    option,
    `${option} "${text}" is not a time`,
    'Write it as 2027-02-01 or "2027-02-01 08:00", by the clock of this machine, or as 2027-02-01T08:00+01:00.',
  )
}

/** The day that an option names, as the API takes it. */
export function dayIn(option: string, text: string): string {
  if (typedDay(text) !== undefined) return text
  throw misspelt(option, `${option} "${text}" is not a day`, 'Write it as 2027-02-01.')
}

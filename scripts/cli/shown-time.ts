import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { timeText } from './booking-text.ts'

const wholeSecond = (time: string): string => new Date(Math.floor(Date.parse(time) / 1000) * 1000).toISOString()

/** A time in a table, which says below itself whose clocks it means. */
export const cellTime = (time: string | null | undefined): Date | undefined =>
  time === null || time === undefined ? undefined : new Date(time)

/** A cell's text by the clocks of this machine, to the second. */
export const cellText = (time: Date): string => timeText(wholeSecond(time.toISOString()))

/** A time in a sentence, by the clocks of this machine, with their zone: `2027-02-01 08:00 (Europe/Madrid)`. */
export function spokenTime(time: string): string {
  const text = timeText(wholeSecond(time))
  return text.endsWith('Z') ? text : `${text} (${ownTimeZone()})`
}

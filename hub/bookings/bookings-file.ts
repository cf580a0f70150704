/** Bookings as an iCalendar file (RFC 5545). Pure. */
import type { Booking } from '@fernlab/shared/contracts/bookings'
import { textIn } from '@fernlab/shared/contracts/common'

export interface BookingsFileOptions {
  /** The site's. */
  readonly title: string
  /** Where people reach the hub. */
  readonly url: string
  readonly nowMs: number
}

/** One event for each booking; the same booking has the same UID in every file, so that calendars replace it. */
export function bookingsFile(bookings: readonly Booking[], { title, url, nowMs }: BookingsFileOptions): string {
  const host = new URL(url).hostname
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Fernlab//Bookings//EN',
    `X-WR-CALNAME:${escaped(title)}`,
    ...bookings
      .filter(({ state }) => state !== 'cancelled')
      .flatMap(({ id, start, end, lab, labTitle, note }) => [
        'BEGIN:VEVENT',
        `UID:${id}@${host}`,
        `DTSTAMP:${stamp(nowMs)}`,
        `DTSTART:${stamp(Date.parse(start))}`,
        `DTEND:${stamp(Date.parse(end))}`,
        `SUMMARY:${escaped(textIn(labTitle, 'en') || lab)}`,
        ...(note === undefined ? [] : [`DESCRIPTION:${escaped(note)}`]),
        `URL:${new URL(`/labs/${lab}`, url).href}`,
        'END:VEVENT',
      ]),
    'END:VCALENDAR',
  ]
  return `${lines.map(folded).join('\r\n')}\r\n`
}

const stamp = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '')

const escaped = (text: string): string => text.replaceAll(/[\\;,]/g, '\\$&').replaceAll(/\r\n|\r|\n/g, '\\n')

/** No line has more than 75 bytes; a line that begins with a space goes on with the one before. */
function folded(line: string): string {
  const encoder = new TextEncoder()
  const parts: string[] = []
  let part = ''
  let bytes = 0
  for (const character of line) {
    const size = encoder.encode(character).length
    if (bytes + size > 75) {
      parts.push(part)
      part = ' '
      bytes = 1
    }
    part += character
    bytes += size
  }
  return [...parts, part].join('\r\n')
}

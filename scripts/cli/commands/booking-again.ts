import { meSchema } from '@fernlab/shared/contracts/api'
import { bookableSpans, nextSameTime, spansBut } from '@fernlab/shared/contracts/bookable-times'
import { type Book, type Booking, bookingSchema, calendarSchema } from '@fernlab/shared/contracts/bookings'
import { isStaff } from '@fernlab/shared/contracts/people'
import { effectiveSchema } from '@fernlab/shared/contracts/permissions'
import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { allowanceLines, quoted, secondsIn, timeText, withSuggestions } from '../booking-text.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import type { HubClient } from '../hub-client.ts'
import { mistake } from '../problem.ts'
import { timeIn } from '../time-in.ts'

interface AgainOptions extends HubOptions {
  readonly start?: string
  readonly for?: string
  readonly note?: string
}

/** As far as a calendar of the hub goes. */
const furthestMs = 62 * 86_400_000
const isoOf = (ms: number) => new Date(ms).toISOString()

/** `booking again`: what was booked before at another time. */
export function addBookingAgain(
  booking: Command,
  context: Context,
  print: (made: Booking, options: HubOptions) => void,
): void {
  withHub(
    booking
      .command('again <booking>')
      .description('book the same once more, at the next free time at the same time of day'),
  )
    .option('--start <time>', 'when it begins instead')
    .option('--for <length>', 'how long; as before unless given')
    .option('--note <words>', 'what it is for; as before unless given')
    .action(async (id: string, options: AgainOptions) => {
      const client = await openHub(context, options)
      const before = await client.call(bookingSchema, `/api/v1/bookings/${encodeURIComponent(id)}`)
      const { lab, bench, places, group } = before
      const seconds = options.for === undefined ? before.seconds : secondsIn('--for', options.for)
      const note = options.note ?? before.note
      const body: Book = {
        lab,
        start:
          options.start === undefined ? await nextStart(client, before, seconds) : timeIn('--start', options.start),
        seconds,
        places,
        ...(bench === undefined ? {} : { bench }),
        ...(group === undefined ? {} : { group: group.id }),
        ...(note === undefined ? {} : { note }),
      }
      const made = client.call(bookingSchema, '/api/v1/bookings', { method: 'POST', body })
      print(
        await made.catch((error: unknown) => {
          throw withSuggestions(error, (at) => `fernlab booking again ${id} --start ${quoted(at)}`)
        }),
        options,
      )
    })
}

/** When the person has other bookings; staff may have several at the same time. */
async function ownTimes(client: HubClient): Promise<{ from: number; until: number }[]> {
  const me = await client.call(meSchema, '/api/v1/me')
  if (isStaff(me.role)) return []
  const query = new URLSearchParams({ person: me.id })
  const open = await allPages(client, bookingSchema, '/api/v1/bookings', { query })
  return open.map(({ start, end }) => ({ from: Date.parse(start), until: Date.parse(end) }))
}

async function nextStart(client: HubClient, before: Booking, seconds: number): Promise<string> {
  const { lab, bench, places, start } = before
  const path = `/api/v1/labs/${encodeURIComponent(lab)}`
  const { booking, ask } = await client.call(effectiveSchema, `${path}/permission`)
  if (!booking.may) throw mistake('not-permitted', allowanceLines({ booking, ask }).join('\n  '))
  const nowMs = Date.now()
  const lengthMs = seconds * 1000
  const aheadMs = booking.aheadS === null ? furthestMs : Math.min(furthestMs, booking.aheadS * 1000 + lengthMs)
  const query = new URLSearchParams({
    from: isoOf(nowMs),
    to: isoOf(nowMs + aheadMs),
    ...(bench === undefined ? {} : { bench }),
  })
  const calendar = await client.call(calendarSchema, `${path}/calendar?${query}`)
  const spans = spansBut(bookableSpans(calendar, { places }), await ownTimes(client))
  const next = nextSameTime(spans, { startMs: Date.parse(start), lengthMs, nowMs, timeZone: ownTimeZone() })
  if (next !== undefined) return isoOf(next)
  const clock = timeText(start).slice(11)
  throw mistake(
    'again',
    `${lab} is not free for you at ${clock} on any day until ${timeText(isoOf(nowMs + aheadMs)).slice(0, 10)}`,
    `Say when with --start; "fernlab booking free ${lab}" lists what is free.`,
  )
}

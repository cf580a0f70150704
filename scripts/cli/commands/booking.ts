import { bookableStretches } from '@fernlab/shared/contracts/bookable-times'
import {
  type Book,
  type Booking,
  bookingSchema,
  type ChangeBooking,
  calendarSchema,
} from '@fernlab/shared/contracts/bookings'
import { effectiveSchema } from '@fernlab/shared/contracts/permissions'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { allowanceLines, lengthText, quoted, secondsIn, withSuggestions } from '../booking-text.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { misspelt } from '../problem.ts'
import { cellTime, spokenTime } from '../shown-time.ts'
import { printList } from '../table.ts'
import { timeIn } from '../time-in.ts'
import { wholeNumber } from '../whole-number.ts'
import { addBookingAgain } from './booking-again.ts'
import { addBookingNotices } from './booking-notices.ts'
import { addBookingSeries } from './booking-series.ts'

interface ListOptions extends HubOptions {
  readonly past?: boolean
  readonly cancelled?: boolean
  readonly missed?: boolean
  readonly lab?: string
  readonly series?: string
  readonly from?: string
  readonly to?: string
}

interface MakeOptions extends HubOptions {
  readonly for: string
  readonly bench?: string
  readonly places?: string
  readonly group?: string
  readonly note?: string
}

interface ChangeOptions extends HubOptions {
  readonly start?: string
  readonly for?: string
  readonly note?: string
}

interface FreeOptions extends HubOptions {
  readonly bench?: string
  readonly from?: string
  readonly to?: string
}

const pathOf = (id: string, verb = '') => `/api/v1/bookings/${encodeURIComponent(id)}${verb}`

/** `booking list`, `show`, `make`, `again`, `change`, `cancel`, `limits`, `free`, `calendar`, `series`: a bench of a lab kept for a time. */
export function addBooking(program: Command, context: Context): void {
  const { terminal } = context
  const booking = program.command('booking').description('a bench of a lab at a time of your choice')
  const print = (one: Booking, options: HubOptions) => {
    if (options.json) terminal.out(JSON.stringify(one, null, 2))
    else for (const line of linesOf(one)) terminal.out(line)
  }

  withHub(
    booking.command('list').description('your bookings, for staff everybody’s; from now on unless told otherwise'),
  )
    .option('--past', 'those that are over, the latest first')
    .option('--cancelled', 'those that were cancelled')
    .option('--missed', 'those to which nobody came')
    .option('--lab <lab>', 'only of this lab')
    .option('--series <series>', 'only those of a weekly series')
    .option('--from <time>', 'those that are not over by then, such as "2027-02-01 08:00"')
    .option('--to <time>', 'those that begin before then')
    .action(async ({ past, cancelled, missed, lab, series, from, to, ...options }: ListOptions) => {
      const asked = Object.entries({ past, cancelled, missed }).flatMap(([when, isAsked]) => (isAsked ? [when] : []))
      if (asked.length > 1) throw misspelt('list', `say one of --${asked.join(' and --')}`)
      const [when] = asked
      const query = new URLSearchParams({
        ...(when === undefined ? {} : { when }),
        ...(lab === undefined ? {} : { lab }),
        ...(series === undefined ? {} : { series }),
        ...(from === undefined ? {} : { from: timeIn('--from', from) }),
        ...(to === undefined ? {} : { to: timeIn('--to', to) }),
      })
      const client = await openHub(context, options)
      printList(terminal, await allPages(client, bookingSchema, '/api/v1/bookings', { query }), {
        ...options,
        columns: {
          booking: (one) => one.id,
          state: (one) => one.state,
          lab: (one) => one.lab,
          begins: (one) => cellTime(one.start),
          for: (one) => lengthText(one.seconds),
          benches: (one) => one.places,
          person: (one) => one.person.name,
          group: (one) => one.group?.name,
          series: (one) => one.series,
          note: (one) => one.note,
        },
        empty:
          when === undefined
            ? 'Nothing is booked. Book with "fernlab booking make LAB START".'
            : `No booking is ${when}.`,
      })
    })

  withHub(booking.command('show <booking>').description('when and where a booking is')).action(
    async (id: string, options: HubOptions) => {
      print(await (await openHub(context, options)).call(bookingSchema, pathOf(id)), options)
    },
  )

  withHub(
    booking
      .command('make <lab> <start>')
      .description(
        'book from "2027-02-01 08:00" on, by the clock of this machine, or from an ISO time with its offset',
      ),
  )
    .option('--for <length>', 'how long, such as 90m or 1h30m', '60m')
    .option('--bench <bench>', 'only this bench')
    .option('--places <number>', 'benches at once; more than one is for staff')
    .option('--group <group>', 'a group whose people may use it, for staff')
    .option('--note <words>', 'what it is for')
    .action(async (lab: string, start: string, options: MakeOptions) => {
      const { bench, places, group, note } = options
      const body: Book = {
        lab,
        start: timeIn('START', start),
        seconds: secondsIn('--for', options.for),
        ...(bench === undefined ? {} : { bench }),
        ...(places === undefined ? {} : { places: wholeNumber('--places', places) }),
        ...(group === undefined ? {} : { group }),
        ...(note === undefined ? {} : { note }),
      }
      const client = await openHub(context, options)
      const made = client.call(bookingSchema, '/api/v1/bookings', { method: 'POST', body })
      const again = [
        `--for ${quoted(options.for)}`,
        ...(['bench', 'places', 'group', 'note'] as const).flatMap((name) => {
          const value = options[name]
          return value === undefined ? [] : [`--${name} ${quoted(value)}`]
        }),
      ].join(' ')
      print(
        await made.catch((error: unknown) => {
          throw withSuggestions(error, (at) => `fernlab booking make ${lab} ${quoted(at)} ${again}`)
        }),
        options,
      )
    })

  withHub(booking.command('change <booking>').description('move a booking, make it longer or shorter; the rest stays'))
    .option('--start <time>', 'when it begins')
    .option('--for <length>', 'how long')
    .option('--note <words>', 'what it is for')
    .action(async (id: string, options: ChangeOptions) => {
      const { start, note } = options
      const body: ChangeBooking = {
        ...(start === undefined ? {} : { start: timeIn('--start', start) }),
        ...(options.for === undefined ? {} : { seconds: secondsIn('--for', options.for) }),
        ...(note === undefined ? {} : { note }),
      }
      if (Object.keys(body).length === 0) throw misspelt('change', 'say what to change: --start, --for or --note')
      const client = await openHub(context, options)
      const changed = client.call(bookingSchema, pathOf(id), { method: 'PUT', body })
      const length = options.for === undefined ? '' : ` --for ${quoted(options.for)}`
      print(
        await changed.catch((error: unknown) => {
          throw withSuggestions(error, (at) => `fernlab booking change ${id} --start ${quoted(at)}${length}`)
        }),
        options,
      )
    })

  withHub(
    booking.command('cancel <booking>').description('give the time to others; of one that has begun, what is left'),
  ).action(async (id: string, options: HubOptions) => {
    print(
      await (await openHub(context, options)).call(bookingSchema, pathOf(id, '/cancel'), { method: 'POST' }),
      options,
    )
  })

  withHub(booking.command('limits <lab>').description('what you may book of a lab now, and what of it is left')).action(
    async (lab: string, options: HubOptions) => {
      const client = await openHub(context, options)
      const may = await client.call(effectiveSchema, `/api/v1/labs/${encodeURIComponent(lab)}/permission`)
      if (options.json) return terminal.out(JSON.stringify(may.booking, null, 2))
      for (const line of allowanceLines(may)) terminal.out(line)
    },
  )

  withHub(booking.command('free <lab>').description('when benches of a lab are free, for a week from now unless given'))
    .option('--from <time>', 'from when on')
    .option('--to <time>', 'until when, at most 62 days later')
    .option('--bench <bench>', 'when this bench alone is')
    .action(async (lab: string, { from, to, bench, ...options }: FreeOptions) => {
      const query = new URLSearchParams({
        ...(bench === undefined ? {} : { bench }),
        ...(from === undefined ? {} : { from: timeIn('--from', from) }),
        ...(to === undefined ? {} : { to: timeIn('--to', to) }),
      })
      const client = await openHub(context, options)
      const path = `/api/v1/labs/${encodeURIComponent(lab)}/calendar?${query}`
      const calendar = await client.call(calendarSchema, path)
      if (options.json) return terminal.out(JSON.stringify(calendar, null, 2))
      printList(
        terminal,
        bookableStretches(calendar).filter(({ benches }) => benches > 0),
        {
          columns: {
            from: (one) => new Date(one.from),
            until: (one) => new Date(one.until),
            benches: (one) => one.benches,
          },
          empty: `No bench of ${lab} is free in that time.`,
        },
      )
      for (const { bench: id, start, end, reason } of calendar.closed) {
        terminal.err(
          `${id} is closed from ${spokenTime(start)}${end === undefined ? '' : ` to ${spokenTime(end)}`}: ${reason}`,
        )
      }
      const { prepareS, cleanUpS } = calendar
      if (prepareS > 0) terminal.err(`of a booking's time, ${lengthText(prepareS)} go into making the bench ready`)
      if (cleanUpS > 0) terminal.err(`the ${lengthText(cleanUpS)} of clean-up after a booking are counted`)
    })

  booking
    .command('calendar')
    .description('print your bookings to come as a file for calendars (iCalendar)')
    .option('--hub <address>', 'the hub, e.g. http://127.0.0.1:8080')
    .option('--token <token>', 'an API token')
    .action(async (options: HubOptions) => {
      const answer = await (await openHub(context, options)).fetch('/api/v1/bookings/calendar.ics')
      terminal.out((await answer.text()).trimEnd())
    })

  addBookingAgain(booking, context, print)
  addBookingSeries(booking, context)
  addBookingNotices(booking, context)
}

function linesOf(one: Booking): string[] {
  const places = one.places === 1 ? '' : `, ${one.places} benches`
  const bench = one.bench === undefined ? '' : ` on ${one.bench}`
  const group = one.group === undefined ? '' : `, for ${one.group.name}`
  return [
    `booking ${one.id} is ${one.state}: ${one.lab}${bench}, ${spokenTime(one.start)} for ${lengthText(one.seconds)}${places}${group}`,
    ...(one.trouble === undefined ? [] : [`  ${one.trouble}`]),
    ...(one.waitReason === undefined ? [] : [`  ${one.waitReason}`]),
    ...(one.cancelReason === undefined ? [] : [`  ${one.cancelReason}`]),
    ...(one.state === 'now' && one.session !== undefined ? [`  "fernlab session show ${one.session}"`] : []),
  ]
}

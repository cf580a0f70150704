import {
  type Book,
  type Booking,
  bookingSchema,
  type Calendar,
  type ChangeBooking,
  calendarSchema,
} from '@fernlab/shared/contracts/bookings'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { bookingTime, lengthText, quoted, secondsIn, timeText, withSuggestions } from '../booking-text.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { mistake } from '../problem.ts'
import { printList } from '../table.ts'
import { wholeNumber } from '../whole-number.ts'
import { addBookingSeries } from './booking-series.ts'

interface ListOptions extends HubOptions {
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
  readonly from?: string
  readonly to?: string
}

const pathOf = (id: string, verb = '') => `/api/v1/bookings/${encodeURIComponent(id)}${verb}`

/** `booking list`, `show`, `make`, `change`, `cancel`, `free`, `calendar`, `series`: a bench of a lab kept for a time. */
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
    .option('--lab <lab>', 'only of this lab')
    .option('--series <series>', 'only those of a weekly series')
    .option('--from <time>', 'those that are not over by then, such as "2027-02-01 08:00"')
    .option('--to <time>', 'those that begin before then')
    .action(async ({ lab, series, from, to, ...options }: ListOptions) => {
      const query = new URLSearchParams({
        ...(lab === undefined ? {} : { lab }),
        ...(series === undefined ? {} : { series }),
        ...(from === undefined ? {} : { from: bookingTime('--from', from) }),
        ...(to === undefined ? {} : { to: bookingTime('--to', to) }),
      })
      const client = await openHub(context, options)
      printList(terminal, await allPages(client, bookingSchema, '/api/v1/bookings', { query }), {
        ...options,
        columns: {
          booking: (one) => one.id,
          state: (one) => one.state,
          lab: (one) => one.lab,
          begins: (one) => timeText(one.start),
          for: (one) => lengthText(one.seconds),
          benches: (one) => one.places,
          person: (one) => one.person.name,
          group: (one) => one.group?.name,
          series: (one) => one.series,
          note: (one) => one.note,
        },
        empty: 'Nothing is booked. Book with "fernlab booking make LAB START".',
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
        start: bookingTime('START', start),
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
        ...(start === undefined ? {} : { start: bookingTime('--start', start) }),
        ...(options.for === undefined ? {} : { seconds: secondsIn('--for', options.for) }),
        ...(note === undefined ? {} : { note }),
      }
      if (Object.keys(body).length === 0) throw mistake('change', 'say what to change: --start, --for or --note')
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

  withHub(booking.command('free <lab>').description('when benches of a lab are free, for a week from now unless given'))
    .option('--from <time>', 'from when on')
    .option('--to <time>', 'until when, at most 62 days later')
    .action(async (lab: string, { from, to, ...options }: FreeOptions) => {
      const query = new URLSearchParams({
        ...(from === undefined ? {} : { from: bookingTime('--from', from) }),
        ...(to === undefined ? {} : { to: bookingTime('--to', to) }),
      })
      const client = await openHub(context, options)
      const path = `/api/v1/labs/${encodeURIComponent(lab)}/calendar?${query}`
      const calendar = await client.call(calendarSchema, path)
      if (options.json) return terminal.out(JSON.stringify(calendar, null, 2))
      printList<Calendar['free'][number]>(
        terminal,
        calendar.free.filter(({ benches }) => benches > 0),
        {
          columns: {
            from: (one) => timeText(one.start),
            until: (one) => timeText(one.end),
            benches: (one) => one.benches,
          },
          empty: `No bench of ${lab} is free in that time.`,
        },
      )
      for (const { bench, start, end, reason } of calendar.closed) {
        terminal.err(
          `${bench} is closed from ${timeText(start)}${end === undefined ? '' : ` to ${timeText(end)}`}: ${reason}`,
        )
      }
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

  addBookingSeries(booking, context)
}

function linesOf(one: Booking): string[] {
  const places = one.places === 1 ? '' : `, ${one.places} benches`
  const bench = one.bench === undefined ? '' : ` on ${one.bench}`
  const group = one.group === undefined ? '' : `, for ${one.group.name}`
  return [
    `booking ${one.id} is ${one.state}: ${one.lab}${bench}, ${timeText(one.start)} for ${lengthText(one.seconds)}${places}${group}`,
    ...(one.trouble === undefined ? [] : [`  ${one.trouble}`]),
    ...(one.state === 'now' && one.session !== undefined ? [`  "fernlab session show ${one.session}"`] : []),
  ]
}

import {
  type BookedSeries,
  type BookSeries,
  bookedSeriesSchema,
  type SeriesMove,
} from '@fernlab/shared/contracts/bookings'
import { movesWith, nearestMoves } from '@fernlab/shared/contracts/series-moves'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import type { Command } from 'commander'
import * as z from 'zod'
import { secondsIn, timeText } from '../booking-text.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { misspelt } from '../problem.ts'
import { dayIn, timeIn } from '../time-in.ts'
import { weekdaysIn } from '../weekdays-in.ts'
import { wholeNumber } from '../whole-number.ts'

interface SeriesOptions extends HubOptions {
  readonly days: string
  readonly at: string
  readonly from: string
  readonly until: string
  readonly for: string
  readonly timeZone?: string
  readonly everyWeeks?: string
  readonly bench?: string
  readonly places?: string
  readonly group?: string
  readonly note?: string
  readonly move: readonly string[]
  readonly nearest?: boolean
  readonly skip?: boolean
  readonly preview?: boolean
}

const cancelledSchema = z.object({ cancelled: z.number() })

/** `booking series`, `booking series-cancel`, `booking series-take-back`: the same time every week, for a course. */
export function addBookingSeries(booking: Command, context: Context): void {
  const { terminal } = context

  withHub(booking.command('series <lab>').description('book the same time every week, for a course; for staff'))
    .requiredOption('--days <days>', 'on which days, such as mon,thu or mon-fri')
    .requiredOption('--at <time>', 'when it begins, such as 14:00')
    .requiredOption('--from <day>', 'the first day, such as 2027-02-01')
    .requiredOption('--until <day>', 'the last day')
    .option('--for <length>', 'how long, such as 90m or 1h30m', '60m')
    .option('--time-zone <zone>', 'by whose clocks, such as Europe/Madrid; those of this machine unless given')
    .option('--every-weeks <number>', '2: every other week')
    .option('--bench <bench>', 'only this bench')
    .option('--places <number>', 'benches at once')
    .option('--group <group>', 'whose people may use it')
    .option('--note <words>', 'what it is for')
    .option(
      '--move <from=to>',
      'have the time of one day at another, such as "2027-02-04 14:00=2027-02-04 16:00"; as often as needed',
      (move: string, moves: readonly string[]) => [...moves, move],
      [],
    )
    .option('--nearest', 'have each time that is taken at the nearest one that is free')
    .option('--skip', 'leave out the times that are taken; without it one of them refuses the whole')
    .option('--preview', 'say what would be booked, and book nothing')
    .action(async (lab: string, options: SeriesOptions) => {
      const asked = seriesOf(lab, options)
      const client = await openHub(context, options)
      const send = (body: BookSeries) =>
        client.call(bookedSeriesSchema, '/api/v1/booking-series', { method: 'POST', body })
      const body = options.nearest ? await withNearest(asked, send) : asked
      const made = await send(body).catch((error: unknown) => {
        throw withWayOut(error)
      })
      if (options.json) return terminal.out(JSON.stringify(made, null, 2))
      for (const line of linesOf(made)) terminal.out(line)
    })

  withHub(booking.command('series-cancel <series>').description('cancel what of a series is not over')).action(
    async (id: string, options: HubOptions) => {
      const client = await openHub(context, options)
      const path = `/api/v1/booking-series/${encodeURIComponent(id)}/cancel`
      const { cancelled } = await client.call(cancelledSchema, path, { method: 'POST' })
      if (options.json) return terminal.out(JSON.stringify({ cancelled }))
      terminal.out(`${cancelled} bookings of ${id} are cancelled`)
      if (cancelled === 0) return
      terminal.err(`"fernlab booking series-take-back ${id}" books them again, as far as they are free then.`)
    },
  )

  withHub(
    booking
      .command('series-take-back <series>')
      .description('book again what of your series was cancelled last, as far as it is free'),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const path = `/api/v1/booking-series/${encodeURIComponent(id)}/take-back`
    const made = await client.call(bookedSeriesSchema, path, { method: 'POST' })
    if (options.json) return terminal.out(JSON.stringify(made, null, 2))
    for (const line of linesOf(made)) terminal.out(line)
  })
}

/** The series with each time that is taken moved to the nearest free one, as far as there are any. */
async function withNearest(body: BookSeries, send: (body: BookSeries) => Promise<BookedSeries>): Promise<BookSeries> {
  let moved = body.moved ?? []
  let left = Number.POSITIVE_INFINITY
  for (;;) {
    const { conflicts } = await send({ ...body, moved, preview: true })
    const more = nearestMoves(conflicts)
    // Those that others took between two looks are left as they are, and told.
    if (more.length === 0 || conflicts.length >= left) return { ...body, moved }
    left = conflicts.length
    moved = movesWith(moved, more)
  }
}

function moveIn(text: string): SeriesMove {
  const [from, to, ...rest] = text.split('=')
  if (from === undefined || to === undefined || rest.length > 0) {
    throw misspelt('--move', `--move "${text}" is not two times`, 'Write it as "2027-02-04 14:00=2027-02-04 16:00".')
  }
  return { from: timeIn('--move', from.trim()), to: timeIn('--move', to.trim()) }
}

function seriesOf(lab: string, options: SeriesOptions): BookSeries {
  const { at, from, until, everyWeeks, bench, places, group, note, timeZone = ownTimeZone() } = options
  return {
    lab,
    weekly: {
      days: weekdaysIn('--days', options.days),
      at,
      timeZone,
      from: dayIn('--from', from),
      until: dayIn('--until', until),
      ...(everyWeeks === undefined ? {} : { everyWeeks: wholeNumber('--every-weeks', everyWeeks) }),
    },
    seconds: secondsIn('--for', options.for),
    ...(bench === undefined ? {} : { bench }),
    ...(places === undefined ? {} : { places: wholeNumber('--places', places) }),
    ...(group === undefined ? {} : { group }),
    ...(note === undefined ? {} : { note }),
    ...(options.move.length === 0 ? {} : { moved: options.move.map(moveIn) }),
    conflicts: options.skip ? 'skip' : 'refuse',
    preview: options.preview ?? false,
  }
}

function linesOf({ id, times, conflicts }: BookedSeries): string[] {
  const booked = times.map(({ start, movedFrom }) => {
    const instead = movedFrom === undefined ? '' : `, instead of ${timeText(movedFrom)}`
    return `${id === undefined ? 'free' : 'booked'}  ${timeText(start)}${instead}`
  })
  const taken = conflicts.map(({ start, before, after }) => {
    const near = [before, after].flatMap((time) => (time === undefined ? [] : [timeText(time)]))
    return `taken  ${timeText(start)}${near.length === 0 ? '' : `, free at ${near.join(' and ')}`}`
  })
  const head = id === undefined ? 'nothing is booked: a preview' : `series ${id}: ${times.length} times are booked`
  return [head, ...booked, ...taken]
}

function withWayOut(error: unknown): unknown {
  if (!(error instanceof LabError) || error.code !== 'booking-conflict') return error
  const [told] = error.message.split('\n')
  const message = `${told}\n  --nearest has them at the nearest free times; --skip books the others; --preview shows what is free near them.`
  return new LabError({ ...error.toJSON(), message })
}

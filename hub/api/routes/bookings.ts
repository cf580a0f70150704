import { page } from '@fernlab/shared/contracts/api'
import { bookingWhens } from '@fernlab/shared/contracts/booking-whens'
import {
  type Booking,
  bookedSeriesSchema,
  bookingSchema,
  bookSchema,
  bookSeriesSchema,
  calendarSchema,
  changeBookingSchema,
} from '@fernlab/shared/contracts/bookings'
import { nameSchema } from '@fernlab/shared/contracts/common'
import { z } from '@hono/zod-openapi'
import type { Caller } from '../../accounts/caller.ts'
import { can, decide } from '../../accounts/can.ts'
import { bookingsFile } from '../../bookings/bookings-file.ts'
import { bookingErrors } from '../call-errors.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { cursorAfter, cursorId, pageQuery } from '../paging.ts'
import { notFound, refusal } from '../problems.ts'

const tag = 'Bookings'
const bookingParams = z.object({ id: z.string().max(63) })
const givenTime = z.iso.datetime({ offset: true })
const dayMs = 86_400_000
const longestWindowMs = 62 * dayMs
/** Bookings in one calendar file. */
const mostInFile = 1000

const listQuery = pageQuery.extend({
  when: z
    .enum(bookingWhens)
    .optional()
    .describe('Those to come or on, those that are over, those that were cancelled, or those to which nobody came'),
  from: givenTime
    .optional()
    .describe('Those that end later; now unless given, with `when` past, cancelled or missed any time'),
  to: givenTime.optional().describe('Those that begin before'),
  lab: z.string().max(63).optional(),
  series: z.string().max(63).optional(),
  /** For staff: whose; everybody's unless given. */
  person: z.string().max(63).optional(),
  order: z
    .enum(['soonest', 'latest'])
    .optional()
    .describe('By their start; the latest first where `when` is past, cancelled or missed, else the soonest'),
})

/** Benches that are kept for people at a time: one's own, for staff everybody's. */
export function bookingRoutes(add: AddRoute, { bookings, groups, clock, config }: ApiParts): void {
  const groupsOf = async ({ personId }: Caller) => [...(await groups.of(personId)).at(clock.now())]
  /** One's own, and those of one's groups; staff read all. */
  const readable = async (caller: Caller, id: string): Promise<Booking> => {
    const booking = await bookings.get(id)
    if (booking === undefined) throw notFound(`the booking ${id}`)
    const decision = decide(caller, 'bookings.read', { ownerId: booking.person.id })
    if (decision === 'yes') return booking
    const { group } = booking
    if (decision === 'unseen' && group !== undefined && (await groupsOf(caller)).includes(group.id)) return booking
    throw notFound(`the booking ${id}`)
  }
  const changeable = async (caller: Caller, id: string): Promise<Booking> => {
    const booking = await readable(caller, id)
    if (can(caller, 'bookings.change', { ownerId: booking.person.id })) return booking
    throw refusal(
      'forbidden',
      'the booking is its group’s: whoever made it, and the staff, may change it',
      `It is your group’s booking. ${booking.person.name} can change it.`,
    )
  }

  add(
    {
      method: 'post',
      path: '/api/v1/bookings',
      often: true,
      tag,
      summary: 'Book a bench of a lab for a time',
      description: 'A time that is taken is refused with the nearest free ones.',
      access: 'bookings.make',
      errors: [...bookingErrors, 'group-unknown'],
      body: bookSchema,
      answer: { status: 201, schema: bookingSchema, what: 'The booking, which the database has committed' },
    },
    async ({ c, body, caller }) => {
      const booking = await bookings.book(caller, body)
      c.header('location', `/api/v1/bookings/${booking.id}`)
      return c.json(booking, 201)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/bookings',
      tag,
      summary: 'Bookings by their start: one’s own and those of one’s groups, for staff everybody’s',
      access: 'bookings.read',
      query: listQuery,
      answer: { schema: page(bookingSchema), what: 'Bookings' },
    },
    async ({ c, query, caller }) => {
      const { when, from, to, lab, series, limit, order } = query
      const everybody = can(caller, 'bookings.read-any')
      if (!everybody && query.person !== undefined && query.person !== caller.personId) return c.json({ items: [] })
      const person = everybody ? query.person : caller.personId
      const after = placeOf(query.cursor)
      const { items, next } = await bookings.list({
        when,
        limit,
        ...(order === undefined ? {} : { order }),
        ...(from === undefined ? {} : { from: Date.parse(from) }),
        ...(to === undefined ? {} : { to: Date.parse(to) }),
        ...(lab === undefined ? {} : { lab }),
        ...(series === undefined ? {} : { series }),
        ...(person === undefined ? {} : { person }),
        ...(person === caller.personId ? { groups: await groupsOf(caller) } : {}),
        ...(after === undefined ? {} : { after }),
      })
      return c.json({ items, ...(next === undefined ? {} : { cursor: cursorAfter(`${next.startsAt} ${next.id}`) }) })
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/bookings/calendar.ics',
      tag,
      summary: 'One’s own bookings to come and those of one’s groups, as a file for calendars (RFC 5545)',
      access: 'bookings.read',
      answer: { type: 'text/calendar', what: 'The file' },
    },
    async ({ c, caller }) => {
      const mine = { person: caller.personId, groups: await groupsOf(caller) }
      const { items } = await bookings.list({ ...mine, from: clock.now(), limit: mostInFile })
      const { title, publicUrl } = config
      const text = bookingsFile(items, { title, url: publicUrl(), nowMs: clock.now() })
      return c.body(text, 200, {
        'content-type': 'text/calendar; charset=utf-8',
        'content-disposition': 'attachment; filename="bookings.ics"',
        'cache-control': 'no-store',
      })
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/bookings/{id}',
      tag,
      summary: 'A booking',
      access: 'bookings.read',
      params: bookingParams,
      answer: { schema: bookingSchema, what: 'The booking' },
    },
    async ({ c, params, caller }) => c.json(await readable(caller, params.id)),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/bookings/{id}',
      tag,
      summary: 'Move a booking, or make it longer or shorter',
      description: 'What is not given stays. One that has begun keeps its start.',
      access: 'bookings.change',
      errors: [...bookingErrors, 'booking-over', 'booking-begun'],
      params: bookingParams,
      body: changeBookingSchema,
      answer: { schema: bookingSchema, what: 'The booking' },
    },
    async ({ c, params, body, caller }) => {
      await changeable(caller, params.id)
      return c.json(await bookings.change(caller, params.id, body))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/bookings/{id}/cancel',
      tag,
      summary: 'Cancel a booking; of one that has begun, what is left is given back',
      access: 'bookings.change',
      errors: ['booking-over'],
      params: bookingParams,
      answer: { schema: bookingSchema, what: 'The booking' },
    },
    async ({ c, params, caller }) => {
      const booking = await changeable(caller, params.id)
      return c.json(booking.state === 'cancelled' ? booking : await bookings.cancel(caller, params.id))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/booking-series',
      tag,
      summary: 'Book the same time every week, for a course',
      description:
        'By the calendar of a time zone: 14:00 stays 14:00 when the clocks change. Times that are taken are refused with the whole, or left out.',
      access: 'bookings.series',
      errors: [...bookingErrors, 'series-empty', 'series-too-long', 'series-overlaps', 'group-unknown'],
      body: bookSeriesSchema,
      answer: { status: 201, schema: bookedSeriesSchema, what: 'What was booked, or for a preview what would be' },
    },
    async ({ c, body, caller }) => c.json(await bookings.bookSeries(caller, body), 201),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/booking-series/{id}/cancel',
      tag,
      summary: 'Cancel what of a series is not over',
      access: 'bookings.series',
      params: bookingParams,
      answer: { schema: z.object({ cancelled: z.number() }), what: 'How many bookings that were' },
    },
    async ({ c, params, caller }) => {
      if ((await bookings.seriesOwner(params.id)) === undefined) throw notFound(`the series ${params.id}`)
      return c.json({ cancelled: await bookings.cancelSeries(caller, params.id) })
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/booking-series/{id}/take-back',
      tag,
      summary: 'Book again what of one’s own series was cancelled last, as far as it is free',
      access: 'bookings.series',
      errors: ['booking-over', 'lab-unknown', 'not-permitted', 'group-unknown', 'no-bench', 'bench-unknown'],
      params: bookingParams,
      answer: { status: 201, schema: bookedSeriesSchema, what: 'What is booked again, and what is taken since' },
    },
    async ({ c, params, caller }) => {
      if ((await bookings.seriesOwner(params.id)) === undefined) throw notFound(`the series ${params.id}`)
      return c.json(await bookings.takeBackSeries(caller, params.id), 201)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/labs/{lab}/calendar',
      tag,
      summary: 'When benches of a lab are free, with one’s own bookings, for staff everybody’s',
      access: 'bookings.read',
      errors: ['bench-unknown', 'no-bench'],
      params: z.object({ lab: nameSchema }),
      query: z.object({
        from: givenTime.optional(),
        to: givenTime.optional(),
        bench: z.string().max(127).optional().describe('When this bench alone is free, as `<node>.<bench>`'),
      }),
      answer: { schema: calendarSchema, what: 'From now on for a week unless given' },
    },
    async ({ c, params, query, caller }) => {
      const from = query.from === undefined ? clock.now() : Date.parse(query.from)
      const to = query.to === undefined ? from + 7 * dayMs : Date.parse(query.to)
      if (to <= from || to - from > longestWindowMs) {
        const message = to <= from ? 'must be after from' : 'must be at most 62 days after from'
        throw Object.assign(refusal('request-invalid', `to: ${message}`), {
          issues: [{ path: 'query.to', message }],
        })
      }
      const everybody = can(caller, 'bookings.read-any')
      return c.json(await bookings.calendar(caller, params.lab, { from, to, everybody, bench: query.bench }))
    },
  )
}

/** The place in the list that a cursor stands for. */
function placeOf(cursor: string | undefined): { startsAt: number; id: string } | undefined {
  const text = cursorId(cursor)
  if (text === undefined) return undefined
  const [startsAt, id = ''] = text.split(' ')
  return { startsAt: Number(startsAt), id }
}

import {
  bookingLettersSchema,
  bookingNoticeSchema,
  changeBookingLettersSchema,
} from '@fernlab/shared/contracts/booking-notices'
import { z } from '@hono/zod-openapi'
import type { AddRoute, ApiParts } from '../context.ts'
import { notFound } from '../problems.ts'

const tag = 'Bookings'

/** What people are told of their bookings: on the page, and whether by letter too. */
export function bookingNoticeRoutes(add: AddRoute, { bookingNotices, bookingLetters }: ApiParts): void {
  add(
    {
      method: 'get',
      path: '/api/v1/bookings/notices',
      tag,
      summary: 'What became of one’s bookings by others or by a bench, until it is put away',
      access: 'bookings.read',
      answer: { schema: z.object({ items: z.array(bookingNoticeSchema) }), what: 'Notices, the newest first' },
    },
    async ({ c, caller }) => c.json({ items: await bookingNotices.of(caller.personId) }),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/bookings/notices/{id}/put-away',
      tag,
      summary: 'Put away a notice that one has read',
      access: 'bookings.change',
      params: z.object({ id: z.string().max(63) }),
      answer: { status: 204, what: 'It is not shown any more' },
    },
    async ({ c, params, caller }) => {
      if (await bookingNotices.putAway(caller.personId, params.id)) return c.body(null, 204)
      throw notFound(`the notice ${params.id}`)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/me/booking-letters',
      tag,
      summary: 'Whether one gets letters about one’s bookings, and in what language and time zone',
      access: 'bookings.read',
      answer: { schema: bookingLettersSchema, what: 'How one gets them' },
    },
    async ({ c, caller }) => c.json(await bookingLetters.of(caller.personId)),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/me/booking-letters',
      tag,
      summary: 'Get letters about one’s bookings, or get none; say in what language and time zone',
      description: 'What is not given stays. The page keeps language and time zone as it was used last.',
      access: 'bookings.change',
      body: changeBookingLettersSchema,
      answer: { schema: bookingLettersSchema, what: 'How one gets them now' },
    },
    async ({ c, body, caller }) => {
      await bookingLetters.change(caller.personId, body)
      return c.json(await bookingLetters.of(caller.personId))
    },
  )
}

/** What people are told of their bookings, on the page and by letter, when somebody else or a bench has changed them. */
import * as z from 'zod'
import { timeZoneSchema } from './bench-care.ts'
import { textSchema } from './common.ts'

const time = z.iso.datetime()

/**
 * `missed`: nobody came within the grace period; `broken`: its session could not go on; `not-permitted`: when it was to
 * begin, no permission let its person use the lab any more; `no-bench`: no bench is left for it; `bench-again`: one is
 * again; `series-again`: what was cancelled of a series was booked again; the rest was done by staff.
 */
export const bookingNoticeKinds = [
  'missed',
  'broken',
  'not-permitted',
  'no-bench',
  'bench-again',
  'moved',
  'cancelled',
  'series-cancelled',
  'series-again',
] as const
export type BookingNoticeKind = (typeof bookingNoticeKinds)[number]

/** One of `GET /api/v1/bookings/notices`. */
export const bookingNoticeSchema = z.object({
  id: z.string(),
  what: z.enum(bookingNoticeKinds),
  at: time,
  booking: z.string(),
  lab: z.string(),
  labTitle: textSchema.optional(),
  /** When the booking is, or was. */
  start: time,
  end: time,
  /** When it was before it was moved. */
  before: z.object({ start: time, end: time }).optional(),
  /** How many bookings of a series. */
  times: z.number().optional(),
  /** Of the staff, who did it. */
  by: z.string().optional(),
  /** Why, where that is known. */
  reason: z.string().optional(),
})
export type BookingNotice = z.infer<typeof bookingNoticeSchema>

/** The languages of letters. */
export const letterLanguages = ['en', 'es'] as const
export type LetterLanguage = (typeof letterLanguages)[number]

/** `PUT /api/v1/me/booking-letters`: what is not given stays. */
export const changeBookingLettersSchema = z.strictObject({
  wanted: z.boolean().optional(),
  language: z.enum(letterLanguages).optional(),
  timeZone: timeZoneSchema.optional(),
})
export type ChangeBookingLetters = z.input<typeof changeBookingLettersSchema>

/** `GET /api/v1/me/booking-letters`. */
export const bookingLettersSchema = z.object({
  /** One gets a letter about what becomes of one's bookings. */
  wanted: z.boolean(),
  /** False where the site has no mail server. */
  possible: z.boolean(),
  /** None go to an address before it is confirmed. */
  confirmed: z.boolean(),
  /** As one's page was used last. */
  language: z.enum(letterLanguages).optional(),
  timeZone: z.string().optional(),
})
export type BookingLetters = z.infer<typeof bookingLettersSchema>

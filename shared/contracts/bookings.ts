/** Bookings: a bench of a lab that is kept for somebody at a time, as the API takes and shows them. */
import * as z from 'zod'
import { timeZoneSchema, weekdays } from './bench-care.ts'
import { SHORTEST_BOOKING_S } from './bookable-times.ts'
import { nameSchema, textSchema, writtenText } from './common.ts'

const time = z.iso.datetime()
/** As a person writes it, with any offset. */
const givenTime = z.iso.datetime({ offset: true })

export const LONGEST_BOOKING_S = 31 * 86_400
const seconds = z.number().int().min(SHORTEST_BOOKING_S).max(LONGEST_BOOKING_S)
const places = z.number().int().min(1).max(50)
const note = writtenText(200)
const bench = z.string().max(127)
const group = z.string().max(63)

interface GivenTimes {
  readonly start?: string | undefined
  readonly seconds?: number | undefined
  readonly end?: string | undefined
}

/** What is wrong with the times; one of `seconds` and `end` says how long. */
function checkTimes({ start, seconds: length, end }: GivenTimes, needed: boolean, context: z.RefinementCtx): void {
  const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
  if (length !== undefined && end !== undefined) issue('end', 'stands instead of seconds')
  if (needed && length === undefined && end === undefined) issue('seconds', 'say how long, by seconds or by end')
  if (start === undefined || end === undefined) return
  const given = (Date.parse(end) - Date.parse(start)) / 1000
  if (given <= 0) issue('end', 'must be after start')
  else if (given < SHORTEST_BOOKING_S) issue('end', `must be at least ${SHORTEST_BOOKING_S} s after start`)
  else if (given > LONGEST_BOOKING_S) issue('end', `must be at most ${LONGEST_BOOKING_S} s after start`)
}

/** `POST /api/v1/bookings`. */
export const bookSchema = z
  .strictObject({
    lab: nameSchema,
    start: givenTime,
    seconds: seconds.optional(),
    /** Instead of `seconds`. */
    end: givenTime.optional(),
    /** `<node>.<bench>`; any that serves the lab unless given. */
    bench: bench.optional(),
    /** Benches at once; more than one is for staff. */
    places: places.default(1),
    /** A group whose people may use it, for staff: whoever of them opens a session or submits a run has a bench first. */
    group: group.optional(),
    note: note.optional(),
  })
  .superRefine((given, context) => checkTimes(given, true, context))
export type Book = z.input<typeof bookSchema>

/** `PUT /api/v1/bookings/{id}`: what is not given stays; a new start alone keeps the length. */
export const changeBookingSchema = z
  .strictObject({
    start: givenTime.optional(),
    seconds: seconds.optional(),
    end: givenTime.optional(),
    note: note.optional(),
  })
  .superRefine((given, context) => checkTimes(given, false, context))
export type ChangeBooking = z.input<typeof changeBookingSchema>

/** `missed`: nobody had come when the grace period was over, and the time was given back. */
export const bookingStates = ['booked', 'now', 'over', 'cancelled', 'missed'] as const
export type BookingState = (typeof bookingStates)[number]

const person = z.object({ id: z.string(), name: z.string() })

export const bookingSchema = z.object({
  id: z.string(),
  state: z.enum(bookingStates),
  lab: z.string(),
  labTitle: textSchema.optional(),
  start: time,
  end: time,
  seconds: z.number(),
  /** Benches at once. */
  places: z.number(),
  /** The bench that was asked for; without it, it is chosen when the booking begins. */
  bench: z.string().optional(),
  /** Whose it is. */
  person,
  /** Whose people may use it besides. */
  group: z.object({ id: z.string(), name: z.string() }).optional(),
  /** The live session that was opened when it began. */
  session: z.string().optional(),
  beganAt: time.optional(),
  /** When the time was given back, where that was not at its end. */
  endedAt: time.optional(),
  note: z.string().optional(),
  /** The series that it belongs to. */
  series: z.string().optional(),
  /** Why no bench stands for it at present: it was taken, and then a bench went. */
  trouble: z.string().optional(),
  /** Why it has not begun though its time has come, or is going to begin late. */
  waitReason: z.string().optional(),
  /** When it is expected to begin, where that is late. */
  estimatedStart: time.optional(),
  createdAt: time,
  cancelledAt: time.optional(),
  /** Why, where nobody has cancelled it. */
  cancelReason: z.string().optional(),
})
export type Booking = z.infer<typeof bookingSchema>

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day, such as 14:00')

const weeklyTimesSchema = z.strictObject({
  days: z.array(z.enum(weekdays)).min(1).max(7),
  /** The time of day in the time zone, on every day the same. */
  at: clockTime,
  timeZone: timeZoneSchema,
  /** First and last day, both included. */
  from: z.iso.date(),
  until: z.iso.date(),
  everyWeeks: z.number().int().min(1).max(8).default(1),
})

/** A time of a series that is had at another time instead. */
const seriesMoveSchema = z.strictObject({
  /** When it begins by the series. */
  from: givenTime,
  /** When it is to begin. */
  to: givenTime,
})
export type SeriesMove = z.infer<typeof seriesMoveSchema>

/** `POST /api/v1/booking-series`: the same time every week, for a course. */
export const bookSeriesSchema = z
  .strictObject({
    lab: nameSchema,
    weekly: weeklyTimesSchema,
    seconds,
    bench: bench.optional(),
    places: places.default(1),
    group: group.optional(),
    note: note.optional(),
    /** Single times that are had at another time, such as one that is free. */
    moved: z.array(seriesMoveSchema).max(400).optional(),
    /** `refuse`: all times or none; `skip`: those that are free. */
    conflicts: z.enum(['refuse', 'skip']).default('refuse'),
    /** Tells what would be booked and books nothing. */
    preview: z.boolean().default(false),
  })
  .superRefine(({ weekly }, context) => {
    if (weekly.until < weekly.from) {
      context.addIssue({ code: 'custom', path: ['weekly', 'until'], message: 'must not be before from' })
    }
  })
export type BookSeries = z.input<typeof bookSeriesSchema>

const seriesTimeSchema = z.object({
  start: time,
  end: time,
  /** When it would begin by the series, where it was moved. */
  movedFrom: time.optional(),
})
export type SeriesTime = z.infer<typeof seriesTimeSchema>

/** A time of a series that is taken, with the nearest free ones. */
const seriesConflictSchema = seriesTimeSchema.extend({ before: time.optional(), after: time.optional() })
export type SeriesConflict = z.infer<typeof seriesConflictSchema>

export const bookedSeriesSchema = z.object({
  /** None for a preview. */
  id: z.string().optional(),
  times: z.array(seriesTimeSchema),
  conflicts: z.array(seriesConflictSchema),
})
export type BookedSeries = z.infer<typeof bookedSeriesSchema>

/** `GET /api/v1/labs/{lab}/calendar?from&to&bench`. */
export const calendarSchema = z.object({
  lab: z.string(),
  /** Benches that serve the lab, up or not. */
  benches: z.number(),
  /** Of a booking's time, so much goes into making the bench ready; 0 where the lab has no sessions. */
  prepareS: z.number(),
  /** So long after a booking's end the bench is cleaned up, and free for nobody. */
  cleanUpS: z.number(),
  /** Stretches without gaps, with how many benches could be booked in each, others moving where they can. */
  free: z.array(z.object({ start: time, end: time, benches: z.number() })),
  /** When benches are not for anybody, by bench; one without an end lasts until somebody ends it. */
  closed: z.array(z.object({ bench: z.string(), start: time, end: time.optional(), reason: z.string() })),
  /** One's own bookings of the lab, for staff everybody's. */
  bookings: z.array(bookingSchema),
})
export type Calendar = z.infer<typeof calendarSchema>

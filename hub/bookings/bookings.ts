/** What bookings are and may become: making, moving, cancelling, and the calendar of a lab. */

import type { BookingWhen } from '@fernlab/shared/contracts/booking-whens'
import type {
  BookedSeries,
  Booking,
  bookSchema,
  bookSeriesSchema,
  Calendar,
  ChangeBooking,
} from '@fernlab/shared/contracts/bookings'
import type { BookingAllowance } from '@fernlab/shared/contracts/permissions'
import type * as z from 'zod'
import type { Caller } from '../accounts/caller.ts'
import type { CatalogueLab } from '../catalogue/catalogue.ts'

export type NewBooking = z.output<typeof bookSchema>
export type NewSeries = z.output<typeof bookSeriesSchema>

export interface ListBookings {
  readonly person?: string
  /** With the person's own, what these groups have. */
  readonly groups?: readonly string[]
  readonly lab?: string
  readonly series?: string
  /** Epoch ms: those that touch the time; unless given from now on, of what is no longer to come any. */
  readonly from?: number
  readonly to?: number
  readonly when?: BookingWhen | undefined
  /** By their start; unless given the soonest first, of what is no longer to come the latest. */
  readonly order?: 'soonest' | 'latest'
  readonly limit: number
  readonly after?: { readonly startsAt: number; readonly id: string }
}

export interface AskedCalendar {
  /** Epoch ms. */
  readonly from: number
  readonly to: number
  readonly everybody: boolean
  readonly bench?: string | undefined
}

/** What could be had at another time. */
export interface NearTo {
  readonly id: string
  readonly personId: string
  readonly lab: string
  readonly bench?: string | undefined
  /** Epoch ms. */
  readonly startsAt: number
  readonly endsAt: number
  readonly places: number
}

export interface Bookings {
  /**
   * Keeps a bench once the database has committed it. Throws `lab-unknown`, `bench-unknown`, `no-bench`,
   * `booking-in-past`, `booking-too-far`, `booking-too-long`, `not-permitted`, `quota-used`, `bookings-too-many`,
   * `booking-overlaps-own` and `group-unknown`, and `booking-conflict` with the nearest free times in its issues.
   */
  book(caller: Caller, body: NewBooking): Promise<Booking>
  /** Throws what `book` does, and `booking-over`. One that has begun keeps its start: its end may come sooner or later. */
  change(caller: Caller, id: string, body: ChangeBooking): Promise<Booking>
  /**
   * Makes one that is under way end later once its session is longer, and keeps the bench for it meanwhile; throws
   * `booking-conflict`, `booking-over`, and what making the session longer throws: then it ends when it did.
   */
  lengthen(id: string, endsAt: number, lengthenSession: () => Promise<void>): Promise<void>
  /** Gives the time back, also what is left of one that has begun; throws `booking-over`. */
  cancel(caller: Caller, id: string): Promise<Booking>
  get(id: string): Promise<Booking | undefined>
  list(query: ListBookings): Promise<{ items: Booking[]; next?: { startsAt: number; id: string } }>
  /** Books the same time every week; throws `series-too-long`, `series-empty`, `series-overlaps`, `booking-invalid`, `booking-conflict`. */
  bookSeries(caller: Caller, body: NewSeries): Promise<BookedSeries>
  /** Cancels what of a series is not over; how many that were. */
  cancelSeries(caller: Caller, id: string): Promise<number>
  /**
   * Books again what of a series was cancelled at once, the last time, and is neither over nor taken since; throws
   * `forbidden` for another's, and `booking-over` where there is none of it.
   */
  takeBackSeries(caller: Caller, id: string): Promise<BookedSeries>
  /** The times at and around that of a booking, none before the given one, at which its person could have it, epoch ms. */
  near(booking: NearTo, notBefore?: number): Promise<number[]>
  /** Forgets the bookings of somebody whose account was closed, and with it they were cancelled. */
  forget(personId: string): void
  /** What is left for somebody to book of a lab now. */
  allowance(person: Pick<Caller, 'personId' | 'role'>, lab: CatalogueLab): Promise<BookingAllowance>
  /** Whose series it is. */
  seriesOwner(id: string): Promise<string | undefined>
  /** `everybody`: with bookings of others; `bench`: what of it alone is free. Throws `lab-unknown`, `bench-unknown`, `no-bench`. */
  calendar(caller: Caller, lab: string, asked: AskedCalendar): Promise<Calendar>
}

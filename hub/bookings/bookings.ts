/** What bookings are and may become: making, moving, cancelling, and the calendar of a lab. */
import type {
  BookedSeries,
  Booking,
  bookSchema,
  bookSeriesSchema,
  Calendar,
  ChangeBooking,
} from '@fernlab/shared/contracts/bookings'
import type * as z from 'zod'
import type { Caller } from '../accounts/caller.ts'

export type NewBooking = z.output<typeof bookSchema>
export type NewSeries = z.output<typeof bookSeriesSchema>

export interface ListBookings {
  readonly person?: string
  readonly lab?: string
  readonly series?: string
  /** Epoch ms: those that touch the time. */
  readonly from: number
  readonly to?: number
  /** By their start; the soonest first unless given. */
  readonly order?: 'soonest' | 'latest'
  readonly limit: number
  readonly after?: { readonly startsAt: number; readonly id: string }
}

export interface Bookings {
  /**
   * Keeps a bench once the database has committed it. Throws `lab-unknown`, `bench-unknown`, `no-bench`,
   * `booking-in-past`, `booking-too-far`, `not-permitted`, `bookings-too-many`, `booking-overlaps-own`, and `group-unknown`, and `booking-conflict` with the
   * nearest free times in its issues.
   */
  book(caller: Caller, body: NewBooking): Promise<Booking>
  /** Throws what `book` does, and `booking-over`. One that has begun keeps its start: its end may come sooner or later. */
  change(caller: Caller, id: string, body: ChangeBooking): Promise<Booking>
  /** Makes one that is under way end later, for its session; throws `booking-conflict` and `booking-over`. */
  lengthen(id: string, endsAt: number): Promise<void>
  /** Gives the time back, also what is left of one that has begun; throws `booking-over`. */
  cancel(caller: Caller, id: string): Promise<Booking>
  get(id: string): Promise<Booking | undefined>
  list(query: ListBookings): Promise<{ items: Booking[]; next?: { startsAt: number; id: string } }>
  /** Books the same time every week; throws `series-too-long`, `series-empty`, `series-overlaps`, `booking-conflict`. */
  bookSeries(caller: Caller, body: NewSeries): Promise<BookedSeries>
  /** Cancels what of a series is not over; how many that were. */
  cancelSeries(caller: Caller, id: string): Promise<number>
  /** Forgets the bookings of somebody whose account was closed, and with it they were cancelled. */
  forget(personId: string): void
  /** Whose series it is. */
  seriesOwner(id: string): Promise<string | undefined>
  /** `everybody`: with bookings of others. */
  calendar(caller: Caller, lab: string, window: { from: number; to: number; everybody: boolean }): Promise<Calendar>
}

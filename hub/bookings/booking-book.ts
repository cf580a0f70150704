/**
 * The bookings that are not long over, in memory, with the plan of the benches that stand for them.
 *
 * INVARIANTS: every booking in `plan` is in memory and has as many benches as places; what no bench stands for is
 * `unplaced`, and stays booked; memory runs ahead of the database by the writes of the present turn.
 */
import type { Store } from '../store/store.ts'
import { claimIds, claimsOf, type Wanted } from './free-times.ts'
import type { Claim } from './placement.ts'
import { Plan } from './plan.ts'
import type { BookingTable } from './tables.ts'

export interface KnownBooking {
  readonly id: string
  readonly series: string | null
  readonly personId: string
  readonly lab: string
  readonly wantedBench: string | null
  readonly startsAt: number
  readonly endsAt: number
  readonly cleanUpMs: number
  readonly places: number
  readonly group: string | null
  readonly note: string | null
  readonly createdAt: number
  readonly createdBy: string
  /** When its session was opened, and which that is. */
  readonly beganAt: number | null
  readonly runId: string | null
  readonly seenAt: number | null
}

/** The benches that would do for a booking, and when they are closed. */
export type BookingBenches = Pick<Wanted, 'benches' | 'closed'>

/** A clock that was set wrong by days and is put right finds what is to come. */
const keptMs = 3 * 86_400_000

export class BookingBook {
  readonly byId = new Map<string, KnownBooking>()
  readonly unplaced = new Set<string>()
  #version = 0
  #plan = new Plan()

  get plan(): Plan {
    return this.#plan
  }

  /** Another number after every change of the bookings. */
  get version(): number {
    return this.#version
  }

  add(booking: KnownBooking): void {
    this.byId.set(booking.id, booking)
    this.#version++
  }

  remove(id: string): void {
    const booking = this.byId.get(id)
    if (booking === undefined) return
    for (const claim of claimIds(booking)) this.#plan.remove(claim)
    this.unplaced.delete(id)
    this.byId.delete(id)
    this.#version++
  }

  /** Finds benches for all anew, in the order in which they were booked: who came first keeps a place. */
  replan(benchesOf: (booking: KnownBooking) => BookingBenches): void {
    this.#plan = new Plan()
    this.unplaced.clear()
    const inOrder = [...this.byId.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    for (const booking of inOrder) {
      const change = this.#plan.tryOut(bookingClaims(booking, benchesOf(booking)))
      if (change === undefined) this.unplaced.add(booking.id)
      else this.#plan.apply(change)
    }
  }

  /** Forgets what is long over. */
  forget(nowMs: number): void {
    for (const { id, endsAt } of [...this.byId.values()]) if (endsAt < nowMs - keptMs) this.remove(id)
  }

  reset(bookings: readonly KnownBooking[]): void {
    this.byId.clear()
    this.#version++
    this.unplaced.clear()
    this.#plan = new Plan()
    for (const booking of bookings) this.add(booking)
  }
}

/** What the booking takes of the benches: its time and the clean-up after it. */
export const bookingClaims = (booking: KnownBooking, benches: BookingBenches): Claim[] =>
  claimsOf(booking.id, wantedOf(booking, benches), booking.startsAt)

export const wantedOf = (
  { startsAt, endsAt, cleanUpMs, places }: KnownBooking,
  { benches, closed }: BookingBenches,
): Wanted => ({ lengthMs: endsAt - startsAt + cleanUpMs, places, benches, closed })

/** Reads what is not long over. */
export async function loadBookings(store: Store, nowMs: number): Promise<KnownBooking[]> {
  const rows = await store.db
    .selectFrom('booking')
    .selectAll()
    .where('state', '=', 'booked')
    .where('ends_at', '>=', nowMs - keptMs)
    .execute()
  return rows.map(knownBooking)
}

export const knownBooking = (row: BookingTable): KnownBooking => ({
  id: row.id,
  series: row.series_id,
  personId: row.person_id,
  lab: row.lab,
  wantedBench: row.wanted_bench,
  startsAt: row.starts_at,
  endsAt: row.ends_at,
  cleanUpMs: row.clean_up_ms,
  places: row.places,
  group: row.group_id,
  note: row.note,
  createdAt: row.created_at,
  createdBy: row.created_by,
  beganAt: row.began_at,
  runId: row.run_id,
  seenAt: row.seen_at,
})

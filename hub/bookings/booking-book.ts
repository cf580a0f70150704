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

/** One to which nobody came, as it was before it began. */
export interface MissedBooking {
  readonly booking: KnownBooking
  /** When it was given up, by the clock of then. */
  readonly at: number
}

/** The benches that would do for a booking, and when they are closed. */
export type BookingBenches = Pick<Wanted, 'benches' | 'closed'>

/** A clock that was set wrong by days and is put right finds what is to come. */
const keptMs = 3 * 86_400_000

export class BookingBook {
  readonly byId = new Map<string, KnownBooking>()
  readonly unplaced = new Set<string>()
  /** By id. */
  readonly missed = new Map<string, MissedBooking>()
  /** Sessions that are being made longer, and until when: their bookings are, once the node has done it. */
  readonly #lengthening = new Set<{ readonly id: string; readonly endsAt: number }>()
  #version = 0
  #plan = new Plan()

  get plan(): Plan {
    return this.#plan
  }

  /** Another number after every change of the bookings. */
  get version(): number {
    return this.#version
  }

  /** The person's own of a lab that have not begun. */
  toCome(personId: string, lab: string, nowMs: number): KnownBooking[] {
    return [...this.byId.values()].filter(
      (one) => one.personId === personId && one.lab === lab && one.group === null && one.startsAt > nowMs,
    )
  }

  /** Counts the booking as longer until what is answered is called. */
  lengthen(id: string, endsAt: number): () => void {
    const one = { id, endsAt }
    this.#lengthening.add(one)
    return () => void this.#lengthening.delete(one)
  }

  /** When its bench is given back, as long as making it longer goes well. */
  lastsUntil({ id, endsAt }: KnownBooking): number {
    let until = endsAt
    for (const one of this.#lengthening) if (one.id === id) until = Math.max(until, one.endsAt)
    return until
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

  /** Nobody came to it. */
  miss(id: string, at: number): void {
    const booking = this.byId.get(id)
    if (booking === undefined) return
    this.remove(id)
    this.missed.set(id, { booking: unbegun(booking), at })
  }

  /** Takes a missed one back, unless what it would need was given to others since. */
  revive(id: string, claims: readonly Claim[]): boolean {
    const booking = this.missed.get(id)?.booking
    if (booking === undefined) return false
    // Where nothing is planned yet, all are about to be.
    if (this.#plan.size > 0 || this.byId.size === 0) {
      const change = this.#plan.tryOut(claims)
      if (change === undefined) return false
      this.#plan.apply(change)
    }
    this.missed.delete(id)
    this.add(booking)
    return true
  }

  /** Finds benches for all anew, in the order in which they were booked: who came first keeps a place. */
  replan(benchesOf: (booking: KnownBooking) => BookingBenches): void {
    const bookings = [...this.byId.values()].map((one) => ({ ...one, endsAt: this.lastsUntil(one) }))
    const { plan, unplaced } = planned(inOrderOf(bookings), benchesOf)
    this.#plan = plan
    this.unplaced.clear()
    for (const id of unplaced) this.unplaced.add(id)
  }

  /** Forgets what is long over. */
  forget(nowMs: number): void {
    for (const { id, endsAt } of [...this.byId.values()]) if (endsAt < nowMs - keptMs) this.remove(id)
    for (const { booking } of [...this.missed.values()])
      if (booking.endsAt < nowMs - keptMs) this.missed.delete(booking.id)
  }

  reset(bookings: readonly KnownBooking[], missed: readonly MissedBooking[] = []): void {
    this.byId.clear()
    this.missed.clear()
    for (const one of missed) this.missed.set(one.booking.id, one)
    this.#version++
    this.unplaced.clear()
    this.#plan = new Plan()
    for (const booking of bookings) this.add(booking)
  }
}

/** In the order in which they were booked. */
export const inOrderOf = <Booking extends Pick<KnownBooking, 'id' | 'createdAt'>>(
  bookings: Iterable<Booking>,
): Booking[] => [...bookings].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))

/** Benches for all where there are enough; who stands before others keeps a place. Pure. */
export function planned(
  inOrder: readonly KnownBooking[],
  benchesOf: (booking: KnownBooking) => BookingBenches,
): { readonly plan: Plan; readonly unplaced: ReadonlySet<string> } {
  const plan = new Plan()
  const unplaced = new Set<string>()
  for (const booking of inOrder) {
    const change = plan.tryOut(bookingClaims(booking, benchesOf(booking)))
    if (change === undefined) unplaced.add(booking.id)
    else plan.apply(change)
  }
  return { plan, unplaced }
}

/** What the booking takes of the benches: its time and the clean-up after it. */
export const bookingClaims = (booking: KnownBooking, benches: BookingBenches): Claim[] =>
  claimsOf(booking.id, wantedOf(booking, benches), booking.startsAt)

export const wantedOf = (
  { startsAt, endsAt, cleanUpMs, places }: KnownBooking,
  { benches, closed }: BookingBenches,
): Wanted => ({ lengthMs: endsAt - startsAt + cleanUpMs, places, benches, closed })

/** Reads what is not long over. */
export const loadBookings = async (store: Store, nowMs: number): Promise<KnownBooking[]> =>
  (await rowsOf(store, nowMs, 'booked')).map(knownBooking)

/** The same of those to which nobody came. */
export const loadMissed = async (store: Store, nowMs: number): Promise<MissedBooking[]> =>
  (await rowsOf(store, nowMs, 'missed')).map((row) => ({
    booking: unbegun(knownBooking(row)),
    at: row.ended_at ?? row.ends_at,
  }))

const unbegun = (booking: KnownBooking): KnownBooking => ({ ...booking, beganAt: null, runId: null, seenAt: null })

const rowsOf = (store: Store, nowMs: number, state: BookingTable['state']): Promise<BookingTable[]> =>
  store.db
    .selectFrom('booking')
    .selectAll()
    .where('state', '=', state)
    .where('ends_at', '>=', nowMs - keptMs)
    .execute()

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

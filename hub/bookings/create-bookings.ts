/**
 * Bookings over the plan in memory and the database.
 *
 * INVARIANTS: whether a bench is free is asked, and the bench taken, without anything in between, so of two who want the
 * last one exactly one gets it; what is answered is committed; a write that fails puts the memory back as the disk is.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Caller } from '../accounts/caller.ts'
import type { FaultHook } from '../fault-point.ts'
import type { Groups } from '../groups/groups.ts'
import type { Standings } from '../permissions/standings.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Delay } from '../scheduling/bumping.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import type { BookedFleet } from './booked-fleet.ts'
import { type BookingBenches, type BookingBook, bookingClaims, type KnownBooking } from './booking-book.ts'
import { createBookingChecks } from './booking-checks.ts'
import { bookingOver, refuse } from './booking-refusals.ts'
import { bookingAllowance, ofStaff } from './booking-rules.ts'
import { createBookingWrites } from './booking-writes.ts'
import type { Bookings } from './bookings.ts'
import { createSeries } from './create-series.ts'
import { claimIds, claimsOf, nearestFree } from './free-times.ts'
import type { KeptPlan } from './kept-plan.ts'
import { changed, newBooking } from './new-booking.ts'
import { readBookings } from './read-bookings.ts'
import { sessionNeeds } from './session-times.ts'

export interface CreateBookingsOptions {
  readonly store: Store
  readonly turn: Turn
  readonly book: BookingBook
  readonly plan: KeptPlan
  readonly labs: KnownLabs
  readonly fleet: BookedFleet
  readonly standings: Standings
  readonly groups: Pick<Groups, 'known'>
  /** Ends the session of a booking that is cancelled, in this turn's write. */
  readonly endSession: (runId: string, reason: string) => void
  /** Makes the session of a booking last until then, if that is longer. */
  readonly lengthenSession: (runId: string, by: Caller, endsAt: number) => Promise<void>
  /** Somebody is to be told of something, which is on disk. */
  readonly onTold: () => void
  /** Why the place of a booking begins late. */
  readonly delayOf: (place: string) => Delay | undefined
  readonly clock: Clock
  readonly faultPoint?: FaultHook | undefined
}

const readMs = 900_000

/** The bookings of this hub. */
export function createBookings(options: CreateBookingsOptions): Bookings {
  const { turn, book, labs, clock, faultPoint } = options
  const { benchesOf, now: planned } = options.plan
  const checks = createBookingChecks(options)
  const writes = createBookingWrites(options)
  const { get, existing, list, calendar, seriesOwner } = readBookings({ ...options, checks })

  /** The booking, as long as it can be changed. */
  const open = (id: string, now: number): KnownBooking => {
    const booking = book.byId.get(id)
    if (booking !== undefined && booking.endsAt > now) return booking
    throw bookingOver(id)
  }

  /** The booking of a session, which may go on for a moment after the booking's time. */
  const standing = (id: string): KnownBooking => {
    const booking = book.byId.get(id)
    if (booking !== undefined) return booking
    throw bookingOver(id)
  }

  /** Plans one for its times as they are now; where that is not possible beside the others, all are planned anew. */
  const replan = (booking: KnownBooking, benches: BookingBenches) => {
    const change = book.plan.tryOut(bookingClaims(booking, benches), new Set(claimIds(booking)))
    if (change === undefined) options.plan.renew()
    else book.plan.apply(change)
  }

  return {
    get,
    list,
    calendar,
    seriesOwner,
    ...createSeries({ ...options, checks, writes }),
    book: async (caller, body) => {
      const lab = await checks.labOf(body.lab)
      const rules = await checks.mayBook(caller, lab)
      await checks.checkGroup(body)
      const plan = await writes.openPlan()
      const now = clock.now()
      const wanted = newBooking(caller, body, lab, now)
      checks.checkPlaces(rules, body)
      checks.checkTime(rules, wanted.startsAt, now)
      const benches = checks.servingBenches(lab, body.bench)
      checks.checkCount(rules, caller, lab.id)
      checks.checkOverlap(rules, wanted, now)
      rules.requireTime(wanted)
      const change = plan.tryOut(bookingClaims(wanted, benches))
      if (change === undefined) throw checks.conflict(wanted, benches, rules)
      writes.add(wanted)
      plan.apply(change)
      faultPoint?.('before-booking-commit')
      await turn.kept()
      faultPoint?.('after-booking-commit')
      return existing(wanted.id)
    },
    change: async (caller, id, body) => {
      turn.mustBeOpen()
      const lab = await checks.labOf(open(id, clock.now()).lab)
      const rules = await checks.mayBook(caller, lab)
      const plan = await writes.openPlan()
      const now = clock.now()
      const old = open(id, now)
      const next = changed(old, body, lab)
      checkChange(old, next, now)
      if (next.startsAt !== old.startsAt) checks.checkTime(rules, next.startsAt, now)
      checks.checkOverlap(rules, next, now)
      rules.requireTime(next, old)
      const benches = checks.servingBenches(lab, old.wantedBench ?? undefined)
      const change = plan.tryOut(bookingClaims(next, benches), new Set(claimIds(old)))
      if (change === undefined) throw checks.conflict(next, benches, rules)
      writes.become(old, next, change)
      if (caller.personId !== old.personId) {
        writes.audit(caller, 'booking.changed', id)
        if (next.startsAt !== old.startsAt || next.endsAt !== old.endsAt) {
          const { startsAt, endsAt } = old
          writes.tell(next, { what: 'moved', at: now, by: caller.personId, before: { startsAt, endsAt } })
        }
      }
      faultPoint?.('before-booking-commit')
      await turn.kept()
      faultPoint?.('after-booking-commit')
      if (next.runId !== null) await options.lengthenSession(next.runId, caller, next.endsAt)
      return existing(id)
    },
    lengthen: async (id, endsAt, lengthenSession) => {
      turn.mustBeOpen()
      const lab = await checks.labOf(standing(id).lab)
      const plan = await writes.openPlan()
      const old = standing(id)
      const longer = { ...old, endsAt: Math.max(old.endsAt, endsAt) }
      const benches = checks.servingBenches(lab, old.wantedBench ?? undefined)
      const change = plan.tryOut(bookingClaims(longer, benches), new Set(claimIds(old)))
      if (change === undefined) throw checks.conflict(longer, benches, ofStaff)
      // While the session is being made longer, nobody else can book what it is about to have.
      plan.apply(change)
      const isDone = book.lengthen(id, endsAt)
      try {
        await lengthenSession()
      } catch (error) {
        isDone()
        // As it is now: it may have been changed meanwhile, or be over with its session.
        const kept = book.byId.get(id)
        if (kept !== undefined) replan(kept, benches)
        throw error
      }
      isDone()
      const now = book.byId.get(id)
      if (now === undefined || now.endsAt >= endsAt) return
      const next = { ...now, endsAt }
      writes.noteChange(now, next)
      book.add(next)
      replan(next, benches)
      faultPoint?.('before-booking-longer-commit')
      await turn.kept()
      faultPoint?.('after-booking-longer-commit')
    },
    cancel: async (caller, id) => {
      turn.mustBeOpen()
      const now = clock.now()
      const booking = open(id, now)
      writes.release(booking, now)
      if (caller.personId !== booking.personId) {
        writes.audit(caller, 'booking.cancelled', id)
        writes.tell(booking, { what: 'cancelled', at: now, by: caller.personId })
      }
      faultPoint?.('before-booking-cancel-commit')
      await turn.kept()
      faultPoint?.('after-booking-cancel-commit')
      return existing(id)
    },
    forget: (personId) => {
      for (const { id } of checks.openOf(personId, clock.now())) book.remove(id)
      for (const { booking } of [...book.missed.values()])
        if (booking.personId === personId) book.missed.delete(booking.id)
      options.plan.renew()
    },
    near: async ({ id, personId, lab: labId, bench, startsAt, endsAt, places }, notBefore = 0) => {
      const lab = labs.peek(labId) ?? (await labs.lab(labId))
      const plan = await planned()
      const now = clock.now()
      const own = checks.openOf(personId, now, id)
      const lengthMs = endsAt - startsAt
      const cleanUpMs = lab === undefined ? 0 : sessionNeeds(lab).cleanUpMs
      const wanted = { lengthMs: lengthMs + cleanUpMs, places, ...benchesOf(lab, bench ?? null) }
      const leaving = new Set(claimIds({ id, places }))
      // Whoever is told needs a while to read it.
      const earliest = Math.ceil((Math.max(now, notBefore) + readMs) / readMs) * readMs
      const start = Math.max(startsAt, earliest)
      const latest = now + ofStaff.aheadS * 1000
      const { before, after } = nearestFree({ plan, wanted, start, earliest, latest, leaving })
      const itself = plan.tryOut(claimsOf(id, wanted, start), leaving) === undefined ? undefined : start
      return [before, itself, after].filter(
        (from): from is number =>
          from !== undefined && !own.some((other) => other.startsAt < from + lengthMs && from < other.endsAt),
      )
    },
    allowance: (person, lab) => {
      const nowMs = clock.now()
      const open = checks.openOf(person.personId, nowMs).filter((one) => one.lab === lab.id).length
      return bookingAllowance(options.standings, person, lab, { open, nowMs })
    },
  }
}

function checkChange(old: KnownBooking, next: KnownBooking, now: number): void {
  if (next.endsAt <= next.startsAt) throw refuse('booking-invalid', 'the end must be after the start', 'end')
  if (old.startsAt > now) return
  if (next.startsAt !== old.startsAt) {
    throw refuse('booking-begun', 'it has begun: only its end can change', 'start', 'This booking has begun already.')
  }
  if (next.endsAt <= now) {
    throw refuse('booking-in-past', 'its end would be over: cancel it to give back what is left', 'end')
  }
}

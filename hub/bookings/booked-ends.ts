/**
 * How bookings whose time has come end, and what of that is taken back.
 *
 * INVARIANTS: a booking is over, or begins again, in the write that ends its session; nothing is written of a booking only
 * because its time has come or passed, but that nobody came to it, which is taken back where the clock is put right in time,
 * and that no permission lets its person use it, which is not; so a clock that was wrong misses and doubles none that is
 * permitted.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { FaultHook } from '../fault-point.ts'
import { whenNoneCame } from '../ingest/judge-stop.ts'
import { setSince } from '../runs/attempt-clock.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Ledger, Outcome } from '../runs/ledger.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { Turn } from '../store/turn.ts'
import type { BookedPlaces } from './booked-places.ts'
import { bookingOfSession, isEnded, secondsLeft } from './booked-session.ts'
import type { BookingBook, KnownBooking } from './booking-book.ts'
import type { BookingPermits } from './booking-permits.ts'
import type { BookingStatements } from './booking-statements.ts'
import { noticesOf } from './notices.ts'

export interface BookedEnds {
  /** Its bench is there, and its person has not come: the grace period begins. */
  startGrace(run: OpenRun): void
  /**
   * Sessions that are to end, with why, in this turn's write: nobody has come to them when the grace period is over, or
   * their booking ended sooner than they do.
   */
  ending(): { readonly run: OpenRun; readonly reason: string }[]
  /** Cancels, in this turn's write, what is to begin while no permission lets its person use it any more. */
  withdraw(): void
  /** Takes back, in this turn's write, what was missed by a clock that was wrong: its person can still come in time. */
  revive(): void
}

export interface BookedEndsOptions {
  readonly turn: Turn
  readonly statements: BookingStatements
  readonly book: BookingBook
  readonly places: Pick<BookedPlaces, 'nearby' | 'claimsOf'>
  readonly ledger: Ledger
  readonly labs: Pick<KnownLabs, 'peek'>
  readonly permits: BookingPermits
  readonly clock: Clock
  /** How long a booking waits for somebody to come. */
  readonly graceMs: () => number
  /** Somebody is to be told of something, which is on disk. */
  readonly onTold: () => void
  readonly faultPoint?: FaultHook | undefined
}

/** What ends so little after its booking is let be: a turn of the dispatcher is as far off. */
const LATE_MS = 1000
/** A clock is set by seconds all the time; by more than this, it was wrong. */
const EARLY_MS = 60_000

/** Ends bookings with their sessions from now on. */
export function createBookedEnds(options: BookedEndsOptions): BookedEnds {
  const { turn, statements, book, places, ledger, labs, permits, clock, graceMs, faultPoint } = options
  const { runs } = ledger
  /** When the bench of a session was there for somebody who has not come (monotonic ms). */
  const awaitedSince = new Map<string, number>()
  /** When a session lost its bench and began to wait for another (monotonic ms). */
  const benchlessSince = new Map<string, number>()

  const tell = (booking: KnownBooking, what: 'missed' | 'broken' | 'not-permitted', reason?: string) => {
    const told = { what, at: clock.now(), ...(reason === undefined ? {} : { reason }) }
    for (const notice of noticesOf(booking, told)) turn.add(statements.insertNotice, notice)
    turn.afterCommit(options.onTold)
  }

  const passEnd = () => {
    faultPoint?.('before-booking-end-commit')
    turn.afterCommit(() => faultPoint?.('after-booking-end-commit'))
  }

  const beginAgain = (booking: KnownBooking, run: OpenRun) => {
    turn.add(statements.beginAgain, { id: booking.id, runId: run.id })
    book.add({ ...booking, runId: null })
    faultPoint?.('before-booking-again-commit')
    turn.afterCommit(() => faultPoint?.('after-booking-again-commit'))
  }

  const endOf = (run: OpenRun, { state, reason, rest }: Outcome) => {
    awaitedSince.delete(run.id)
    benchlessSince.delete(run.id)
    const booking = bookingOfSession(book, run)
    if (booking === undefined) return
    const { id, startsAt, endsAt } = booking
    const now = clock.now()
    const lab = labs.peek(booking.lab)
    const isCut = state === 'interrupted' && !run.cancelRequested && !isEnded(run)
    const isCutShort = isCut || rest?.from === 'booking' || reason === TIME_OVER
    if (isCutShort && lab !== undefined && secondsLeft(booking, lab, now) > 0) {
      beginAgain(booking, run)
      return
    }
    turn.add(statements.end, { id, startsAt, endsAt, state: 'over', at: Math.min(now, endsAt) })
    if (state === 'failed') tell(booking, 'broken', reason ?? undefined)
    book.remove(id)
    passEnd()
  }
  ledger.onEnd(endOf)

  /** Why the booking's session has to end, and what becomes of the booking. */
  const whyEnd = (
    booking: KnownBooking,
    run: OpenRun,
  ): { reason: string; missed?: true; again?: true; broken?: true } | undefined => {
    const { startsAt, seenAt } = booking
    const endsAt = book.lastsUntil(booking)
    const now = clock.now()
    const sessionEnds = run.session?.endsAt ?? null
    if (sessionEnds !== null && sessionEnds + setSince(run.hold, clock) > endsAt + LATE_MS && now >= endsAt)
      return { reason: 'its booking is over' }
    if (run.state === 'queued') {
      // Whoever comes meanwhile finds no bench: the grace period begins when there is one.
      awaitedSince.delete(run.id)
      const since = benchlessSince.get(run.id) ?? clock.monotonic()
      benchlessSince.set(run.id, since)
      if (clock.monotonic() - since < graceMs()) return undefined
      return { reason: whenNoneCame(run), broken: true }
    }
    benchlessSince.delete(run.id)
    if (seenAt !== null) return undefined
    if (now < startsAt - EARLY_MS) return { reason: 'the clock was put right: it is not its time yet', again: true }
    const since = awaitedSince.get(run.id) ?? clock.monotonic()
    awaitedSince.set(run.id, since)
    if (clock.monotonic() - since < graceMs()) return undefined
    const minutes = Math.round(graceMs() / 60_000)
    return { reason: `nobody came within ${minutes} min of its start: the time was given back`, missed: true }
  }

  return {
    startGrace: ({ id }) => void awaitedSince.set(id, clock.monotonic()),
    ending: () => {
      const ending: { run: OpenRun; reason: string }[] = []
      for (const run of runs.byId.values()) {
        const booking = bookingOfSession(book, run)
        const why = booking === undefined || run.cancelRequested ? undefined : whyEnd(booking, run)
        if (booking === undefined || why === undefined) continue
        const { id, startsAt, endsAt } = booking
        if (why.again) beginAgain(booking, run)
        if (why.missed) {
          const at = Math.min(clock.now(), endsAt)
          turn.add(statements.end, { id, startsAt, endsAt, state: 'missed', at })
          book.miss(id, at)
          passEnd()
          tell(booking, 'missed')
        }
        if (why.broken) {
          turn.add(statements.end, { id, startsAt, endsAt, state: 'over', at: Math.min(clock.now(), endsAt) })
          book.remove(id)
          tell(booking, 'broken', why.reason)
          passEnd()
        }
        ending.push({ run, reason: why.reason })
      }
      return ending
    },
    withdraw: () => {
      const now = clock.now()
      for (const booking of places.nearby()) {
        const { id, startsAt, endsAt, runId, group } = booking
        if (runId !== null || group !== null || startsAt > now || endsAt <= now) continue
        const lab = labs.peek(booking.lab)
        if (lab === undefined || permits.may(booking, lab) !== false) continue
        turn.add(statements.cancel, { id, startsAt, endsAt, at: now, reason: NOT_PERMITTED })
        book.remove(id)
        tell(booking, 'not-permitted')
      }
    },
    revive: () => {
      const now = clock.now()
      for (const { booking, at } of [...book.missed.values()]) {
        const { id, startsAt, endsAt } = booking
        if (now >= at - EARLY_MS || now >= startsAt + graceMs()) continue
        const lab = labs.peek(booking.lab)
        // What it needs of the benches as they are now.
        const wanted = lab === undefined ? undefined : places.claimsOf(booking, lab)
        if (wanted === undefined || !book.revive(id, wanted)) continue
        turn.add(statements.revive, { id, startsAt, endsAt })
        turn.add(statements.takeBackMissed, { id })
      }
    },
  }
}

const NOT_PERMITTED = 'when it was to begin, no permission let its person use the lab any more'
/** What a node says of a session whose time was over. */
const TIME_OVER = 'its time was over'

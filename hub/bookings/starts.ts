/**
 * What bookings take of the benches while their time comes and passes: which places they need, who may use these, and the
 * session that opens by itself when one begins.
 *
 * INVARIANTS: a booking's session is opened, and given its bench, in the write that notes it in the booking, so that there
 * is one or none; it is over, or begins again, in the write that ends that session; nothing is written of a booking only
 * because its time has come or passed, but that nobody came to it, which is taken back where the clock is put right in time,
 * and that no permission lets its person use it, which is not; so a clock that was wrong misses and doubles none that is
 * permitted.
 */

import { priorities } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { MAX_SECONDS } from '@fernlab/shared/protocol/protocol'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import { type CatalogueLab, protocolIn } from '../catalogue/catalogue.ts'
import type { FaultHook } from '../fault-point.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import { whenNoneCame } from '../ingest/judge-stop.ts'
import { setSince } from '../runs/attempt-clock.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Ledger, Outcome } from '../runs/ledger.ts'
import { addRun, newRun } from '../runs/new-run.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { RunStatements } from '../runs/run-statements.ts'
import type { Place } from '../scheduling/order.ts'
import type { BookedPlace } from '../scheduling/reserved.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import type { BookedFleet } from './booked-fleet.ts'
import { type BookingBook, bookingClaims, inOrderOf, type KnownBooking } from './booking-book.ts'
import type { BookingPermits } from './booking-permits.ts'
import { bookingStatements } from './booking-statements.ts'
import type { GroupPeople } from './group-people.ts'
import { noticesOf } from './notices.ts'
import type { Claim } from './placement.ts'
import { AHEAD_MS, sessionNeeds } from './session-times.ts'

export interface BookingStarts {
  /** The places of bookings that are under way, or to come soon enough to matter, in the order in which they were booked. */
  places(): readonly BookedPlace[]
  /** What waits of those who may use a place that has begun. */
  usersOf(place: BookedPlace): readonly Place<OpenRun>[]
  /** The booking of a place. */
  bookingOf(place: string): string
  /** Opens the session of the place's booking on the bench, in this turn's write. */
  begin(place: string, bench: BookedBench): OpenRun | undefined
  /** Notes that the session's person has come. */
  seen(run: OpenRun): void
  /** Whether there is another bench for the rest of the booking whose bench the run has. */
  hasOtherBench(run: OpenRun): boolean
  /** The booking whose session the run is. */
  bookingWith(run: OpenRun): string | undefined
  /** Whole seconds that the booking has left that began the session, 0 when they are not worth another; undefined where none did. */
  leftOf(run: OpenRun): number | undefined
  /** Whether the session's person has not come yet. */
  isAwaited(run: OpenRun): boolean
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

export interface BookingStartsOptions {
  readonly turn: Turn
  readonly store: Pick<Store, 'db'>
  readonly runStatements: RunStatements
  readonly book: BookingBook
  readonly fleet: BookedFleet
  readonly benches: FleetBook
  readonly ledger: Ledger
  readonly labs: Pick<KnownLabs, 'peek'>
  readonly people: GroupPeople
  readonly permits: BookingPermits
  readonly clock: Clock
  /** How long a booking waits for somebody to come. */
  readonly graceMs: () => number
  /** Somebody is to be told of something, which is on disk. */
  readonly onTold: () => void
  readonly faultPoint?: FaultHook | undefined
}

/** A rest that is shorter is not worth a session. */
const LEAST_S = 30
const LOOK_MS = 1000
/** A clock is set by seconds all the time; by more than this, it was wrong. */
const EARLY_MS = 60_000

interface Near {
  readonly version: number
  readonly at: number
  readonly bookings: readonly KnownBooking[]
}

/** Over the bookings in memory. */
export function createBookingStarts(options: BookingStartsOptions): BookingStarts {
  const { turn, book, fleet, benches, ledger, labs, clock, faultPoint } = options
  const { runs } = ledger
  const statements = bookingStatements(options.store.db)
  let near: Near = { version: -1, at: 0, bookings: [] }
  let claims = new WeakMap<KnownBooking, { readonly lab: CatalogueLab; readonly claims: readonly Claim[] }>()
  let shape = -1
  /** When the bench of a session was there for somebody who has not come (monotonic ms). */
  const awaitedSince = new Map<string, number>()
  /** When a session lost its bench and began to wait for another (monotonic ms). */
  const benchlessSince = new Map<string, number>()

  /** Those that matter now; looked for once a second, and when one changes. */
  const nearby = (): readonly KnownBooking[] => {
    const now = clock.now()
    const { version } = book
    const isKnown = near.version === version && now >= near.at && now < near.at + LOOK_MS
    if (!isKnown) {
      const isNear = ({ startsAt, endsAt, cleanUpMs }: KnownBooking) =>
        startsAt < now + AHEAD_MS && endsAt + cleanUpMs > now
      const bookings = inOrderOf([...book.byId.values()].filter(isNear))
      near = { version, at: now, bookings }
    }
    return near.bookings
  }

  const claimsOf = (booking: KnownBooking, lab: CatalogueLab): readonly Claim[] => {
    const known = claims.get(booking)
    if (known?.lab === lab) return known.claims
    const serving = [...fleet.benchesFor(lab)].sort()
    const wanted = booking.wantedBench === null ? serving : serving.filter((id) => id === booking.wantedBench)
    const made = bookingClaims(booking, { benches: wanted, closed: fleet.closed })
    claims.set(booking, { lab, claims: made })
    return made
  }

  /** Without the benches that could not be made ready for its session. */
  const readyFor = ({ runId }: KnownBooking, all: readonly Claim[]): readonly Claim[] => {
    const { unready = [] } = (runId === null ? undefined : runs.get(runId)) ?? {}
    if (unready.length === 0) return all
    return all.map((claim) => ({ ...claim, benches: claim.benches.filter((id) => !unready.includes(id)) }))
  }

  /** By booking: the benches that are used for it. */
  const inUse = (): Map<string, string[]> => {
    const used = new Map<string, string[]>()
    for (const { runId } of benches.benches.values()) {
      const run = runId === null ? undefined : runs.get(runId)
      if (run?.hold === undefined || run.booking === null) continue
      used.set(run.booking, [...(used.get(run.booking) ?? []), run.hold.bench])
    }
    return used
  }

  /** How long a session that is opened now has; 0 when that is not worth one. */
  const secondsLeft = ({ endsAt }: KnownBooking, lab: CatalogueLab): number => {
    const { prepareMs, cleanUpMs } = sessionNeeds(lab)
    const most = MAX_SECONDS - (prepareMs + cleanUpMs) / 1000
    const left = Math.min(most, Math.floor((endsAt - clock.now() - prepareMs) / 1000))
    return left < LEAST_S ? 0 : left
  }

  /** A session opens by itself for one person in a lab that offers them. */
  const opensItself = ({ places, group }: KnownBooking, lab: CatalogueLab): boolean =>
    places === 1 && group === null && lab.session !== undefined

  /** The booking whose session the run is. */
  const bookingOfSession = (run: OpenRun): KnownBooking | undefined => {
    const booking = run.booking === null ? undefined : book.byId.get(run.booking)
    return booking?.runId === run.id ? booking : undefined
  }

  /** One whose session was opened is used by that alone. */
  const mayUse = ({ id, runId, lab, personId, group }: KnownBooking, run: OpenRun): boolean => {
    if (runId !== null) return run.id === runId
    if (run.lab.id !== lab || (run.booking !== null && run.booking !== id)) return false
    return run.personId === personId || (group !== null && options.people.has(group, run.personId))
  }

  const bookingAt = (place: string): KnownBooking | undefined => book.byId.get(bookingOf(place))

  const tell = (booking: KnownBooking, what: 'missed' | 'broken' | 'not-permitted', reason?: string) => {
    const told = { what, at: clock.now(), ...(reason === undefined ? {} : { reason }) }
    for (const notice of noticesOf(booking, told)) turn.add(statements.insertNotice, notice)
    turn.afterCommit(options.onTold)
  }

  const endOf = (run: OpenRun, { state, reason, rest }: Outcome) => {
    awaitedSince.delete(run.id)
    benchlessSince.delete(run.id)
    const booking = bookingOfSession(run)
    if (booking === undefined) return
    const { id, startsAt, endsAt } = booking
    const now = clock.now()
    const lab = labs.peek(booking.lab)
    const isCut = state === 'interrupted' && !run.cancelRequested && !isEnded(run)
    const isCutShort = isCut || rest?.from === 'booking' || reason === TIME_OVER
    if (isCutShort && lab !== undefined && secondsLeft(booking, lab) > 0) {
      beginAgain(booking, run)
      return
    }
    turn.add(statements.end, { id, startsAt, endsAt, state: 'over', at: Math.min(now, endsAt) })
    if (state === 'failed') tell(booking, 'broken', reason ?? undefined)
    book.remove(id)
    passEnd()
  }
  ledger.onEnd(endOf)

  const beginAgain = (booking: KnownBooking, run: OpenRun) => {
    turn.add(statements.beginAgain, { id: booking.id, runId: run.id })
    book.add({ ...booking, runId: null })
    faultPoint?.('before-booking-again-commit')
    turn.afterCommit(() => faultPoint?.('after-booking-again-commit'))
  }

  const passEnd = () => {
    faultPoint?.('before-booking-end-commit')
    turn.afterCommit(() => faultPoint?.('after-booking-end-commit'))
  }

  /** Why the booking's session has to end, and what becomes of the booking. */
  const whyEnd = (
    booking: KnownBooking,
    run: OpenRun,
  ): { reason: string; missed?: true; again?: true; broken?: true } | undefined => {
    const { startsAt, seenAt } = booking
    const endsAt = book.lastsUntil(booking)
    const now = clock.now()
    const sessionEnds = run.session?.endsAt ?? null
    if (sessionEnds !== null && sessionEnds + setSince(run.hold, clock) > endsAt + LOOK_MS && now >= endsAt)
      return { reason: 'its booking is over' }
    if (run.state === 'queued') {
      // Whoever comes meanwhile finds no bench: the grace period begins when there is one.
      awaitedSince.delete(run.id)
      const since = benchlessSince.get(run.id) ?? clock.monotonic()
      benchlessSince.set(run.id, since)
      if (clock.monotonic() - since < options.graceMs()) return undefined
      return { reason: whenNoneCame(run), broken: true }
    }
    benchlessSince.delete(run.id)
    if (seenAt !== null) return undefined
    if (now < startsAt - EARLY_MS) return { reason: 'the clock was put right: it is not its time yet', again: true }
    const since = awaitedSince.get(run.id) ?? clock.monotonic()
    awaitedSince.set(run.id, since)
    if (clock.monotonic() - since < options.graceMs()) return undefined
    const minutes = Math.round(options.graceMs() / 60_000)
    return { reason: `nobody came within ${minutes} min of its start: the time was given back`, missed: true }
  }

  return {
    bookingOf,
    places: () => {
      const bookings = nearby()
      if (bookings.length === 0) return []
      const shapeNow = fleet.shape()
      if (shape !== shapeNow) {
        shape = shapeNow
        claims = new WeakMap()
      }
      const used = inUse()
      return bookings.flatMap((booking) => {
        const lab = labs.peek(booking.lab)
        if (lab === undefined) return []
        const held = used.get(booking.id) ?? []
        const isDue = booking.startsAt <= clock.now()
        const opensOnce = opensItself(booking, lab) && booking.runId === null
        if (opensOnce && isDue && secondsLeft(booking, lab) === 0) return []
        const opens = opensOnce && (!isDue || options.permits.may(booking, lab) === true)
        return readyFor(booking, claimsOf(booking, lab)).map((claim, at) => {
          const bench = held[at]
          const own = booking.runId === null ? {} : { own: booking.runId }
          return bench === undefined ? { ...claim, ...own, opens } : { ...claim, ...own, opens, held: bench }
        })
      })
    },
    usersOf: ({ id, from }) => {
      const booking = bookingAt(id)
      if (booking === undefined || from > clock.now()) return []
      const places: Place<OpenRun>[] = []
      for (const run of runs.byId.values()) {
        if (run.state !== 'queued' || !mayUse(booking, run)) continue
        const place = runs.waiting.placeOf(run)
        if (place !== undefined) places.push(place)
      }
      return places
    },
    begin: (place, bench) => {
      const booking = bookingAt(place)
      const lab = booking === undefined ? undefined : labs.peek(booking.lab)
      const found = lab === undefined ? undefined : protocolIn(lab, SESSION_PROTOCOL)
      if (booking === undefined || booking.runId !== null || lab === undefined || found === undefined) return undefined
      const seconds = secondsLeft(booking, lab)
      if (seconds === 0) return undefined
      const { id, personId, startsAt, endsAt, wantedBench } = booking
      const now = clock.now()
      leaveQueue(booking)
      const wanted = newRun(
        runs,
        {
          personId,
          lab,
          protocol: SESSION_PROTOCOL,
          found,
          parameters: { seconds },
          estimatedS: estimate(found.definition, { seconds }, { parts: benches.partsOf(bench) }).seconds,
          priority: priorities.usual,
          session: { seconds },
          ...(wantedBench === null ? {} : { bench: wantedBench }),
        },
        now,
      )
      addRun(turn, options.runStatements, ledger, wanted)
      ledger.assign(wanted.run, bench, id)
      turn.add(statements.begin, { id, startsAt, endsAt, runId: wanted.run.id, at: now })
      if (booking.beganAt !== null) {
        turn.add(statements.continueCut, { id, next: wanted.run.id })
        turn.add(statements.carryPartners, { next: wanted.run.id })
      }
      book.add({ ...booking, runId: wanted.run.id, beganAt: now })
      awaitedSince.set(wanted.run.id, clock.monotonic())
      faultPoint?.('before-booking-start-commit')
      turn.afterCommit(() => faultPoint?.('after-booking-start-commit'))
      return wanted.run
    },
    seen: (run) => {
      const booking = bookingOfSession(run)
      if (booking === undefined || booking.seenAt !== null || !turn.open) return
      const at = clock.now()
      turn.add(statements.see, { id: booking.id, at })
      book.add({ ...booking, seenAt: at })
    },
    hasOtherBench: (run) => {
      const booking = run.booking === null ? undefined : book.byId.get(run.booking)
      const lab = booking === undefined ? undefined : labs.peek(booking.lab)
      if (booking === undefined || lab === undefined || secondsLeft(booking, lab) === 0) return false
      return claimsOf(booking, lab).some((claim) =>
        claim.benches.some((id) => {
          if (id === run.hold?.bench || run.unready.includes(id)) return false
          if (run.wantedBench !== null && run.wantedBench !== id) return false
          const bench = benches.benches.get(id)
          return bench !== undefined && !bench.gone && bench.out === undefined
        }),
      )
    },
    bookingWith: (run) => bookingOfSession(run)?.id,
    leftOf: (run) => {
      const booking = bookingOfSession(run)
      const lab = booking === undefined ? undefined : labs.peek(booking.lab)
      if (booking === undefined) return undefined
      return lab === undefined ? 0 : secondsLeft(booking, lab)
    },
    isAwaited: (run) => bookingOfSession(run)?.seenAt === null,
    ending: () => {
      const ending: { run: OpenRun; reason: string }[] = []
      for (const run of runs.byId.values()) {
        const booking = bookingOfSession(run)
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
      for (const booking of nearby()) {
        const { id, startsAt, endsAt, runId, group } = booking
        if (runId !== null || group !== null || startsAt > now || endsAt <= now) continue
        const lab = labs.peek(booking.lab)
        if (lab === undefined || options.permits.may(booking, lab) !== false) continue
        turn.add(statements.cancel, { id, startsAt, endsAt, at: now, reason: NOT_PERMITTED })
        book.remove(id)
        tell(booking, 'not-permitted')
      }
    },
    revive: () => {
      const now = clock.now()
      for (const { booking, at } of [...book.missed.values()]) {
        const { id, startsAt, endsAt } = booking
        if (now >= at - EARLY_MS || now >= startsAt + options.graceMs()) continue
        const wanted = claimsNow(booking)
        if (wanted === undefined || !book.revive(id, wanted)) continue
        turn.add(statements.revive, { id, startsAt, endsAt })
        turn.add(statements.takeBackMissed, { id })
      }
    },
  }

  /** What it needs of the benches as they are now; undefined while its lab is not known. */
  function claimsNow(booking: KnownBooking): readonly Claim[] | undefined {
    const lab = labs.peek(booking.lab)
    return lab === undefined ? undefined : claimsOf(booking, lab)
  }

  /** One place per person and lab: who has a bench needs none in the queue. */
  function leaveQueue({ personId, lab }: KnownBooking): void {
    for (const run of [...runs.byId.values()]) {
      if (run.session === undefined || run.state !== 'queued' || run.personId !== personId || run.lab.id !== lab)
        continue
      ledger.finish(run, { state: 'cancelled', reason: 'the booking of it began', endedAt: clock.now() })
    }
  }
}

/** Its person, its time or its lab had ended it. */
const isEnded = ({ session }: OpenRun): boolean => session?.stage === 'finishing' && session.endsAt === null

const NOT_PERMITTED = 'when it was to begin, no permission let its person use the lab any more'
/** What a node says of a session whose time was over. */
const TIME_OVER = 'its time was over'

const bookingOf = (place: string): string => place.split('/', 1)[0] ?? place

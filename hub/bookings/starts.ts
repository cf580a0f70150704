/**
 * What bookings take of the benches while their time comes and passes: which places they need, who may use these, and the
 * session that opens by itself when one begins.
 *
 * INVARIANTS: a booking's session is opened, and given its bench, in the write that notes it in the booking, so that there
 * is one or none. How it ends: booked-ends.ts.
 */
import { priorities } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import { protocolIn } from '../catalogue/catalogue.ts'
import type { FaultHook } from '../fault-point.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Ledger } from '../runs/ledger.ts'
import { addRun, newRun } from '../runs/new-run.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { RunStatements } from '../runs/run-statements.ts'
import type { Place } from '../scheduling/order.ts'
import type { BookedPlace } from '../scheduling/reserved.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import { type BookedEnds, createBookedEnds } from './booked-ends.ts'
import type { BookedFleet } from './booked-fleet.ts'
import { createBookedPlaces } from './booked-places.ts'
import { bookingOfSession, opensItself, secondsLeft } from './booked-session.ts'
import type { BookingBook, KnownBooking } from './booking-book.ts'
import type { BookingPermits } from './booking-permits.ts'
import { bookingStatements } from './booking-statements.ts'
import type { GroupPeople } from './group-people.ts'

export interface BookingStarts extends Pick<BookedEnds, 'ending' | 'withdraw' | 'revive'> {
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

/** Over the bookings in memory. */
export function createBookingStarts(options: BookingStartsOptions): BookingStarts {
  const { turn, book, fleet, benches, ledger, labs, permits, clock, graceMs, onTold, faultPoint } = options
  const { runs } = ledger
  const statements = bookingStatements(options.store.db)
  const places = createBookedPlaces({ book, fleet, benches, runs, labs, permits, clock })
  const ends = createBookedEnds({
    turn,
    statements,
    book,
    places,
    ledger,
    labs,
    permits,
    clock,
    graceMs,
    onTold,
    faultPoint,
  })

  /** One whose session was opened is used by that alone. */
  const mayUse = ({ id, runId, lab, personId, group }: KnownBooking, run: OpenRun): boolean => {
    if (runId !== null) return run.id === runId
    if (run.lab.id !== lab || (run.booking !== null && run.booking !== id)) return false
    return run.personId === personId || (group !== null && options.people.has(group, run.personId))
  }

  /** Whether its session may open is being found out. */
  const isAskedFor = (booking: KnownBooking): boolean => {
    const lab = labs.peek(booking.lab)
    if (lab === undefined || booking.runId !== null || !opensItself(booking, lab)) return false
    return secondsLeft(booking, lab, clock.now()) > 0 && permits.may(booking, lab) === undefined
  }

  const bookingAt = (place: string): KnownBooking | undefined => book.byId.get(bookingOf(place))

  return {
    bookingOf,
    places: places.places,
    usersOf: ({ id, from }) => {
      const booking = bookingAt(id)
      // Until it is known whether its session opens, nobody else's turn has come.
      if (booking === undefined || from > clock.now() || isAskedFor(booking)) return []
      const users: Place<OpenRun>[] = []
      for (const run of runs.byId.values()) {
        if (run.state !== 'queued' || !mayUse(booking, run)) continue
        const place = runs.waiting.placeOf(run)
        if (place !== undefined) users.push(place)
      }
      return users
    },
    begin: (place, bench) => {
      const booking = bookingAt(place)
      const lab = booking === undefined ? undefined : labs.peek(booking.lab)
      const found = lab === undefined ? undefined : protocolIn(lab, SESSION_PROTOCOL)
      if (booking === undefined || booking.runId !== null || lab === undefined || found === undefined) return undefined
      const seconds = secondsLeft(booking, lab, clock.now())
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
      ends.startGrace(wanted.run)
      faultPoint?.('before-booking-start-commit')
      turn.afterCommit(() => faultPoint?.('after-booking-start-commit'))
      return wanted.run
    },
    seen: (run) => {
      const booking = bookingOfSession(book, run)
      if (booking === undefined || booking.seenAt !== null || !turn.open) return
      const at = clock.now()
      turn.add(statements.see, { id: booking.id, at })
      book.add({ ...booking, seenAt: at })
    },
    hasOtherBench: places.hasOtherBench,
    bookingWith: (run) => bookingOfSession(book, run)?.id,
    leftOf: (run) => {
      const booking = bookingOfSession(book, run)
      const lab = booking === undefined ? undefined : labs.peek(booking.lab)
      if (booking === undefined) return undefined
      return lab === undefined ? 0 : secondsLeft(booking, lab, clock.now())
    },
    isAwaited: (run) => bookingOfSession(book, run)?.seenAt === null,
    ending: ends.ending,
    withdraw: ends.withdraw,
    revive: ends.revive,
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

const bookingOf = (place: string): string => place.split('/', 1)[0] ?? place

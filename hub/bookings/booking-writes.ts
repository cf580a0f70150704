/**
 * What a change of a booking writes: the booking in memory and in the database, who did it, and who is told.
 *
 * INVARIANTS: all of it is in the write of the present turn; what is told leaves the process after its commit.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Caller } from '../accounts/caller.ts'
import { callersAddress } from '../store/calling-from.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import type { BookingBook, KnownBooking } from './booking-book.ts'
import { bookingStatements } from './booking-statements.ts'
import type { KeptPlan } from './kept-plan.ts'
import { againOf, noticesOf, type Told } from './notices.ts'
import type { Plan, PlanChange } from './plan.ts'

export interface BookingWritesOptions {
  readonly store: Pick<Store, 'db'>
  readonly turn: Turn
  readonly book: BookingBook
  readonly plan: KeptPlan
  /** Ends the session of a booking that is cancelled, in this turn's write. */
  readonly endSession: (runId: string, reason: string) => void
  /** Somebody is to be told of something, which is on disk. */
  readonly onTold: () => void
  readonly clock: Clock
}

export interface BookingWrites {
  /** The plan to change: refuses while it may hold what no disk does. */
  openPlan(): Promise<Plan>
  /** A booking whose benches the plan has. */
  add(booking: KnownBooking): void
  /** Only the row: what becomes of memory and plan is the caller's. */
  noteChange(old: KnownBooking, next: KnownBooking): void
  become(old: KnownBooking, next: KnownBooking, change: PlanChange): void
  /** Cancels it, and ends its session. */
  release(booking: KnownBooking, at: number): void
  /** A cancelled one has another in its place. */
  takeBack(id: string, at: number): void
  /** Nobody is told any more that the series was cancelled, who has had no letter of it yet. */
  untellCancelled(series: string): void
  addSeries(series: { id: string; personId: string; lab: string; weekly: string; createdAt: number }): void
  audit(caller: Caller, action: string, subject: string, detail?: object): void
  tell(booking: KnownBooking, told: Told): void
  /** Tells `booking` to those alone who know that its series was cancelled, at `since` or later, and not to `told.by`. */
  tellAgain(booking: KnownBooking, told: Told & { readonly by: string }, series: string, since: number): void
}

/** Over this hub's bookings. */
export function createBookingWrites(options: BookingWritesOptions): BookingWrites {
  const { turn, book, plan, clock } = options
  const statements = bookingStatements(options.store.db)

  const noteChange: BookingWrites['noteChange'] = ({ id, startsAt, endsAt }, next) => {
    const { startsAt: newStart, endsAt: newEnd, note, cleanUpMs } = next
    turn.add(statements.change, { id, startsAt, endsAt, newStart, newEnd, note, cleanUpMs })
  }

  return {
    openPlan: async () => {
      const planned = await plan.now()
      turn.mustBeOpen()
      return planned
    },
    add: (booking) => {
      turn.add(statements.insert, booking)
      book.add(booking)
    },
    noteChange,
    become: (old, next, change) => {
      noteChange(old, next)
      book.remove(old.id)
      book.add(next)
      book.plan.apply(change)
    },
    release: ({ id, startsAt, endsAt, runId }, at) => {
      turn.add(statements.cancel, { id, startsAt, endsAt, at, reason: null })
      book.remove(id)
      if (runId !== null) options.endSession(runId, 'its booking was cancelled')
      // Somebody without a bench may get this one.
      if (book.unplaced.size > 0) plan.renew()
    },
    takeBack: (id, at) => void turn.add(statements.takeBack, { id, at }),
    untellCancelled: (series) => void turn.add(statements.takeBackSeriesCancelled, { series }),
    addSeries: (series) => void turn.add(statements.insertSeries, series),
    audit: ({ personId }, action, subject, detail = {}) =>
      void turn.add(statements.insertAudit, {
        at: clock.now(),
        personId,
        action,
        subject,
        detail: JSON.stringify(detail),
        address: callersAddress() ?? null,
      }),
    tell: (booking, told) => {
      for (const notice of noticesOf(booking, told)) turn.add(statements.insertNotice, notice)
      turn.afterCommit(options.onTold)
    },
    tellAgain: (booking, told, series, since) => {
      const { id, bookingId, what, at, detail } = againOf(booking, told)
      turn.add(statements.tellAgain, { id, bookingId, what, at, detail, series, since, by: told.by })
      turn.afterCommit(options.onTold)
    },
  }
}

/** What people do with benches: runs, live sessions, bookings, recurring runs, and what is known of it afterwards. */

import { createBookingLetters } from '../bookings/booking-letters.ts'
import { createBookings } from '../bookings/create-bookings.ts'
import { createBookingNotices } from '../bookings/notices.ts'
import type { BookingStarts } from '../bookings/starts.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import { createErrands } from '../mail/errands.ts'
import type { Standings } from '../permissions/standings.ts'
import { createRecurring } from '../recurring/create-recurring.ts'
import { createAdmission } from '../runs/admission.ts'
import { type CreateRunsOptions, createRuns } from '../runs/create-runs.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { RunStatements } from '../runs/run-statements.ts'
import { type CreateWaitingOptions, createWaiting } from '../runs/waiting.ts'
import { createSessions } from '../sessions/sessions.ts'
import type { Turn } from '../store/turn.ts'
import type { Countries } from '../usage/countries.ts'
import { createUsage } from '../usage/usage.ts'
import type { Basics } from './basics.ts'
import type { Ground } from './ground.ts'
import type { Memory } from './memory.ts'

export interface UsedBy extends Pick<CreateWaitingOptions, 'scheduler' | 'benchFreeInS'> {
  readonly turn: Turn
  readonly statements: RunStatements
  readonly ledger: Ledger
  readonly standings: Standings
  readonly booked: BookingStarts
  readonly dispatcher: Dispatcher
  readonly calls: NodeCalls
  readonly countries: Countries
  readonly originOf: CreateRunsOptions['originOf']
  readonly stopRun: (id: string, reason: string) => void
  readonly bookingTold: () => void
  readonly sessionLostMs: number | undefined
}

export function openUses(
  { site, publicUrl, clock, log, faultPoint, onClose }: Basics,
  { store, maintenance, mail, groups, accounts, catalogue, labs }: Ground,
  { book, compatible, open, bookingBook, bookedBenches, bookedPlan }: Memory,
  parts: UsedBy,
) {
  const { scheduler, benchFreeInS, turn, statements, ledger, standings, booked, dispatcher, calls } = parts
  const { countries, originOf, stopRun, bookingTold, sessionLostMs } = parts
  const waiting = createWaiting({
    scheduler,
    runs: open,
    book,
    compatible,
    benchFreeInS,
    reserved: dispatcher.reserved,
    calendar: () => bookingBook.plan,
    clock,
  })
  const admission = createAdmission({
    labs,
    book,
    compatible,
    standings,
    clock,
    requireSpace: maintenance.requireSpace,
  })
  const runs = createRuns({
    store,
    turn,
    statements,
    ledger,
    admission,
    waiting,
    catalogue,
    labs,
    originOf,
    isSuspended: accounts.suspension.isSuspended,
    sendCancel: dispatcher.sendCancel,
    leftOf: booked.leftOf,
    clock,
    faultPoint,
  })
  const usage = createUsage({
    store,
    groups,
    catalogue,
    countrySource: countries.source,
    benches: () => [...book.benches.keys()],
    benchesFor: (id) => {
      const lab = labs.peek(id)
      return lab === undefined ? [] : compatible.benchesFor(lab)
    },
    clock,
    log,
  })

  const sessions = createSessions({
    store,
    runs,
    ledger,
    turn,
    catalogue,
    labs,
    book,
    compatible,
    standings,
    calls,
    sendCancel: dispatcher.sendCancel,
    statements,
    originOf,
    booked,
    bookedFrom: (bench) => dispatcher.reserved()?.freeUntil(bench) ?? Number.POSITIVE_INFINITY,
    lengthenBooking: (id, endsAt, lengthenSession) => bookings.lengthen(id, endsAt, lengthenSession),
    clock,
    log,
    faultPoint,
    ...(sessionLostMs === undefined ? {} : { lostMs: sessionLostMs }),
  })
  onClose(() => sessions.close())
  const bookings = createBookings({
    store,
    turn,
    book: bookingBook,
    plan: bookedPlan,
    labs,
    fleet: bookedBenches,
    standings,
    groups,
    endSession: stopRun,
    lengthenSession: (id, by, endsAt) => sessions.lengthen(id, by, endsAt),
    onTold: bookingTold,
    delayOf: (place) => dispatcher.delayOf(place),
    clock,
    faultPoint,
  })
  const bookingNotices = createBookingNotices({ store, labs, clock })
  const bookingLetters = createBookingLetters({
    store,
    bookings,
    groups,
    labs,
    mail,
    site,
    publicUrl,
    clock,
    log,
    faultPoint,
  })
  onClose(() => bookingLetters.close())
  const letters = createErrands({ log })
  onClose(() => letters.close())
  const recurring = createRecurring({
    store,
    runs,
    admission,
    labs,
    mail,
    errands: letters,
    site,
    publicUrl,
    clock,
    log,
    faultPoint,
  })
  onClose(() => recurring.close())
  return { waiting, admission, runs, usage, sessions, bookings, bookingNotices, bookingLetters, recurring }
}

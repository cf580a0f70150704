/**
 * More time for a session that has its bench.
 *
 * INVARIANTS: the node makes it longer, and the hub says so only then; a booking ends later only once its session does.
 */

import type { ExtendSession } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import type { Caller } from '../accounts/caller.ts'
import { sessionNeeds } from '../bookings/session-times.ts'
import type { BookingStarts } from '../bookings/starts.ts'
import type { FaultHook } from '../fault-point.ts'
import type { CompatibilityCache } from '../fleet/compatible.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import type { Standings } from '../permissions/standings.ts'
import { attemptNow, setSince } from '../runs/attempt-clock.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { Turn } from '../store/turn.ts'
import type { ActiveRun, OpenSessions } from './open-sessions.ts'
import { mostSessionS, tooLong } from './session-length.ts'
import { timesOf } from './session-view.ts'

export interface LongerSessionsOptions {
  readonly sessions: OpenSessions
  readonly ledger: Ledger
  readonly turn: Turn
  readonly book: FleetBook
  readonly compatible: CompatibilityCache
  readonly standings: Standings
  readonly calls: NodeCalls
  readonly booked: Pick<BookingStarts, 'bookingWith'>
  /** Until when the bench is nobody's who has booked, epoch ms; infinite where nobody has. */
  readonly bookedFrom: (bench: string) => number
  /** Makes a booking end later, once its session is longer; throws `booking-conflict` and what that throws. */
  readonly lengthenBooking: (id: string, endsAt: number, lengthenSession: () => Promise<void>) => Promise<void>
  readonly clock: Clock
  readonly faultPoint?: FaultHook | undefined
}

export interface LongerSessions {
  /**
   * Lengthens an active session, and with it its booking; one that has `total` seconds already stays as it is. Throws
   * `session-not-active`, `no-session-time`, `session-too-long`, `quota-used`, `somebody-waits`, `bench-booked`.
   */
  extend(id: string, by: Caller, asked: ExtendSession): Promise<void>
  /** Makes an active session last until then, if that is longer: its booking ends then. Throws what the node refuses. */
  lengthen(id: string, by: Caller, endsAt: number): Promise<void>
}

/** Over the sessions that are open. */
export function createLongerSessions(options: LongerSessionsOptions): LongerSessions {
  const { sessions, ledger, turn, book, compatible, standings, calls, booked, clock, faultPoint } = options

  /** Somebody queued who could have this bench next. */
  const somebodyWaits = (bench: string): boolean => {
    for (const run of ledger.runs.byId.values()) {
      if (run.state === 'queued' && compatible.serves(run, bench)) return true
    }
    return false
  }

  /** Throws `somebody-waits` and `bench-booked` where somebody else is to have the bench before then. */
  const requireFree = ({ hold, lab }: ActiveRun, endsAt: number) => {
    if (somebodyWaits(hold.bench)) {
      throw new LabError({
        code: 'somebody-waits',
        kind: 'caller',
        retry: 'later',
        message: `somebody waits for ${hold.bench}`,
        studentMessage: 'Somebody else waits for this bench: your time can not be made longer.',
      })
    }
    const bench = book.benches.get(hold.bench)
    const leftS = Math.max(0, endsAt - clock.now()) / 1000
    const { cleanUpMs } = sessionNeeds(lab)
    if (bench !== undefined && book.freeForS(bench) < leftS + cleanUpMs / 1000) {
      throw new LabError({
        code: 'somebody-waits',
        kind: 'caller',
        retry: 'later',
        message: `${hold.bench} goes out of use before that`,
        studentMessage: 'The bench closes soon: your time can not be made longer.',
      })
    }
    const neededFrom = options.bookedFrom(hold.bench)
    if (neededFrom < endsAt + cleanUpMs) throw bookedSoon(hold.bench, neededFrom - cleanUpMs)
  }

  const lengthen = async (run: OpenRun, node: string, by: Caller, seconds: number) => {
    const { id: runId, attempt } = run
    faultPoint?.('before-extend')
    await calls.call(node, 'session.extend', { runId, attempt, by: by.personId, seconds })
    faultPoint?.('after-extend')
    // It may be over by now, or memory have been read again.
    const now = sessions.active(runId)
    if (!turn.open || now?.attempt !== attempt) return
    const { session } = now
    // The documents say so a moment later, and for good.
    if (session?.activeAt != null && session.seconds < seconds) {
      ledger.progress(now, { ...session, seconds, endsAt: session.activeAt + seconds * 1000 })
    }
  }

  const lengthenBooked = async (id: string, booking: string, endsAt: number, lengthenSession: () => Promise<void>) => {
    try {
      await options.lengthenBooking(booking, endsAt, lengthenSession)
    } catch (error) {
      // A booking is over with its session.
      if (asLabError(error).code === 'booking-over') sessions.mustBeActive(id)
      throw error
    }
  }

  return {
    extend: async (id, by, asked) => {
      const { personId, lab } = sessions.mustBeActive(id)
      const isOwn = by.personId === personId
      const labsMost = timesOf(lab).mostSeconds
      // Staff may give somebody all that the lab allows.
      const mostSeconds = isOwn ? await mostSessionS(standings, by, lab.id, labsMost) : labsMost
      const standing = isOwn ? await standings.of(by, lab.id) : undefined
      turn.mustBeOpen()
      // From here to the question to the node nothing is awaited.
      const run = sessions.mustBeActive(id)
      const seconds = secondsOf(run, asked)
      const more = seconds - (run.session?.seconds ?? 0)
      const endsAt = (run.session?.endsAt ?? attemptNow(run.hold, clock)) + setSince(run.hold, clock) + more * 1000
      if (more > 0) {
        if (run.bumped !== undefined) throw bookedSoon(run.hold.bench, run.bumped.atMs)
        if (seconds > mostSeconds) throw tooLong(mostSeconds)
        standing?.requireLonger(SESSION_PROTOCOL, more)
        requireFree(run, endsAt)
      }
      const node = sessions.nodeOf(run)
      const booking = booked.bookingWith(run)
      const lengthenSession = () => lengthen(run, node, by, seconds)
      if (booking !== undefined) await lengthenBooked(id, booking, endsAt, lengthenSession)
      else if (more > 0) await lengthenSession()
      await turn.kept()
    },
    lengthen: async (id, by, endsAt) => {
      turn.mustBeOpen()
      const run = sessions.open(id)
      if (run?.hold === undefined || run.session?.stage !== 'active' || run.session.activeAt === null) return
      const seconds = Math.round((endsAt - setSince(run.hold, clock) - run.session.activeAt) / 1000)
      if (seconds <= run.session.seconds) return
      try {
        await lengthen(run, sessions.nodeOf({ hold: run.hold }), by, seconds)
      } catch (error) {
        // It has just ended; what is left of its booking begins again, or is given back.
        if (asLabError(error).code !== 'session-not-active') throw error
      }
      await turn.kept()
    },
  }
}

/** How long it is to be in all; never shorter than it is. */
function secondsOf({ session }: OpenRun, { seconds, total }: ExtendSession): number {
  const now = session?.seconds ?? 0
  return seconds === undefined ? Math.max(now, total ?? 0) : now + seconds
}

/** `until`: the last moment at which the session may end. */
function bookedSoon(bench: string, until: number): LabError {
  const latest = new Date(Math.floor(until / 1000) * 1000).toISOString()
  return new LabError({
    code: 'bench-booked',
    kind: 'caller',
    message: `${bench} is booked: the session can last until ${latest}`,
    issues: [{ path: 'seconds', message: `may go on until ${latest} at most` }],
    studentMessage: `Somebody has booked the bench: your time can go on until ${latest} at most.`,
    details: { until: latest },
  })
}

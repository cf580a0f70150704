/**
 * Sessions whose bench is taken from them: their node stays away, a check of the bench fails, or staff close it at once.
 *
 * A node ends its sessions by itself once its hub has been silent for `SILENCE_S`, and its bench goes to its safe state
 * (edge/engine/seat.ts). Both sides count on steady clocks from the same moment, the end of the connection, so it does not
 * matter how far apart their clocks are; the margin is for a heartbeat that was under way then, and for clocks that do not
 * run equally fast.
 *
 * INVARIANTS: a session of a node that is away ends here only when the node can not have it active any more; the end, its
 * reason and the rest of it are one write; its bench stays its own until the node has told what became of it, is shut
 * out, or staff give it up; what the node tells then is taken into its record.
 */
import { SILENCE_S } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { BookingStarts } from '../bookings/starts.ts'
import type { FaultHook } from '../fault-point.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import { type Loss, whenLost } from '../ingest/judge-loss.ts'
import { attemptNow } from '../runs/attempt-clock.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { Hold, OpenRun } from '../runs/open-runs.ts'
import type { Turn } from '../store/turn.ts'

export interface LostSessionsOptions {
  readonly ledger: Ledger
  readonly turn: Pick<Turn, 'open' | 'afterCommit'>
  readonly book: Pick<FleetBook, 'nodes' | 'benches'>
  readonly booked: Pick<BookingStarts, 'leftOf' | 'hasOtherBench'>
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

export interface LostSessions {
  /** Ends, in this turn's write, those whose node has been away too long or whose bench fails; to be asked every second. */
  look(): void
  /** Ends, in this turn's write, the session that is on a bench which staff close; false where it is another run. */
  close(id: string, why: string): boolean
}

/** For so long a node has been away when its sessions are lost. */
const AWAY_MS = SILENCE_S * 1000 + 10_000

/** Over the runs that are open. */
export function createLostSessions(options: LostSessionsOptions): LostSessions {
  const { ledger, turn, book, booked, clock, log, faultPoint } = options

  /** `atMs`: since then its person could do nothing. */
  const end = (run: OpenRun, hold: Hold, loss: Loss, atMs: number) => {
    const { node, bench } = hold
    const now = attemptNow(hold, clock)
    const lost = whenLost(run, loss, {
      atMs: Math.min(now, Math.max(run.session?.activeAt ?? 0, atMs)),
      bookingS: booked.leftOf(run),
      hasOther: booked.hasOtherBench(run),
    })
    log.warn({ run: run.id, node, bench, reason: lost.reason }, 'a session has lost its bench')
    faultPoint?.('before-lost-commit')
    ledger.finish(run, { ...lost, untold: true, endedAt: now })
    turn.afterCommit(() => faultPoint?.('after-lost-commit'))
  }

  const lossOf = (run: OpenRun, hold: Hold): { readonly loss: Loss; readonly atMs: number } | undefined => {
    const node = book.nodes.get(hold.node)
    const why = book.benches.get(hold.bench)?.failing
    const now = attemptNow(hold, clock)
    const awayMs = node?.ready === false ? clock.monotonic() - node.awaySince : 0
    // It was seen by a clock that may have been set since.
    if (node !== undefined && awayMs >= AWAY_MS)
      return { loss: { kind: 'away', node: node.id }, atMs: Math.min(now - awayMs, node.lastSeenAt ?? now) }
    if (why === undefined || run.session?.stage === 'finishing') return undefined
    return { loss: { kind: 'broken', why }, atMs: now }
  }

  return {
    look: () => {
      for (const run of [...ledger.runs.byId.values()]) {
        const { hold, session } = run
        if (hold === undefined || session === undefined) continue
        const lost = lossOf(run, hold)
        if (lost !== undefined) end(run, hold, lost.loss, lost.atMs)
      }
    },
    close: (id, why) => {
      const run = ledger.runs.get(id)
      if (run?.hold === undefined || run.session === undefined || run.session.stage === 'finishing') return false
      if (turn.open && !run.cancelRequested) end(run, run.hold, { kind: 'closed', why }, attemptNow(run.hold, clock))
      return true
    },
  }
}

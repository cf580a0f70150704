/**
 * Sessions whose node stays away.
 *
 * A node ends its sessions by itself once its hub has been silent for `SILENCE_S`, and its bench goes to its safe state
 * (edge/engine/seat.ts). Both sides count on steady clocks from the same moment, the end of the connection, so it does not
 * matter how far apart their clocks are; the margin is for a heartbeat that was under way then, and for clocks that do not
 * run equally fast.
 *
 * INVARIANTS: a session ends here only when its node can not have it active any more; its bench stays its own until the
 * node has told what became of it, is shut out, or staff give it up; what the node tells then is taken into its record.
 */
import { SILENCE_S } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { BookingStarts } from '../bookings/starts.ts'
import type { FaultHook } from '../fault-point.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import { whenAway } from '../ingest/judge-stop.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { Hold, OpenRun } from '../runs/open-runs.ts'
import type { Turn } from '../store/turn.ts'

export interface AwayNodesOptions {
  readonly ledger: Ledger
  readonly turn: Pick<Turn, 'afterCommit'>
  readonly book: Pick<FleetBook, 'nodes'>
  readonly booked: Pick<BookingStarts, 'leftOf'>
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

export interface AwayNodes {
  /** Ends, in this turn's write, the sessions of nodes that have been away too long; to be asked every second. */
  look(): void
}

/** For so long a node has been away when its sessions are lost. */
const AWAY_MS = SILENCE_S * 1000 + 10_000

/** Over the runs that are open. */
export function createAwayNodes({ ledger, turn, book, booked, clock, log, faultPoint }: AwayNodesOptions): AwayNodes {
  const end = (run: OpenRun, { node, bench }: Hold) => {
    const now = clock.now()
    // Since then its person could do nothing.
    const heardAt = Math.max(run.session?.activeAt ?? 0, book.nodes.get(node)?.lastSeenAt ?? now)
    const lost = whenAway(run, node, { atMs: Math.min(now, heardAt), bookingS: booked.leftOf(run) })
    log.warn({ run: run.id, node, bench }, 'a session is lost: its node is away')
    faultPoint?.('before-away-commit')
    ledger.finish(run, { ...lost, away: true, endedAt: now })
    turn.afterCommit(() => faultPoint?.('after-away-commit'))
  }

  return {
    look: () => {
      const steady = clock.monotonic()
      for (const run of [...ledger.runs.byId.values()]) {
        const { hold, session } = run
        if (hold === undefined || session === undefined) continue
        const node = book.nodes.get(hold.node)
        if (node?.ready === false && steady - node.awaySince >= AWAY_MS) end(run, hold)
      }
    },
  }
}

/**
 * Gives somebody whose session was ended for a booking the rest of the time, on the next bench that is free.
 *
 * INVARIANTS: there is one rest or none, made in the write that ends the session, with its bench, priority, partners and
 * origin; the link by which partners come leads on to it, and what was said goes with it (chat.ts).
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { protocolIn } from '../catalogue/catalogue.ts'
import { isLeaving } from '../ingest/judge-stop.ts'
import type { Ledger } from '../runs/ledger.ts'
import { addRun, newRun } from '../runs/new-run.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { RunStatements } from '../runs/run-statements.ts'
import type { Turn } from '../store/turn.ts'

export interface RestOfSessionOptions {
  readonly turn: Turn
  readonly statements: RunStatements
  readonly ledger: Ledger
  readonly clock: Pick<Clock, 'now'>
}

/** A rest that is shorter is not worth a session. */
const LEAST_S = 30

/** Whole seconds that a session loses that leaves for a booking; 0 when it is not worth another. */
export function restOf({ session, bumped }: Pick<OpenRun, 'session' | 'bumped'>): number {
  if (bumped === undefined || session?.activeAt == null || session.endsAt === null) return 0
  const restS = Math.floor(Math.min(session.seconds, (session.endsAt - bumped.atMs) / 1000))
  return restS < LEAST_S ? 0 : restS
}

/** In the write that ends the session, at the head of the queue. */
export function giveRestOfSessions({ turn, statements, ledger, clock }: RestOfSessionOptions): void {
  ledger.onEnd((run, { state }) => {
    const seconds = restOf(run)
    const found = protocolIn(run.lab, run.protocol)
    const hasLeft = isLeaving(run) && (state === 'cancelled' || state === 'interrupted')
    if (!hasLeft || seconds === 0 || found === undefined) return
    const { personId, lab, protocol, priority, wantedBench } = run
    const { row, run: rest } = newRun(
      ledger.runs,
      {
        ...{ personId, lab, protocol, found, priority, parameters: { seconds }, session: { seconds } },
        estimatedS: estimate(found.definition, { seconds }).seconds,
        ...(wantedBench === null ? {} : { bench: wantedBench }),
      },
      clock.now(),
    )
    // Nobody who waits began before that.
    rest.countsFrom = 0
    addRun(turn, statements, ledger, { row: { ...row, counts_from: 0 }, run: rest })
    const both = { runId: run.id, next: rest.id }
    turn.add(statements.continueSession, both)
    turn.add(statements.carryPartners, both)
    turn.add(statements.carryOrigin, both)
  })
}

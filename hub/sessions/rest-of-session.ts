/**
 * Gives somebody whose session was ended for a booking, or whose bench was lost under them, the rest of the time, on the
 * next bench that is free.
 *
 * INVARIANTS: there is one rest or none, made in the write that ends the session, with its bench, priority, partners and
 * origin; the link by which partners come leads on to it, and what was said goes with it (chat.ts).
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { protocolIn } from '../catalogue/catalogue.ts'
import type { Ledger } from '../runs/ledger.ts'
import { addRun, newRun } from '../runs/new-run.ts'
import type { RunStatements } from '../runs/run-statements.ts'
import type { Turn } from '../store/turn.ts'

export interface RestOfSessionOptions {
  readonly turn: Turn
  readonly statements: RunStatements
  readonly ledger: Ledger
  readonly clock: Pick<Clock, 'now'>
}

/** In the write that ends the session, at the head of the queue. */
export function giveRestOfSessions({ turn, statements, ledger, clock }: RestOfSessionOptions): void {
  ledger.onEnd((run, { rest }) => {
    const found = protocolIn(run.lab, run.protocol)
    if (rest?.from !== 'queue' || found === undefined) return
    const { seconds } = rest
    const { personId, lab, protocol, priority, wantedBench } = run
    const { row, run: next } = newRun(
      ledger.runs,
      {
        ...{ personId, lab, protocol, found, priority, parameters: { seconds }, session: { seconds } },
        estimatedS: estimate(found.definition, { seconds }).seconds,
        ...(wantedBench === null ? {} : { bench: wantedBench }),
      },
      clock.now(),
    )
    // Nobody who waits began before that.
    next.countsFrom = 0
    addRun(turn, statements, ledger, { row: { ...row, counts_from: 0 }, run: next })
    const both = { runId: run.id, next: next.id }
    turn.add(statements.continueSession, both)
    turn.add(statements.carryPartners, both)
    turn.add(statements.carryOrigin, both)
  })
}

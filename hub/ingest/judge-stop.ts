/** What a stop document makes of its run. Pure. */
import type { StopDoc } from '@fernlab/shared/contracts/documents'
import type { Outcome } from '../runs/ledger.ts'
import type { Hold, OpenRun } from '../runs/open-runs.ts'

/** How often a run with `restart: safe` is queued again after an interruption: three attempts in all. */
export const MOST_RESTARTS = 2

export type Verdict =
  | { readonly kind: 'final'; readonly outcome: Omit<Outcome, 'endedAt'> }
  /** Interrupted, and its protocol says that it may run again. */
  | { readonly kind: 'again'; readonly reason: string }

/** The counts in `doc` are held against what has been stored, so that nothing is missing without being said. */
export function judgeStop(
  run: Pick<OpenRun, 'restart' | 'restarts' | 'cancelRequested'>,
  hold: Pick<Hold, 'rows' | 'nextSeq'>,
  doc: StopDoc,
): Verdict {
  const lost = whatIsMissing(hold, doc)
  if (lost !== undefined) {
    return {
      kind: 'final',
      outcome: {
        state: 'failed',
        reason: lost,
        error: {
          code: 'documents-missing',
          kind: 'bug',
          retry: 'never',
          message: lost,
          studentMessage: 'Some of the results did not arrive. What came is kept; please tell the staff.',
        },
        outputs: doc.outputs,
        missingOutputs: doc.missingOutputs,
        cleanUp: doc.cleanUp,
      },
    }
  }
  if (doc.state === 'interrupted' && run.restart === 'safe' && !run.cancelRequested && run.restarts < MOST_RESTARTS) {
    return { kind: 'again', reason: `interrupted (${doc.reason}); it starts again` }
  }
  const cancelled = doc.state === 'interrupted' && run.cancelRequested
  return {
    kind: 'final',
    outcome: {
      state: cancelled ? 'cancelled' : doc.state,
      reason: doc.reason,
      error: doc.error as Outcome['error'],
      outputs: doc.outputs,
      missingOutputs: doc.missingOutputs,
      cleanUp: doc.cleanUp,
    },
  }
}

/** `nextSeq` counts the stop document too. */
function whatIsMissing(hold: Pick<Hold, 'rows' | 'nextSeq'>, doc: StopDoc): string | undefined {
  if (doc.documents !== hold.nextSeq - 1) {
    return `the node counted ${doc.documents} documents before the end, ${hold.nextSeq - 1} arrived`
  }
  const streams = new Set([...Object.keys(hold.rows), ...Object.keys(doc.rows)])
  for (const stream of streams) {
    const told = doc.rows[stream] ?? 0
    const here = hold.rows[stream] ?? 0
    if (told !== here) return `the node counted ${told} rows in ${stream}, ${here} arrived`
  }
  return undefined
}

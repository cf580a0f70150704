/** What a stop document makes of its run. Pure. */
import type { StopDoc } from '@fernlab/shared/contracts/documents'
import type { Outcome } from '../runs/ledger.ts'
import type { Hold, OpenRun } from '../runs/open-runs.ts'

/** How often a run is queued again after an interruption or for a bench that broke down: three attempts in all. */
export const MOST_RESTARTS = 2

export type Verdict =
  | { readonly kind: 'final'; readonly outcome: Omit<Outcome, 'endedAt'> }
  /** It starts again: it was interrupted, or its bench broke down, for which its person gets the next one. */
  | {
      readonly kind: 'again'
      readonly why: 'interrupted' | 'broken'
      readonly reason: string
      readonly cleanUp: StopDoc['cleanUp']
    }

/** What an instrument does that fails under its user: none of it comes from what was asked of it. */
const breakdowns: ReadonlySet<string> = new Set([
  'instrument-lost',
  'instrument-offline',
  'instrument-disconnected',
  'instrument-silent',
  'instrument-out-of-step',
  'instrument-stream-ended',
])

/** Whether it may start again: its protocol says so, or its person had not touched the bench yet. */
export function mayStartAgain({
  restart,
  restarts,
  cancelRequested,
  session,
}: Pick<OpenRun, 'restart' | 'restarts' | 'cancelRequested' | 'session'>): boolean {
  return !cancelRequested && restarts < MOST_RESTARTS && (restart === 'safe' || session?.stage === 'preparing')
}

/** The counts in `doc` are held against what has been stored, so that nothing is missing without being said. */
export function judgeStop(
  run: Pick<OpenRun, 'restart' | 'restarts' | 'cancelRequested' | 'session'>,
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
  const { cleanUp } = doc
  const broken = doc.state === 'failed' && breakdowns.has(doc.error?.code ?? '')
  if (mayStartAgain(run) && doc.state === 'interrupted') {
    return { kind: 'again', why: 'interrupted', reason: `interrupted (${doc.reason}); it starts again`, cleanUp }
  }
  if (mayStartAgain(run) && broken) {
    const reason = `we are sorry: the bench broke down (${doc.reason}); you are back at the head of the queue`
    return { kind: 'again', why: 'broken', reason, cleanUp }
  }
  const sorry = `we are sorry: the bench broke down (${doc.reason}); what was recorded is kept, and you may ask for the lab again`
  const cancelled = doc.state === 'interrupted' && run.cancelRequested
  return {
    kind: 'final',
    outcome: {
      state: cancelled ? 'cancelled' : doc.state,
      reason: broken && run.session !== undefined ? sorry : doc.reason,
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

/** What nodes say of the assignments that they were sent: taken, refused, and how far they are. */

import { type Accepted, acceptedSchema, type Live, liveSchema } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { BookingStarts } from '../bookings/starts.ts'
import { createLossLog } from '../broker/loss-log.ts'
import type { NodeLink } from '../broker/node-link.ts'
import type { FaultHook } from '../fault-point.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import { isBeingPrepared, whenUnready } from '../ingest/judge-stop.ts'
import { attemptNow, hasLasted } from '../runs/attempt-clock.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { Hold } from '../runs/open-runs.ts'
import type { Turn } from '../store/turn.ts'
import { backOffMs } from './back-off.ts'
import { presentRun } from './present.ts'

export interface NodeAnswers {
  accepted(node: string, message: unknown): void
  /** Notes that the run's node has accepted its attempt. */
  taken(hold: Hold): void
  live(node: string, message: unknown): void
}

export interface NodeAnswersOptions {
  readonly link: NodeLink
  readonly ledger: Ledger
  readonly turn: Turn
  readonly book: FleetBook
  readonly booked: Pick<BookingStarts, 'hasOtherBench'>
  /** A bench that refused may be asked again. */
  readonly nudge: () => void
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

/** Over the runs that are open. */
export function createNodeAnswers(options: NodeAnswersOptions): NodeAnswers {
  const { link, ledger, turn, book, booked, nudge, clock, log, faultPoint } = options
  const { runs } = ledger
  const losses = createLossLog(log)

  const refused = (node: string, { runId, attempt, error }: Accepted['refused'][number]) => {
    const run = presentRun(runs, node, runId, attempt)
    // What has begun or was accepted before can't be refused any more: an answer to a repeated assignment.
    if (run === undefined || run.state !== 'assigned' || run.hold.accepted || run.hold.nextSeq > 0) return
    const bench = book.benches.get(run.hold.bench)
    const reason = `${run.hold.bench} refused it: ${error.message}`
    if (run.cancelRequested) {
      ledger.finish(run, { state: 'cancelled', reason: run.cancelReason, endedAt: attemptNow(run.hold, clock) })
      return
    }
    if (error.retry === 'never') {
      log.warn({ run: runId, attempt, node, code: error.code, error: error.message }, 'a node refused a run for good')
      if (isBeingPrepared(run)) {
        const hasOther = booked.hasOtherBench(run)
        const unready = whenUnready(run, { bench: run.hold.bench, why: error.message, hasOther })
        if (unready.again) return ledger.requeue(run, 'unready', unready.reason)
      }
      ledger.finish(run, { state: 'failed', reason, error: error as never, endedAt: attemptNow(run.hold, clock) })
      return
    }
    if (bench !== undefined) {
      const waitMs = backOffMs(error.code)
      bench.refusedUntil = clock.monotonic() + waitMs
      bench.refusal = error.message
      losses.lost(
        `refused/${bench.id}/${error.code}`,
        { bench: bench.id, code: error.code, waitMs },
        'a bench refuses runs',
      )
      clock.after(waitMs, nudge)
    }
    if (run.check === null) ledger.requeue(run, 'refused', reason)
    else ledger.finish(run, { state: 'interrupted', reason, endedAt: attemptNow(run.hold, clock) })
  }

  const taken = (hold: Hold) => {
    if (!hold.accepted) faultPoint?.('on-accepted')
    hold.accepted = true
    const bench = book.benches.get(hold.bench)
    if (bench?.refusal === undefined) return
    bench.refusal = undefined
    losses.recovered(`refused/${bench.id}/bench-busy`, { bench: bench.id }, 'a bench takes runs again')
  }

  return {
    accepted: (node, message) => {
      if (!turn.open) return
      const { accepted, refused: refusals } = acceptedSchema.parse(message)
      for (const { runId, attempt } of accepted) {
        const run = presentRun(runs, node, runId, attempt)
        if (run !== undefined) {
          taken(run.hold)
        } else if (runs.get(runId) !== undefined) {
          losses.lost(
            `stale/${runId}/${attempt}`,
            { node, run: runId, attempt },
            'a node accepted an attempt that is not wanted',
          )
          const reason = 'another attempt has taken its place'
          turn.afterCommit(() => link.send(node, 'cancel', { cancels: [{ runId, attempt, reason }] }))
        }
      }
      for (const refusal of refusals) refused(node, refusal)
    },
    taken,
    live: (node, message) => {
      const { runs: list }: Live = liveSchema.parse(message)
      for (const { runId, attempt, progress, secondsLeft, step, readings, session } of list) {
        const run = presentRun(runs, node, runId, attempt)
        if (run === undefined) continue
        const { hold } = run
        const known = session?.stage === 'active' && run.session?.stage === 'active' ? run.session : undefined
        if (hold.restored && known !== undefined && known.activeAt !== null && secondsLeft !== undefined) {
          // It may be longer on its node already, or have been shorter when this was sent.
          const seconds = (session?.seconds ?? known.seconds) - secondsLeft
          hasLasted(hold, { activeAt: known.activeAt, seconds }, clock)
        }
        run.live = {
          fraction: progress,
          step,
          ...(secondsLeft === undefined ? {} : { secondsLeft }),
          ...(readings === undefined ? {} : { readings }),
          ...(session === undefined ? {} : { session }),
        }
        ledger.notify({ runId, kind: 'progress', attempt })
      }
    },
  }
}

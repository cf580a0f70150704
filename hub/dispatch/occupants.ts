/** Who has the benches now, as bumping sees them. */

import type { Clock } from '@fernlab/shared/primitives/clock'
import { sessionNeeds } from '../bookings/session-times.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import { whenLeft } from '../ingest/judge-stop.ts'
import type { MayBeBumped } from '../permissions/may-be-bumped.ts'
import { attemptNow } from '../runs/attempt-clock.ts'
import type { OpenRun, OpenRuns } from '../runs/open-runs.ts'
import type { Occupant } from '../scheduling/bumping.ts'
import type { BookedPlace } from '../scheduling/reserved.ts'

export interface OccupantsOptions {
  readonly runs: Pick<OpenRuns, 'get'>
  readonly book: Pick<FleetBook, 'benches'>
  readonly mayBeBumped: MayBeBumped
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}

/** No warning and clean-up together are longer. */
const nearMs = 2 * 3_600_000

/** Undefined where no place is near that has no bench yet, and nobody has been told to leave. */
export type Occupants = (places: readonly BookedPlace[], nowMs: number) => readonly Occupant[] | undefined

/** From the benches' runs. */
export function occupantsOf({ runs, book, mayBeBumped, clock }: OccupantsOptions): Occupants {
  const occupantOf = (run: OpenRun, bench: string): Occupant[] => {
    const { id, session, bumped, startedAt } = run
    const isOver = run.cancelRequested || session?.stage === 'finishing'
    if (isOver && bumped === undefined) return []
    return [
      {
        id,
        bench,
        // Who has a booking of their own keeps its bench.
        mayBeBumped: bumped === undefined && run.booking === null && mayBeBumped.of(run),
        kind: kindOf(run),
        doneMs: startedAt === null ? 0 : attemptNow(run.hold, clock) - startedAt,
        cleanUpMs: session === undefined ? 0 : sessionNeeds(run.lab).cleanUpMs,
        leaving: bumped,
      },
    ]
  }
  return (places, nowMs) => {
    const holders = [...book.benches.values()].flatMap((bench) => {
      const run = bench.runId === null ? undefined : runs.get(bench.runId)
      return run?.hold === undefined ? [] : [{ run, bench: bench.id }]
    })
    const isNear = places.some(({ from, held }) => held === undefined && from - nearMs <= nowMs)
    if (!isNear && !holders.some(({ run }) => run.bumped !== undefined)) return undefined
    return holders.flatMap(({ run, bench }) => occupantOf(run, bench))
  }
}

function kindOf(run: OpenRun): Occupant['kind'] {
  if (run.session?.stage === 'active') return 'session'
  if (!whenLeft(run).again) return 'once'
  return run.session === undefined && run.state === 'running' ? 'again' : 'waiting'
}

import type { Clock } from '@fernlab/shared/primitives/clock'
import { sessionNeeds } from '../bookings/session-times.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import { expectedS } from '../scheduling/order.ts'
import { withMargin } from '../scheduling/reserved.ts'
import { attemptNow } from './attempt-clock.ts'
import type { OpenRun, OpenRuns } from './open-runs.ts'

export interface BenchTimesOptions {
  readonly runs: OpenRuns
  readonly book: FleetBook
  readonly clock: Clock
}

/** In how many seconds a bench can take a run: 0 now, null when nobody knows. */
export type BenchTimes = (bench: BookedBench) => number | null

/** Nodes that were connected before the hub started again are back by then. */
const NODES_BACK_MS = 15_000

/**
 * Apart from what staff have planned. `backInS` is for bookings: where the hub has only just begun, it awaits nodes that it
 * has not heard of, so that nobody takes another's bench for one that is about to be back. `latestInS` is the same for who
 * is as much slower than expected as may be; what ends at a fixed time is slow in its clean-up alone.
 */
export function createBenchTimes({ runs, book, clock }: BenchTimesOptions): {
  readonly freeInS: BenchTimes
  readonly backInS: BenchTimes
  readonly latestInS: BenchTimes
} {
  const nodesBackAt = clock.monotonic() + NODES_BACK_MS
  const leftOf = (run: OpenRun, pace: Pace): number => {
    const { bumped } = run
    const leftS = leftOfItself(run, pace)
    if (bumped === undefined) return leftS
    const cleanUpS = run.session === undefined ? pace(0) : cleanUpOf(run, pace)
    return Math.min(leftS, (bumped.atMs - clock.now()) / 1000 + cleanUpS)
  }
  const leftOfItself = (run: OpenRun, pace: Pace): number => {
    const { session } = run
    const now = attemptNow(run.hold, clock)
    // Whatever is left of its time is given back.
    if (session?.stage === 'finishing') return cleanUpOf(run, pace)
    if (session?.stage === 'active' && session.endsAt !== null) {
      return (session.endsAt - now) / 1000 + cleanUpOf(run, pace)
    }
    // Of the whole: how slow it has been shows only in what is left.
    const leftS = pace(expectedS(run)) - (now - (run.startedAt ?? now)) / 1000
    if (session !== undefined || run.live?.secondsLeft === undefined) return leftS
    const toldS = run.live.secondsLeft
    return pace === asExpected ? toldS : Math.max(leftS, pace(toldS))
  }
  const inS = (bench: BookedBench, pace: Pace): number | null => {
    const { state } = book.ownStateOf(bench)
    if (state === 'free') return Math.max(0, (bench.refusedUntil - clock.monotonic()) / 1000)
    if (state !== 'busy') return null
    if (bench.lease !== undefined) return Math.max(1, (bench.lease.endsAt - clock.monotonic()) / 1000)
    const run = bench.runId === null ? undefined : runs.get(bench.runId)
    if (run !== undefined) return Math.max(1, leftOf(run, pace))
    const unreturned = bench.runId === null ? undefined : runs.unreturned.get(bench.runId)
    return unreturned === undefined ? 0 : Math.max(1, cleanUpOf(unreturned, pace))
  }
  const backInS = (bench: BookedBench, pace: Pace): number | null => {
    const knownS = inS(bench, pace)
    const leftMs = nodesBackAt - clock.monotonic()
    if (knownS !== null || leftMs <= 0 || bench.gone || bench.out !== undefined || bench.failing !== undefined)
      return knownS
    const node = book.nodes.get(bench.node)
    if (node === undefined || node.online || node.revokedAt !== null) return null
    const run = bench.runId === null ? undefined : runs.get(bench.runId)
    return Math.max(leftMs / 1000, run === undefined ? 0 : leftOf(run, pace))
  }
  return {
    freeInS: (bench) => inS(bench, asExpected),
    backInS: (bench) => backInS(bench, asExpected),
    latestInS: (bench) => backInS(bench, slow),
  }
}

/** In how many seconds something is done that is expected to last so long. */
type Pace = (lastsS: number) => number
const asExpected: Pace = (lastsS) => lastsS
const slow: Pace = (lastsS) => withMargin(lastsS) / 1000

const cleanUpOf = ({ lab }: OpenRun, pace: Pace): number => pace(sessionNeeds(lab).cleanUpMs / 1000)

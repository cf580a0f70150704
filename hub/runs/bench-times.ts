import type { Clock } from '@fernlab/shared/primitives/clock'
import { sessionNeeds } from '../bookings/session-times.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import { expectedS } from '../scheduling/order.ts'
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
 * has not heard of, so that nobody takes another's bench for one that is about to be back.
 */
export function createBenchTimes({ runs, book, clock }: BenchTimesOptions): {
  readonly freeInS: BenchTimes
  readonly backInS: BenchTimes
} {
  const nodesBackAt = clock.monotonic() + NODES_BACK_MS
  const leftOf = (run: OpenRun): number => {
    const { bumped } = run
    const leftS = leftOfItself(run)
    if (bumped === undefined) return leftS
    const cleanUpMs = run.session === undefined ? 0 : sessionNeeds(run.lab).cleanUpMs
    return Math.min(leftS, (bumped.atMs - clock.now() + cleanUpMs) / 1000)
  }
  const leftOfItself = (run: OpenRun): number => {
    const { session } = run
    const now = attemptNow(run.hold, clock)
    // Whatever is left of its time is given back.
    if (session?.stage === 'finishing') return sessionNeeds(run.lab).cleanUpMs / 1000
    if (session?.stage === 'active' && session.endsAt !== null) {
      return (session.endsAt - now + sessionNeeds(run.lab).cleanUpMs) / 1000
    }
    if (session === undefined && run.live?.secondsLeft !== undefined) return run.live.secondsLeft
    return expectedS(run) - (now - (run.startedAt ?? now)) / 1000
  }
  const freeInS: BenchTimes = (bench) => {
    const { state } = book.ownStateOf(bench)
    if (state === 'free') return Math.max(0, (bench.refusedUntil - clock.monotonic()) / 1000)
    if (state !== 'busy') return null
    if (bench.lease !== undefined) return Math.max(1, (bench.lease.endsAt - clock.monotonic()) / 1000)
    const run = bench.runId === null ? undefined : runs.get(bench.runId)
    if (run !== undefined) return Math.max(1, leftOf(run))
    const unreturned = bench.runId === null ? undefined : runs.unreturned.get(bench.runId)
    return unreturned === undefined ? 0 : Math.max(1, sessionNeeds(unreturned.lab).cleanUpMs / 1000)
  }
  const backInS: BenchTimes = (bench) => {
    const inS = freeInS(bench)
    const leftMs = nodesBackAt - clock.monotonic()
    if (inS !== null || leftMs <= 0 || bench.gone || bench.out !== undefined || bench.failing !== undefined) return inS
    const node = book.nodes.get(bench.node)
    if (node === undefined || node.online || node.revokedAt !== null) return null
    const run = bench.runId === null ? undefined : runs.get(bench.runId)
    return Math.max(leftMs / 1000, run === undefined ? 0 : leftOf(run))
  }
  return { freeInS, backInS }
}

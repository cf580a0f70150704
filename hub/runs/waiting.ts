import type { Clock } from '@fernlab/shared/primitives/clock'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { CompatibilityCache } from '../fleet/compatible.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import type { WaitingRun } from '../scheduling/decide.ts'
import type { explain, WaitingBench } from '../scheduling/explain.ts'
import type { OpenRun, OpenRuns } from './open-runs.ts'

export interface Waiting {
  /** Place, reason and start of a queued run; undefined for any other. */
  of(run: OpenRun): { position: number; reason: string; estimatedStart?: string } | undefined
  /** The queue as someone sees it who is not in it yet. */
  queueOf(lab: CatalogueLab): { length: number; estimatedWaitS: number | null }
}

export interface CreateWaitingOptions {
  readonly scheduler: { readonly explain: typeof explain }
  readonly runs: OpenRuns
  readonly book: FleetBook
  readonly compatible: CompatibilityCache
  readonly clock: Clock
}

/** Explains waiting from the present queue and fleet. */
export function createWaiting({ scheduler, runs, book, compatible, clock }: CreateWaitingOptions): Waiting {
  const serves = (run: { readonly lab: CatalogueLab }, bench: string) => compatible.benchesFor(run.lab).has(bench)

  const freeInS = (bench: BookedBench): number | null => {
    const { state } = book.stateOf(bench)
    if (state === 'free') return Math.max(0, (bench.refusedUntil - clock.monotonic()) / 1000)
    if (state !== 'busy') return null
    if (bench.lease !== undefined) return Math.max(1, (bench.lease.endsAt - clock.monotonic()) / 1000)
    const run = bench.runId === null ? undefined : runs.get(bench.runId)
    if (run === undefined) return 0
    const sinceS = (clock.now() - (run.startedAt ?? clock.now())) / 1000
    return Math.max(1, run.live?.secondsLeft ?? (run.estimatedS ?? 60) - sinceS)
  }

  const benchesFor = (lab: CatalogueLab): WaitingBench[] => {
    const ids = compatible.benchesFor(lab)
    return [...book.benches.values()]
      .filter(({ id }) => ids.has(id))
      .map((bench) => {
        const reason = bench.refusal ?? book.stateOf(bench).reason
        return { id: bench.id, freeInS: freeInS(bench), ...(reason === undefined ? {} : { reason }) }
      })
  }

  return {
    of: (run) => {
      if (run.state !== 'queued') return undefined
      const before = runs.queue.slice(0, Math.max(0, runs.queue.indexOf(run)))
      const { position, reason, inS } = scheduler.explain(run, before, benchesFor(run.lab), serves)
      const estimatedStart = inS === null ? {} : { estimatedStart: new Date(clock.now() + inS * 1000).toISOString() }
      return { position, reason, ...estimatedStart }
    },
    queueOf: (lab) => {
      const newcomer: WaitingRun & { readonly lab: CatalogueLab } = {
        id: '',
        wantedBench: null,
        createdAt: clock.now(),
        estimatedS: null,
        lab,
      }
      const { inS } = scheduler.explain<WaitingRun & { readonly lab: CatalogueLab }>(
        newcomer,
        runs.queue,
        benchesFor(lab),
        serves,
      )
      return { length: runs.queue.filter((run) => run.lab.id === lab.id).length, estimatedWaitS: inS }
    },
  }
}

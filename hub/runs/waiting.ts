import { priorities } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { firstGap } from '../bench-care/outages.ts'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { CompatibilityCache } from '../fleet/compatible.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import type { explain, WaitingBench } from '../scheduling/explain.ts'
import { expectedS, numberOf, type QueueEntry } from '../scheduling/order.ts'
import type { BenchTimes } from './bench-times.ts'
import type { OpenRun, OpenRuns } from './open-runs.ts'
import type { RunWait } from './runs.ts'

export interface Waiting {
  /** Place, reason and start of a queued run; undefined for any other. */
  of(run: OpenRun): RunWait | undefined
  /** The queue as someone sees it who is not in it yet. */
  queueOf(lab: CatalogueLab): { length: number; estimatedWaitS: number | null }
}

export interface CreateWaitingOptions {
  readonly scheduler: { readonly explain: typeof explain }
  readonly runs: OpenRuns
  readonly book: FleetBook
  readonly compatible: CompatibilityCache
  /** Apart from what staff have planned. */
  readonly benchFreeInS: BenchTimes
  readonly clock: Clock
}

/** What waits, as the explanation sees it: a run, or somebody who has not come yet. */
type Waiter = QueueEntry & { readonly lab: CatalogueLab }

/** Explains waiting from the present queue and fleet. */
export function createWaiting({
  scheduler,
  runs,
  book,
  compatible,
  benchFreeInS,
  clock,
}: CreateWaitingOptions): Waiting {
  const serves = (entry: Waiter, bench: string) => compatible.serves(entry, bench)

  /** When a run of this length can begin on the bench; what staff have planned for it is worked around. */
  const freeInS = (bench: BookedBench, lastsS: number): number | null => {
    const upInS = benchFreeInS(bench)
    if (upInS === null) return null
    const now = clock.now()
    const start = firstGap(bench.plans, now + upInS * 1000, lastsS * 1000)
    return start === null || start === Number.POSITIVE_INFINITY ? null : (start - now) / 1000
  }

  const whyNotNow = (bench: BookedBench, lastsS: number): string | undefined => {
    const reason = bench.refusal ?? book.stateOf(bench).reason
    const { next } = book.outlook(bench)
    if (reason !== undefined || next === undefined || lastsS <= book.freeForS(bench)) return reason
    return `${bench.id} closes at ${new Date(next.from).toISOString()}, before this would end: ${next.plan.reason}`
  }

  /** As an entry of this length sees them. */
  const benches = (lastsS: number): WaitingBench[] =>
    [...book.benches.values()].map((bench) => {
      const reason = whyNotNow(bench, lastsS)
      return { id: bench.id, freeInS: freeInS(bench, lastsS), ...(reason === undefined ? {} : { reason }) }
    })

  return {
    of: (run) => {
      if (run.state !== 'queued') return undefined
      const lines = runs.waiting.lines(clock.now())
      const place = runs.waiting.placeOf(run)
      if (place === undefined) return undefined
      const { position, reason, inS } = scheduler.explain(place, { lines, benches: benches(expectedS(run)), serves })
      const estimatedStart = inS === null ? {} : { estimatedStart: new Date(clock.now() + inS * 1000).toISOString() }
      return { position, reason, ...estimatedStart }
    },
    queueOf: (lab) => {
      const now = clock.now()
      const newcomer: Waiter = {
        id: '',
        personId: '',
        lab,
        wantedBench: null,
        priority: priorities.usual,
        createdAt: now,
        countsFrom: now,
        estimatedS: null,
      }
      const lines = [...runs.waiting.lines(now)]
      // Behind all of equal number: how much the newcomer has used is not known.
      const place = { entry: newcomer, number: numberOf(newcomer, runs.waiting.rules), usedS: Number.POSITIVE_INFINITY }
      const { inS } = scheduler.explain<Waiter>(place, { lines, benches: benches(expectedS(newcomer)), serves })
      const length = lines.reduce((sum, { sample, places }) => sum + (sample.lab.id === lab.id ? places.length : 0), 0)
      return { length, estimatedWaitS: inS }
    },
  }
}

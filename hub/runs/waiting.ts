import { priorities } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { sightMs } from '../bench-care/outages.ts'
import type { Span } from '../bookings/placement.ts'
import type { Plan } from '../bookings/plan.ts'
import { AHEAD_MS, sessionNeeds } from '../bookings/session-times.ts'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { CompatibilityCache } from '../fleet/compatible.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import type { explain, WaitingBench } from '../scheduling/explain.ts'
import { expectedS, numberOf, type QueueEntry } from '../scheduling/order.ts'
import { type Reserved, withMargin } from '../scheduling/reserved.ts'
import type { BenchTimes } from './bench-times.ts'
import { type FirstFree, firstFree } from './first-free.ts'
import type { OpenRun, OpenRuns } from './open-runs.ts'
import type { RunWait } from './runs.ts'

export interface Waiting {
  /** Place, reason and start of a queued run; undefined for any other. */
  of(run: OpenRun): RunWait | undefined
  /** The queues as they are at this moment, as someone sees them who is in none: to be asked at once, of any number of labs. */
  now(): (lab: CatalogueLab) => { length: number; estimatedWaitS: number | null }
}

export interface CreateWaitingOptions {
  readonly scheduler: { readonly explain: typeof explain }
  readonly runs: OpenRuns
  readonly book: FleetBook
  readonly compatible: CompatibilityCache
  /** Apart from what staff have planned. */
  readonly benchFreeInS: BenchTimes
  /** What bookings leave of the benches now; undefined where nothing is booked. */
  readonly reserved: () => Reserved | undefined
  /** Everything that is booked. */
  readonly calendar: () => Pick<Plan, 'standingOn'>
  readonly clock: Clock
}

/** What waits, as the explanation sees it: a run, or somebody who has not come yet. */
type Waiter = QueueEntry & { readonly lab: CatalogueLab }

/** Explains waiting from the present queue and fleet. */
export function createWaiting(options: CreateWaitingOptions): Waiting {
  const { scheduler, runs, book, compatible, benchFreeInS, clock } = options
  const serves = (entry: Waiter, bench: string) => compatible.serves(entry, bench)

  /** Those of the next hours as they are planned now, those after as the calendar has them. */
  const bookedOn = (bench: string, from: number, reserved: Reserved | undefined): Span[] => {
    const later = [...options.calendar().standingOn(bench)].filter((claim) => claim.from >= from)
    return [...(reserved?.bookedOn(bench) ?? []), ...later]
  }

  /** When a run of this length can begin on the bench, beside what is planned and booked; null when nobody knows. */
  const freeOn = (bench: BookedBench, lastsS: number, reserved: Reserved | undefined): FirstFree | null => {
    const upInS = benchFreeInS(bench)
    if (upInS === null) return null
    const { plans, id } = bench
    const now = clock.now()
    const times = { plans, from: now + upInS * 1000, until: now + sightMs }
    if (!isBooked(bench, lastsS, reserved)) {
      const unbooked = firstFree({ ...times, booked: [] }, lastsS)
      if ('at' in unbooked && unbooked.at === times.from) return unbooked
    }
    const soon = firstFree({ ...times, booked: reserved?.bookedOn(id) ?? [] }, lastsS)
    if ('at' in soon && soon.at + withMargin(lastsS) <= now + AHEAD_MS) return soon
    return firstFree({ ...times, booked: bookedOn(id, now + AHEAD_MS, reserved) }, lastsS)
  }

  /** Whether bookings may keep a run of this length from the bench. */
  const isBooked = (bench: BookedBench, lastsS: number, reserved: Reserved | undefined): boolean =>
    reserved !== undefined && (benchFreeInS(bench) !== 0 || !reserved.allows(bench.id, lastsS))

  /** Why a bench that is free is not given to a run of this length. */
  const whyBooked = (bench: BookedBench, lastsS: number, reserved: Reserved | undefined): string | undefined => {
    if (benchFreeInS(bench) !== 0 || !isBooked(bench, lastsS, reserved)) return undefined
    const now = clock.now()
    const next = reserved?.bookedOn(bench.id).find(({ until }) => until > now)
    if (next === undefined) return undefined
    return next.from <= now
      ? `${bench.id} is booked until ${new Date(next.until).toISOString()}`
      : `${bench.id} is booked from ${new Date(next.from).toISOString()}, and this might not end in time`
  }

  const whyNotNow = (bench: BookedBench, lastsS: number, reserved: Reserved | undefined): string | undefined => {
    const reason = bench.refusal ?? book.stateOf(bench).reason ?? whyBooked(bench, lastsS, reserved)
    const { next } = book.outlook(bench)
    if (reason !== undefined || next === undefined || lastsS <= book.freeForS(bench)) return reason
    return `${bench.id} closes at ${new Date(next.from).toISOString()}, before this would end: ${next.plan.reason}`
  }

  /** As an entry of this length sees them. */
  const benches = (lastsS: number): WaitingBench[] => {
    const reserved = options.reserved()
    return [...book.benches.values()].map((bench) => {
      const reason = whyNotNow(bench, lastsS, reserved)
      const free = freeOn(bench, lastsS, reserved)
      const freeInS = free !== null && 'at' in free ? (free.at - clock.now()) / 1000 : null
      const mostS = free !== null && 'mostS' in free && free.mostS > 0 ? { mostS: free.mostS } : {}
      return { id: bench.id, freeInS, ...mostS, ...(reason === undefined ? {} : { reason }) }
    })
  }

  return {
    of: (run) => {
      if (run.state !== 'queued') return undefined
      const lines = runs.waiting.lines(clock.now())
      const place = runs.waiting.placeOf(run)
      if (place === undefined) return undefined
      // The bench of a session is its person's once it is prepared.
      const setUpS = run.session === undefined ? 0 : sessionNeeds(run.lab).prepareMs / 1000
      const state = { lines, benches: benches(expectedS(run)), serves, setUpS }
      const { position, reason, inS } = scheduler.explain(place, state)
      const estimatedStart = inS === null ? {} : { estimatedStart: new Date(clock.now() + inS * 1000).toISOString() }
      return { position, reason, ...estimatedStart }
    },
    now: () => {
      const now = clock.now()
      const lines = [...runs.waiting.lines(now)]
      const lengths = new Map<string, number>()
      for (const { sample, places } of lines) {
        lengths.set(sample.lab.id, (lengths.get(sample.lab.id) ?? 0) + places.length)
      }
      // What bookings leave is worked out for all labs together: their newcomers differ in nothing else.
      let seen: WaitingBench[] | undefined
      return (lab) => {
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
        // Behind all of equal number: how much the newcomer has used is not known.
        const number = numberOf(newcomer, runs.waiting.rules)
        const place = { entry: newcomer, number, usedS: Number.POSITIVE_INFINITY }
        seen ??= benches(expectedS(newcomer))
        const { inS } = scheduler.explain<Waiter>(place, { lines, benches: seen, serves })
        return { length: lengths.get(lab.id) ?? 0, estimatedWaitS: inS }
      }
    },
  }
}

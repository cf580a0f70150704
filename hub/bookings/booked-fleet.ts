/** What bookings ask of the fleet: which benches serve a lab, and when each is closed. */
import { type OutagePlan, outages } from '../bench-care/outages.ts'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { CompatibilityCache } from '../fleet/compatible.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { Span } from './placement.ts'

export interface Closure extends Span {
  readonly reason: string
}

export interface BookedFleet {
  /** Another number after every change of what is asked here. */
  shape(): number
  /** Ids of those that serve the lab, up or not. */
  benchesFor(lab: CatalogueLab): Iterable<string>
  has(bench: string): boolean
  /** The times within the span at which the bench is not for anybody, and why. */
  closed(bench: string, span: Span): readonly Closure[]
}

const blockMs = 30 * 86_400_000

/** Over benches as the hub knows them, with what staff have planned for them. */
export function bookedFleet(book: FleetBook, compatible: CompatibilityCache): BookedFleet {
  let shape = 0
  let knownShape = -1
  let knownPlans: readonly (readonly OutagePlan[])[] = []
  /** Plans are replaced as a whole when they change. */
  let blocks = new WeakMap<readonly OutagePlan[], Map<number, readonly Closure[]>>()

  const blockOf = (plans: readonly OutagePlan[], block: number): readonly Closure[] => {
    let known = blocks.get(plans)
    if (known === undefined) {
      known = new Map()
      blocks.set(plans, known)
    }
    let spans = known.get(block)
    if (spans === undefined) {
      spans = outages(plans, block * blockMs, (block + 1) * blockMs).map(({ plan, from, until }) => ({
        from,
        until,
        reason: plan.reason,
      }))
      known.set(block, spans)
    }
    return spans
  }

  return {
    shape: () => {
      const plans = [...book.benches.values()].map((bench) => bench.plans)
      const isSame = plans.length === knownPlans.length && plans.every((each, at) => each === knownPlans[at])
      if (knownShape !== book.shape || !isSame) {
        shape++
        knownShape = book.shape
        knownPlans = plans
        blocks = new WeakMap()
      }
      return shape
    },
    benchesFor: (lab) => compatible.benchesFor(lab),
    has: (bench) => book.benches.has(bench),
    closed: (id, { from, until }) => {
      const plans = book.benches.get(id)?.plans ?? []
      if (plans.length === 0) return []
      const spans: Closure[] = []
      for (let block = Math.floor(from / blockMs); block * blockMs < until; block++) {
        spans.push(...blockOf(plans, block))
      }
      return spans.filter((span) => span.from < until && from < span.until)
    },
  }
}

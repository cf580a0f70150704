/** What bookings ask of the fleet: which benches serve a lab, and when each is closed. */
import { ClosedTimes, type Closure } from '../bench-care/closed-times.ts'
import type { OutagePlan } from '../bench-care/outages.ts'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { CompatibilityCache } from '../fleet/compatible.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { Span } from './placement.ts'

export interface BookedFleet {
  /** Another number after every change of what is asked here. */
  shape(): number
  /** Ids of those that serve the lab, up or not. */
  benchesFor(lab: CatalogueLab): Iterable<string>
  has(bench: string): boolean
  /** The times within the span at which the bench is not for anybody, and why. */
  closed(bench: string, span: Span): readonly Closure[]
}

/** Over benches as the hub knows them, with what staff have planned for them. */
export function bookedFleet(book: FleetBook, compatible: CompatibilityCache): BookedFleet {
  let shape = 0
  let knownShape = -1
  let knownPlans: readonly (readonly OutagePlan[])[] = []
  const times = new ClosedTimes()

  return {
    shape: () => {
      const plans = [...book.benches.values()].map((bench) => bench.plans)
      const isSame = plans.length === knownPlans.length && plans.every((each, at) => each === knownPlans[at])
      if (knownShape !== book.shape || !isSame) {
        shape++
        knownShape = book.shape
        knownPlans = plans
      }
      return shape
    },
    benchesFor: (lab) => compatible.benchesFor(lab),
    has: (bench) => book.benches.has(bench),
    closed: (id, span) => times.of(book.benches.get(id)?.plans ?? [], span),
  }
}

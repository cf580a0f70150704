/** The times at which planned outages close benches, worked out once for a month at a time: bookings ask for many. */
import type { Span } from '../bookings/placement.ts'
import { type OutagePlan, outages } from './outages.ts'

export interface Closure extends Span {
  readonly reason: string
}

type Plans = readonly OutagePlan[]

const blockMs = 30 * 86_400_000

export class ClosedTimes {
  /** Plans are replaced as a whole when they change. */
  readonly #blocks = new WeakMap<Plans, Map<number, readonly Closure[]>>()

  /** Those that touch the span. */
  of(plans: Plans, { from, until }: Span): readonly Closure[] {
    if (plans.length === 0) return []
    const closures: Closure[] = []
    for (let block = Math.floor(from / blockMs); block * blockMs < until; block++) {
      closures.push(...this.#block(plans, block))
    }
    return closures.filter((closure) => closure.from < until && from < closure.until)
  }

  #block(plans: Plans, block: number): readonly Closure[] {
    let known = this.#blocks.get(plans)
    if (known === undefined) {
      known = new Map()
      this.#blocks.set(plans, known)
    }
    let closures = known.get(block)
    if (closures === undefined) {
      closures = outages(plans, block * blockMs, (block + 1) * blockMs).map(({ plan, from, until }) => ({
        from,
        until,
        reason: plan.reason,
      }))
      known.set(block, closures)
    }
    return closures
  }
}

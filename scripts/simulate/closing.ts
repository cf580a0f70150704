/** When the benches of a load are closed, as the hub itself works it out from what its staff have planned. */
import { ClosedTimes } from '@fernlab/hub/bench-care/closed-times'
import { type OutagePlan, outages } from '@fernlab/hub/bench-care/outages'
import { Outlooks } from '@fernlab/hub/bench-care/outlooks'
import type { Span } from '@fernlab/hub/bookings/placement'

/** Something planned for a bench: known from when it was made until somebody ended it. */
export interface Closing {
  readonly plan: OutagePlan
  readonly endedMs?: number
}

/** By bench. */
export type Closed = ReadonlyMap<string, readonly Closing[]>

interface Known {
  readonly closings: readonly Closing[]
  plans: readonly OutagePlan[]
}

const none: readonly OutagePlan[] = []

/** What is known of it at each moment of a simulation, which goes on by `advance`. */
export class Closings {
  readonly #benches = new Map<string, Known>()
  readonly #outlooks = new Outlooks({ now: () => this.#nowMs })
  readonly #times = new ClosedTimes()
  #nowMs = Number.NEGATIVE_INFINITY
  #changesMs = Number.NEGATIVE_INFINITY
  #version = 0

  constructor(closed: Closed) {
    // Benches with the same hours share what is worked out for them.
    const shared = new Map<readonly Closing[], Known>()
    for (const [bench, closings] of closed) {
      const known = shared.get(closings) ?? { closings, plans: none }
      shared.set(closings, known)
      this.#benches.set(bench, known)
    }
  }

  /** Another number after every change of what is planned. */
  get version(): number {
    return this.#version
  }

  advance(nowMs: number): void {
    this.#nowMs = nowMs
    if (nowMs < this.#changesMs) return
    this.#changesMs = Number.POSITIVE_INFINITY
    for (const known of new Set(this.#benches.values())) {
      const plans = known.closings.filter((one) => isKnown(one, nowMs)).map(({ plan }) => plan)
      if (plans.length !== known.plans.length || plans.some((plan, at) => plan !== known.plans[at])) {
        known.plans = plans
        this.#version++
      }
      for (const { plan, endedMs = Number.POSITIVE_INFINITY } of known.closings)
        for (const ms of [plan.createdAt, endedMs]) if (ms > nowMs && ms < this.#changesMs) this.#changesMs = ms
    }
  }

  isOpen(bench: string): boolean {
    const plans = this.#plansOf(bench)
    return plans.length === 0 || this.#outlooks.of(plans).current === undefined
  }

  freeForS(bench: string): number {
    const plans = this.#plansOf(bench)
    return plans.length === 0 ? Number.POSITIVE_INFINITY : this.#outlooks.freeForS(plans)
  }

  closed(bench: string, span: Span): readonly Span[] {
    return this.#times.of(this.#plansOf(bench), span)
  }

  /** The next moment at which something here may be otherwise. */
  nextMs(): number {
    let nextMs = this.#changesMs
    for (const { plans } of new Set(this.#benches.values()))
      if (plans.length > 0) nextMs = Math.min(nextMs, this.#outlooks.of(plans).until)
    return nextMs
  }

  #plansOf(bench: string): readonly OutagePlan[] {
    return this.#benches.get(bench)?.plans ?? none
  }
}

const isKnown = ({ plan, endedMs = Number.POSITIVE_INFINITY }: Closing, atMs: number): boolean =>
  plan.createdAt <= atMs && atMs < endedMs

/** For how long the benches are closed in these stretches of time, all together, in seconds. */
export function closedS(closed: Closed, stretches: readonly Span[]): number {
  const known = new Map<readonly Closing[], number>()
  let sumMs = 0
  for (const closings of closed.values()) {
    let ms = known.get(closings)
    if (ms === undefined) {
      ms = stretches.reduce((sum, stretch) => sum + closedMs(closings, stretch), 0)
      known.set(closings, ms)
    }
    sumMs += ms
  }
  return sumMs / 1000
}

function closedMs(closings: readonly Closing[], { from, until }: Span): number {
  const spans = closings
    .flatMap(({ plan, endedMs = Number.POSITIVE_INFINITY }) =>
      outages([plan], from, until).map((outage) => ({
        from: Math.max(from, outage.from, plan.createdAt),
        until: Math.min(until, outage.until, endedMs),
      })),
    )
    .sort((a, b) => a.from - b.from)
  let ms = 0
  let end = from
  for (const span of spans) {
    ms += Math.max(0, span.until - Math.max(span.from, end))
    end = Math.max(end, span.until)
  }
  return ms
}

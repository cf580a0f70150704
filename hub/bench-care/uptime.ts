/** How much of a time a bench was up. Pure. */

import type { benchConditions } from '@fernlab/shared/contracts/bench-checks'

/** What a bench is as a whole: of use, planned not to be, or not. */
export type Condition = (typeof benchConditions)[number]

/** From when on a bench was what; epoch ms. */
export interface Change {
  readonly at: number
  readonly state: Condition
}

/** Milliseconds in each, of the time asked for; what was before the first change is not known. */
export interface Uptime {
  readonly upMs: number
  readonly downMs: number
  readonly plannedMs: number
  readonly unknownMs: number
}

/** Of the time from `from` to before `to`; changes are in the order in which they happened. */
export function uptimeOf(changes: readonly Change[], from: number, to: number): Uptime {
  const spent = { up: 0, maintenance: 0, offline: 0, fault: 0 }
  changes.forEach(({ at, state }, i) => {
    const until = Math.min(changes[i + 1]?.at ?? to, to)
    spent[state] += Math.max(0, until - Math.max(at, from))
  })
  const known = spent.up + spent.maintenance + spent.offline + spent.fault
  return {
    upMs: spent.up,
    downMs: spent.offline + spent.fault,
    plannedMs: spent.maintenance,
    unknownMs: Math.max(0, to - from - known),
  }
}

/** 0 to 1: of the time in which it was meant to be up; null when there was none. */
export function shareUp({ upMs, downMs }: Uptime): number | null {
  return upMs + downMs === 0 ? null : upMs / (upMs + downMs)
}

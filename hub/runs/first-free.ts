/** When a bench is next free for so long beside what is planned and booked, or for how long it is at most. Pure. */
import { type OutagePlan, outages } from '../bench-care/outages.ts'
import type { Span } from '../bookings/placement.ts'
import { withMargin } from '../scheduling/reserved.ts'

export interface FirstFreeOptions {
  readonly plans: readonly OutagePlan[]
  /** The times for which the bench is booked. */
  readonly booked: readonly Span[]
  /** Epoch ms: a start is looked for from then on, and before then. */
  readonly from: number
  readonly until: number
}

/** `at`: epoch ms; `mostS`: what may last so long has a start, with the margin that it keeps from bookings. */
export type FirstFree = { readonly at: number } | { readonly mostS: number }

interface Taken extends Span {
  readonly isBooked: boolean
}

/** For something that is expected to last so long. */
export function firstFree({ plans, booked, from, until }: FirstFreeOptions, lastsS: number): FirstFree {
  const taken: Taken[] = [
    // The last gap in sight must be as long as the others.
    ...outages(plans, from, until + lastsS * 1000).map((one) => ({
      from: one.from,
      until: one.until,
      isBooked: false,
    })),
    ...booked.filter((one) => one.until > from).map((one) => ({ from: one.from, until: one.until, isBooked: true })),
  ].sort((a, b) => a.from - b.from)
  let mostS = 0
  let start = from
  for (let next = 0; start < until; next++) {
    // What begins before the start is over by then, or moves it on.
    while (next < taken.length && (taken[next] as Taken).from <= start) {
      start = Math.max(start, (taken[next] as Taken).until)
      next++
    }
    if (start >= until) break
    const freeS = freeForS(taken, next, start)
    if (freeS >= lastsS) return { at: start }
    mostS = Math.max(mostS, freeS)
    start = Math.max(start, taken[next]?.until ?? Number.POSITIVE_INFINITY)
  }
  return { mostS: Math.floor(mostS) }
}

/** What may begin at the start ends before a closure, and by its margin before a booking. */
function freeForS(taken: readonly Taken[], next: number, start: number): number {
  let freeS = Number.POSITIVE_INFINITY
  for (let at = next; at < taken.length; at++) {
    const { from, isBooked } = taken[at] as Taken
    // Nothing that is so far off is in the way sooner.
    if (from - start >= withMargin(freeS)) break
    freeS = Math.min(freeS, isBooked ? withoutMargin(from - start) : (from - start) / 1000)
  }
  return freeS
}

/** What ends in time in spite of its margin, in seconds. */
const withoutMargin = (ms: number): number => Math.max(0, (ms - withMargin(0)) / (withMargin(1) - withMargin(0)))

/** What a simulation comes to. */
import type { Span } from '@fernlab/hub/bookings/placement'
import type { Arrival, Load } from './load.ts'

/** Why a booking was later than its grace: nothing that it could have worked, whoever had it may not be bumped, neither. */
export type LateBecause = 'no bench' | 'held' | 'no cause'

export interface Outcome {
  /** Of the time in which people come and benches are open: what benches do at night is not in it. */
  readonly utilisation: number
  readonly served: number
  /** Those that still wait when nothing more happens. */
  readonly unserved: number
  readonly waitS: { readonly mean: number; readonly p50: number; readonly p95: number; readonly max: number }
  /** Jain's index of the part of their time that people did not spend waiting: 1 where it is the same for all. */
  readonly fairness: number
  readonly bookings: number
  readonly lateBookings: number
  /** Later than their grace period, with those that never began. */
  readonly beyondGrace: number
  readonly beyondGraceBecause: Readonly<Record<LateBecause, number>>
  readonly latestS: number
  /** For which there was no bench until they were over. */
  readonly neverBegan: number
  /** Who had to leave a bench for a booking. */
  readonly bumped: number
  readonly failures: number
  /** At the head of the queue again, since their bench failed. */
  readonly putBack: number
  /** Ended by a failure of their bench, and not put back. */
  readonly cutShort: number
  readonly decisions: number
}

export class Tally {
  readonly #load: Load
  readonly #waitsS: number[] = []
  readonly #byPerson = new Map<string, { waitS: number; useS: number }>()
  readonly #because = { 'no bench': 0, held: 0, 'no cause': 0 }
  #usedMs = 0
  #lateBookings = 0
  #begun = 0
  #latestS = 0
  failures = 0
  bumped = 0
  putBack = 0
  cutShort = 0
  neverBegan = 0
  decisions = 0

  constructor(load: Load) {
    this.#load = load
  }

  used(fromMs: number, untilMs: number): void {
    const { open } = this.#load
    this.#usedMs += open === undefined ? untilMs - fromMs : within(open, fromMs, untilMs)
  }

  served({ personId, atMs, lastsS }: Arrival, nowMs: number): void {
    const waitS = (nowMs - atMs) / 1000
    this.#waitsS.push(waitS)
    const person = this.#byPerson.get(personId) ?? { waitS: 0, useS: 0 }
    this.#byPerson.set(personId, { waitS: person.waitS + waitS, useS: person.useS + lastsS })
  }

  began(lateMs: number): void {
    this.#begun++
    if (lateMs > 0) this.#lateBookings++
    this.#latestS = Math.max(this.#latestS, lateMs / 1000)
  }

  beyondGrace(because: LateBecause): void {
    this.#because[because]++
  }

  outcome(unserved: number): Outcome {
    const { openS, closedS = 0, benches } = this.#load
    const waitsS = this.#waitsS.sort((a, b) => a - b)
    const quantile = (q: number) => waitsS[Math.min(waitsS.length - 1, Math.floor(q * waitsS.length))] ?? 0
    const because = this.#because
    const { bumped, failures, putBack, cutShort, neverBegan, decisions } = this
    return {
      utilisation: this.#usedMs / 1000 / Math.max(1, openS * benches.size - closedS),
      served: waitsS.length,
      unserved,
      waitS: {
        mean: waitsS.reduce((sum, waitS) => sum + waitS, 0) / Math.max(1, waitsS.length),
        p50: quantile(0.5),
        p95: quantile(0.95),
        max: waitsS.at(-1) ?? 0,
      },
      fairness: jain([...this.#byPerson.values()].map(({ waitS, useS }) => useS / (useS + waitS))),
      bookings: this.#begun,
      lateBookings: this.#lateBookings,
      beyondGrace: because['no bench'] + because.held + because['no cause'],
      beyondGraceBecause: { ...because },
      latestS: this.#latestS,
      ...{ neverBegan, bumped, failures, putBack, cutShort, decisions },
    }
  }
}

/** How much of the time is in these stretches, in ms. */
export const within = (open: readonly Span[], fromMs: number, untilMs: number): number =>
  open.reduce((sum, { from, until }) => sum + Math.max(0, Math.min(untilMs, until) - Math.max(fromMs, from)), 0)

/** From 1/n, where one has all, to 1, where all have the same. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((all, share) => all + share, 0)
  const squares = shares.reduce((all, share) => all + share * share, 0)
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares)
}

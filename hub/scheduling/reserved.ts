/**
 * What bookings leave of the benches, for one decision. Pure.
 *
 * A place of a booking has a bench for its time, and which that is stays open until it begins (bookings/plan.ts). What is
 * known here besides the calendar: which benches are free now, and when the others are expected back. A place whose bench
 * is overdue begins on another where everybody else keeps one for that; else it waits for its own. One that is due and
 * finds none, or is going to find none, waits for the first that comes back.
 *
 * A bench that is back in time only if its user is no slower than expected is planned for a place where nothing else is
 * left, so that what is free is not given away for it; one that a booking uses ends by the calendar.
 *
 * In their order come those that have a bench or are due; then those to come that had none, since nobody stands before a
 * bench for these yet.
 *
 * INVARIANTS: no bench stands for two places at once; `allows` is true only where every place that had a bench before has
 * one after; a place that is in use stays on its bench; who waits for an overdue bench makes nobody else late.
 */
import type { Claim, Span } from '../bookings/placement.ts'
import { Plan, type PlanChange } from '../bookings/plan.ts'

/** One bench that a booking needs for its time. */
export interface BookedPlace extends Claim {
  /** The bench that is used for it now. */
  readonly held?: string
  /** The session that was opened for it: it ends with the booking, however long it was meant to be. */
  readonly own?: string
  /** Begins by itself; others wait for somebody who uses them. */
  readonly opens: boolean
}

export interface BookedState {
  /** Those that begin soon enough to matter and are not over, in the order in which they keep benches where these are too few. */
  readonly places: readonly BookedPlace[]
  /** When a bench that is taken is expected back; infinite where nobody knows. Free benches are not asked about. */
  readonly backAtMs: (bench: string) => number
  /** When it is back where its user is as much slower as `withMargin` says; as expected, unless given. */
  readonly latestAtMs?: (bench: string) => number
  /** The bench of each place as the decision before left it. */
  readonly standing?: ReadonlyMap<string, string>
}

/** Slower than expected by a quarter and half a minute must not make a booking late. */
export const withMargin = (lastsS: number): number => (lastsS * 1.25 + 30) * 1000

export class Reserved {
  readonly #nowMs: number
  readonly #free: ReadonlySet<string>
  readonly #backAt: (bench: string) => number
  readonly #latestAt: (bench: string) => number
  readonly #freeFromKnown = new Map<string, number>()
  readonly #surelyFromKnown = new Map<string, number>()
  readonly #places: readonly BookedPlace[]
  readonly #plan = new Plan()
  readonly #late = new Set<string>()
  /** Claims that could have a bench which is there in time only if its user is no slower than expected. */
  readonly #unsure = new Map<string, Claim>()
  readonly #used: Set<string>
  /** By bench: taken until then or later, a place would lose its bench; and taken until then, none would. */
  readonly #tooLate = new Map<string, number>()
  readonly #inTime = new Map<string, number>()
  /** Made when it is first asked for. */
  #byBench: ReadonlyMap<string, readonly BookedPlace[]> | undefined

  constructor(
    { places, backAtMs, latestAtMs = backAtMs, standing }: BookedState,
    freeBenches: readonly string[],
    nowMs: number,
  ) {
    this.#nowMs = nowMs
    this.#free = new Set(freeBenches)
    // A bench that is overdue is not free yet.
    this.#backAt = (bench) => Math.max(backAtMs(bench), nowMs + 1)
    const held = new Set(places.flatMap(({ held: bench }) => bench ?? []))
    this.#latestAt = (bench) => Math.max(this.#freeFrom(bench), held.has(bench) ? 0 : latestAtMs(bench))
    this.#places = places
    this.#used = new Set(places.flatMap(({ id, held }) => (held === undefined ? [] : [id])))
    for (const place of places) {
      if (place.held !== undefined) this.#put([{ ...place, from: nowMs, benches: [place.held] }])
    }
    const open = places.filter(({ held }) => held === undefined)
    const waiting: BookedPlace[] = []
    for (const place of soonestNeedFirst(open, standing, nowMs)) {
      const claim = this.#onTime(place)
      const before = standing?.get(place.id)
      if (before !== undefined && this.#stays(before, claim)) continue
      if (before !== undefined && this.#waitFor(before, place)) waiting.push(place)
      else if (!this.#putOnTime(claim) && place.from <= nowMs) this.#late.add(place.id)
    }
    for (const place of waiting) {
      if (!this.#putOnTime(this.#onTime(place)) && place.from <= nowMs) this.#late.add(place.id)
    }
    this.#makeSure()
    // Who is late anyway makes nobody else late.
    for (const place of open) if (this.#plan.benchOf(place.id) === undefined) this.#putLater(place)
  }

  /** The bench that the place is to have, and from when on; undefined when none is in sight. */
  plannedFor(id: string): { readonly bench: string; readonly from: number } | undefined {
    const bench = this.#plan.benchOf(id)
    const claim = this.#plan.claim(id)
    return bench === undefined || claim === undefined ? undefined : { bench, from: claim.from }
  }

  /** The bench of each place that has one. */
  get standing(): ReadonlyMap<string, string> {
    const standing = new Map<string, string>()
    for (const { id } of this.#places) {
      const bench = this.#plan.benchOf(id)
      if (bench !== undefined) standing.set(id, bench)
    }
    return standing
  }

  /** Places that are due and can begin now, each with its bench. */
  due(): { readonly place: BookedPlace; readonly bench: string }[] {
    return this.#places.flatMap((place) => {
      const { id, from } = place
      if (from > this.#nowMs || this.#used.has(id) || this.#late.has(id)) return []
      const bench = this.#plan.benchOf(id)
      return bench === undefined ? [] : [{ place, bench }]
    })
  }

  /** Places that should have begun and for which no bench is free. */
  late(): BookedPlace[] {
    return this.#places.filter(
      ({ id, from }) =>
        from <= this.#nowMs && !this.#used.has(id) && (this.#late.has(id) || this.#plan.benchOf(id) === undefined),
    )
  }

  /** Whether the free bench may be taken for so long. */
  allows(bench: string, lastsS: number): boolean {
    const untilMs = this.#nowMs + withMargin(lastsS)
    if (untilMs >= (this.#tooLate.get(bench) ?? Number.POSITIVE_INFINITY)) return false
    if (untilMs <= (this.#inTime.get(bench) ?? Number.NEGATIVE_INFINITY)) return true
    if (this.#without(bench, untilMs) !== undefined) {
      this.#inTime.set(bench, untilMs)
      return true
    }
    this.#tooLate.set(bench, untilMs)
    return false
  }

  /** The times for which places have the bench by now, the earliest first. */
  bookedOn(bench: string): readonly Span[] {
    return [...this.#plan.claims]
      .filter(({ id }) => this.#plan.benchOf(id) === bench)
      .sort((a, b) => a.from - b.from)
      .map(({ from, until }) => ({ from, until }))
  }

  /** Until when the bench may be taken, from now on, so that no place loses its bench; infinite where none does. */
  freeUntil(bench: string): number {
    const starts = this.#wanting(bench, Number.POSITIVE_INFINITY)
      .map(({ from }) => from)
      .sort((a, b) => a - b)
    // Taken until just after a place begins is the least that can be in its way.
    return starts.find((from) => this.#without(bench, from + 1) === undefined) ?? Number.POSITIVE_INFINITY
  }

  /** Takes a free bench that may be taken. */
  take(bench: string, lastsS: number): void {
    const change = this.#without(bench, this.#nowMs + withMargin(lastsS))
    if (change !== undefined) this.#apply(change)
  }

  /** Gives a due place this free bench, if all others can keep one; false when not. */
  use(place: BookedPlace, bench: string): boolean {
    const leaving = new Set([place.id])
    const claim = { ...place, from: this.#nowMs, benches: [bench] }
    const change = this.#plan.tryOut([claim], leaving)
    if (change === undefined) return false
    this.#apply(change)
    this.#used.add(place.id)
    return true
  }

  /** The place's benches that are there at the time; the same list where all are. */
  #ready({ benches }: BookedPlace, at: number): readonly string[] {
    const isThere = (bench: string) => this.#freeFrom(bench) <= at
    return benches.every(isThere) ? benches : benches.filter(isThere)
  }

  /** On any bench that is there when it begins. */
  #onTime(place: BookedPlace): Claim {
    const isDue = place.from <= this.#nowMs
    const from = isDue ? this.#nowMs : place.from
    const benches = this.#ready(place, from)
    return !isDue && benches === place.benches ? place : { ...place, from, benches }
  }

  /** On those alone that are there by then however slow their users are; the same claim where all are. */
  #surely(claim: Claim): Claim {
    const isThere = (bench: string) => this.#surelyFrom(bench) <= claim.from
    if (claim.benches.every(isThere)) return claim
    this.#unsure.set(claim.id, claim)
    return { ...claim, benches: claim.benches.filter(isThere) }
  }

  /** Leaves it on the bench that it has, if that is there in time. */
  #stays(bench: string, claim: Claim): boolean {
    if (!claim.benches.includes(bench)) return false
    const sure = this.#surely(claim)
    return this.#plan.addOn(bench, sure.benches.includes(bench) ? sure : claim)
  }

  /** Where it would have no bench else, it and others count on users who are no slower than expected. */
  #putOnTime(claim: Claim): boolean {
    const leaving = new Set(this.#plan.claim(claim.id) === undefined ? [] : [claim.id])
    const sure = this.#surely(claim)
    if (this.#put([sure], leaving) || (sure !== claim && this.#put([claim], leaving))) return true
    const others = this.#unsureOnTime().filter(({ id }) => id !== claim.id)
    return others.length > 0 && this.#put([...others, claim], new Set([...leaving, ...others.map(({ id }) => id)]))
  }

  /** Those that count on somebody take another bench where everybody else keeps one, and do not move to such a bench. */
  #makeSure(): void {
    for (const claim of this.#unsureOnTime()) this.#put([this.#surely(claim)], new Set([claim.id]))
  }

  #unsureOnTime(): Claim[] {
    return [...this.#unsure.values()].filter(({ id, from }) => this.#plan.claim(id)?.from === from)
  }

  /** Plans it for when the bench that it has is back; false where that is not in its time, or nobody knows. */
  #waitFor(bench: string, place: BookedPlace): boolean {
    const from = this.#freeFrom(bench)
    if (!place.benches.includes(bench) || from <= Math.max(this.#nowMs, place.from) || from >= place.until) return false
    return this.#plan.addOn(bench, { ...place, from, benches: this.#ready(place, from) })
  }

  /** Plans it for when a bench comes back. */
  #putLater(place: BookedPlace): void {
    const times = new Set(place.benches.map((bench) => this.#freeFrom(bench)))
    for (const from of [...times].sort((a, b) => a - b)) {
      if (from <= Math.max(this.#nowMs, place.from) || from >= place.until) continue
      if (this.#put([{ ...place, from, benches: this.#ready(place, from) }])) return
    }
  }

  #freeFrom(bench: string): number {
    let known = this.#freeFromKnown.get(bench)
    if (known === undefined) {
      known = this.#free.has(bench) ? this.#nowMs : this.#backAt(bench)
      this.#freeFromKnown.set(bench, known)
    }
    return known
  }

  #surelyFrom(bench: string): number {
    let known = this.#surelyFromKnown.get(bench)
    if (known === undefined) {
      known = this.#free.has(bench) ? this.#nowMs : this.#latestAt(bench)
      this.#surelyFromKnown.set(bench, known)
    }
    return known
  }

  #put(claims: readonly Claim[], leaving?: ReadonlySet<string>): boolean {
    const change = this.#plan.tryOut(claims, leaving)
    if (change !== undefined) this.#plan.apply(change)
    return change !== undefined
  }

  #apply(change: PlanChange): void {
    this.#plan.apply(change)
    this.#inTime.clear()
  }

  /** How all keep a bench while this one is taken until then. */
  #without(bench: string, untilMs: number): PlanChange | undefined {
    const concerned = this.#wanting(bench, untilMs)
    const added = concerned.map((claim) => ({ ...claim, benches: claim.benches.filter((other) => other !== bench) }))
    const leaving = new Set(concerned.map(({ id }) => id))
    const placement = new Map<string, string>()
    for (const { id } of concerned) {
      const standing = this.#plan.benchOf(id)
      if (standing !== undefined && standing !== bench) placement.set(id, standing)
    }
    if (placement.size === added.length) return { added, leaving, placement }
    if (added.some(({ benches }) => benches.length === 0)) return undefined
    return this.#plan.tryOut(added, leaving)
  }

  /** The claims that may come to stand on the bench before then. */
  #wanting(bench: string, untilMs: number): Claim[] {
    this.#byBench ??= placesByBench(this.#places)
    const wanting: Claim[] = []
    for (const { id, from } of this.#byBench.get(bench) ?? []) {
      // No claim begins before its place.
      if (from >= untilMs) break
      const claim = this.#used.has(id) ? undefined : this.#plan.claim(id)
      if (claim !== undefined && claim.from < untilMs && claim.benches.includes(bench)) wanting.push(claim)
    }
    return wanting
  }
}

/** In their order, but that places to come that had no bench stand behind all others. */
function soonestNeedFirst(
  open: readonly BookedPlace[],
  standing: ReadonlyMap<string, string> | undefined,
  nowMs: number,
): readonly BookedPlace[] {
  const isLast = ({ id, from }: BookedPlace) => from > nowMs && standing?.has(id) !== true
  const last = open.filter(isLast)
  return last.length === 0 || last.length === open.length ? open : [...open.filter((one) => !isLast(one)), ...last]
}

/**
 * The bench of each place where the decision before is not known: as if all benches came back in time, which is what the
 * calendar has found. Who has an overdue bench so does not begin on somebody else's.
 */
export function standingAtFirst(places: readonly BookedPlace[], nowMs: number): ReadonlyMap<string, string> {
  const plan = new Plan()
  for (const place of places) if (place.held !== undefined) plan.addOn(place.held, { ...place, from: nowMs })
  const standing = new Map<string, string>()
  for (const place of places) {
    const change = place.held === undefined ? plan.tryOut([{ ...place, from: Math.max(place.from, nowMs) }]) : undefined
    if (change !== undefined) plan.apply(change)
  }
  for (const { id } of places) {
    const bench = plan.benchOf(id)
    if (bench !== undefined) standing.set(id, bench)
  }
  return standing
}

/** For each bench the places that could have it, the earliest first. */
function placesByBench(places: readonly BookedPlace[]): ReadonlyMap<string, readonly BookedPlace[]> {
  const byBench = new Map<string, BookedPlace[]>()
  for (const place of [...places].sort((a, b) => a.from - b.from)) {
    for (const bench of place.benches) {
      const known = byBench.get(bench)
      if (known === undefined) byBench.set(bench, [place])
      else known.push(place)
    }
  }
  return byBench
}

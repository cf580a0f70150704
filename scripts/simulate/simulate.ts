/** Plays a load against a policy, from one event to the next. */
import type { Arrival, Load } from './load.ts'
import type { Policy } from './policies.ts'

export interface Outcome {
  /** Of the time in which the benches were open. */
  readonly utilisation: number
  readonly served: number
  readonly waitS: { readonly mean: number; readonly p50: number; readonly p95: number; readonly max: number }
  /** Jain's index of the part of their time that people did not spend waiting: 1 where it is the same for all. */
  readonly fairness: number
  readonly bookings: number
  readonly lateBookings: number
  readonly latestS: number
  readonly decisions: number
}

interface Use {
  readonly endsMs: number
  readonly expectedMs: number
  readonly startedMs: number
  readonly arrival: Arrival | undefined
}

/** Plays it to its end. */
export function simulate(load: Load, policy: Policy): Outcome {
  const uses = new Map<string, Use>()
  const waitsS: number[] = []
  const byPerson = new Map<string, { waitS: number; useS: number }>()
  let bookings = load.bookings
  let arrived = 0
  let usedMs = 0
  let lateBookings = 0
  let latestS = 0
  let decisions = 0
  const times = eventTimes(load)
  let at = 0
  let nowMs = Number.NEGATIVE_INFINITY
  for (;;) {
    const nextKnown = times[at] ?? Number.POSITIVE_INFINITY
    let nextEnd = Number.POSITIVE_INFINITY
    for (const { endsMs } of uses.values()) if (endsMs < nextEnd) nextEnd = endsMs
    nowMs = Math.min(nextKnown, nextEnd)
    if (nowMs === Number.POSITIVE_INFINITY) break
    while (times[at] === nowMs) at++
    for (const [bench, { endsMs, startedMs, arrival }] of uses) {
      if (endsMs > nowMs) continue
      uses.delete(bench)
      usedMs += endsMs - startedMs
      if (arrival !== undefined) policy.ended(arrival, endsMs - startedMs, nowMs)
    }
    for (let next = load.arrivals[arrived]; next !== undefined && next.atMs <= nowMs; next = load.arrivals[arrived]) {
      policy.add(next)
      arrived++
    }
    const due = bookings[0] !== undefined && bookings[0].startMs <= nowMs
    const free = [...load.benches.keys()].filter((bench) => !uses.has(bench))
    if (free.length === 0 || (policy.waiting === 0 && !due)) continue
    decisions++
    const given = policy.decide({ nowMs, free, backAtMs: (bench) => uses.get(bench)?.expectedMs ?? nowMs, bookings })
    for (const { booking, bench } of given.bookings) {
      const lateS = (nowMs - booking.startMs) / 1000
      if (lateS > 0) lateBookings++
      latestS = Math.max(latestS, lateS)
      const endsMs = Math.max(nowMs + 1, booking.leavesMs)
      uses.set(bench, { startedMs: nowMs, endsMs, expectedMs: booking.endMs, arrival: undefined })
    }
    if (given.bookings.length > 0) {
      const begun = new Set(given.bookings.map(({ booking }) => booking))
      bookings = bookings.filter((booking) => !begun.has(booking))
    }
    for (const { arrival, bench } of given.arrivals) {
      const waitS = (nowMs - arrival.atMs) / 1000
      waitsS.push(waitS)
      const person = byPerson.get(arrival.personId) ?? { waitS: 0, useS: 0 }
      byPerson.set(arrival.personId, { waitS: person.waitS + waitS, useS: person.useS + arrival.lastsS })
      uses.set(bench, {
        startedMs: nowMs,
        endsMs: nowMs + Math.max(1, arrival.lastsS * 1000),
        expectedMs: nowMs + arrival.estimatedS * 1000,
        arrival,
      })
    }
  }
  waitsS.sort((a, b) => a - b)
  const quantile = (q: number) => waitsS[Math.min(waitsS.length - 1, Math.floor(q * waitsS.length))] ?? 0
  return {
    utilisation: usedMs / 1000 / (load.openS * load.benches.size),
    served: waitsS.length,
    waitS: {
      mean: waitsS.reduce((sum, waitS) => sum + waitS, 0) / Math.max(1, waitsS.length),
      p50: quantile(0.5),
      p95: quantile(0.95),
      max: waitsS.at(-1) ?? 0,
    },
    fairness: jain([...byPerson.values()].map(({ waitS, useS }) => useS / (useS + waitS))),
    bookings: load.bookings.length - bookings.length,
    lateBookings,
    latestS,
    decisions,
  }
}

/** When somebody comes or has booked, in order. */
const eventTimes = ({ arrivals, bookings }: Load): number[] =>
  [...new Set([...arrivals.map(({ atMs }) => atMs), ...bookings.map(({ startMs }) => startMs)])].sort((a, b) => a - b)

/** From 1/n, where one has all, to 1, where all have the same. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((all, share) => all + share, 0)
  const squares = shares.reduce((all, share) => all + share * share, 0)
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares)
}

/** Ways to give benches away: the hub's own, and strict first come with bookings kept free. */

import { inOrderOf } from '@fernlab/hub/bookings/booking-book'
import type { BumpRules, Occupant } from '@fernlab/hub/scheduling/bumping'
import { decideWithBookings } from '@fernlab/hub/scheduling/decide'
import type { QueueEntry } from '@fernlab/hub/scheduling/order'
import type { BookedPlace } from '@fernlab/hub/scheduling/reserved'
import { WaitingQueue } from '@fernlab/hub/scheduling/waiting-queue'
import { priorities } from '@fernlab/shared/contracts/run-state'
import type { Closings } from './closing.ts'
import { type Arrival, type BookedTime, benchesOf, claimOf, type Load } from './load.ts'

export interface Given {
  readonly arrivals: readonly { readonly arrival: Arrival; readonly bench: string }[]
  readonly bookings: readonly { readonly booking: BookedTime; readonly bench: string }[]
  /** Those that have to leave their bench then. */
  readonly bumps: readonly {
    readonly arrival: Arrival
    readonly bench: string
    readonly place: string
    readonly atMs: number
  }[]
  /** Ids of those that have to leave no more. */
  readonly spared: readonly string[]
}

/** Who has a bench, and since when. */
export interface Holder {
  readonly arrival: Arrival
  readonly bench: string
  readonly sinceMs: number
  /** It has to leave for a booking. */
  readonly leaving?: { readonly place: string; readonly atMs: number } | undefined
}

export interface Moment {
  readonly nowMs: number
  readonly free: readonly string[]
  /** When a bench that is taken is expected back; infinite where it has failed: nobody knows. */
  readonly backAtMs: (bench: string) => number
  /** The same where its user is as much slower as is allowed for. */
  readonly latestAtMs: (bench: string) => number
  readonly works: (bench: string) => boolean
  readonly closings: Closings
  /** Those that have not begun, by time. */
  readonly bookings: readonly BookedTime[]
  readonly holders: readonly Holder[]
}

export interface Policy {
  /** `first`: at the head of the queue. */
  add(arrival: Arrival, first?: boolean): void
  readonly waiting: number
  decide(moment: Moment): Given
  /** The bench came back after so long. */
  ended(arrival: Arrival, usedMs: number, nowMs: number): void
}

/** As a hub has them unless it is told otherwise. */
export const bumpRules: BumpRules = { warningMs: 300_000, graceMs: 600_000 }

const occupantOf = ({ arrival, bench, sinceMs, leaving }: Holder, nowMs: number): Occupant => ({
  ...{ id: arrival.id, bench, leaving, cleanUpMs: 0, doneMs: nowMs - sinceMs },
  mayBeBumped: arrival.mayBeBumped ?? false,
  kind: arrival.kind ?? 'once',
})

/** So far ahead bookings are looked at; nothing that waits lasts as long. */
export const aheadMs = 6 * 3_600_000

type Entry = QueueEntry & { readonly arrival: Arrival }

/** The hub's order and decisions. */
export function fernlab({ benches, bookings: booked }: Load): Policy {
  const queue = new WaitingQueue<Entry>()
  const entries = new Map<string, Entry>()
  const served = new Map<string, ReadonlySet<string>>()
  const able = (lab: string) => {
    let known = served.get(lab)
    if (known === undefined) {
      known = benchesOf(benches, lab)
      served.set(lab, known)
    }
    return known
  }
  let places = new WeakMap<BookedTime, BookedPlace>()
  let planned = -1
  const placeOf = (booking: BookedTime, closings: Closings): BookedPlace => {
    let place = places.get(booking)
    if (place === undefined) {
      place = { ...claimOf(booking, benches, closings), opens: true }
      places.set(booking, place)
    }
    return place
  }
  // The calendar has found room for all of them.
  let standing: ReadonlyMap<string, string> = new Map(booked.map(({ id, bench }) => [id, bench]))
  return {
    get waiting() {
      return queue.size
    },
    add: (arrival, first = false) => {
      const { id, personId, lab, atMs, estimatedS } = arrival
      const entry: Entry = {
        id,
        personId,
        lab: { id: lab, version: 1 },
        wantedBench: null,
        priority: arrival.priority ?? priorities.usual,
        createdAt: atMs,
        countsFrom: first ? 0 : queue.countsFrom(personId, lab, atMs),
        estimatedS,
        arrival,
      }
      entries.set(id, entry)
      queue.add(entry)
    },
    decide: ({ nowMs, free, backAtMs, latestAtMs, bookings, holders, closings }) => {
      if (planned !== closings.version) places = new WeakMap()
      planned = closings.version
      const near = new Map<string, BookedTime>()
      for (const booking of bookings) {
        if (booking.startMs > nowMs + aheadMs) break
        near.set(booking.id, booking)
      }
      const result = decideWithBookings(
        {
          lines: queue.lines(nowMs),
          freeBenches: free,
          serves: ({ lab }, bench) => able(lab.id).has(bench),
          freeForS: (bench) => closings.freeForS(bench),
          places: inOrderOf(near.values()).map((booking) => placeOf(booking, closings)),
          backAtMs,
          latestAtMs,
          standing,
          occupants: holders.map((holder) => occupantOf(holder, nowMs)),
          rules: bumpRules,
        },
        nowMs,
      )
      standing = result.standing
      for (const { entry } of result.decisions) {
        queue.remove(entry)
        queue.hold(entry)
      }
      const bumps = result.bumps.flatMap(({ occupant, bench, place, atMs }) => {
        const arrival = entries.get(occupant)?.arrival
        return arrival === undefined ? [] : [{ arrival, bench, place, atMs }]
      })
      return {
        bumps,
        spared: result.spared,
        arrivals: result.decisions.map(({ entry: { arrival }, bench }) => ({ arrival, bench })),
        bookings: result.starts.map(({ place, bench }) => ({ booking: near.get(place) as BookedTime, bench })),
      }
    },
    ended: ({ id }, usedMs, nowMs) => {
      const entry = entries.get(id)
      entries.delete(id)
      if (entry !== undefined) queue.release(entry, usedMs, nowMs)
    },
  }
}

/**
 * Who came first for a lab is served first and nobody before; a booking has its bench from when it is made, and a bench
 * is kept free for it from when nothing that waits first would end in time; where that bench has failed, it has another
 * that nobody has and nobody has booked.
 */
export function firstCome({ benches }: Load): Policy {
  const lines = new Map<string, Arrival[]>()
  let waiting = 0
  return {
    get waiting() {
      return waiting
    },
    add: (arrival, first = false) => {
      const line = lines.get(arrival.lab)
      if (line === undefined) lines.set(arrival.lab, [arrival])
      else if (first) line.unshift(arrival)
      else line.push(arrival)
      waiting++
    },
    decide: ({ nowMs, free, works, bookings, closings }) => {
      const left = new Set(free)
      const begun: { booking: BookedTime; bench: string }[] = []
      const stranded: BookedTime[] = []
      const nextOn = new Map<string, number>()
      for (const booking of bookings) {
        if (booking.startMs > nowMs + aheadMs) break
        if (booking.startMs <= nowMs && left.delete(booking.bench)) begun.push({ booking, bench: booking.bench })
        else if (booking.startMs <= nowMs && !works(booking.bench)) stranded.push(booking)
        else if (!nextOn.has(booking.bench)) nextOn.set(booking.bench, booking.startMs)
      }
      for (const booking of stranded) {
        const span = { from: nowMs, until: booking.endMs }
        const isLeft = (id: string) =>
          benches.get(id)?.includes(booking.lab) &&
          span.until <= (nextOn.get(id) ?? Infinity) &&
          closings.closed(id, span).length === 0
        const bench = [...left].sort().find(isLeft)
        if (bench !== undefined && left.delete(bench)) begun.push({ booking, bench })
      }
      const given: { arrival: Arrival; bench: string }[] = []
      const heads = [...lines.values()].flatMap((line) => (line[0] === undefined ? [] : [line]))
      // Lines are looked at in the order in which their first came, again after each that was served.
      for (let moved = true; moved; ) {
        moved = false
        heads.sort((a, b) => (a[0]?.atMs ?? Infinity) - (b[0]?.atMs ?? Infinity))
        for (const line of heads) {
          const [arrival] = line
          if (arrival === undefined) continue
          const endMs = nowMs + (arrival.estimatedS * 1.25 + 30) * 1000
          const fits = (bench: string) =>
            benches.get(bench)?.includes(arrival.lab) &&
            endMs <= (nextOn.get(bench) ?? Infinity) &&
            arrival.estimatedS <= closings.freeForS(bench)
          const bench = [...left].sort().find(fits)
          if (bench === undefined) continue
          left.delete(bench)
          line.shift()
          waiting--
          given.push({ arrival, bench })
          moved = true
          break
        }
      }
      return { arrivals: given, bookings: begun, bumps: [], spared: [] }
    },
    ended: () => {},
  }
}

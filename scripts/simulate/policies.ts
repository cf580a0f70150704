/** Ways to give benches away: the hub's own, and strict first come with bookings kept free. */
import { decideWithBookings } from '@fernlab/hub/scheduling/decide'
import type { QueueEntry } from '@fernlab/hub/scheduling/order'
import type { BookedPlace } from '@fernlab/hub/scheduling/reserved'
import { WaitingQueue } from '@fernlab/hub/scheduling/waiting-queue'
import { type Arrival, type BookedTime, benchesOf, type Load } from './load.ts'

export interface Given {
  readonly arrivals: readonly { readonly arrival: Arrival; readonly bench: string }[]
  readonly bookings: readonly { readonly booking: BookedTime; readonly bench: string }[]
}

export interface Moment {
  readonly nowMs: number
  readonly free: readonly string[]
  /** When a bench that is taken is expected back. */
  readonly backAtMs: (bench: string) => number
  /** Those that have not begun, by time. */
  readonly bookings: readonly BookedTime[]
}

export interface Policy {
  add(arrival: Arrival): void
  readonly waiting: number
  decide(moment: Moment): Given
  /** The bench came back after so long. */
  ended(arrival: Arrival, usedMs: number, nowMs: number): void
}

/** So far ahead bookings are looked at; nothing that waits lasts as long. */
const aheadMs = 6 * 3_600_000

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
  const places = new Map(
    booked.map((booking): [BookedTime, BookedPlace] => {
      const { id, lab, startMs, endMs } = booking
      return [booking, { id, from: startMs, until: endMs, benches: [...able(lab)], opens: true }]
    }),
  )
  // The calendar has found room for all of them.
  let standing: ReadonlyMap<string, string> = new Map(booked.map(({ id, bench }) => [id, bench]))
  return {
    get waiting() {
      return queue.size
    },
    add: (arrival) => {
      const { id, personId, lab, atMs, estimatedS } = arrival
      const entry: Entry = {
        id,
        personId,
        lab: { id: lab, version: 1 },
        wantedBench: null,
        priority: 5,
        createdAt: atMs,
        countsFrom: queue.countsFrom(personId, lab, atMs),
        estimatedS,
        arrival,
      }
      entries.set(id, entry)
      queue.add(entry)
    },
    decide: ({ nowMs, free, backAtMs, bookings }) => {
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
          places: [...near.values()].map((booking) => places.get(booking) as BookedPlace),
          backAtMs,
          standing,
        },
        nowMs,
      )
      standing = result.standing
      for (const { entry } of result.decisions) {
        queue.remove(entry)
        queue.hold(entry)
      }
      return {
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
 * is kept free for it from when nothing that waits first would end in time.
 */
export function firstCome({ benches }: Load): Policy {
  const lines = new Map<string, Arrival[]>()
  let waiting = 0
  return {
    get waiting() {
      return waiting
    },
    add: (arrival) => {
      const line = lines.get(arrival.lab)
      if (line === undefined) lines.set(arrival.lab, [arrival])
      else line.push(arrival)
      waiting++
    },
    decide: ({ nowMs, free, bookings }) => {
      const left = new Set(free)
      const begun: { booking: BookedTime; bench: string }[] = []
      const nextOn = new Map<string, number>()
      for (const booking of bookings) {
        if (booking.startMs > nowMs + aheadMs) break
        if (booking.startMs <= nowMs && left.delete(booking.bench)) begun.push({ booking, bench: booking.bench })
        else if (!nextOn.has(booking.bench)) nextOn.set(booking.bench, booking.startMs)
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
            benches.get(bench)?.includes(arrival.lab) && endMs <= (nextOn.get(bench) ?? Infinity)
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
      return { arrivals: given, bookings: begun }
    },
    ended: () => {},
  }
}

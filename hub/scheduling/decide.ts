/**
 * Which entry goes to which bench now, and why. Pure.
 *
 * Bookings that are due begin first. Then entries are taken in order (order.ts); each gets one of the free benches that
 * can do it and on which it ends in time, so that a free bench never waits for an entry that it can not serve, and no
 * booking is late for an entry. None that was passed over fits later in the same decision, since benches only become
 * fewer; and what an entry is given counts for its person's others from the start, since those stand behind it with its
 * time added. One walk over the heads of the lines is therefore exact.
 */
import { type BookingPlan, type BookingState, Reserved } from './bookings.ts'
import { comparePlaces, expectedS, type Place, type QueueEntry } from './order.ts'
import type { Line } from './waiting-queue.ts'

export interface SchedulingState<Entry extends QueueEntry> {
  readonly lines: Iterable<Line<Entry>>
  /** Ids of the benches that can take a run now. */
  readonly freeBenches: readonly string[]
  /** Whether the entry can be done on the bench at all, and its person wants it there. */
  readonly serves: (entry: Entry, bench: string) => boolean
  /** How long a free bench is free; an entry that takes longer is not given it. For good, unless given. */
  readonly freeForS?: (bench: string) => number
}

export interface Decision<Entry extends QueueEntry> {
  readonly entry: Entry
  readonly bench: string
  readonly reason: string
}

/** A booking that begins now. */
export interface BookingStart {
  readonly booking: string
  readonly bench: string
}

export interface DecisionWithBookings<Entry extends QueueEntry> {
  readonly starts: readonly BookingStart[]
  readonly decisions: readonly Decision<Entry>[]
  /** For the next decision. */
  readonly plan: BookingPlan
}

/** Whether a free bench may be taken for so long. */
type Allows = (bench: string, lastsS: number) => boolean

interface Head<Entry extends QueueEntry> {
  readonly line: Line<Entry>
  /** Free ones that can do what the line needs. */
  readonly benches: Set<string>
  at: number
}

/** Gives the free benches to those who come first. */
export function decide<Entry extends QueueEntry>(state: SchedulingState<Entry>, nowMs: number): Decision<Entry>[] {
  return give(state, state.freeBenches, nowMs, inTime(state), () => {})
}

/** The same where bookings need benches, too. */
export function decideWithBookings<Entry extends QueueEntry>(
  state: SchedulingState<Entry> & BookingState,
  nowMs: number,
): DecisionWithBookings<Entry> {
  const reserved = new Reserved(state, state.freeBenches, nowMs)
  const starts = reserved.due()
  const taken = new Set(starts.map(({ bench }) => bench))
  const free = state.freeBenches.filter((bench) => !taken.has(bench))
  const ends = inTime(state)
  const allows: Allows = (bench, lastsS) => ends(bench, lastsS) && reserved.allows(bench, lastsS)
  const decisions = give(state, free, nowMs, allows, (bench, lastsS) => reserved.take(bench, lastsS))
  return { starts, decisions, plan: reserved.plan }
}

function inTime({ freeForS }: Pick<SchedulingState<QueueEntry>, 'freeForS'>): Allows {
  if (freeForS === undefined) return () => true
  const known = new Map<string, number>()
  return (bench, lastsS) => {
    let freeS = known.get(bench)
    if (freeS === undefined) {
      freeS = freeForS(bench)
      known.set(bench, freeS)
    }
    return lastsS <= freeS
  }
}

function give<Entry extends QueueEntry>(
  { lines, serves }: SchedulingState<Entry>,
  freeBenches: readonly string[],
  nowMs: number,
  allows: Allows,
  take: (bench: string, lastsS: number) => void,
): Decision<Entry>[] {
  const free = [...freeBenches].sort()
  let heads: Head<Entry>[] = []
  for (const line of lines) {
    const head = { line, benches: new Set(free.filter((bench) => serves(line.sample, bench))), at: 0 }
    if (hasNext(head, allows)) heads.push(head)
  }
  const decisions: Decision<Entry>[] = []
  while (heads.length > 0) {
    const first = firstOf(heads)
    const { entry } = placeAt(first)
    const lastsS = expectedS(entry)
    const able = [...first.benches].filter((bench) => allows(bench, lastsS))
    const bench = leastNeeded(able, heads)
    decisions.push({ entry, bench, reason: reasonOf(entry, bench, able.length, nowMs) })
    take(bench, lastsS)
    first.at++
    for (const { benches } of heads) benches.delete(bench)
    heads = heads.filter((head) => hasNext(head, allows))
  }
  return decisions
}

const placeAt = <Entry extends QueueEntry>({ line, at }: Head<Entry>): Place<Entry> => line.places[at] as Place<Entry>

/** Goes on to the next entry that ends in time on one of the benches; false when there is none. */
function hasNext(head: Head<QueueEntry>, allows: Allows): boolean {
  const { places } = head.line
  if (head.benches.size === 0) return false
  // What is too long for every bench is so for the rest of the line.
  let tooLongS = Number.POSITIVE_INFINITY
  for (; head.at < places.length; head.at++) {
    const lastsS = expectedS(placeAt(head).entry)
    if (lastsS >= tooLongS) continue
    for (const bench of head.benches) if (allows(bench, lastsS)) return true
    tooLongS = lastsS
  }
  return false
}

function firstOf<Entry extends QueueEntry>(heads: readonly Head<Entry>[]): Head<Entry> {
  let first = heads[0] as Head<Entry>
  for (const head of heads) if (comparePlaces(placeAt(head), placeAt(first)) < 0) first = head
  return first
}

/** The bench that the fewest others who wait could use; of equals, the first by name. */
function leastNeeded(able: readonly string[], heads: readonly Head<QueueEntry>[]): string {
  let least = ''
  let leastNeed = Number.POSITIVE_INFINITY
  for (const bench of able) {
    let need = 0
    for (const { benches } of heads) if (benches.has(bench)) need++
    if (need >= leastNeed) continue
    least = bench
    leastNeed = need
  }
  return least
}

function reasonOf(entry: QueueEntry, bench: string, able: number, nowMs: number): string {
  const waitedS = Math.max(0, Math.round((nowMs - entry.createdAt) / 1000))
  const choice = able > 1 ? `, of ${able} free benches the one that the fewest others need` : ''
  return `first in line for ${bench} after ${waitedS} s${choice}`
}

/**
 * Which entry goes to which bench now, and why. Pure.
 *
 * Entries are taken in order (order.ts); each gets one of the free benches that can do it, so that a free bench never
 * waits for an entry that it can not serve, or that would not end in time. No entry that was passed over fits later in the same decision, since benches
 * only become fewer; and what an entry is given counts for its person's others from the start, since those stand behind
 * it with its time added. One walk over the heads of the lines is therefore exact.
 */
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

interface Head<Entry extends QueueEntry> {
  readonly line: Line<Entry>
  /** Free ones that can do what the line needs, and how long each is free. */
  readonly benches: Map<string, number>
  at: number
}

/** Gives the free benches to those who come first. */
export function decide<Entry extends QueueEntry>(state: SchedulingState<Entry>, nowMs: number): Decision<Entry>[] {
  const benches = [...state.freeBenches].sort()
  const { freeForS = () => Number.POSITIVE_INFINITY } = state
  let heads: Head<Entry>[] = []
  for (const line of state.lines) {
    const able = benches.filter((bench) => state.serves(line.sample, bench))
    const head = { line, benches: new Map(able.map((bench) => [bench, freeForS(bench)])), at: 0 }
    if (hasNext(head)) heads.push(head)
  }
  const decisions: Decision<Entry>[] = []
  while (heads.length > 0) {
    const first = firstOf(heads)
    const { entry } = placeAt(first)
    const bench = leastNeeded(first, heads)
    decisions.push({ entry, bench, reason: reasonOf(entry, bench, first, nowMs) })
    first.at++
    for (const { benches: able } of heads) able.delete(bench)
    heads = heads.filter(hasNext)
  }
  return decisions
}

const placeAt = <Entry extends QueueEntry>({ line, at }: Head<Entry>): Place<Entry> => line.places[at] as Place<Entry>

/** Goes on to the next entry that ends in time on one of the benches; false when there is none. */
function hasNext(head: Head<QueueEntry>): boolean {
  if (head.benches.size === 0) return false
  const longestS = Math.max(...head.benches.values())
  const { places } = head.line
  while (head.at < places.length && expectedS(placeAt(head).entry) > longestS) head.at++
  return head.at < places.length
}

function firstOf<Entry extends QueueEntry>(heads: readonly Head<Entry>[]): Head<Entry> {
  let first = heads[0] as Head<Entry>
  for (const head of heads) if (comparePlaces(placeAt(head), placeAt(first)) < 0) first = head
  return first
}

/** The bench that the fewest others who wait could use; of equals, the first by name. */
function leastNeeded<Entry extends QueueEntry>(own: Head<Entry>, heads: readonly Head<Entry>[]): string {
  let least = ''
  let leastNeed = Number.POSITIVE_INFINITY
  const lastsS = expectedS(placeAt(own).entry)
  for (const [bench, freeS] of own.benches) {
    if (freeS < lastsS) continue
    let need = 0
    for (const { benches } of heads) if (benches.has(bench)) need++
    if (need >= leastNeed) continue
    least = bench
    leastNeed = need
  }
  return least
}

function reasonOf(entry: QueueEntry, bench: string, { benches }: Head<QueueEntry>, nowMs: number): string {
  const waitedS = Math.max(0, Math.round((nowMs - entry.createdAt) / 1000))
  const choice = benches.size > 1 ? `, of ${benches.size} free benches the one that the fewest others need` : ''
  return `first in line for ${bench} after ${waitedS} s${choice}`
}

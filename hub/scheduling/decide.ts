/**
 * Which entry goes to which bench now, and why. Pure.
 *
 * Entries are taken in order (order.ts); each gets one of the free benches that can do it, so that a free bench never
 * waits for an entry that it can not serve. No entry that was passed over fits later in the same decision, since benches
 * only become fewer; and what an entry is given counts for its person's others from the start, since those stand behind
 * it with its time added. One walk over the heads of the lines is therefore exact.
 */
import { comparePlaces, type Place, type QueueEntry } from './order.ts'
import type { Line } from './waiting-queue.ts'

export interface SchedulingState<Entry extends QueueEntry> {
  readonly lines: Iterable<Line<Entry>>
  /** Ids of the benches that can take a run now. */
  readonly freeBenches: readonly string[]
  /** Whether the entry can be done on the bench at all, and its person wants it there. */
  readonly serves: (entry: Entry, bench: string) => boolean
}

export interface Decision<Entry extends QueueEntry> {
  readonly entry: Entry
  readonly bench: string
  readonly reason: string
}

interface Head<Entry extends QueueEntry> {
  readonly line: Line<Entry>
  /** Free ones that can do what the line needs. */
  readonly benches: Set<string>
  at: number
}

/** Gives the free benches to those who come first. */
export function decide<Entry extends QueueEntry>(state: SchedulingState<Entry>, nowMs: number): Decision<Entry>[] {
  const benches = [...state.freeBenches].sort()
  let heads: Head<Entry>[] = []
  for (const line of state.lines) {
    const able = benches.filter((bench) => state.serves(line.sample, bench))
    if (able.length > 0) heads.push({ line, benches: new Set(able), at: 0 })
  }
  const decisions: Decision<Entry>[] = []
  while (heads.length > 0) {
    const first = firstOf(heads)
    const { entry } = placeAt(first)
    const bench = leastNeeded(first, heads)
    decisions.push({ entry, bench, reason: reasonOf(entry, bench, first, nowMs) })
    first.at++
    for (const { benches: able } of heads) able.delete(bench)
    heads = heads.filter(({ line, benches: able, at }) => able.size > 0 && at < line.places.length)
  }
  return decisions
}

const placeAt = <Entry extends QueueEntry>({ line, at }: Head<Entry>): Place<Entry> => line.places[at] as Place<Entry>

function firstOf<Entry extends QueueEntry>(heads: readonly Head<Entry>[]): Head<Entry> {
  let first = heads[0] as Head<Entry>
  for (const head of heads) if (comparePlaces(placeAt(head), placeAt(first)) < 0) first = head
  return first
}

/** The bench that the fewest others who wait could use; of equals, the first by name. */
function leastNeeded<Entry extends QueueEntry>(own: Head<Entry>, heads: readonly Head<Entry>[]): string {
  let least = ''
  let leastNeed = Number.POSITIVE_INFINITY
  for (const bench of own.benches) {
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

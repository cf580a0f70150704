/**
 * Why an entry waits, at which place and about how long, in words for the person who waits. Pure.
 *
 * Position and order are those that `decide` follows. The start is played through for the nearest places; behind more
 * than those, what stands before is taken as work that the benches share.
 */
import { comparePlaces, expectedS, type Place, type QueueEntry, rankOf } from './order.ts'
import type { Line } from './waiting-queue.ts'

/** A bench as waiting sees it. */
export interface WaitingBench {
  readonly id: string
  /** When it can take a run: 0 now, null when nobody knows (offline, faulty, maintained). */
  readonly freeInS: number | null
  /** Why it can't take one now. */
  readonly reason?: string
  /** It is up, but bookings and closing hours leave no more than this at a time, which is too short. */
  readonly mostS?: number
}

export interface WaitingState<Entry extends QueueEntry> {
  readonly lines: Iterable<Line<Entry>>
  readonly benches: readonly WaitingBench[]
  /** As in a decision. */
  readonly serves: (entry: Entry, bench: string) => boolean
  /** What the person of the entry waits for besides, once it has its bench. */
  readonly setUpS?: number
}

export interface Wait {
  /** 1 is next among those that wait for the same benches. */
  readonly position: number
  readonly reason: string
  /** Seconds, set-up included; null when no bench is up. */
  readonly inS: number | null
}

/** So many before an entry are played through one by one. */
const mostPlayed = 64

interface Rivals<Entry extends QueueEntry> {
  readonly line: Line<Entry>
  readonly count: number
  readonly benches: readonly WaitingBench[]
}

/** The wait of an entry, given its place; a newcomer's place need not be in a line. */
export function explain<Entry extends QueueEntry>(place: Place<Entry>, state: WaitingState<Entry>): Wait {
  const { entry } = place
  const mine = state.benches.filter(({ id }) => state.serves(entry, id))
  const rivals: Rivals<Entry>[] = []
  let before = 0
  for (const line of state.lines) {
    const count = rankOf(line.places, place)
    if (count === 0) continue
    const benches = state.benches.filter(({ id }) => state.serves(line.sample, id))
    if (!benches.some((bench) => mine.includes(bench))) continue
    rivals.push({ line, count, benches })
    before += count
  }
  const position = before + 1
  const up = mine.flatMap(({ freeInS }) => (freeInS === null ? [] : [freeInS]))
  if (up.length === 0) {
    const mostS = Math.max(0, ...mine.map((bench) => bench.mostS ?? 0))
    if (mostS > 0) return { position, reason: tooLong(expectedS(entry), mostS), inS: null }
    const why = mine.find(({ reason }) => reason !== undefined)?.reason
    const reason =
      mine.length === 0 ? 'no bench serves this lab' : `no bench is up${why === undefined ? '' : `: ${why}`}`
    return { position, reason, inS: null }
  }
  const ahead = before > mostPlayed ? [] : inOrder(rivals)
  const benchInS = before > mostPlayed ? sharedWork(up, mine, rivals) : playedThrough(mine, ahead)
  const inS = benchInS + (state.setUpS ?? 0)
  // All that could take it say why they don't.
  const refusal = mine.every(({ reason }) => reason !== undefined) ? mine[0]?.reason : undefined
  const words = inWords(before, inS, mine, refusal === undefined && benchInS > 0)
  const first = refusal === undefined ? words : `${words} (${refusal})`
  return { position, reason: [first, ...passedBy(entry, ahead)].join('; '), inS }
}

interface Ahead<Entry extends QueueEntry> {
  readonly place: Place<Entry>
  readonly benches: readonly WaitingBench[]
}

function inOrder<Entry extends QueueEntry>(rivals: readonly Rivals<Entry>[]): Ahead<Entry>[] {
  return rivals
    .flatMap(({ line, count, benches }) => line.places.slice(0, count).map((place) => ({ place, benches })))
    .sort((a, b) => comparePlaces(a.place, b.place))
}

/** Each takes the bench that is free first, of those that it can use. */
function playedThrough(mine: readonly WaitingBench[], ahead: readonly Ahead<QueueEntry>[]): number {
  const freeAt = new Map<string, number>()
  const firstOf = (benches: readonly WaitingBench[]) => {
    let first: { id: string; inS: number } | undefined
    for (const { id, freeInS } of benches) {
      const inS = freeAt.get(id) ?? freeInS
      if (inS !== null && (first === undefined || inS < first.inS)) first = { id, inS }
    }
    return first
  }
  for (const { place, benches } of ahead) {
    const first = firstOf(benches)
    if (first !== undefined) freeAt.set(first.id, first.inS + expectedS(place.entry))
  }
  return firstOf(mine)?.inS ?? 0
}

/** When the benches have done what stands before, each line's work spread evenly over the benches that it can use. */
function sharedWork(
  up: readonly number[],
  mine: readonly WaitingBench[],
  rivals: readonly Rivals<QueueEntry>[],
): number {
  let workS = 0
  for (const { line, count, benches } of rivals) {
    const usable = benches.filter(({ freeInS }) => freeInS !== null)
    const shared = usable.filter((bench) => mine.includes(bench)).length
    if (shared > 0) workS += (count * meanS(line, count) * shared) / usable.length
  }
  // Benches that are free sooner do more of it.
  const sorted = [...up].sort((a, b) => a - b)
  let sumS = 0
  for (const [at, freeInS] of sorted.entries()) {
    sumS += freeInS
    const inS = (workS + sumS) / (at + 1)
    if (inS <= (sorted[at + 1] ?? Number.POSITIVE_INFINITY)) return inS
  }
  return 0
}

/** What one of the first `count` takes, by a sample of them. */
function meanS({ places }: Line<QueueEntry>, count: number): number {
  const stride = Math.max(1, Math.floor(count / mostPlayed))
  let sumS = 0
  let looked = 0
  for (let at = 0; at < count; at += stride) {
    sumS += expectedS((places[at] as Place<QueueEntry>).entry)
    looked++
  }
  return sumS / looked
}

function inWords(before: number, inS: number, benches: readonly WaitingBench[], inUse: boolean): string {
  const ahead = before === 0 ? 'you are next' : before === 1 ? 'one run before you' : `${before} runs before you`
  if (inS <= 0) return ahead
  if (!inUse) return `${ahead}, about ${duration(inS)}`
  const busy = benches.length === 1 ? 'the bench is in use' : 'every bench is in use'
  return `${before === 0 ? `${busy}, ${ahead}` : ahead}, about ${duration(inS)}`
}

/** Why some who came later stand before: a clause for each reason. */
function passedBy(entry: QueueEntry, ahead: readonly Ahead<QueueEntry>[]): string[] {
  const later = ahead.filter(({ place }) => place.entry.createdAt > entry.createdAt)
  const sooner = later.filter(({ place }) => place.entry.priority < entry.priority).length
  const less = later.length - sooner
  return [
    ...(sooner === 0
      ? []
      : [sooner === 1 ? 'one of them has a sooner priority' : `${sooner} of them have a sooner priority`]),
    ...(less === 0
      ? []
      : [
          less === 1
            ? 'one of them has used the benches less lately'
            : `${less} of them have used the benches less lately`,
        ]),
  ]
}

/** A start that moved on with every day would be a promise that is never kept. */
function tooLong(lastsS: number, mostS: number): string {
  const lasts = duration(lastsS)
  const most = duration(mostS)
  return `this takes about ${lasts}, and for weeks bookings and closing hours leave ${most} at a time at most: make it shorter, or book a time`
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`
  return `${Math.round(seconds / 60)} min`
}

/**
 * Who is before whom. Pure.
 *
 * Every entry has a number, and lower is sooner: its priority plus the steps of the clock that had passed when its waiting
 * began to count. A whole step of waiting is thus worth one of priority, and the order of two entries does not change
 * while they wait. Nobody whose waiting begins more than `priority` steps later passes an entry, whatever the priority:
 * none starves. Among equal numbers comes first who has used the benches least within the window, then who came first.
 */

export interface QueueEntry {
  readonly id: string
  readonly personId: string
  readonly lab: { readonly id: string; readonly version: number }
  /** `<node>.<bench>` that the person asked for. */
  readonly wantedBench: string | null
  /** Benches that it is not to have again. */
  readonly unready?: readonly string[]
  /** Lower is sooner. */
  readonly priority: number
  readonly createdAt: number
  /** When its waiting began to count: later than its coming where one's own entries for the lab stood before it. */
  readonly countsFrom: number
  readonly estimatedS: number | null
}

/** What the site may set. */
export interface OrderRules {
  /** Waiting so long is worth one of priority. */
  readonly stepMs: number
  /** Bench time counts so long. */
  readonly windowMs: number
}

/** What holds unless the site says otherwise: ten minutes, a week. */
export const defaultRules: OrderRules = { stepMs: 600_000, windowMs: 604_800_000 }

/** What an entry without an estimate is taken to last. */
const guessS = 60

/** Bench time that an entry is taken to need, in whole seconds. */
export const expectedS = ({ estimatedS }: Pick<QueueEntry, 'estimatedS'>): number => Math.round(estimatedS ?? guessS)

/** An entry with what decides its place. */
export interface Place<Entry extends QueueEntry> {
  readonly entry: Entry
  readonly number: number
  /** Bench time of its person within the window, with what stands before it of the person's own. */
  usedS: number
}

/** Its number on the scale of the clock. */
export const numberOf = (
  { priority, countsFrom }: Pick<QueueEntry, 'priority' | 'countsFrom'>,
  { stepMs }: OrderRules,
): number => priority + Math.floor(countsFrom / stepMs)

/** Negative when the first comes before the second. */
export function comparePlaces(a: Place<QueueEntry>, b: Place<QueueEntry>): number {
  return a.number - b.number || a.usedS - b.usedS || compareArrivals(a.entry, b.entry)
}

/** Who came first; ids of one process grow. */
export function compareArrivals(a: QueueEntry, b: QueueEntry): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/** How many of the sorted places come before the given one. */
export function rankOf(places: readonly Place<QueueEntry>[], place: Place<QueueEntry>): number {
  let from = 0
  let to = places.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (comparePlaces(places[middle] as Place<QueueEntry>, place) < 0) from = middle + 1
    else to = middle
  }
  return from
}

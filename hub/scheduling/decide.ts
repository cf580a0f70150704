/**
 * Which entry goes to which bench now, and why. Pure.
 *
 * Places of bookings that are due come first: those that begin by themselves, and those that somebody who may use them
 * waits for. Then entries are taken in order (order.ts); each gets one of the free benches that
 * can do it and on which it ends in time, so that a free bench never waits for an entry that it can not serve, and no
 * booking is late for an entry. None that was passed over fits later in the same decision, since benches only become
 * fewer; and what an entry is given counts for its person's others from the start, since those stand behind it with its
 * time added. One walk over the heads of the lines is therefore exact.
 */
import { type Bump, type Bumping, type BumpRules, bumping, type Delay, type Occupant } from './bumping.ts'
import { comparePlaces, expectedS, type Place, type QueueEntry } from './order.ts'
import { type BookedPlace, type BookedState, Reserved, standingAtFirst } from './reserved.ts'
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
  /** The place of a booking whose bench it is. */
  readonly place?: string
}

/** A place of a booking that begins now. */
export interface PlaceStart {
  readonly place: string
  readonly bench: string
}

export interface BookedSchedulingState<Entry extends QueueEntry> extends SchedulingState<Entry>, BookedState {
  /** What waits of those who may use the place. */
  readonly usersOf?: (place: BookedPlace) => Iterable<Place<Entry>>
  /** Who has the other benches, and how they may be bumped; nobody is unless given. */
  readonly occupants?: readonly Occupant[]
  readonly rules?: BumpRules
}

export interface DecisionWithBookings<Entry extends QueueEntry> {
  readonly starts: readonly PlaceStart[]
  readonly decisions: readonly Decision<Entry>[]
  /** Places that should have begun and for which no bench is free. */
  readonly late: readonly string[]
  /** Who has to leave for places that would be late, and who need not any more. */
  readonly bumps: readonly Bump[]
  readonly spared: readonly string[]
  /** Why places are late. */
  readonly delays: readonly Delay[]
  /** The bench of each place, for the next decision. */
  readonly standing: ReadonlyMap<string, string>
}

/** Whether a free bench may be taken for so long. */
type Allows = (bench: string, lastsS: number) => boolean

interface Giving {
  readonly allows: Allows
  take(bench: string, lastsS: number): void
  /** Entries that have a bench already. */
  readonly served: ReadonlySet<string>
}

interface Head<Entry extends QueueEntry> {
  readonly line: Line<Entry>
  /** Free ones that can do what the line needs. */
  readonly benches: Set<string>
  at: number
}

/** Gives the free benches to those who come first. */
export function decide<Entry extends QueueEntry>(state: SchedulingState<Entry>, nowMs: number): Decision<Entry>[] {
  return give(state, state.freeBenches, nowMs, { allows: inTime(state), take: () => {}, served: new Set() })
}

/** The same where bookings need benches, too. */
export function decideWithBookings<Entry extends QueueEntry>(
  given: BookedSchedulingState<Entry>,
  nowMs: number,
): DecisionWithBookings<Entry> {
  const state = { ...given, standing: given.standing ?? standingAtFirst(given.places, nowMs) }
  const room = makeRoom(state, nowMs)
  const places = room === undefined ? state.places : awaiting(state.places, room.awaited)
  const reserved = new Reserved(
    { ...state, places, standing: room?.standing ?? state.standing },
    state.freeBenches,
    nowMs,
  )
  const late = reserved.late().map(({ id }) => id)
  const starts = reserved
    .due()
    .filter(({ place, bench }) => place.opens && reserved.use(place, bench))
    .map(({ place, bench }) => ({ place: place.id, bench }))
  const taken = new Set(starts.map(({ bench }) => bench))
  const used = usePlaces(state, reserved, taken, nowMs)
  const free = state.freeBenches.filter((bench) => !taken.has(bench))
  const ends = inTime(state)
  const decisions = give(state, free, nowMs, {
    allows: (bench, lastsS) => ends(bench, lastsS) && reserved.allows(bench, lastsS),
    take: (bench, lastsS) => reserved.take(bench, lastsS),
    served: new Set(used.map(({ entry }) => entry.id)),
  })
  const { bumps = [], spared = [], delays = [] } = room ?? {}
  return { starts, decisions: [...used, ...decisions], late, standing: reserved.standing, bumps, spared, delays }
}

function makeRoom<Entry extends QueueEntry>(state: BookedSchedulingState<Entry>, nowMs: number): Bumping | undefined {
  const { occupants = [], rules, places, backAtMs, standing, freeBenches } = state
  if (rules === undefined) return undefined
  return bumping({ places, backAtMs, occupants, rules, ...(standing && { standing }) }, freeBenches, nowMs)
}

/** Places that wait for a bench which is being freed take no other. */
const awaiting = (places: readonly BookedPlace[], awaited: Bumping['awaited']): readonly BookedPlace[] =>
  awaited.size === 0
    ? places
    : places.map((place) => {
        const bench = awaited.get(place.id)
        return bench === undefined ? place : { ...place, benches: [bench] }
      })

/** Places that have begun go to those of their users who wait first and would end in their time. */
function usePlaces<Entry extends QueueEntry>(
  { usersOf, serves, freeBenches }: BookedSchedulingState<Entry>,
  reserved: Reserved,
  taken: Set<string>,
  nowMs: number,
): Decision<Entry>[] {
  if (usersOf === undefined) return []
  const decisions: Decision<Entry>[] = []
  const served = new Set<string>()
  for (const { place, bench: standing } of reserved.due()) {
    if (place.opens) continue
    const benches = [standing, ...freeBenches].filter((id) => place.benches.includes(id) && !taken.has(id))
    for (const { entry } of [...usersOf(place)].sort(comparePlaces)) {
      const endsInTime = entry.id === place.own || nowMs + expectedS(entry) * 1000 <= place.until
      if (served.has(entry.id) || !endsInTime) continue
      const bench = benches.find((id) => serves(entry, id) && reserved.use(place, id))
      if (bench === undefined) continue
      served.add(entry.id)
      taken.add(bench)
      decisions.push({ entry, bench, place: place.id, reason: `${bench} is booked for it` })
      break
    }
  }
  return decisions
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
  { allows, take, served }: Giving,
): Decision<Entry>[] {
  const free = [...freeBenches].sort()
  let heads: Head<Entry>[] = []
  for (const line of lines) {
    const head = { line, benches: new Set(free.filter((bench) => serves(line.sample, bench))), at: 0 }
    if (hasNext(head, allows, served)) heads.push(head)
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
    heads = heads.filter((head) => hasNext(head, allows, served))
  }
  return decisions
}

const placeAt = <Entry extends QueueEntry>({ line, at }: Head<Entry>): Place<Entry> => line.places[at] as Place<Entry>

/** Goes on to the next entry that ends in time on one of the benches; false when there is none. */
function hasNext(head: Head<QueueEntry>, allows: Allows, served: ReadonlySet<string>): boolean {
  const { places } = head.line
  if (head.benches.size === 0) return false
  // What is too long for every bench is so for the rest of the line.
  let tooLongS = Number.POSITIVE_INFINITY
  for (; head.at < places.length; head.at++) {
    const { entry } = placeAt(head)
    const lastsS = expectedS(entry)
    if (lastsS >= tooLongS || served.has(entry.id)) continue
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

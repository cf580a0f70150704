/**
 * Who makes room for a booking that would begin late, and when. Pure.
 *
 * A place would be late when no bench that it could have is back by its start. Then somebody on one of these benches is
 * bumped whose permissions say so. Of those whose bench lets the place begin comes first who loses least (`lossOf`): who
 * has not begun, then a run that may start again, then a session by the time that it would lose, then a run that can not
 * start again, which is only ended where no bench comes back within the grace period. A session is warned, so that it
 * can end what it does; the warning is shorter where the place would else be later than its grace period.
 *
 * INVARIANTS: nobody is bumped without leave, within a booking of their own, or who gives the bench back in time anyway;
 * one at most for each place, who lets one place more begin and makes none later; each is the least loss that can be; who
 * was told stays told as long as a place counts on the bench.
 */
import { type BookedPlace, type BookedState, Reserved } from './reserved.ts'

/** Somebody who has a bench now. */
export interface Occupant {
  readonly id: string
  readonly bench: string
  /** By what its person may in the lab. */
  readonly mayBeBumped: boolean
  /** `waiting`: its person has not begun; `again`: it may start again; `once`: it can not. */
  readonly kind: 'waiting' | 'again' | 'session' | 'once'
  /** How long it has had the bench. */
  readonly doneMs: number
  /** What the bench needs after it. */
  readonly cleanUpMs: number
  /** It is bumped already: then `backAtMs` of its bench knows of it. */
  readonly leaving?: Leaving | undefined
}

export interface Leaving {
  /** For which place. */
  readonly place: string
  readonly atMs: number
}

export interface BumpRules {
  /** So long before its end a session is told. */
  readonly warningMs: number
  /** So late a booking may begin. */
  readonly graceMs: number
}

export interface BumpingState extends BookedState {
  readonly occupants: readonly Occupant[]
  readonly rules: BumpRules
}

export interface Bump {
  readonly occupant: string
  readonly bench: string
  readonly place: string
  /** When it has to leave. */
  readonly atMs: number
  readonly reason: string
}

/** Why a place begins late. */
export interface Delay {
  readonly place: string
  readonly reason: string
  /** Epoch ms; null when nobody knows. */
  readonly beginsMs: number | null
}

export interface Bumping {
  readonly bumps: readonly Bump[]
  /** Ids of those that are to leave for something that needs their bench no more. */
  readonly spared: readonly string[]
  readonly delays: readonly Delay[]
  /** For places that wait for somebody to leave: that bench, so that what is free is left to others. */
  readonly awaited: ReadonlyMap<string, string>
  /** The bench of each place, as long as nothing changes. */
  readonly standing: ReadonlyMap<string, string>
}

/** What is bumped for the places that would be late, given what is free now. */
export function bumping(state: BumpingState, freeBenches: readonly string[], nowMs: number): Bumping {
  const { occupants, places, rules, backAtMs } = state
  const unneeded = occupants.filter((one) => !isNeeded(one, places))
  const near = nearPlaces(state, nowMs)
  if (near.length === 0) {
    const spared = unneeded.map(({ id }) => id)
    return { bumps: [], spared, delays: [], awaited: new Map(), standing: state.standing ?? new Map() }
  }
  /** Benches that are being freed, and from when on they are there. */
  const leaving = new Map<string, number>()
  for (const { bench, cleanUpMs, leaving: told } of occupants) {
    if (told === undefined) continue
    // While its node is away nobody knows: it stays what it was told, so that nobody else is bumped besides.
    const expectedMs = backAtMs(bench)
    leaving.set(bench, Number.isFinite(expectedMs) ? expectedMs : Math.max(nowMs + 1, told.atMs + cleanUpMs))
  }
  // What is being freed counts as free, so that all that can have a bench is planned together.
  const plan = () => planTogether(state, freeBenches, [...leaving.keys()], nowMs)
  let reserved = plan()
  const needing = (by: Reserved) => near.filter((place) => !begins(place, by, nowMs))
  const spared: string[] = []
  for (const one of unneeded) {
    const freedMs = leaving.get(one.bench)
    leaving.delete(one.bench)
    const without = plan()
    if (freedMs !== undefined && isCountedOn(one, near, { reserved, without, nowMs })) leaving.set(one.bench, freedMs)
    else {
      spared.push(one.id)
      reserved = without
    }
  }
  const bumps: Bump[] = []
  const held = new Set(places.flatMap(({ held: bench }) => bench ?? []))
  const open = occupants.filter((one) => one.mayBeBumped && one.leaving === undefined && !held.has(one.bench))
  for (const place of open.length === 0 ? [] : needing(reserved)) {
    const count = needing(reserved).length
    const plannedMs = reserved.plannedFor(place.id)?.from ?? Number.POSITIVE_INFINITY
    const able = open
      .filter(({ bench }) => !leaving.has(bench))
      .flatMap((one) => candidate(one, place, { backAtMs: backAtMs(one.bench), plannedMs, rules, nowMs }))
      .sort(compareLoss)
    for (const { occupant, atMs } of able) {
      const { bench, id, cleanUpMs } = occupant
      leaving.set(bench, atMs + cleanUpMs)
      const next = plan()
      if (begins(place, next, nowMs) && needing(next).length < count) {
        reserved = next
        const choice = able.length > 1 ? `, and of ${able.length} that may be bumped it loses least` : ''
        const reason = `${bench} is booked from ${iso(place.from)}, no other bench is there by then${choice}`
        bumps.push({ occupant: id, bench, place: place.id, atMs, reason })
        break
      }
      leaving.delete(bench)
    }
  }
  const awaited = near.flatMap(({ id }): [string, string][] => {
    const bench = reserved.plannedFor(id)?.bench
    return bench === undefined || !leaving.has(bench) ? [] : [[id, bench]]
  })
  const delays = near.flatMap((place) => delayOf(place, reserved, leaving, nowMs))
  return { bumps, spared, delays, awaited: new Map(awaited), standing: reserved.standing }
}

/** What is free is taken before what is being freed. */
function planTogether(
  { places, backAtMs, standing }: BumpingState,
  free: readonly string[],
  leaving: readonly string[],
  nowMs: number,
): Reserved {
  const isFreed = new Set(leaving)
  const ordered = places.map((place) =>
    place.benches.some((bench) => isFreed.has(bench))
      ? { ...place, benches: [...place.benches].sort((a, b) => Number(isFreed.has(a)) - Number(isFreed.has(b))) }
      : place,
  )
  const isOnFreed = ({ id }: BookedPlace) => isFreed.has(standing?.get(id) ?? '')
  const stays = new Map([...(standing ?? [])].filter(([, bench]) => !isFreed.has(bench)))
  // Those whose bench is being freed take nobody else's.
  const inOrder = [...ordered.filter((place) => !isOnFreed(place)), ...ordered.filter(isOnFreed)]
  return new Reserved({ places: inOrder, backAtMs, standing: stays }, [...free, ...leaving], nowMs)
}

/** Places that are due, or so near that somebody would have to be told now. */
function nearPlaces({ places, occupants, rules }: BumpingState, nowMs: number): BookedPlace[] {
  const longest = occupants.reduce((most, { cleanUpMs }) => Math.max(most, cleanUpMs), 0)
  return places
    .filter(({ from, held }) => held === undefined && from - longest - rules.warningMs <= nowMs)
    .sort((a, b) => a.from - b.from)
}

/** On time, or as soon as somebody has left for it. */
function begins({ id, from }: BookedPlace, reserved: Reserved, nowMs: number): boolean {
  const planned = reserved.plannedFor(id)
  return planned !== undefined && planned.from <= Math.max(from, nowMs)
}

/** Whether the place for which it leaves still waits for it. */
function isNeeded({ leaving, cleanUpMs }: Occupant, places: readonly BookedPlace[]): boolean {
  if (leaving === undefined) return true
  const place = places.find(({ id }) => id === leaving.place)
  return place !== undefined && place.held === undefined && place.from - cleanUpMs <= leaving.atMs
}

/** Whether another place counts on its bench by now, since the one for which it leaves has begun elsewhere. */
function isCountedOn(
  { leaving, cleanUpMs }: Occupant,
  near: readonly BookedPlace[],
  { reserved, without, nowMs }: { readonly reserved: Reserved; readonly without: Reserved; readonly nowMs: number },
): boolean {
  return near.some(
    (place) =>
      leaving !== undefined &&
      place.from - cleanUpMs <= leaving.atMs &&
      begins(place, reserved, nowMs) &&
      !begins(place, without, nowMs),
  )
}

/** To stop a run takes a moment. */
export const stopMs = 2000

interface Candidate {
  readonly occupant: Occupant
  readonly atMs: number
  readonly lostMs: number
}

interface Moment {
  readonly backAtMs: number
  /** When the place begins as it is. */
  readonly plannedMs: number
  readonly rules: BumpRules
  readonly nowMs: number
}

/** The occupant as one who could leave for the place now, if that is any use. */
function candidate(
  occupant: Occupant,
  { from }: BookedPlace,
  { backAtMs: expectedMs, plannedMs, rules, nowMs }: Moment,
): Candidate[] {
  // A bench whose node is away is of no use to the place either.
  if (!Number.isFinite(expectedMs)) return []
  // One that is overdue is not gone yet.
  const backAtMs = Math.max(expectedMs, nowMs + 1)
  const { kind, cleanUpMs, doneMs } = occupant
  const { warningMs, graceMs } = rules
  const warned = kind === 'session' ? warningMs : 0
  if (nowMs < from - cleanUpMs - warned) return []
  if (kind === 'once' && Math.min(plannedMs, backAtMs) <= from + graceMs - stopMs) return []
  const soonest = Math.max(nowMs, from - cleanUpMs)
  const atMs = Math.max(soonest, Math.min(nowMs + warned, from + graceMs - cleanUpMs))
  const savedMs = backAtMs - cleanUpMs - atMs
  if (backAtMs <= from || savedMs <= 0) return []
  return [{ occupant, atMs, lostMs: kind === 'session' ? savedMs : doneMs }]
}

const kinds: readonly Occupant['kind'][] = ['waiting', 'again', 'session', 'once']

/** What it loses: by kind, then by time; a session the time that it would have had, all others what they have done. */
export const lossOf = (kind: Occupant['kind'], ms: number): readonly [number, number] => [kinds.indexOf(kind), ms]

function compareLoss(a: Candidate, b: Candidate): number {
  const [aKind, aMs] = lossOf(a.occupant.kind, a.lostMs)
  const [bKind, bMs] = lossOf(b.occupant.kind, b.lostMs)
  return aKind - bKind || aMs - bMs || (a.occupant.bench < b.occupant.bench ? -1 : 1)
}

function delayOf(place: BookedPlace, reserved: Reserved, leaving: ReadonlyMap<string, number>, nowMs: number): Delay[] {
  const planned = reserved.plannedFor(place.id)
  const freedMs = planned === undefined ? undefined : leaving.get(planned.bench)
  if (planned !== undefined && freedMs !== undefined) {
    if (freedMs <= place.from) return []
    const reason = `${planned.bench} becomes free for it at ${iso(freedMs)}: whoever has it was told`
    return [{ place: place.id, reason, beginsMs: freedMs }]
  }
  // Before its time a bench may still come back sooner than expected.
  if (begins(place, reserved, nowMs) || place.from > nowMs) return []
  if (planned === undefined || !Number.isFinite(planned.from)) {
    return [{ place: place.id, reason: 'no bench that it could have is expected back in its time', beginsMs: null }]
  }
  const reason = `every bench that it could have is in use, and nobody there may be bumped; ${planned.bench} is expected back at ${iso(planned.from)}`
  return [{ place: place.id, reason, beginsMs: planned.from }]
}

const iso = (ms: number): string => new Date(ms).toISOString()

/**
 * All that waits, kept in order.
 *
 * Entries that need the same benches stand in one line, sorted; a decision looks at the heads of the lines, a position is
 * one binary search in each. What a person's bench time changes is put right when the lines are next read, all at once.
 */
import {
  compareArrivals,
  comparePlaces,
  defaultRules,
  expectedS,
  numberOf,
  type OrderRules,
  type Place,
  type QueueEntry,
  rankOf,
} from './order.ts'
import { Usage } from './usage.ts'

/** Entries that need the same benches, first to be served first. */
export interface Line<Entry extends QueueEntry> {
  readonly places: readonly Place<Entry>[]
  /** Any of them, to ask which benches they need. */
  readonly sample: Entry
}

interface OwnLine<Entry extends QueueEntry> extends Line<Entry> {
  places: Place<Entry>[]
  readonly key: string
  /** With those that have no place yet. */
  size: number
}

interface Known<Entry extends QueueEntry> {
  readonly place: Place<Entry>
  readonly line: OwnLine<Entry>
  inLine: boolean
}

/** Moving more than this one by one is slower than merging. */
const fewMoves = 8

const keyOf = ({ lab, wantedBench, unready = [] }: QueueEntry) =>
  `${lab.id}@${lab.version}/${wantedBench ?? ''}/${unready.join()}`

export class WaitingQueue<Entry extends QueueEntry> {
  readonly #known = new Map<string, Known<Entry>>()
  readonly #lines = new Map<string, OwnLine<Entry>>()
  /** By person, in the order in which the person's own entries are served. */
  readonly #chains = new Map<string, Known<Entry>[]>()
  /** By person and lab: when all that waits could have been done, one after the other. */
  readonly #doneBy = new Map<string, Map<string, { waiting: number; atMs: number }>>()
  readonly #stale = new Set<string>()
  #rules: OrderRules
  #usage: Usage

  constructor(rules: OrderRules = defaultRules) {
    this.#rules = rules
    this.#usage = new Usage(rules.windowMs)
  }

  get rules(): OrderRules {
    return this.#rules
  }

  get size(): number {
    return this.#known.size
  }

  has(entry: Entry): boolean {
    return this.#known.get(entry.id)?.place.entry === entry
  }

  placeOf(entry: Entry): Place<Entry> | undefined {
    const known = this.#known.get(entry.id)
    return known?.place.entry === entry ? known.place : undefined
  }

  /** From when the waiting of a new entry counts: after what the person has waiting for this lab already. */
  countsFrom(personId: string, lab: string, createdAt: number): number {
    return Math.max(createdAt, this.#doneBy.get(personId)?.get(lab)?.atMs ?? 0)
  }

  add(entry: Entry): void {
    const key = keyOf(entry)
    let line = this.#lines.get(key)
    if (line === undefined) {
      line = { key, sample: entry, places: [], size: 0 }
      this.#lines.set(key, line)
    }
    line.size++
    const place = { entry, number: numberOf(entry, this.#rules), usedS: 0 }
    const known: Known<Entry> = { place, line, inLine: false }
    this.#known.set(entry.id, known)
    const chain = this.#chains.get(entry.personId) ?? []
    let at = chain.length
    while (at > 0 && beforeInChain(place, (chain[at - 1] as Known<Entry>).place)) at--
    chain.splice(at, 0, known)
    this.#chains.set(entry.personId, chain)
    this.#countIn(entry)
    this.#stale.add(entry.personId)
  }

  remove(entry: Entry): void {
    const known = this.#known.get(entry.id)
    if (known === undefined || known.place.entry !== entry) return
    this.#known.delete(entry.id)
    const { line, place } = known
    if (known.inLine) line.places.splice(rankOf(line.places, place), 1)
    const chain = this.#chains.get(entry.personId) ?? []
    chain.splice(chain.indexOf(known), 1)
    if (chain.length === 0) this.#chains.delete(entry.personId)
    this.#countOut(entry)
    this.#stale.add(entry.personId)
    line.size--
    if (line.size === 0) this.#lines.delete(line.key)
  }

  /** The entry's person was given a bench for it. */
  hold(entry: Entry): void {
    this.#usage.hold(entry.personId, expectedS(entry))
    this.#stale.add(entry.personId)
  }

  /** The bench came back after so long; what was not used counts 0. */
  release(entry: Entry, usedMs: number, atMs: number): void {
    this.#usage.release(entry.personId, expectedS(entry))
    this.#usage.ended(entry.personId, usedMs, atMs)
    this.#stale.add(entry.personId)
  }

  /** Every line that has entries, in order by what is known now. */
  lines(nowMs: number): Iterable<Line<Entry>> {
    for (const personId of this.#usage.advance(nowMs)) this.#stale.add(personId)
    if (this.#stale.size > 0) this.#settle()
    return this.#lines.values()
  }

  /** Seconds that the person has used within the window, with those under way. */
  usedS(personId: string): number {
    return this.#usage.of(personId)
  }

  /** Forgets everything. `used` is what was used within the window. */
  reset(rules: OrderRules, used: Usage): void {
    this.#known.clear()
    this.#lines.clear()
    this.#chains.clear()
    this.#doneBy.clear()
    this.#stale.clear()
    this.#rules = rules
    this.#usage = used
  }

  #countIn({ personId, lab, countsFrom, estimatedS }: Entry): void {
    let labs = this.#doneBy.get(personId)
    if (labs === undefined) {
      labs = new Map()
      this.#doneBy.set(personId, labs)
    }
    const { waiting, atMs } = labs.get(lab.id) ?? { waiting: 0, atMs: 0 }
    labs.set(lab.id, { waiting: waiting + 1, atMs: Math.max(atMs, countsFrom + expectedS({ estimatedS }) * 1000) })
  }

  #countOut({ personId, lab }: Entry): void {
    const labs = this.#doneBy.get(personId)
    const own = labs?.get(lab.id)
    if (labs === undefined || own === undefined) return
    if (own.waiting > 1) own.waiting--
    else labs.delete(lab.id)
    if (labs.size === 0) this.#doneBy.delete(personId)
  }

  /** Puts right the places of everybody whose bench time or own entries changed. */
  #settle(): void {
    const moves = new Map<OwnLine<Entry>, { known: Known<Entry>; usedS: number }[]>()
    for (const personId of this.#stale) {
      let usedS = this.#usage.of(personId)
      for (const known of this.#chains.get(personId) ?? []) {
        const { place, line } = known
        if (!known.inLine || place.usedS !== usedS) {
          const list = moves.get(line)
          if (list === undefined) moves.set(line, [{ known, usedS }])
          else list.push({ known, usedS })
        }
        usedS += expectedS(place.entry)
      }
    }
    this.#stale.clear()
    for (const [line, list] of moves) {
      if (list.length <= fewMoves) moveEach(line, list)
      else moveTogether(line, list)
    }
  }
}

function beforeInChain(a: Place<QueueEntry>, b: Place<QueueEntry>): boolean {
  return a.number !== b.number ? a.number < b.number : compareArrivals(a.entry, b.entry) < 0
}

type Moves<Entry extends QueueEntry> = readonly { readonly known: Known<Entry>; readonly usedS: number }[]

function moveEach<Entry extends QueueEntry>({ places }: OwnLine<Entry>, moves: Moves<Entry>): void {
  // All are out before the first is at its new place: the places between stay sorted.
  for (const { known } of moves) if (known.inLine) places.splice(rankOf(places, known.place), 1)
  for (const { known, usedS } of moves) {
    known.place.usedS = usedS
    known.inLine = true
    places.splice(rankOf(places, known.place), 0, known.place)
  }
}

function moveTogether<Entry extends QueueEntry>(line: OwnLine<Entry>, moves: Moves<Entry>): void {
  const moving = new Set<Place<Entry>>()
  for (const { known, usedS } of moves) {
    known.place.usedS = usedS
    known.inLine = true
    moving.add(known.place)
  }
  const moved = [...moving].sort(comparePlaces)
  const merged: Place<Entry>[] = []
  let next = 0
  for (const place of line.places) {
    if (moving.has(place)) continue
    for (; next < moved.length && comparePlaces(moved[next] as Place<Entry>, place) < 0; next++) {
      merged.push(moved[next] as Place<Entry>)
    }
    merged.push(place)
  }
  for (; next < moved.length; next++) merged.push(moved[next] as Place<Entry>)
  line.places = merged
}

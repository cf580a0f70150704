/**
 * What each person has open in each lab, and the bench time that they have used today and this week.
 *
 * INVARIANTS: a run is open from before its write until it is final or its write failed, counted once however often that
 * is told; bench time of an attempt counts on the day (UTC) on which it ends; weeks begin on Monday; a clock that was
 * days ahead for a while takes nothing out of the week that it comes back to.
 */
import { firstIdAt } from '@fernlab/shared/primitives/ids'
import { ofNoUse } from '../runs/attempt-use.ts'
import type { Store } from '../store/store.ts'

export interface CountedRun {
  readonly id: string
  readonly personId: string
  readonly lab: { readonly id: string }
  readonly estimatedS: number | null
}

export interface Spent {
  readonly personId: string
  readonly lab: string
  /** From the assignment on, and from the start on. */
  readonly heldMs: number
  readonly runningMs: number
  readonly endedAtMs: number
}

const dayMs = 86_400_000
/** So long before the week of the latest end is kept: a clock that was ahead comes back to it. */
const KEPT_DAYS = 14
/** What a run without an estimate is taken to last. */
const guessS = 60

/** Days since 1970 in UTC, and the Monday before or at one. */
export const dayOf = (ms: number): number => Math.floor(ms / dayMs)
export const mondayOf = (day: number): number => day - ((day + 3) % 7)
export const dayStart = (day: number): number => day * dayMs

interface Tally {
  readonly open: Map<string, number>
  /** Estimates of what is open. */
  openS: number
  readonly days: Map<number, { heldMs: number; runningMs: number }>
}

export interface Used {
  readonly open: number
  readonly dayS: number
  readonly weekS: number
}

export class BenchUse {
  #tallies = new Map<string, Tally>()
  /** The first day that is kept. */
  #first = 0

  /** Now, with what is open at its estimate. */
  of(personId: string, lab: string, nowMs: number, countsSetup: boolean): Used {
    const tally = this.#tallies.get(key(personId, lab))
    if (tally === undefined) return { open: 0, dayS: 0, weekS: 0 }
    const today = dayOf(nowMs)
    const monday = mondayOf(today)
    let [dayS, weekS] = [tally.openS, tally.openS]
    for (const [day, { heldMs, runningMs }] of tally.days) {
      const s = (countsSetup ? heldMs : runningMs) / 1000
      if (day >= monday && day < monday + 7) weekS += s
      if (day === today) dayS += s
    }
    return { open: tally.open.size, dayS, weekS }
  }

  /** Ids of what is open now. */
  openOf(personId: string, lab: string): string[] {
    return [...(this.#tallies.get(key(personId, lab))?.open.keys() ?? [])]
  }

  opened({ id, personId, lab, estimatedS }: CountedRun): void {
    const tally = this.#tally(personId, lab.id)
    if (tally.open.has(id)) return
    tally.open.set(id, estimatedS ?? guessS)
    tally.openS += estimatedS ?? guessS
  }

  /** Counts what is open at another estimate. */
  expect({ id, personId, lab, estimatedS }: CountedRun): void {
    const tally = this.#tallies.get(key(personId, lab.id))
    const before = tally?.open.get(id)
    if (tally === undefined || before === undefined) return
    tally.open.set(id, estimatedS ?? guessS)
    tally.openS += (estimatedS ?? guessS) - before
  }

  closed({ id, personId, lab }: CountedRun): void {
    const tally = this.#tallies.get(key(personId, lab.id))
    const estimateS = tally?.open.get(id)
    if (tally === undefined || estimateS === undefined) return
    tally.open.delete(id)
    tally.openS = tally.open.size === 0 ? 0 : tally.openS - estimateS
    if (tally.open.size === 0 && tally.days.size === 0) this.#tallies.delete(key(personId, lab.id))
  }

  spent({ personId, lab, heldMs, runningMs, endedAtMs }: Spent): void {
    const day = dayOf(endedAtMs)
    this.#forgetBefore(mondayOf(day) - KEPT_DAYS)
    const { days } = this.#tally(personId, lab)
    const before = days.get(day) ?? { heldMs: 0, runningMs: 0 }
    days.set(day, {
      heldMs: before.heldMs + Math.max(0, heldMs),
      runningMs: before.runningMs + Math.max(0, runningMs),
    })
  }

  /** Forgets everything for what the database says; what is open is told anew. */
  reset(spent: readonly Spent[]): void {
    this.#tallies = new Map()
    this.#first = 0
    for (const one of spent) this.spent(one)
  }

  #tally(personId: string, lab: string): Tally {
    const name = key(personId, lab)
    let tally = this.#tallies.get(name)
    if (tally === undefined) {
      tally = { open: new Map(), openS: 0, days: new Map() }
      this.#tallies.set(name, tally)
    }
    return tally
  }

  #forgetBefore(first: number): void {
    if (first <= this.#first) return
    this.#first = first
    for (const [name, { open, days }] of this.#tallies) {
      for (const day of days.keys()) if (day < first) days.delete(day)
      if (open.size === 0 && days.size === 0) this.#tallies.delete(name)
    }
  }
}

const key = (personId: string, lab: string) => `${personId} ${lab}`

/** How long before this week a run may have been submitted whose bench time of this week is still counted. */
const longestWaitMs = 35 * dayMs

/** Bench time of the attempts of this week and the one before, which it is where the clock is days ahead. */
export async function loadSpent(store: Store, nowMs: number): Promise<Spent[]> {
  const since = dayStart(mondayOf(dayOf(nowMs)) - 7)
  const rows = await store.db
    .selectFrom('attempt')
    .innerJoin('run', 'run.id', 'attempt.run_id')
    .select(['run.person_id', 'run.lab', 'run.started_at', 'run.attempt as latest', 'attempt.attempt'])
    .select(['attempt.assigned_at', 'attempt.ended_at'])
    .where('attempt.run_id', '>=', firstIdAt(since - longestWaitMs))
    .where('attempt.ended_at', '>=', since)
    .where('attempt.state', 'not in', ofNoUse)
    .execute()
  return rows.flatMap(({ person_id, lab, started_at, latest, attempt, assigned_at, ended_at }) => {
    if (ended_at === null) return []
    // Of an earlier attempt nobody knows when it began: it was cut short.
    const beganAt = attempt === latest ? (started_at ?? ended_at) : assigned_at
    const heldMs = ended_at - assigned_at
    return [{ personId: person_id, lab, heldMs, runningMs: ended_at - beganAt, endedAtMs: ended_at }]
  })
}

/** What a simulation plays: who comes when for which lab, and who has booked. */
import { Plan } from '@fernlab/hub/bookings/plan'

export interface Arrival {
  readonly id: string
  readonly personId: string
  readonly lab: string
  readonly atMs: number
  /** As the queue is told. */
  readonly estimatedS: number
  /** As it turns out. */
  readonly lastsS: number
}

export interface BookedTime {
  readonly id: string
  readonly lab: string
  readonly startMs: number
  readonly endMs: number
  /** The bench is given back then: early, or after the grace period where nobody came. */
  readonly leavesMs: number
  /** Where a site that binds a booking when it is made has it. */
  readonly bench: string
}

export interface Load {
  /** By bench: the labs that it serves. */
  readonly benches: ReadonlyMap<string, readonly string[]>
  /** By time. */
  readonly arrivals: readonly Arrival[]
  readonly bookings: readonly BookedTime[]
  /** Seconds in which the benches are open. */
  readonly openS: number
}

export interface LoadShape {
  readonly seed: number
  readonly weeks: number
  readonly benches: number
  readonly labs: number
  readonly people: number
  /** Of a person, in a week. */
  readonly queued: number
  readonly booked: number
}

/** A term: 30 benches, 8 labs, 2,000 students, twelve weeks. */
export const term: LoadShape = { seed: 1, weeks: 12, benches: 30, labs: 8, people: 2000, queued: 2, booked: 0.35 }

const minuteMs = 60_000
const hourMs = 3_600_000
const dayMs = 86_400_000
const graceMs = 5 * minuteMs
/** Out of 100 people who come on a day, so many come in each hour from 8 to 22. */
const byHour = [3, 6, 9, 10, 8, 5, 7, 9, 10, 9, 8, 7, 6, 3]
const hoursOpen = byHour.length

/** The load of whole weeks, the same for the same shape: working days, hours of a day as students keep them. */
export function generateLoad(shape: LoadShape): Load {
  const random = randomFrom(shape.seed)
  const pick = (most: number) => Math.floor(random() * most)
  const labs = Array.from({ length: shape.labs }, (_, at) => `lab-${at + 1}`)
  const benches = new Map<string, string[]>()
  for (let at = 0; at < shape.benches; at++) {
    const serves = [at, ...(at % 3 === 0 ? [at + 1] : []), ...(at % 5 === 0 ? [at + 3] : [])]
    const named = new Set(serves.map((lab) => labs[lab % shape.labs] as string))
    benches.set(`bench-${String(at + 1).padStart(2, '0')}`, [...named])
  }
  const dayOf = () => (pick(shape.weeks) * 7 + pick(5)) * dayMs
  const hourOf = () => {
    let left = random() * byHour.reduce((sum, weight) => sum + weight, 0)
    for (const [at, weight] of byHour.entries()) {
      left -= weight
      if (left < 0) return 8 + at
    }
    return 8 + hoursOpen - 1
  }
  const arrivals = Array.from({ length: Math.round(shape.people * shape.queued * shape.weeks) }, (_, at): Arrival => {
    const estimatedS = [300, 600, 1200, 2400][pick(4)] as number
    return {
      id: `run-${String(at).padStart(7, '0')}`,
      personId: `person-${pick(shape.people)}`,
      lab: labs[pick(shape.labs)] as string,
      atMs: dayOf() + hourOf() * hourMs + pick(hourMs),
      estimatedS,
      lastsS: Math.round(estimatedS * (0.6 + 0.4 * random())),
    }
  }).sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1))
  const wanted = Array.from({ length: Math.round(shape.people * shape.booked * shape.weeks) }, (_, at) => {
    const startMs = dayOf() + hourOf() * hourMs + pick(4) * 15 * minuteMs
    const endMs = startMs + (1 + pick(3)) * 30 * minuteMs
    const leavesMs =
      random() < 0.1 ? startMs + graceMs : startMs + Math.round((endMs - startMs) * (0.7 + 0.3 * random()))
    return {
      id: `booking-${String(at).padStart(6, '0')}`,
      lab: labs[pick(shape.labs)] as string,
      startMs,
      endMs,
      leavesMs,
    }
  })
  return { benches, arrivals, bookings: admitted(wanted, benches), openS: shape.weeks * 5 * hoursOpen * 3600 }
}

type WantedTime = Omit<BookedTime, 'bench'>

/** The calendar takes what can be kept with all that it took before; a day at a time, since none lasts over a night. */
function admitted(wanted: readonly WantedTime[], benches: Load['benches']): BookedTime[] {
  const byDay = new Map<number, WantedTime[]>()
  for (const one of wanted) {
    const day = Math.floor(one.startMs / dayMs)
    byDay.set(day, [...(byDay.get(day) ?? []), one])
  }
  const taken: BookedTime[] = []
  for (const day of byDay.values()) {
    const plan = new Plan()
    for (const { id, lab, startMs, endMs } of day) {
      const change = plan.tryOut([{ id, from: startMs, until: endMs, benches: [...benchesOf(benches, lab)] }])
      if (change !== undefined) plan.apply(change)
    }
    for (const one of day) {
      const bench = plan.benchOf(one.id)
      if (bench !== undefined) taken.push({ ...one, bench })
    }
  }
  return taken.sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1))
}

/** The benches that serve the lab. */
export function benchesOf(benches: Load['benches'], lab: string): ReadonlySet<string> {
  return new Set([...benches].flatMap(([bench, labs]) => (labs.includes(lab) ? [bench] : [])))
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

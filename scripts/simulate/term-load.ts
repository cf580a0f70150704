/** The load of a term, drawn from a seed. */
import type { OutagePlan } from '@fernlab/hub/bench-care/outages'
import type { Span } from '@fernlab/hub/bookings/placement'
import { instantOf, plusDays } from '@fernlab/shared/primitives/zoned-time'
import { type Closed, type Closing, closedS } from './closing.ts'
import { generateFailures } from './failing.ts'
import { type Arrival, admitted, type Load } from './load.ts'

export interface LoadShape {
  readonly seed: number
  readonly weeks: number
  readonly benches: number
  readonly labs: number
  readonly people: number
  /** Of a person, in a week. */
  readonly queued: number
  readonly booked: number
  /** Of 100 runs (not sessions), so many last up to three times as long as they are expected to. */
  readonly overruns: number
  /** Of 100 people, so many may be bumped. */
  readonly bumpable: number
  /** Hours from a repair of a bench to its next failure, on average; 0: none fails. */
  readonly fails: number
  /** Minutes that a repair takes, on average. */
  readonly repair: number
  /** When benches are closed besides maintenance: never, or at night and at the week's end. */
  readonly closed: 'never' | 'nights'
  /** Hours a week for which each bench is maintained while people come. */
  readonly maintained: number
  /** In which people come and benches close. */
  readonly timeZone: string
  /** Its first day, a Monday: `2026-03-02`. */
  readonly begins: string
}

/** A term: 30 benches, 8 labs, 2,000 students, twelve weeks; nothing overruns, so nobody has to be bumped. */
export const term: LoadShape = {
  ...{ seed: 1, weeks: 12, benches: 30, labs: 8, people: 2000 },
  ...{ queued: 2, booked: 0.35, overruns: 0, bumpable: 0 },
  ...{ fails: 0, repair: 60, closed: 'never', maintained: 0, timeZone: 'UTC', begins: '2026-03-02' },
}

/** The same with a quarter more of everything: benches are nearly always taken while people come. */
export const fullTerm: LoadShape = { ...term, queued: term.queued * 1.25, booked: term.booked * 1.25 }

const minuteMs = 60_000
const hourMs = 3_600_000
const graceMs = 5 * minuteMs
/** Out of 100 people who come on a day, so many come in each hour from 8 to 22. */
const byHour = [3, 6, 9, 10, 8, 5, 7, 9, 10, 9, 8, 7, 6, 3]
const opensAt = 8
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
  const days = daysOf(shape)
  const dayOf = () => (days[pick(shape.weeks) * 5 + pick(5)] as Span).from
  const hourOf = () => {
    let left = random() * byHour.reduce((sum, weight) => sum + weight, 0)
    for (const [at, weight] of byHour.entries()) {
      left -= weight
      if (left < 0) return at
    }
    return hoursOpen - 1
  }
  const arrivals = Array.from({ length: Math.round(shape.people * shape.queued * shape.weeks) }, (_, at): Arrival => {
    const estimatedS = [300, 600, 1200, 2400][pick(4)] as number
    const person = pick(shape.people)
    return {
      id: `run-${String(at).padStart(7, '0')}`,
      personId: `person-${person}`,
      lab: labs[pick(shape.labs)] as string,
      atMs: dayOf() + hourOf() * hourMs + pick(hourMs),
      estimatedS,
      lastsS: Math.round(estimatedS * (0.6 + 0.4 * random())),
      mayBeBumped: person % 100 < shape.bumpable,
      kind: (['again', 'session', 'once'] as const)[at % 3] as 'again',
    }
  })
    .map((arrival) => (shape.overruns === 0 ? arrival : overrun(arrival, random, shape.overruns)))
    .sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1))
  const wanted = Array.from({ length: Math.round(shape.people * shape.booked * shape.weeks) }, (_, at) => {
    const startMs = dayOf() + hourOf() * hourMs + pick(4) * 15 * minuteMs
    const endMs = startMs + (1 + pick(3)) * 30 * minuteMs
    const leavesMs =
      random() < 0.1 ? startMs + graceMs : startMs + Math.round((endMs - startMs) * (0.7 + 0.3 * random()))
    return {
      id: `booking-${String(at).padStart(6, '0')}`,
      lab: labs[pick(shape.labs)] as string,
      createdAt: at,
      startMs,
      endMs,
      leavesMs,
    }
  })
  const closed = closedOf(shape, benches.keys(), days)
  return {
    benches,
    arrivals,
    bookings: admitted(wanted, { benches, closed }),
    openS: days.length * hoursOpen * 3600,
    open: days,
    closed,
    closedS: closedS(closed, days),
    failures: failuresOf(shape, benches.keys(), days),
  }
}

/** The hours of each working day in which people come. */
function daysOf({ begins, weeks, timeZone }: LoadShape): Span[] {
  const [year = 1970, month = 1, day = 1] = begins.split('-').map(Number)
  return Array.from({ length: weeks * 5 }, (_, at) => {
    const one = plusDays({ year, month, day, minute: opensAt * 60 }, Math.floor(at / 5) * 7 + (at % 5))
    const from = instantOf(one, timeZone, 'first')
    return { from, until: from + hoursOpen * hourMs }
  })
}

/** Drawn apart from what people do, which is the same whether benches fail or are maintained or not. */
const apart = ({ seed }: LoadShape, by: number) => randomFrom(seed + by * 1_000_003)

function failuresOf(shape: LoadShape, benches: Iterable<string>, days: readonly Span[]) {
  const [first, last] = [days[0], days.at(-1)]
  if (shape.fails === 0 || first === undefined || last === undefined) return []
  const rate = { meanBetweenMs: shape.fails * hourMs, meanRepairMs: shape.repair * minuteMs }
  return generateFailures(benches, rate, { fromMs: first.from, untilMs: last.until, random: apart(shape, 1) })
}

function closedOf(shape: LoadShape, benches: Iterable<string>, days: readonly Span[]): Closed {
  const { closed, maintained, timeZone } = shape
  const random = apart(shape, 2)
  const nights: readonly Closing[] = closed === 'never' ? [] : nightsIn(timeZone)
  return new Map(
    [...benches].map((bench) => [
      bench,
      maintained === 0 ? nights : [...nights, ...maintenance(bench, days, maintained * hourMs, random)],
    ]),
  )
}

const plan = (id: string, reason: string, when: OutagePlan['when']): Closing => ({
  plan: { id, reason, when, atOnce: false, createdBy: 'staff', createdAt: 0 },
})

const nightsIn = (timeZone: string): Closing[] => [
  plan('nights', 'closed at night', {
    ...{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '22:00', until: '08:00', timeZone },
  }),
  plan('weekend', 'closed at the week’s end', { days: ['sat', 'sun'], from: '00:00', until: '24:00', timeZone }),
  plan('monday', 'closed at night', { days: ['mon'], from: '00:00', until: '08:00', timeZone }),
]

/** On one of the days of each week, at any time that ends in the hours in which people come. */
function maintenance(bench: string, days: readonly Span[], lastsMs: number, random: () => number): Closing[] {
  return Array.from({ length: days.length / 5 }, (_, week) => {
    const { from, until } = days[week * 5 + Math.floor(random() * 5)] as Span
    const begins = from + Math.floor((random() * Math.max(0, until - from - lastsMs)) / minuteMs) * minuteMs
    return plan(`${bench}-${week + 1}`, 'maintenance', { from: begins, until: Math.min(until, begins + lastsMs) })
  })
}

/** A session has its time and no more. */
const overrun = (arrival: Arrival, random: () => number, percent: number): Arrival =>
  arrival.kind !== 'session' && random() * 100 < percent
    ? { ...arrival, lastsS: Math.round(arrival.estimatedS * (1 + 2 * random())) }
    : arrival

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

/** The scheduler alone: what a decision and a position cost with many waiting, and a term of load. */
import { decide, decideWithBookings, type SchedulingState } from '@fernlab/hub/scheduling/decide'
import { explain } from '@fernlab/hub/scheduling/explain'
import type { Place, QueueEntry } from '@fernlab/hub/scheduling/order'
import { WaitingQueue } from '@fernlab/hub/scheduling/waiting-queue'
import { type Arrival, benchesOf } from '../../simulate/load.ts'
import { fernlab, firstCome, type Policy } from '../../simulate/policies.ts'
import { simulate } from '../../simulate/simulate.ts'
import type { Outcome } from '../../simulate/tally.ts'
import { fullTerm, generateLoad, term } from '../../simulate/term-load.ts'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { quantile } from '../framework/statistics.ts'

const TIMES = 500

/** Microseconds of one, the median of many. */
function timed(work: (at: number) => void): number {
  const times = Array.from({ length: TIMES }, (_, at) => {
    const startedAt = performance.now()
    work(at)
    return (performance.now() - startedAt) * 1000
  })
  return quantile(times, 0.5)
}

function costsWith(waiting: number): { decision: number; position: number; booked: number } {
  const load = generateLoad({ ...term, weeks: 1, queued: 6, booked: 0.7 })
  const labs = [...new Set([...load.benches.values()].flat())]
  const able = new Map(labs.map((lab) => [lab, benchesOf(load.benches, lab)]))
  const serves = ({ lab }: QueueEntry, bench: string) => able.get(lab.id)?.has(bench) === true
  const queue = new WaitingQueue<QueueEntry>()
  const entryOf = ({ id, personId, lab, estimatedS }: Arrival, createdAt: number): QueueEntry => ({
    id,
    personId,
    lab: { id: lab, version: 1 },
    wantedBench: null,
    priority: 5,
    createdAt,
    countsFrom: queue.countsFrom(personId, lab, createdAt),
    estimatedS,
  })
  const entries = load.arrivals.slice(0, waiting).map((arrival, at) => entryOf(arrival, at * 1000))
  for (const entry of entries) queue.add(entry)
  const nowMs = waiting * 1000
  queue.lines(nowMs)
  const names = [...load.benches.keys()]
  const benches = names.map((id, at) => ({ id, freeInS: 60 + at }))
  // A bench comes back, somebody gets it, and somebody else comes.
  const decision = timed((at) => {
    const [next] = decide(
      { lines: queue.lines(nowMs), freeBenches: [names[at % names.length] as string], serves },
      nowMs,
    )
    if (next === undefined) return
    queue.remove(next.entry)
    queue.hold(next.entry)
    queue.release(next.entry, 1000 * (next.entry.estimatedS ?? 0) - 1500, nowMs)
    queue.add(entryOf({ ...load.arrivals[waiting + at], id: `later-${at}` } as Arrival, nowMs + at))
  })
  const asked = entries.filter((entry) => queue.has(entry))
  const position = timed((at) => {
    const entry = asked[(at * 7919) % asked.length] as QueueEntry
    explain(queue.placeOf(entry) as Place<QueueEntry>, { lines: queue.lines(nowMs), benches, serves })
  })
  return { decision, position, booked: bookedDecision(load, { lines: queue.lines(nowMs), serves }) }
}

/** What is booked in the 31 hours from the first booking on, one bench after the other coming back. */
function bookedDecision(
  { benches, bookings }: ReturnType<typeof generateLoad>,
  state: Pick<SchedulingState<QueueEntry>, 'lines' | 'serves'>,
): number {
  const nowMs = bookings.reduce((first, { startMs }) => Math.min(first, startMs), Number.POSITIVE_INFINITY) - 1
  const near = bookings.filter(({ startMs }) => startMs < nowMs + 31 * 3_600_000)
  const places = near.map(({ id, lab, startMs, endMs }) => ({
    id,
    from: startMs,
    until: endMs,
    benches: [...benchesOf(benches, lab)],
    opens: true,
  }))
  const names = [...benches.keys()]
  const backAtMs = () => nowMs
  let standing: ReadonlyMap<string, string> = new Map(near.map(({ id, bench }) => [id, bench]))
  return timed((at) => {
    const freeBenches = [names[at % names.length] as string]
    standing = decideWithBookings({ ...state, freeBenches, places, backAtMs, standing }, nowMs).standing
  })
}

const costs: Contestant = {
  name: 'Fernlab',
  what:
    '30 benches, 8 labs, 2,000 students; a decision is: a bench comes back with other bench time than expected, its person’s ' +
    'runs move, the next is chosen and taken out, another comes in; one with bookings plans what is booked in the next 31 ' +
    'hours besides; a position is place, start and reason of one that waits',
  start: async () => ({
    round: async () => {
      const few = costsWith(1000)
      const many = costsWith(10_000)
      return {
        figures: {
          'decision-1000': few.decision,
          'decision-10000': many.decision,
          'decision-booked': few.booked,
          'position-1000': few.position,
          'position-10000': many.position,
        },
      }
    },
    close: async () => {},
  }),
}

const figuresOf = (
  { utilisation, waitS, fairness, lateBookings }: Outcome,
  end: '' | '-full',
): Record<string, number> => ({
  [`utilisation${end}`]: utilisation * 100,
  [`mean${end}`]: waitS.mean / 60,
  [`p95${end}`]: waitS.p95 / 60,
  [`fairness${end}`]: fairness,
  [`late${end}`]: lateBookings,
})

const termFigures = (end: '' | '-full', when: string): Benchmark['figures'] => [
  { name: `utilisation${end}`, title: `${when}: utilisation of the open hours`, unit: '%' },
  { name: `mean${end}`, title: `${when}: mean wait`, unit: 'min' },
  { name: `p95${end}`, title: `${when}: 95th percentile of the wait`, unit: 'min' },
  { name: `fairness${end}`, title: `${when}: fairness (Jain)`, unit: 'of 1' },
  { name: `late${end}`, title: `${when}: late bookings`, unit: 'bookings', aim: { bound: 'at most', value: 0 } },
]

const played = (
  name: string,
  what: string,
  policyOf: (load: ReturnType<typeof generateLoad>) => Policy,
): Contestant => ({
  name,
  what,
  start: async () => {
    const loads = { usual: generateLoad(term), full: generateLoad(fullTerm) }
    return {
      round: async () => {
        const startedAt = performance.now()
        const usual = simulate(loads.usual, policyOf(loads.usual))
        const took = (performance.now() - startedAt) / 1000
        const full = simulate(loads.full, policyOf(loads.full))
        return { figures: { ...figuresOf(usual, ''), ...figuresOf(full, '-full'), took }, raw: { usual, full } }
      },
      close: async () => {},
    }
  },
})

/** The scheduler's figures. */
export const schedulingBenchmarks: readonly Benchmark[] = [
  {
    name: 'scheduling-waiting',
    title: 'A decision and a position with many waiting',
    figures: [
      { name: 'decision-1000', title: 'a decision, 1,000 waiting', unit: 'µs' },
      { name: 'decision-10000', title: 'a decision, 10,000 waiting', unit: 'µs' },
      {
        name: 'decision-booked',
        title: 'a decision, 1,000 waiting, some 300 booked',
        unit: 'µs',
        aim: { bound: 'at most', value: 1000 },
      },
      { name: 'position-1000', title: 'a position, 1,000 waiting', unit: 'µs' },
      { name: 'position-10000', title: 'a position, 10,000 waiting', unit: 'µs' },
    ],
    contestants: [costs],
  },
  {
    name: 'scheduling-term',
    title: 'A simulated term: 30 benches, 8 labs, 2,000 students, bookings and queue mixed',
    rounds: 1,
    figures: [
      ...termFigures('', 'a usual term'),
      ...termFigures('-full', 'a quarter more'),
      { name: 'took', title: 'to play the usual one', unit: 's', aim: { bound: 'at most', value: 120 } },
    ],
    contestants: [
      played(
        'Fernlab',
        'the hub’s own decisions, generated load of twelve weeks (`npm run simulate`, and with `--load 125`)',
        fernlab,
      ),
      played(
        'strict first come',
        'the same load; of each lab who came first is served first and nobody before, a booking has its bench from when it is ' +
          'made and a bench is kept free for it: our sketch of what Sahara does',
        firstCome,
      ),
    ],
  },
]

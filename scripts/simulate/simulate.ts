/** Plays a load against a policy, from one event to the next. */
import { stopMs } from '@fernlab/hub/scheduling/bumping'
import { withMargin } from '@fernlab/hub/scheduling/reserved'
import { Closings } from './closing.ts'
import { Broken } from './failing.ts'
import { lateBecause } from './late-because.ts'
import { type Arrival, type BookedTime, claimOf, type Load } from './load.ts'
import { aheadMs, bumpRules, type Given, type Policy } from './policies.ts'
import { type Outcome, Tally } from './tally.ts'
import { restAfterFailure, restOf } from './what-is-left.ts'

interface Use {
  readonly bench: string
  readonly startedMs: number
  /** Unless it has to leave before. */
  readonly endsMs: number
  readonly expectedMs: number
  readonly leaving?: { readonly place: string; readonly atMs: number }
  readonly arrival?: Arrival
}

const endOf = ({ endsMs, leaving }: Use): number => Math.min(endsMs, leaving?.atMs ?? Number.POSITIVE_INFINITY)

/** Nothing that still waits so long after the last has come is waited for. */
const patienceMs = 28 * 86_400_000

/** Plays it to its end. */
export function simulate(load: Load, policy: Policy): Outcome {
  const tally = new Tally(load)
  const closings = new Closings(load.closed ?? new Map())
  const broken = new Broken(load.failures ?? [])
  const uses = new Map<string, Use>()
  const times = eventTimes(load)
  const lastMs = (times.at(-1) ?? 0) + patienceMs
  const judged = new Set<string>()
  let bookings: readonly BookedTime[] = load.bookings.toSorted((a, b) => a.startMs - b.startMs)
  let arrived = 0
  let at = 0
  let nowMs = 0

  /** Of the ends of uses, what comes, and, as long as somebody waits, what becomes of benches. */
  const nextEvent = (): number => {
    let nextMs = times[at] ?? Number.POSITIVE_INFINITY
    for (const use of uses.values()) nextMs = Math.min(nextMs, endOf(use))
    const isAwaited = policy.waiting > 0 || bookings.length > 0
    if (uses.size > 0 || isAwaited || nextMs < Number.POSITIVE_INFINITY) nextMs = Math.min(nextMs, broken.nextMs())
    return isAwaited ? Math.min(nextMs, closings.nextMs()) : nextMs
  }

  const end = (use: Use) => {
    const { bench, startedMs, arrival, leaving } = use
    uses.delete(bench)
    tally.used(startedMs, nowMs)
    if (arrival === undefined) return
    const hasLeft = leaving !== undefined && use.endsMs > nowMs
    const rest = hasLeft ? restOf(arrival, (nowMs - startedMs) / 1000, nowMs) : undefined
    policy.ended(arrival, hasLeft && arrival.kind === 'again' ? 0 : nowMs - startedMs, nowMs)
    if (rest !== undefined) policy.add(rest, true)
  }

  const fail = (bench: string) => {
    tally.failures++
    const use = uses.get(bench)
    if (use === undefined) return
    uses.delete(bench)
    tally.used(use.startedMs, nowMs)
    const { arrival } = use
    const rest = arrival === undefined ? undefined : restAfterFailure(arrival, nowMs)
    if (arrival !== undefined) policy.ended(arrival, rest === undefined ? nowMs - use.startedMs : 0, nowMs)
    if (rest === undefined) tally.cutShort++
    else {
      tally.putBack++
      policy.add(rest, true)
    }
  }

  const isFree = (bench: string) => !uses.has(bench) && !broken.has(bench) && closings.isOpen(bench)

  const atMs =
    (timeOf: (use: Use) => number) =>
    (bench: string): number => {
      if (broken.has(bench)) return Number.POSITIVE_INFINITY
      const use = uses.get(bench)
      return use === undefined ? nowMs : Math.min(timeOf(use), use.leaving?.atMs ?? Number.POSITIVE_INFINITY)
    }
  const backAtMs = atMs(({ expectedMs }) => expectedMs)
  const latestAtMs = atMs(({ arrival, startedMs, expectedMs }) =>
    arrival === undefined ? expectedMs : startedMs + withMargin(arrival.estimatedS),
  )

  const begin = ({ bumps, spared, bookings: starts, arrivals }: Given) => {
    for (const id of spared) {
      const use = [...uses.values()].find(({ arrival }) => arrival?.id === id)
      if (use !== undefined) {
        const { leaving, ...staying } = use
        uses.set(use.bench, staying)
      }
    }
    for (const { bench, place, atMs } of bumps) {
      const use = uses.get(bench)
      if (use === undefined) continue
      tally.bumped++
      uses.set(bench, { ...use, leaving: { place, atMs: Math.max(atMs, nowMs + 1) } })
    }
    for (const { booking, bench } of starts) {
      tally.began(nowMs - booking.startMs)
      const endsMs = Math.max(nowMs + 1, booking.leavesMs)
      uses.set(bench, { bench, startedMs: nowMs, endsMs, expectedMs: booking.endMs })
    }
    if (starts.length > 0) {
      const begun = new Set(starts.map(({ booking }) => booking))
      bookings = bookings.filter((booking) => !begun.has(booking))
    }
    for (const { arrival, bench } of arrivals) {
      tally.served(arrival, nowMs)
      const endsMs = nowMs + Math.max(1, arrival.lastsS * 1000)
      uses.set(bench, { bench, startedMs: nowMs, endsMs, expectedMs: nowMs + arrival.estimatedS * 1000, arrival })
    }
  }

  const decide = () => {
    const due = bookings[0] !== undefined && bookings[0].startMs <= nowMs
    const free = [...load.benches.keys()].filter(isFree)
    const isNear = bookings[0] !== undefined && bookings[0].startMs - bumpRules.warningMs <= nowMs
    if (!isNear && (free.length === 0 || (policy.waiting === 0 && !due))) return
    tally.decisions++
    const holders = [...uses.values()].flatMap(({ arrival, bench, startedMs: sinceMs, leaving }) =>
      arrival === undefined ? [] : [{ arrival, bench, sinceMs, leaving }],
    )
    const works = (bench: string) => !broken.has(bench)
    begin(policy.decide({ nowMs, free, backAtMs, latestAtMs, works, bookings, holders, closings }))
  }

  /** Most of a term is not looked at. */
  const startingBy = (ms: number): readonly BookedTime[] => {
    const later = bookings.findIndex(({ startMs }) => startMs > ms)
    return later < 0 ? bookings : bookings.slice(0, later)
  }

  /** Those whose grace is over and that have not begun. */
  const judge = () => {
    const late = startingBy(nowMs - bumpRules.graceMs).filter(({ id }) => !judged.has(id))
    if (late.length === 0) return
    const pending = startingBy(nowMs + aheadMs).map((booking) => claimOf(booking, load.benches, closings))
    const held = [...uses.values()].flatMap((use): [string, number][] =>
      use.arrival === undefined ? [[use.bench, use.expectedMs]] : [],
    )
    const taken = [...uses.values()].flatMap(({ arrival, bench, expectedMs }): [string, number][] =>
      arrival !== undefined && arrival.mayBeBumped !== true ? [[bench, expectedMs]] : [],
    )
    const state = {
      ...{ pending, held: new Map(held), taken: new Map(taken) },
      works: (bench: string) => !broken.has(bench),
    }
    const causes = lateBecause(new Set(late.map(({ id }) => id)), state, nowMs)
    for (const [id, because] of causes) {
      judged.add(id)
      tally.beyondGrace(because)
    }
  }

  for (nowMs = times[0] ?? Number.POSITIVE_INFINITY; nowMs <= lastMs; nowMs = nextEvent()) {
    while (times[at] !== undefined && (times[at] as number) <= nowMs) at++
    closings.advance(nowMs)
    for (const use of [...uses.values()]) if (endOf(use) <= nowMs) end(use)
    for (const bench of broken.advance(nowMs)) fail(bench)
    const over = startingBy(nowMs).filter(({ endMs }) => endMs <= nowMs)
    if (over.length > 0) {
      tally.neverBegan += over.length
      bookings = bookings.filter(({ endMs }) => endMs > nowMs)
    }
    for (let next = load.arrivals[arrived]; next !== undefined && next.atMs <= nowMs; next = load.arrivals[arrived]) {
      policy.add(next)
      arrived++
    }
    decide()
    judge()
  }
  return tally.outcome(policy.waiting)
}

/** When somebody comes, has booked, may have to be told, or has waited for their booking for too long, in order. */
function eventTimes({ arrivals, bookings }: Load): number[] {
  const { warningMs, graceMs } = bumpRules
  const isBumping = arrivals.some(({ mayBeBumped }) => mayBeBumped)
  const around = isBumping ? [-warningMs, 0, graceMs - stopMs, graceMs] : [0, graceMs]
  const times = bookings.flatMap(({ startMs, endMs }) => [endMs, ...around.map((ms) => startMs + ms)])
  return [...new Set([...arrivals.map(({ atMs }) => atMs), ...times])].sort((a, b) => a - b)
}

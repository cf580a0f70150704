/** What a simulation plays: who comes when for which lab, and who has booked. */
import { inOrderOf } from '@fernlab/hub/bookings/booking-book'
import { claimsOf } from '@fernlab/hub/bookings/free-times'
import type { Claim, Span } from '@fernlab/hub/bookings/placement'
import { Plan } from '@fernlab/hub/bookings/plan'
import { type Closed, Closings } from './closing.ts'
import type { Failure } from './failing.ts'

export interface Arrival {
  readonly id: string
  readonly personId: string
  readonly lab: string
  readonly atMs: number
  /** As the queue is told. */
  readonly estimatedS: number
  /** As it turns out. */
  readonly lastsS: number
  /** The usual one unless given. */
  readonly priority?: number
  /** Its person's permissions let it be bumped. */
  readonly mayBeBumped?: boolean
  readonly kind?: 'again' | 'session' | 'once'
  /** How often its bench has failed under it. */
  readonly restarts?: number
}

export interface BookedTime {
  readonly id: string
  readonly lab: string
  /** When it was booked: who came first keeps a bench where these are too few. */
  readonly createdAt: number
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
  /** Seconds in which people come; utilisation is of these. */
  readonly openS: number
  /** When that is, the earliest first; always unless given. */
  readonly open?: readonly Span[]
  /** When benches are not for anybody; nobody's unless given. */
  readonly closed?: Closed
  /** For so many seconds of the time in which people come, of all benches together. */
  readonly closedS?: number
  /** By time. */
  readonly failures?: readonly Failure[]
}

export type WantedTime = Omit<BookedTime, 'bench'>

/** What a booking needs: a bench that is open all the time. */
export function claimOf({ id, lab, startMs, endMs }: WantedTime, benches: Load['benches'], closings: Closings): Claim {
  const closed = (bench: string, span: Span) => closings.closed(bench, span)
  const wanted = { lengthMs: endMs - startMs, places: 1, benches: [...benchesOf(benches, lab)], closed }
  return claimsOf(id, wanted, startMs)[0] as Claim
}

/** What the calendar takes, in the order of booking: what can be kept with all that it took before. */
export function admitted(
  wanted: readonly WantedTime[],
  { benches, closed = new Map() }: Pick<Load, 'benches' | 'closed'>,
): BookedTime[] {
  const closings = new Closings(closed)
  const taken: BookedTime[] = []
  for (const together of clusters(inOrderOf(wanted))) {
    const plan = new Plan()
    closings.advance(Math.min(...together.map(({ startMs }) => startMs)))
    for (const one of together) {
      const change = plan.tryOut([claimOf(one, benches, closings)])
      if (change !== undefined) plan.apply(change)
    }
    for (const one of together) {
      const bench = plan.benchOf(one.id)
      if (bench !== undefined) taken.push({ ...one, bench })
    }
  }
  return taken.sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1))
}

/** Those that have nothing to do with each other apart, such as two days': each of them is planned alone. */
function clusters(wanted: readonly WantedTime[]): WantedTime[][] {
  const order = new Map(wanted.map((one, at) => [one, at]))
  const found: WantedTime[][] = []
  let endsMs = Number.NEGATIVE_INFINITY
  for (const one of [...wanted].sort((a, b) => a.startMs - b.startMs)) {
    if (one.startMs >= endsMs) found.push([])
    found.at(-1)?.push(one)
    endsMs = Math.max(endsMs, one.endMs)
  }
  return found.map((together) => together.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)))
}

/** The benches that serve the lab. */
export function benchesOf(benches: Load['benches'], lab: string): ReadonlySet<string> {
  return new Set([...benches].flatMap(([bench, labs]) => (labs.includes(lab) ? [bench] : [])))
}

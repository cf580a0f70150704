/** What is left to be done of those that did not keep their bench. Pure. */
import { MOST_RESTARTS } from '@fernlab/hub/ingest/judge-stop'
import type { Arrival } from './load.ts'

/** A rest that is shorter is not worth a session. */
const leastS = 30

/** Of one that had to leave for a booking: a run that may start again begins anew, a session has the rest of its time. */
export function restOf(arrival: Arrival, doneS: number, atMs: number): Arrival | undefined {
  if (arrival.kind === 'again') return { ...arrival, atMs }
  const lastsS = arrival.lastsS - doneS
  if (arrival.kind !== 'session' || lastsS < leastS) return undefined
  return { ...arrival, atMs, lastsS, estimatedS: Math.max(lastsS, arrival.estimatedS - doneS) }
}

/** Of one whose bench failed: a run that may start again does, as often as the hub lets it; what else there is ends. */
export function restAfterFailure(arrival: Arrival, atMs: number): Arrival | undefined {
  const restarts = (arrival.restarts ?? 0) + 1
  return arrival.kind === 'again' && restarts <= MOST_RESTARTS ? { ...arrival, atMs, restarts } : undefined
}

/**
 * The clock by which the times of an attempt and of its session are told: the hub's as it was set when the attempt got its
 * bench, and steady from then on. So whoever sets the hub's clock meanwhile makes no run longer, shorter or end before it
 * began; what is shown or held against a calendar is told by the clock as it is now (`setSince`).
 */
import type { Clock } from '@fernlab/shared/primitives/clock'

export interface AttemptClock {
  /** By the hub's clock as it was then. */
  readonly assignedAtMs: number
  /** The same moment, monotonic. */
  assignedSteadyMs: number
  /** By how much the hub's clock was found to be set since. */
  setMs: number
}

type Clocks = Pick<Clock, 'now' | 'monotonic'>

/** A clock that runs with the hub's; this is when its attempt got its bench. */
export const attemptClock = (assignedAtMs: number, clock: Clocks): AttemptClock => ({
  assignedAtMs,
  assignedSteadyMs: clock.monotonic() - (clock.now() - assignedAtMs),
  setMs: 0,
})

/** Epoch ms now, by the clock of the attempt; of the hub where there is none. */
export const attemptNow = (of: AttemptClock | undefined, clock: Clocks): number =>
  of === undefined ? clock.now() : Math.round(of.assignedAtMs + clock.monotonic() - of.assignedSteadyMs)

/** A session that is active since then has lasted so long, as its node says: that is how late it is by the attempt's clock. */
export function hasLasted(
  of: AttemptClock,
  { activeAt, seconds }: { readonly activeAt: number; readonly seconds: number },
  clock: Clocks,
): void {
  of.assignedSteadyMs = clock.monotonic() - (activeAt + seconds * 1000 - of.assignedAtMs)
}

/** Goes on as it was known before its attempt was read from the disk again, which does not know whether the clock was set. */
export function goesOn(of: AttemptClock, { assignedSteadyMs, setMs }: AttemptClock): void {
  of.assignedSteadyMs = assignedSteadyMs
  of.setMs = setMs
}

/** A clock is put right bit by bit all the time. */
const leastSetMs = 1000

/** By how many ms the hub's clock was set ahead since the attempt got its bench; below 0: back. The same until it is set again. */
export function setSince(of: AttemptClock | undefined, clock: Clocks): number {
  if (of === undefined) return 0
  const setMs = clock.now() - attemptNow(of, clock)
  // Less than the least is what a node's message was under way.
  if (Math.abs(setMs - of.setMs) >= leastSetMs) of.setMs = Math.abs(setMs) < leastSetMs ? 0 : Math.round(setMs)
  return of.setMs
}

/** The states of a daemon, as a table. */
import type { DaemonState } from '@fernlab/shared/contracts/daemon-control'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** `end`: its process has ended. `due`: the pause is over. `give-up`: it ended too often. */
export type DaemonEvent = 'start' | 'ready' | 'silence' | 'answer' | 'end' | 'due' | 'give-up' | 'stop'

const table: Readonly<Record<DaemonState, Readonly<Partial<Record<DaemonEvent, DaemonState>>>>> = {
  stopped: { start: 'starting' },
  starting: { ready: 'up', end: 'backing-off', stop: 'stopping' },
  up: { silence: 'unhealthy', end: 'backing-off', stop: 'stopping' },
  unhealthy: { answer: 'up', end: 'backing-off', stop: 'stopping' },
  'backing-off': { due: 'starting', 'give-up': 'failed', stop: 'stopped' },
  failed: { start: 'starting', stop: 'stopped' },
  stopping: { end: 'stopped' },
}

/** The state after the event; throws `daemon-state` for one that can't come in that state. */
export function nextState(state: DaemonState, event: DaemonEvent): DaemonState {
  const next = table[state][event]
  if (next !== undefined) return next
  throw new LabError({ code: 'daemon-state', kind: 'bug', message: `a daemon that is ${state} can have no ${event}` })
}

const FIRST_MS = 250
const LONGEST_MS = 15_000
const WINDOW_MS = 60_000
const MOST_ENDS = 6

/**
 * How long to wait after the newest of these ends, each in monotonic milliseconds, or undefined where it ended too often to
 * be started again: more than six times in a minute. `ends` loses those that count no more.
 */
export function pauseAfter(ends: number[], now: number): number | undefined {
  while (ends[0] !== undefined && ends[0] <= now - WINDOW_MS) ends.shift()
  if (ends.length > MOST_ENDS) return undefined
  return Math.min(FIRST_MS * 2 ** (Math.max(1, ends.length) - 1), LONGEST_MS)
}

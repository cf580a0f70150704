/**
 * When an attempt of a run has more documents, and when it will have no more.
 *
 * INVARIANTS: what was stored before the run's state is read is read once more after it, so that an end loses nothing;
 * nudges only say that it is time to look.
 */
import type { Run } from '@fernlab/shared/contracts/api'
import { isFinal } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Runs } from '../runs/runs.ts'
import { type Look, lookAtOnce } from './followers.ts'
import { heartbeatMs } from './run-events.ts'

export interface FollowAttemptOptions {
  readonly runs: Pick<Runs, 'get' | 'onChange'>
  readonly clock: Clock
  readonly runId: Run['id']
  readonly attempt: number
  /** The reader is gone. */
  readonly signal: AbortSignal
  /** By which the run is looked up; at once unless given. */
  readonly look?: Look
}

export interface FollowedAttempt {
  /** Resolves when it is time to read on, after a heartbeat's time without news, or at the end. */
  more(): Promise<'news' | 'quiet' | 'end'>
  stop(): void
}

/** Begins to listen at once. */
export function followAttempt(options: FollowAttemptOptions): FollowedAttempt {
  const { runs, clock, runId, attempt, signal, look = lookAtOnce } = options
  let hasNews = false
  let isOver = false
  let wake = () => {}
  const hear = () => {
    hasNews = true
    wake()
  }
  const stop = runs.onChange((change) => {
    if (change.runId === runId && (change.kind === 'documents' || change.kind === 'state')) hear()
  })
  const quiet = () =>
    new Promise<void>((resolve) => {
      const cancel = clock.after(heartbeatMs, () => wake())
      const onAbort = () => wake()
      wake = () => {
        wake = () => {}
        cancel()
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      signal.addEventListener('abort', onAbort, { once: true })
    })
  return {
    stop,
    more: async () => {
      if (isOver) return 'end'
      const present = await look(() => runs.get(runId))
      if (present === undefined || signal.aborted) return 'end'
      if (isFinal(present.state) || present.attempt > attempt) {
        isOver = true
        return 'news'
      }
      if (!hasNews) await quiet()
      if (signal.aborted) return 'end'
      if (!hasNews) return 'quiet'
      hasNews = false
      return 'news'
    },
  }
}

/** Asks a laboratory's own server how a session stands, as often as it wants to be asked. */
import type { CommandRow } from '@fernlab/shared/contracts/session-columns'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { LeasedLabServer } from '../benches/lease.ts'
import type { Visit } from './visit.ts'

export interface FollowVisitOptions {
  readonly visit: Visit
  readonly server: LeasedLabServer
  readonly part: string
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly note: (row: Partial<CommandRow>) => void
}

/** A server that has not answered so often in a row has died. */
const MOST_FAILURES = 3
const AGAIN_S = 5
/** No server needs to be asked more often. */
const SHORTEST_S = 0.5
const LONGEST_S = 3600

/**
 * Resolves with `ended` when the server says that the session is over, with `left` when the signal aborts; rejects with
 * `lab-server-lost` when the server does not answer any more.
 */
export async function followVisit(options: FollowVisitOptions): Promise<'ended' | 'left'> {
  const { visit, server, part, clock, log, signal, note } = options
  const untilLeft = () =>
    new Promise<'left'>((resolve) => {
      if (signal.aborted) resolve('left')
      else signal.addEventListener('abort', () => resolve('left'), { once: true })
    })
  let failures = 0
  try {
    for (;;) {
      let againS = AGAIN_S
      try {
        againS = await visit.status(server, signal)
        if (failures > 0) note({ what: 'lab-status', target: part, value: JSON.stringify(againS), outcome: 'done' })
        failures = 0
      } catch (thrown) {
        if (signal.aborted) return 'left'
        const { message } = asLabError(thrown)
        note({ what: 'lab-status', target: part, outcome: message })
        log.warn({ part, failures: ++failures, error: message }, "a lab's own server did not say how a session stands")
        if (failures >= MOST_FAILURES) throw lost(message)
      }
      if (againS < 0) {
        note({ what: 'lab-status', target: part, value: JSON.stringify(againS), outcome: 'done' })
        return 'ended'
      }
      // It does not want to be asked again: the session ends by its time, or is finished.
      if (againS === 0) return await untilLeft()
      await clock.sleep(Math.min(Math.max(againS, SHORTEST_S), LONGEST_S) * 1000, signal)
    }
  } catch (thrown) {
    if (signal.aborted) return 'left'
    throw thrown
  }
}

function lost(message: string): LabError {
  return new LabError({
    code: 'lab-server-lost',
    kind: 'instrument',
    retry: 'later',
    message: `the lab's server did not answer ${MOST_FAILURES} times in a row: ${message}`,
    studentMessage: 'The server of this lab does not answer any more. The session was ended.',
  })
}

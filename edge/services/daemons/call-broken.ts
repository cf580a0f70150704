/** What a caller is told whose call a daemon's process has not answered since it ended, and why a service can not be called. Pure. */
import type { DaemonState } from '@fernlab/shared/contracts/daemon-control'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface BrokenCall {
  /** As its caller named it: `fit/slope`. */
  readonly called: string
  readonly daemon: string
  /** How the process ended. */
  readonly reason: string
  /** Of the daemon, since. */
  readonly state: DaemonState
  /** It may have been done. */
  readonly isUncertain: boolean
}

/** `call-uncertain` of what may have been done, and `service-gone` of what was not, or may be repeated. */
export function callBroken({ called, daemon, reason, state, isUncertain }: BrokenCall): LabError {
  const details = { method: called, daemon }
  const ended = `the process of daemon ${daemon} ended (${reason})`
  if (!isUncertain) {
    const message = `${called} ended early, since ${ended}; ${nextStep(state, daemon)}`
    return new LabError({ code: 'service-gone', kind: 'link', retry: 'later', message, details })
  }
  const doubt = 'so it may have been done or not'
  return new LabError({
    code: 'call-uncertain',
    kind: 'link',
    message: `${called} was sent, and ${ended} before it answered, ${doubt}; "fernlab daemon logs ${daemon}" on its machine has what the process wrote`,
    studentMessage: `${called} ended early, since the process of its service ended: it may have been done or not. Look at what is before you repeat it.`,
    details,
  })
}

/** What whoever can not call a service of a daemon in that state does about it. */
export function nextStep(state: DaemonState, daemon: string): string {
  if (state === 'backing-off' || state === 'starting') return 'it is started again by itself: try again in a moment'
  if (state === 'up' || state === 'unhealthy') return 'try again in a moment'
  return `"fernlab daemon up ${daemon}" on its machine starts it`
}

/** How long a session may be. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import type { Caller } from '../accounts/caller.ts'
import type { Standings } from '../permissions/standings.ts'

/** What the lab allows, or the person's permissions where those are less; without any, submitting says so. Throws `no-session-time`. */
export async function mostSessionS(
  standings: Standings,
  person: Caller,
  lab: string,
  mostSeconds: number,
): Promise<number> {
  const { gives, holding } = (await standings.of(person, lab)).effective(SESSION_PROTOCOL)
  if (holding.length === 0) return mostSeconds
  if (gives.sessionS === 0) throw noSessionTime(lab)
  return Math.min(mostSeconds, gives.sessionS ?? mostSeconds)
}

/** It may be so long at most. */
export function tooLong(mostSeconds: number): LabError {
  return new LabError({
    code: 'session-too-long',
    kind: 'caller',
    message: `a session of this lab may last ${mostSeconds} s at most`,
    issues: [{ path: 'seconds', message: `must be ${mostSeconds} at most` }],
  })
}

function noSessionTime(lab: string): LabError {
  return new LabError({
    code: 'no-session-time',
    kind: 'caller',
    message: `the permissions give this person no time for sessions of ${lab}`,
    issues: [{ path: 'seconds', message: 'may be 0 at most' }],
    studentMessage: 'Your permissions give no time for sessions of this lab. Its page says whom to ask.',
  })
}

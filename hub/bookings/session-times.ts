/** What the session of a lab needs besides the person's time. */
import { estimate } from '@fernlab/shared/protocol/estimate'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import { type CatalogueLab, protocolIn } from '../catalogue/catalogue.ts'

/** So far ahead places of bookings are planned: no run lasts longer than a day, nor than a day and a quarter where it is slow. */
export const AHEAD_MS = 31 * 3_600_000

export interface SessionNeeds {
  /** Before the person has the bench, and after. */
  readonly prepareMs: number
  readonly cleanUpMs: number
}

const none: SessionNeeds = { prepareMs: 0, cleanUpMs: 0 }
const known = new WeakMap<Protocol, SessionNeeds>()

/** Nothing for a lab that offers no sessions. */
export function sessionNeeds(lab: CatalogueLab): SessionNeeds {
  const protocol = protocolIn(lab, SESSION_PROTOCOL)?.definition
  if (protocol === undefined) return none
  let needs = known.get(protocol)
  if (needs === undefined) {
    const { cleanUp = [], ...rest } = protocol
    const lasts = (steps: Protocol['steps'], seconds: number) =>
      Math.ceil(estimate({ ...rest, steps }, { seconds }).seconds - seconds) * 1000
    needs = {
      prepareMs: Math.max(0, lasts(rest.steps, 1)),
      cleanUpMs: cleanUp.length === 0 ? 0 : lasts(cleanUp, 0),
    }
    known.set(protocol, needs)
  }
  return needs
}

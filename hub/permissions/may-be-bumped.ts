/** Whose runs may be ended for bookings, at hand for decisions. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { OpenRun } from '../runs/open-runs.ts'
import type { Store } from '../store/store.ts'
import type { Standing, Standings } from './standings.ts'

type Asked = Pick<OpenRun, 'personId' | 'lab' | 'protocol'>

export interface MayBeBumped {
  /** False until it is known, which `onKnown` tells; somebody without any permission is not bumped. */
  of(run: Asked): boolean
  /** Permissions or groups have changed. */
  forget(): void
}

export interface MayBeBumpedOptions {
  readonly store: Pick<Store, 'db'>
  readonly standings: () => Pick<Standings, 'of'>
  readonly clock: Clock
  readonly log: Log
  readonly onKnown: () => void
}

/** What was found is asked for again after so long: roles change. */
const freshMs = 5000
const mostRemembered = 1000

interface Known {
  standing?: Standing | undefined
  askedAt: number
}

/** Asks for the standing of each person whose bench is wanted. */
export function createMayBeBumped({ store, standings, clock, log, onKnown }: MayBeBumpedOptions): MayBeBumped {
  const known = new Map<string, Known>()

  const ask = async ({ personId, lab }: Asked, entry: Known) => {
    const person = await store.db.selectFrom('person').select('role').where('id', '=', personId).executeTakeFirst()
    const role = person?.role
    entry.standing = role === undefined ? undefined : await standings().of({ personId, role }, lab.id)
    onKnown()
  }

  return {
    forget: () => known.clear(),
    of: (run) => {
      const key = `${run.personId} ${run.lab.id}`
      const now = clock.monotonic()
      let entry = known.get(key)
      if (entry === undefined || now - entry.askedAt >= freshMs) {
        if (known.size >= mostRemembered) known.clear()
        entry = { standing: entry?.standing, askedAt: now }
        known.set(key, entry)
        ask(run, entry).catch((error: unknown) =>
          log.warn({ error: asLabError(error).message }, 'what somebody may is not known, who is not bumped therefore'),
        )
      }
      const effective = entry.standing?.effective(run.protocol)
      return effective !== undefined && effective.holding.length > 0 && effective.gives.mayBeBumped
    },
  }
}

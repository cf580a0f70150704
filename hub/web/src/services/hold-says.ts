/** Who has a service, as its page says it. Pure. */
import type { Me } from '@fernlab/shared/contracts/api'
import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { isStaff } from '@fernlab/shared/contracts/people'
import type { LinkState } from './service-link.ts'

/**
 * `held`: this page has it; `elsewhere`: the person, in another page or program; `others`; `run`: a run or a session;
 * `look`: the person may never; `free`; `use`: nobody has it, and it is used without being taken. `away`: no way leads
 * there, so that nothing can be done; `held-away`: this page had it when there was one.
 */
export type HoldSays = 'held' | 'elsewhere' | 'others' | 'run' | 'look' | 'free' | 'use' | 'away' | 'held-away'

/** Whether no way leads there at present; not while the first is still looked for. */
export const isUnreached = ({ way, ways, unread }: Pick<LinkState, 'way' | 'ways' | 'unread'>): boolean =>
  way === undefined && (ways.length > 0 || unread !== undefined)

export function holdSays(
  { state, lockedBy, bench }: Pick<DirectoryService, 'state' | 'lockedBy' | 'bench'>,
  role: Me['role'] | undefined,
  link: Pick<LinkState, 'lock' | 'way' | 'ways' | 'unread'> | undefined,
): HoldSays {
  const isAway = link !== undefined && isUnreached(link)
  if (link?.lock === 'held' || link?.lock === 'releasing') return isAway ? 'held-away' : 'held'
  if (isAway && isStaff(role)) return 'away'
  if (!isStaff(role)) return state === 'locked' && mayEndOthers(role) ? 'others' : 'look'
  if (lockedBy?.mine === true) return 'elsewhere'
  if (state === 'locked') return 'others'
  if (state === 'busy') return 'run'
  return bench === undefined ? 'use' : 'free'
}

/** Whether the person may end locks of others, and read logs of daemons. */
export const mayEndOthers = (role: Me['role'] | undefined): boolean => isStaff(role) || role === 'builder'

/** Whether setting and calling is open to the person now. */
export const mayUse = (says: HoldSays, bench: string | undefined): boolean =>
  says === 'held' || (bench === undefined && (says === 'use' || says === 'elsewhere'))

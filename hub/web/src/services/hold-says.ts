/** Who has a service, as its page says it. Pure. */
import type { Me } from '@fernlab/shared/contracts/api'
import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { isStaff } from '@fernlab/shared/contracts/people'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { LinkState } from './service-link.ts'

/**
 * `held`: this page has it; `elsewhere`: the person, in another page or program; `others`; `run`: a run or a session;
 * `look`: the person may never; `free`; `use`: nobody has it, and it is used without being taken. `away`: no way leads
 * there, so that nothing can be done; `held-away`: this page had it when there was one. `down`: its daemon takes no calls.
 */
export type HoldSays = 'held' | 'elsewhere' | 'others' | 'run' | 'look' | 'free' | 'use' | 'away' | 'held-away' | 'down'

type Reached = Pick<LinkState, 'way' | 'ways' | 'unread'>

/** Whether no way leads there at present; not while the first is still looked for, unless its node is known to be away. */
export const isUnreached = (state: DirectoryService['state'], { way, ways, unread }: Reached): boolean =>
  way === undefined && (ways.length > 0 || unread !== undefined || state === 'gone')

/** Whether its node can be reached, and its daemon takes no calls. */
export function isDown(
  { state, daemon, contract }: Pick<DirectoryService, 'state' | 'daemon' | 'contract'>,
  link: Reached | undefined,
): boolean {
  if (daemon === undefined) return false
  const { unread } = link ?? {}
  if (unread instanceof LabError && (unread.code === 'service-gone' || unread.code === 'service-unhealthy')) return true
  // The hub may have lost a node that this page still reaches: what can be read shows it.
  const isRead = Object.values(contract.signals).some(({ access, dtype }) => access !== 'set' && dtype !== 'array')
  return state === 'unhealthy' || (state === 'gone' && !isRead)
}

export function holdSays(
  service: Pick<DirectoryService, 'state' | 'lockedBy' | 'bench' | 'daemon' | 'contract'>,
  role: Me['role'] | undefined,
  link: (Reached & Pick<LinkState, 'lock'>) | undefined,
): HoldSays {
  const { state, lockedBy, bench } = service
  const isAway = isUnreached(state, link ?? { way: undefined, ways: [], unread: undefined })
  if (link?.lock === 'held' || link?.lock === 'releasing') return isAway ? 'held-away' : 'held'
  if (isAway && isStaff(role)) return 'away'
  if (!isStaff(role)) return state === 'locked' && mayEndOthers(role) ? 'others' : 'look'
  if (lockedBy?.mine === true) return 'elsewhere'
  if (state === 'locked') return 'others'
  if (state === 'busy') return 'run'
  if (isDown(service, link)) return 'down'
  return bench === undefined ? 'use' : 'free'
}

/** Whether the person may end locks of others, and read logs of daemons. */
export const mayEndOthers = (role: Me['role'] | undefined): boolean => isStaff(role) || role === 'builder'

/** Whether setting and calling is open to the person now. */
export const mayUse = (says: HoldSays, bench: string | undefined): boolean =>
  says === 'held' || (bench === undefined && (says === 'use' || says === 'elsewhere'))

import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Caller } from '../accounts/caller.ts'
import { decide } from '../accounts/can.ts'
import type { Groups } from '../groups/groups.ts'
import type { Sessions } from './sessions.ts'

/** As what somebody is in a session. */
export type SessionPlace = 'owner' | 'partner' | 'observer'

/** Undefined for who may not know of the session: it is theirs, they were invited, they are staff or teach the owner. */
export async function placeOf(
  { sessions, groups }: { readonly sessions: Pick<Sessions, 'isPartner'>; readonly groups: Pick<Groups, 'teaches'> },
  caller: Caller,
  { id, person }: Pick<Session, 'id' | 'person'>,
): Promise<SessionPlace | undefined> {
  const decision = decide(caller, 'runs.read', { ownerId: person.id })
  if (decision !== 'yes' && decision !== 'unseen') return undefined
  if (person.id === caller.personId) return 'owner'
  if (await sessions.isPartner(id, caller.personId)) return 'partner'
  return decision === 'yes' || (await groups.teaches(caller.personId, person.id)) ? 'observer' : undefined
}

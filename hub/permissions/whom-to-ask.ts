import type { Store } from '../store/store.ts'

const MOST = 3

/** Names of whom somebody may ask for more of a lab: instructors of groups that may use it, else admins. */
export async function whomToAsk(store: Store, lab: string): Promise<string[]> {
  const instructors = await store.db
    .selectFrom('permission')
    .innerJoin('group_member', 'group_member.group_id', 'permission.subject')
    .innerJoin('user', 'user.id', 'group_member.person_id')
    .innerJoin('person', 'person.id', 'user.id')
    .select('user.name')
    .distinct()
    .where('permission.subject_kind', '=', 'group')
    .where('permission.lab', '=', lab)
    .where('group_member.role', '=', 'instructor')
    .where('person.suspended_at', 'is', null)
    .orderBy('user.name')
    .limit(MOST)
    .execute()
  if (instructors.length > 0) return instructors.map(({ name }) => name)
  const admins = await store.db
    .selectFrom('person')
    .innerJoin('user', 'user.id', 'person.id')
    .innerJoin('account', 'account.userId', 'person.id')
    .select('user.name')
    .distinct()
    .where('person.role', '=', 'admin')
    .where('person.suspended_at', 'is', null)
    .where('account.providerId', '=', 'credential')
    .orderBy('user.name')
    .limit(MOST)
    .execute()
  return admins.map(({ name }) => name)
}

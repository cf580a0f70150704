/** What a group's removal would take away. */
import type { GroupRemoval } from '@fernlab/shared/contracts/groups'
import type { Store } from '../store/store.ts'
import type { GroupTree } from './nesting.ts'

/** Counts its people and permissions, the invitations into it that are open at the time, and what lies directly in it. */
export async function removalOf(
  db: Store['db'],
  { id, tree, nowMs }: { readonly id: string; readonly tree: GroupTree; readonly nowMs: number },
): Promise<GroupRemoval> {
  const [people, invitations, permissions] = await Promise.all([
    db
      .selectFrom('group_member')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('group_id', '=', id)
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('invitation')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('group_id', '=', id)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', nowMs)
      .whereRef('used', '<', 'most')
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('permission')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('subject_kind', '=', 'group')
      .where('subject', '=', id)
      .executeTakeFirstOrThrow(),
  ])
  return {
    people: people.count,
    inner: [...tree.values()].filter(({ within }) => within === id).map((group) => group.id),
    invitations: invitations.count,
    permissions: permissions.count,
  }
}

/** Who may be bumped, as a hub's database has it: the permissions of each person, and who was bumped. */
import { countsIn, type GroupTree, type Nested } from '@fernlab/hub/groups/nesting'
import { effective } from '@fernlab/hub/permissions/effective'
import { heldOf, type PermissionRow } from '@fernlab/hub/permissions/rows'
import type { Role } from '@fernlab/shared/contracts/people'
import type { SqliteDatabase } from '@fernlab/shared/storage/sqlite'

/** A run, and when it came. */
export interface Came {
  readonly personId: string
  readonly lab: string
  readonly protocol: string
  readonly atMs: number
}

/**
 * Whether the permissions let it be bumped that held when it came, by the hub's own rules. A database has permissions,
 * groups and roles as they are now; of somebody who is gone or has no permission (any more) nobody knows, so they are not
 * bumped.
 */
export function recordedLeave(database: SqliteDatabase): (run: Came) => boolean {
  const permissions = (database.prepare('SELECT * FROM permission').all() as unknown as PermissionRow[]).map(heldOf)
  const roles = new Map(
    database
      .prepare('SELECT id, role FROM person')
      .all()
      .map(({ id, role }) => [String(id), String(role) as Role]),
  )
  const groups = database.prepare('SELECT id, within, starts_at, ends_at FROM people_group').all()
  const tree: GroupTree = new Map((groups as unknown as Nested[]).map((group) => [group.id, group]))
  const direct = new Map<string, string[]>()
  for (const { group_id, person_id } of database.prepare('SELECT group_id, person_id FROM group_member').all()) {
    const known = direct.get(String(person_id))
    if (known === undefined) direct.set(String(person_id), [String(group_id)])
    else known.push(String(group_id))
  }
  return ({ personId, lab, protocol, atMs }) => {
    const role = roles.get(personId)
    if (role === undefined || role === 'admin') return false
    const who = { personId, role, groups: countsIn(tree, direct.get(personId) ?? [], atMs) }
    const { gives, holding } = effective(permissions, who, lab, protocol, atMs)
    return holding.length > 0 && gives.mayBeBumped
  }
}

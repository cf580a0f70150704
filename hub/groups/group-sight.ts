/** Which groups somebody sees, which they teach, and which they may change. */
import { isStaff } from '@fernlab/shared/contracts/people'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../accounts/caller.ts'
import type { Store } from '../store/store.ts'
import type { Viewer } from './describe-groups.ts'
import { groupUnknown } from './group-checks.ts'
import { type GroupTree, innerGroups, inside, outwards } from './nesting.ts'
import type { PeopleGroupTable } from './tables.ts'

export interface GroupSight {
  /** All groups as they lie within each other, by id. */
  readTree(): Promise<ReadonlyMap<string, PeopleGroupTable>>
  /** What somebody is in directly, and as what. */
  directOf(personId: string): Promise<{ readonly group_id: string; readonly role: 'member' | 'instructor' }[]>
  /** What the person is to each group: `taught` are those of which, or of an outer one, they are instructor. */
  standing(person: { readonly personId: string }, tree: GroupTree): Promise<Pick<Viewer, 'isIn' | 'taught' | 'inner'>>
  seen(caller: Caller): Promise<SeenGroups>
  /** Throws `group-unknown`, also for one that the caller does not see. */
  find(caller: Caller, id: string): Promise<FoundGroup>
  /** Throws `forbidden` too, for one that the caller may not change. */
  managed(caller: Caller, id: string): Promise<FoundGroup>
}

/** The groups as the caller looks at them. */
export interface SeenGroups extends Viewer {
  readonly tree: ReadonlyMap<string, PeopleGroupTable>
  /** Those that the caller may know of. */
  readonly shown: readonly PeopleGroupTable[]
}

/** One of them. */
export interface FoundGroup extends SeenGroups {
  readonly row: PeopleGroupTable
}

/** Looks at the groups in the store, anew each time. */
export function createGroupSight(db: Store['db']): GroupSight {
  const readTree = async () =>
    new Map((await db.selectFrom('people_group').selectAll().execute()).map((row) => [row.id, row]))
  const directOf = (personId: string) =>
    db.selectFrom('group_member').select(['group_id', 'role']).where('person_id', '=', personId).execute()

  const standing = async ({ personId }: { readonly personId: string }, tree: GroupTree) => {
    const direct = await directOf(personId)
    const teaches = direct.filter(({ role }) => role === 'instructor').map(({ group_id }) => group_id)
    const isIn = new Set(direct.flatMap(({ group_id }) => outwards(tree, group_id).map(({ id }) => id)))
    const inner = innerGroups(tree)
    return { isIn, taught: inside(inner, teaches), inner }
  }

  const seen = async (caller: Caller): Promise<SeenGroups> => {
    const tree = await readTree()
    const { isIn, taught, inner } = await standing(caller, tree)
    const staff = isStaff(caller.role)
    const shown = [...tree.values()].filter(({ id }) => staff || isIn.has(id) || taught.has(id))
    const manages = (id: string) => caller.role === 'admin' || (staff && taught.has(id))
    const sees = (id: string) => staff || taught.has(id)
    return { tree, inner, shown, manages, sees, isIn, taught }
  }

  const find = async (caller: Caller, id: string): Promise<FoundGroup> => {
    const all = await seen(caller)
    const row = all.shown.find((group) => group.id === id)
    if (row === undefined) throw groupUnknown(id)
    return { ...all, row }
  }

  const managed = async (caller: Caller, id: string): Promise<FoundGroup> => {
    const found = await find(caller, id)
    if (found.manages(id)) return found
    throw new LabError({
      code: 'forbidden',
      kind: 'caller',
      message: `the group ${id} is changed by its instructors and by admins`,
      studentMessage: 'This group is changed by its instructors and by admins. Ask one of them.',
    })
  }

  return { readTree, directOf, standing, seen, find, managed }
}

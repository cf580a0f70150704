/** Groups of people and courses. */
import type {
  ChangedMembers,
  ChangeGroup,
  ChangeMembers,
  CreateGroup,
  Group,
  GroupMember,
  GroupRemoval,
  OwnGroup,
} from '@fernlab/shared/contracts/groups'
import { isStaff } from '@fernlab/shared/contracts/people'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Caller, Role } from '../accounts/caller.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import { describeGroups } from './describe-groups.ts'
import { groupUnknown } from './group-checks.ts'
import { createGroupSight } from './group-sight.ts'
import { createGroupWrites } from './group-writes.ts'
import { changeMembers, listMembers } from './members.ts'
import { countsIn, type GroupTree, inside, outwards } from './nesting.ts'
import { leaveGroup, ownGroups } from './own-groups.ts'
import { peopleIn, type Student, studentsIn } from './people-within.ts'
import { removalOf } from './removal.ts'

export interface Groups {
  /** By id; staff see all, others those in which they are. With `search`, those whose id or name contains it. */
  list(
    caller: Caller,
    page: { limit: number; after?: string; search?: string },
  ): Promise<{ items: Group[]; more: boolean }>
  /** Throws `group-unknown`, also for one that the caller does not see, as all below do. */
  get(caller: Caller, id: string): Promise<Group>
  /** Whoever makes one and is no admin is its instructor. Throws `group-exists`. */
  create(caller: Caller, input: CreateGroup): Promise<Group>
  /** Throws `group-cycle` for a group that would lie within itself. */
  change(caller: Caller, id: string, input: ChangeGroup): Promise<Group>
  /** What `remove` would take away. */
  removal(caller: Caller, id: string): Promise<GroupRemoval>
  remove(caller: Caller, id: string): Promise<void>
  /** By id of the person; with `inner` also those of groups within. */
  members(
    caller: Caller,
    id: string,
    page: { limit: number; after?: string; search?: string; inner: boolean },
  ): Promise<{ items: GroupMember[]; more: boolean }>
  changeMembers(caller: Caller, id: string, input: ChangeMembers): Promise<ChangedMembers>
  /** Those that the person is in directly, by name. */
  own(personId: string): Promise<OwnGroup[]>
  /** Takes the caller out of it; throws `group-unknown` where they are not in it, `group-stays` where they may not leave. */
  leave(caller: Caller, id: string): Promise<void>
  /** In which groups the person counts at the time, and until when that holds if nothing is changed. */
  of(personId: string): Promise<Memberships>
  /** Whether the person may change the group: an admin any, other staff those of which, or of an outer one, they are instructor. */
  manages(person: { readonly id: string; readonly role: Role }, id: string): Promise<boolean>
  /** Whether somebody is instructor of a group in which the other is. */
  teaches(instructorId: string, personId: string): Promise<boolean>
  /** Everybody who is in the group or within it. Throws `group-unknown` where the caller may not see its people. */
  peopleOf(caller: Caller, id: string): Promise<string[]>
  /**
   * Whom the person teaches, by name: everybody in the group or within it but its instructors; an admin teaches every
   * group. Without a group, those of all groups that they teach. Throws `group-unknown` for one that they do not.
   */
  students(person: { readonly id: string; readonly role: Role }, group?: string): Promise<Student[]>
  /** Of these ids, those that are groups. */
  known(ids: readonly string[]): Promise<Set<string>>
  /** Calls back after a change, with the person whose groups alone have changed; returns how to stop. */
  onChange(listener: (personId?: string) => void): () => void
  /** Tells of memberships that others have written. */
  changed(personId?: string): void
}

/** What somebody is in, at any time. */
export interface Memberships {
  /** Ids of the groups in which they count at the time. */
  at(nowMs: number): ReadonlySet<string>
  /** When that will change by itself. */
  readonly changesAt: readonly number[]
}

export interface CreateGroupsOptions {
  readonly store: Store
  readonly clock: Clock
}

/** Keeps groups in the store. */
export function createGroups({ store, clock }: CreateGroupsOptions): Groups {
  const { db } = store
  const listeners = new Set<(personId?: string) => void>()
  const changed = (personId?: string) => {
    for (const listener of listeners) listener(personId)
  }
  const audit = auditEntries(store, clock)
  const sight = createGroupSight(db)
  const { readTree, directOf, standing, seen, find, managed } = sight
  const writes = createGroupWrites({ store, clock, sight })

  const get = async (caller: Caller, id: string): Promise<Group> => {
    const found = await find(caller, id)
    const [group] = await describeGroups(db, [found.row], found)
    if (group === undefined) throw groupUnknown(id)
    return group
  }
  /** The group and all within it, whose people the caller may see. */
  const withPeople = async (caller: Caller, id: string): Promise<ReadonlySet<string>> => {
    const { inner, sees } = await find(caller, id)
    if (!sees(id)) throw groupUnknown(id)
    return inside(inner, [id])
  }

  return {
    list: async (caller, { limit, after = '', search = '' }) => {
      const all = await seen(caller)
      const text = search.toLowerCase()
      const rows = all.shown
        .filter(({ id, name }) => id > after && (id.includes(text) || name.toLowerCase().includes(text)))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
      return { items: await describeGroups(db, rows.slice(0, limit), all), more: rows.length > limit }
    },
    get,
    create: async (caller, input) => {
      await writes.create(caller, input)
      changed()
      return get(caller, input.id)
    },
    change: async (caller, id, input) => {
      await writes.change(caller, id, input)
      changed()
      return get(caller, id)
    },
    removal: async (caller, id) => {
      const { tree } = await managed(caller, id)
      return removalOf(db, { id, tree, nowMs: clock.now() })
    },
    remove: async (caller, id) => {
      await writes.remove(caller, id)
      changed()
    },
    members: async (caller, id, page) => {
      const groups = await withPeople(caller, id)
      return listMembers(db, { id, groups: page.inner ? groups : new Set([id]), ...page })
    },
    changeMembers: async (caller, id, input) => {
      await managed(caller, id)
      const done = await changeMembers({
        store,
        clock,
        id,
        input,
        entry: (detail) => audit(caller.personId, 'group.members', id, detail),
      })
      changed()
      return done
    },
    own: (personId) => ownGroups(db, clock, personId),
    leave: async ({ personId }, id) => {
      await leaveGroup({ store, clock, personId, id, entry: audit(personId, 'group.left', id, {}) })
      changed(personId)
    },
    of: async (personId) => {
      const direct = (await directOf(personId)).map(({ group_id }) => group_id)
      const tree: GroupTree = direct.length === 0 ? new Map() : await readTree()
      const way = direct.flatMap((id) => outwards(tree, id))
      return {
        at: (nowMs) => countsIn(tree, direct, nowMs),
        changesAt: way.flatMap(({ starts_at, ends_at }) => [starts_at, ends_at]).filter((at) => at !== null),
      }
    },
    manages: async ({ id: personId, role }, id) => {
      if (role === 'admin') return true
      if (!isStaff(role)) return false
      return (await standing({ personId }, await readTree())).taught.has(id)
    },
    teaches: async (instructorId, personId) => {
      const tree = await readTree()
      const { taught } = await standing({ personId: instructorId }, tree)
      if (taught.size === 0) return false
      return (await directOf(personId)).some(({ group_id }) => taught.has(group_id))
    },
    peopleOf: async (caller, id) => peopleIn(db, await withPeople(caller, id)),
    students: async ({ id: personId, role }, group) => {
      const tree = await readTree()
      const { taught, inner } = await standing({ personId }, tree)
      const asked = group === undefined ? [...taught] : [group]
      if (group !== undefined && !(tree.has(group) && (role === 'admin' || taught.has(group))))
        throw groupUnknown(group)
      return studentsIn(db, inside(inner, asked))
    },
    known: async (ids) => {
      const tree = await readTree()
      return new Set(ids.filter((id) => tree.has(id)))
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    changed,
  }
}

/**
 * Groups of people and courses.
 *
 * INVARIANTS: no group lies within itself, also when two are moved into each other at once: the database refuses the
 * second; what a group's removal takes away goes in the same write.
 */
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
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { sql } from 'kysely'
import type { Caller, Role } from '../accounts/caller.ts'
import { auditEntries, wasAndIs } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import { describeGroups } from './describe-groups.ts'
import { changeMembers, listMembers } from './members.ts'
import { countsIn, type GroupTree, innerGroups, inside, outwards } from './nesting.ts'
import { leaveGroup, ownGroups } from './own-groups.ts'

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
  students(
    person: { readonly id: string; readonly role: Role },
    group?: string,
  ): Promise<{ readonly id: string; readonly name: string; readonly email: string }[]>
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

  const readTree = async () =>
    new Map((await db.selectFrom('people_group').selectAll().execute()).map((row) => [row.id, row]))
  const directOf = (personId: string) =>
    db.selectFrom('group_member').select(['group_id', 'role']).where('person_id', '=', personId).execute()

  /** What the caller is to each group: `taught` are those of which, or of an outer one, they are instructor. */
  const standing = async (caller: { readonly personId: string }, tree: GroupTree) => {
    const direct = await directOf(caller.personId)
    const teaches = direct.filter(({ role }) => role === 'instructor').map(({ group_id }) => group_id)
    const isIn = new Set(direct.flatMap(({ group_id }) => outwards(tree, group_id).map(({ id }) => id)))
    const inner = innerGroups(tree)
    return { isIn, taught: inside(inner, teaches), inner }
  }

  const seen = async (caller: Caller) => {
    const tree = await readTree()
    const { isIn, taught, inner } = await standing(caller, tree)
    const staff = isStaff(caller.role)
    const shown = [...tree.values()].filter(({ id }) => staff || isIn.has(id) || taught.has(id))
    const manages = (id: string) => caller.role === 'admin' || (staff && taught.has(id))
    const sees = (id: string) => staff || taught.has(id)
    return { tree, inner, shown, manages, sees, isIn, taught }
  }
  type Seen = Awaited<ReturnType<typeof seen>>

  const find = async (caller: Caller, id: string) => {
    const all = await seen(caller)
    const row = all.shown.find((group) => group.id === id)
    if (row === undefined) throw groupUnknown(id)
    return { ...all, row }
  }
  const get = async (caller: Caller, id: string): Promise<Group> => {
    const found = await find(caller, id)
    const [group] = await describeGroups(db, [found.row], found)
    if (group === undefined) throw groupUnknown(id)
    return group
  }
  const managed = async (caller: Caller, id: string) => {
    const found = await find(caller, id)
    if (found.manages(id)) return found
    throw new LabError({
      code: 'forbidden',
      kind: 'caller',
      message: `the group ${id} is changed by its instructors and by admins`,
      studentMessage: 'This group is changed by its instructors and by admins. Ask one of them.',
    })
  }
  /** A group may only be put within one that the caller manages: being in it may give permissions. */
  const checkOuter = ({ tree, manages }: Seen, within: string | null | undefined) => {
    if (within === undefined || within === null) return
    const message = tree.has(within)
      ? `${within} is changed by its instructors and by admins`
      : `there is no group ${within}`
    if (tree.has(within) && manages(within)) return
    throw new LabError({
      code: tree.has(within) ? 'forbidden' : 'group-invalid',
      kind: 'caller',
      message: `within: ${message}`,
      issues: [{ path: 'within', message }],
    })
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
    create: async (caller, { id, name, kind, within, from, until }) => {
      checkTimes({ kind, from, until })
      checkOuter(await seen(caller), within)
      const now = clock.now()
      const row = { id, name, kind, within: within ?? null, starts_at: ms(from), ends_at: ms(until), created_at: now }
      const own = { group_id: id, person_id: caller.personId, role: 'instructor' as const, added_at: now }
      await writing(name, () =>
        store.write([
          db.insertInto('people_group').values(row),
          ...(caller.role === 'admin' ? [] : [db.insertInto('group_member').values(own)]),
          audit(caller.personId, 'group.created', id, { name, kind, ...(within === undefined ? {} : { within }) }),
        ]),
      )
      changed()
      return get(caller, id)
    },
    change: async (caller, id, input) => {
      const found = await managed(caller, id)
      const { row } = found
      const { name, kind, within, starts_at, ends_at } = row
      const before = { name, kind, within, from: iso(starts_at), until: iso(ends_at) }
      const next = {
        name: input.name ?? row.name,
        kind: input.kind ?? row.kind,
        within: input.within === undefined ? row.within : input.within,
        starts_at: input.from === undefined ? row.starts_at : ms(input.from),
        ends_at: input.until === undefined ? row.ends_at : ms(input.until),
      }
      checkTimes({ kind: next.kind, from: iso(next.starts_at), until: iso(next.ends_at) })
      if (next.within !== row.within) checkOuter(found, next.within)
      const update = db.updateTable('people_group').set(next).where('id', '=', id)
      const query = next.within === null ? update : update.where(sql<boolean>`NOT ${liesWithin(next.within, id)}`)
      try {
        await writing(next.name, () =>
          store.write([{ query, expect: 1 }, audit(caller.personId, 'group.changed', id, wasAndIs(before, input))]),
        )
      } catch (error) {
        if (asLabError(error).code !== 'precondition-failed') throw error
        if (!(await readTree()).has(id)) throw groupUnknown(id)
        const message = `${next.within} lies within ${id}`
        throw new LabError({ code: 'group-cycle', kind: 'caller', message, issues: [{ path: 'within', message }] })
      }
      changed()
      return get(caller, id)
    },
    removal: async (caller, id) => {
      const { tree } = await managed(caller, id)
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
          .where('expires_at', '>', clock.now())
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
    },
    remove: async (caller, id) => {
      const { row } = await managed(caller, id)
      await store.write([
        db.updateTable('people_group').set({ within: row.within }).where('within', '=', id),
        db
          .updateTable('invitation')
          .set({ revoked_at: clock.now() })
          .where('group_id', '=', id)
          .where('revoked_at', 'is', null),
        db.deleteFrom('group_member').where('group_id', '=', id),
        db.deleteFrom('permission').where('subject_kind', '=', 'group').where('subject', '=', id),
        db.deleteFrom('people_group').where('id', '=', id),
        audit(caller.personId, 'group.removed', id, { name: row.name }),
      ])
      changed()
    },
    members: async (caller, id, page) => {
      const { inner, sees } = await find(caller, id)
      if (!sees(id)) throw groupUnknown(id)
      return listMembers(db, { id, groups: page.inner ? inside(inner, [id]) : new Set([id]), ...page })
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
    peopleOf: async (caller, id) => {
      const { inner, sees } = await find(caller, id)
      if (!sees(id)) throw groupUnknown(id)
      const rows = await db
        .selectFrom('group_member')
        .select('person_id')
        .distinct()
        .where('group_id', 'in', [...inside(inner, [id])])
        .execute()
      return rows.map(({ person_id }) => person_id)
    },
    students: async ({ id: personId, role }, group) => {
      const tree = await readTree()
      const { taught, inner } = await standing({ personId }, tree)
      const asked = group === undefined ? [...taught] : [group]
      if (group !== undefined && !(tree.has(group) && (role === 'admin' || taught.has(group))))
        throw groupUnknown(group)
      const within = [...inside(inner, asked)]
      const rows = await db
        .selectFrom('group_member')
        .innerJoin('user', 'user.id', 'group_member.person_id')
        .select(['user.id', 'user.name', 'user.email', 'role'])
        .where('group_id', 'in', sql<string>`(SELECT value FROM json_each(${JSON.stringify(within)}))`)
        .orderBy('user.name')
        .orderBy('user.id')
        .execute()
      const teachers = new Set(rows.filter((row) => row.role === 'instructor').map(({ id }) => id))
      const people = new Map(
        rows.filter(({ id }) => !teachers.has(id)).map(({ id, name, email }) => [id, { id, name, email }]),
      )
      return [...people.values()]
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

  /** True in SQL when the one group is the other or lies within it. */
  function liesWithin(id: string, outer: string) {
    return sql<boolean>`EXISTS (
      WITH RECURSIVE way (id) AS (
        SELECT ${id} UNION SELECT g.within FROM people_group g JOIN way ON g.id = way.id WHERE g.within IS NOT NULL
      ) SELECT 1 FROM way WHERE id = ${outer})`
  }
}

const time = (atMs: number) => new Date(atMs).toISOString()
const iso = (atMs: number | null) => (atMs === null ? undefined : time(atMs))
const ms = (text: string | null | undefined) => (text == null ? null : Date.parse(text))

/** Throws `group-invalid` for times of a group that is no course, and for an end before the start. */
function checkTimes({
  kind,
  from,
  until,
}: {
  kind: string
  from?: string | undefined
  until?: string | undefined
}): void {
  const path = from === undefined ? 'until' : 'from'
  const refuse = (where: string, message: string) =>
    new LabError({ code: 'group-invalid', kind: 'caller', message, issues: [{ path: where, message }] })
  if (kind !== 'course' && (from !== undefined || until !== undefined)) {
    throw refuse(path, 'only a course begins and ends: give it the kind "course", or leave the times out')
  }
  if (from !== undefined && until !== undefined && Date.parse(from) >= Date.parse(until)) {
    throw refuse('until', 'the end is not after the start')
  }
}

async function writing<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (asLabError(error).code !== 'constraint-failed') throw error
    throw new LabError({
      code: 'group-exists',
      kind: 'caller',
      message: `there is a group with this id or the name ${JSON.stringify(name)}`,
      studentMessage: 'There is a group with this id or this name. Choose another.',
    })
  }
}

/** What a group looks like to who may not know of it, too. */
export function groupUnknown(id: string): LabError {
  return new LabError({ code: 'group-unknown', kind: 'caller', message: `there is no group ${id}` })
}

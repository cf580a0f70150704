/** Who is in a group: reading pages of them, and changing many at once. */
import type { ChangedMembers, ChangeMembers, GroupMember } from '@fernlab/shared/contracts/groups'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Compilable } from 'kysely'
import { personNamed } from '../store/person-named.ts'
import type { Store } from '../store/store.ts'

/**
 * People of the groups by id, each once: as what they are directly in `id`, else through one within it. With `search`,
 * those whose name or address contains it.
 */
export async function listMembers(
  db: Store['db'],
  {
    id,
    groups,
    limit,
    after = '',
    search = '',
  }: { id: string; groups: ReadonlySet<string>; limit: number; after?: string; search?: string },
): Promise<{ items: GroupMember[]; more: boolean }> {
  const people = await db
    .selectFrom('group_member')
    .select('person_id')
    .distinct()
    .where('group_id', 'in', [...groups])
    .where('person_id', '>', after)
    .$if(search !== '', (query) => query.innerJoin('user', 'user.id', 'person_id').where(personNamed(search)))
    .orderBy('person_id')
    .limit(limit + 1)
    .execute()
  const shown = people.slice(0, limit).map(({ person_id }) => person_id)
  if (shown.length === 0) return { items: [], more: false }
  const rows = await db
    .selectFrom('group_member')
    .innerJoin('user', 'user.id', 'group_member.person_id')
    .select(['user.id', 'user.name', 'user.email', 'role', 'group_id'])
    .where('group_id', 'in', [...groups])
    .where('person_id', 'in', shown)
    .orderBy('person_id')
    .execute()
  const items = shown.flatMap((person) => {
    const own = rows.filter((row) => row.id === person)
    const row = own.find(({ group_id }) => group_id === id) ?? own[0]
    if (row === undefined) return []
    const { group_id, ...who } = row
    return [group_id === id ? who : { ...who, role: 'member' as const, through: group_id }]
  })
  return { items, more: people.length > limit }
}

/** Puts people in and takes others out in one write; throws `members-invalid` with every entry that names nobody. */
export async function changeMembers(options: {
  store: Store
  clock: Clock
  id: string
  input: ChangeMembers
  entry: (detail: object) => Compilable
}): Promise<ChangedMembers> {
  const { store, clock, id, input, entry } = options
  const { db } = store
  const names = [...input.add.map(({ who }) => who), ...input.remove].map((who) => who.toLowerCase())
  const found = new Map<string, string>()
  for (let at = 0; at < names.length; at += 500) {
    const some = names.slice(at, at + 500)
    const rows = await db
      .selectFrom('user')
      .innerJoin('person', 'person.id', 'user.id')
      .select(['user.id', 'user.email'])
      .where((eb) => eb.or([eb('user.id', 'in', some), eb('user.email', 'in', some)]))
      .execute()
    for (const row of rows) found.set(row.id, row.id).set(row.email, row.id)
  }
  const personOf = (who: string) => found.get(who.toLowerCase())
  const nobody = (path: string, who: string) =>
    personOf(who) === undefined ? [{ path, message: `${who} is nobody with an account here` }] : []
  const issues = [
    ...input.add.flatMap(({ who }, at) => nobody(`add[${at}].who`, who)),
    ...input.remove.flatMap((who, at) => nobody(`remove[${at}]`, who)),
  ]
  if (issues.length > 0) {
    throw new LabError({
      code: 'members-invalid',
      kind: 'caller',
      message: `${issues[0]?.message}; nothing was changed`,
      issues,
      studentMessage: 'Some of these people have no account here. Nothing was changed: mend what is listed.',
    })
  }
  const members = await db.selectFrom('group_member').select(['person_id', 'role']).where('group_id', '=', id).execute()
  const before = new Map(members.map(({ person_id, role }) => [person_id, role]))
  const add = new Map(input.add.map(({ who, role }) => [personOf(who) ?? '', role]))
  const fresh = [...add].filter(([person, role]) => before.get(person) !== role)
  const remove = [...new Set(input.remove.map((who) => personOf(who) ?? ''))].filter((person) => before.has(person))
  const now = clock.now()
  await store.write([
    ...remove.map((person) => db.deleteFrom('group_member').where('group_id', '=', id).where('person_id', '=', person)),
    ...fresh.map(([person_id, role]) =>
      db
        .insertInto('group_member')
        .values({ group_id: id, person_id, role, added_at: now })
        .onConflict((conflict) => conflict.columns(['group_id', 'person_id']).doUpdateSet({ role })),
    ),
    entry({ added: fresh.map(([person, role]) => ({ person, role })), removed: remove }),
  ])
  const changed = fresh.filter(([person]) => before.has(person)).length
  return { added: fresh.length - changed, changed, removed: remove.length }
}

/** The query that puts a person into a group; who is in stays what they are. */
export function joinGroup(
  db: Store['db'],
  { groupId, personId, nowMs }: { groupId: string; personId: string; nowMs: number },
) {
  return db
    .insertInto('group_member')
    .values({ group_id: groupId, person_id: personId, role: 'member', added_at: nowMs })
    .onConflict((conflict) => conflict.doNothing())
}

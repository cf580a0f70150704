/** Who is in groups and in those within them. */
import { sql } from 'kysely'
import type { Store } from '../store/store.ts'

/** Ids of everybody who is in one of the groups, each once. */
export async function peopleIn(db: Store['db'], groups: ReadonlySet<string>): Promise<string[]> {
  const rows = await db
    .selectFrom('group_member')
    .select('person_id')
    .distinct()
    .where('group_id', 'in', [...groups])
    .execute()
  return rows.map(({ person_id }) => person_id)
}

export interface Student {
  readonly id: string
  readonly name: string
  readonly email: string
}

/** By name, everybody in one of the groups but their instructors. */
export async function studentsIn(db: Store['db'], groups: ReadonlySet<string>): Promise<Student[]> {
  const rows = await db
    .selectFrom('group_member')
    .innerJoin('user', 'user.id', 'group_member.person_id')
    .select(['user.id', 'user.name', 'user.email', 'role'])
    .where('group_id', 'in', sql<string>`(SELECT value FROM json_each(${JSON.stringify([...groups])}))`)
    .orderBy('user.name')
    .orderBy('user.id')
    .execute()
  const teachers = new Set(rows.filter((row) => row.role === 'instructor').map(({ id }) => id))
  const people = new Map(
    rows.filter(({ id }) => !teachers.has(id)).map(({ id, name, email }) => [id, { id, name, email }]),
  )
  return [...people.values()]
}

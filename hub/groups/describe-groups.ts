/** Groups as the API shows them. */
import type { Group } from '@fernlab/shared/contracts/groups'
import { sql } from 'kysely'
import type { Store } from '../store/store.ts'
import { type InnerGroups, inside } from './nesting.ts'
import type { PeopleGroupTable } from './tables.ts'

/** What one looks at groups with. */
export interface Viewer {
  readonly inner: InnerGroups
  /** Ids of those in which the viewer is, and of those of which, or of an outer one, they are instructor. */
  readonly isIn: ReadonlySet<string>
  readonly taught: ReadonlySet<string>
  readonly sees: (id: string) => boolean
  readonly manages: (id: string) => boolean
}

/** Describes them in the order given. */
export async function describeGroups(
  db: Store['db'],
  rows: readonly PeopleGroupTable[],
  { inner, isIn, taught, sees, manages }: Viewer,
): Promise<Group[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const [people, instructors] = await Promise.all([countPeople(db, ids, inner), findInstructors(db, ids)])
  return rows.map((row) => {
    const mine = taught.has(row.id) ? 'instructor' : isIn.has(row.id) ? 'member' : undefined
    return {
      id: row.id,
      name: row.name,
      kind: row.kind,
      ...(row.within === null ? {} : { within: row.within }),
      ...(row.starts_at === null ? {} : { from: time(row.starts_at) }),
      ...(row.ends_at === null ? {} : { until: time(row.ends_at) }),
      people: people.get(row.id) ?? 0,
      instructors: instructors.get(row.id) ?? [],
      ...(mine === undefined ? {} : { mine }),
      sees: sees(row.id),
      manages: manages(row.id),
    }
  })
}

/** How many are in each or within it, everybody once. The database counts: nobody waits for rows of thousands. */
async function countPeople(db: Store['db'], ids: readonly string[], inner: InnerGroups): Promise<Map<string, number>> {
  const pairs = ids.flatMap((id) => [...inside(inner, [id])].map((within) => [id, within]))
  const { rows } = await sql<{ id: string; people: number }>`
    SELECT value ->> 0 AS id, count(DISTINCT person_id) AS people
    FROM json_each(${JSON.stringify(pairs)}) JOIN group_member ON group_id = value ->> 1 GROUP BY 1`.execute(db)
  return new Map(rows.map(({ id, people }) => [id, people]))
}

async function findInstructors(db: Store['db'], ids: readonly string[]): Promise<Map<string, Group['instructors']>> {
  const rows = await db
    .selectFrom('group_member')
    .innerJoin('user', 'user.id', 'group_member.person_id')
    .select(['group_id', 'person_id', 'user.name'])
    .where('group_id', 'in', sql<string>`(SELECT value FROM json_each(${JSON.stringify(ids)}))`)
    .where('role', '=', 'instructor')
    .orderBy('user.name')
    .execute()
  const found = new Map<string, { id: string; name: string }[]>()
  for (const { group_id, person_id, name } of rows) {
    const own = found.get(group_id)
    if (own === undefined) found.set(group_id, [{ id: person_id, name }])
    else own.push({ id: person_id, name })
  }
  return found
}

const time = (atMs: number) => new Date(atMs).toISOString()

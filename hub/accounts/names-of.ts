import type { Store } from '../store/store.ts'

/** The names of people by their ids; those who have no account any more have none. */
export async function namesOf({ db }: Pick<Store, 'db'>, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom('user').select(['id', 'name']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, name }) => [id, name]))
}

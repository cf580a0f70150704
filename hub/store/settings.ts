import type { Clock } from '@fernlab/shared/primitives/clock'
import { auditEntries } from './audit-entries.ts'
import type { Store } from './store.ts'

/** What a site has set, and what it has to remember of itself, by name. */
export function createSettings(store: Pick<Store, 'db'>, clock: Clock) {
  const { db } = store
  const audit = auditEntries(store, clock)
  /** The query that keeps the value. */
  const keep = (name: string, value: string, by: string | null) => {
    const row = { value, changed_at: clock.now(), changed_by: by }
    return db
      .insertInto('setting')
      .values({ name, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
  }
  return {
    keep,
    /** The value that was kept; undefined before the first. */
    read: async (name: string): Promise<string | undefined> =>
      (await db.selectFrom('setting').select('value').where('name', '=', name).executeTakeFirst())?.value,
    /** The queries of a change by a person: the value as JSON, and both sides in the audit log. */
    change: (name: string, change: { readonly from: object; readonly to: object }, by: string) => [
      keep(name, JSON.stringify(change.to), by),
      audit(by, `settings.${name}`, name, change),
    ],
  }
}

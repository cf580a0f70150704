import { sql } from 'kysely'
import type { Store } from '../store/store.ts'

/**
 * Ends open uses of which it was never written that they ended, by a condition that is added; they ended no earlier than the
 * last exchange that is known.
 */
export function endOfLostUses({ db }: Pick<Store, 'db'>) {
  return db
    .updateTable('direct_use')
    .set({
      ended_at: sql<number>`coalesce(
        (SELECT max(direct_use.started_at, c.at) FROM direct_command c WHERE c.use_id = direct_use.id ORDER BY c.id DESC LIMIT 1),
        direct_use.started_at)`,
      ended_why: 'expired',
    })
    .where('ended_at', 'is', null)
}

/** Ends the open uses whose bench nobody holds, or is there no more. */
export async function endUsesOfNobody(store: Store): Promise<void> {
  const held = store.db.selectFrom('bench').select('id').where('lease', 'is not', null)
  const [lost] = await store.db
    .selectFrom('direct_use')
    .select('id')
    .where('ended_at', 'is', null)
    .where('bench', 'not in', held)
    .limit(1)
    .execute()
  if (lost !== undefined) await store.write([endOfLostUses(store).where('bench', 'not in', held)])
}

/** What the audit log and benches repeat of a person's own words, and of what staff wrote about them. */
import { sql } from 'kysely'
import type { Store } from '../store/store.ts'

/** What they called things of theirs, as entries have it. */
const named = sql<string>`json_remove(detail, '$.name', '$.was.name', '$.is.name')`
/** What a bench or a service was taken for, or why their hold was ended. */
const reasonless = sql<string>`json_remove(detail, '$.reason')`
/** Why they may what they may. */
const described = sql<string>`json_remove(detail, '$.was.note', '$.is.note')`

/** The queries that take them out; before the person's permissions and recurring runs lose their owner. */
export function withoutOwnWords({ db }: Pick<Store, 'db'>, personId: string) {
  const change = db.updateTable('audit')
  return [
    change
      .set({ detail: named })
      .where(({ or, eb }) => or([eb('person_id', '=', personId), eb('subject', '=', personId)]))
      .where(({ or, eb }) => or([eb('action', 'like', 'token.%'), eb('action', 'like', 'passkey.%')])),
    change
      .set({ detail: named })
      .where('action', 'like', 'recurring.%')
      .where('subject', 'in', db.selectFrom('recurring').select('id').where('person_id', '=', personId)),
    change.set({ detail: reasonless }).where('action', '=', 'bench.lease').where('person_id', '=', personId),
    // Why somebody else has ended what they had; and what they said themselves as they ended their own.
    change
      .set({ detail: reasonless })
      .where('action', '=', 'bench.released')
      .where(
        sql<boolean>`(detail ->> '$.holder' = ${personId} OR (person_id = ${personId} AND detail ->> '$.holder' IS NULL))`,
      ),
    change
      .set({ detail: reasonless })
      .where('action', '=', 'services.lock-ended')
      .where(sql<boolean>`detail ->> '$.owner' = ${personId}`),
    // Of a bench whose node did not answer when it was taken back.
    db.updateTable('bench').set({ lease_reason: null }).where('leased_by', '=', personId),
    change
      .set({ detail: described })
      .where('action', 'like', 'permission.%')
      .where(sql<boolean>`instr(detail, ${personId}) > 0`),
  ]
}

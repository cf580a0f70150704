/** Takes away what is kept for a fixed time, whatever the site's rules: what became of benches and of due times, and notices. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Store } from '../store/store.ts'

const dayMs = 86_400_000
/** A year, and what a comparison with the year before needs. */
export const HISTORY_KEPT_DAYS = 400
/** Notices of bookings that nobody put away are forgotten. */
export const NOTICES_KEPT_DAYS = 60

/** Removes what is older; each bench keeps its newest change, which says what it is. */
export async function forgetOldRecords(
  { db, write }: Pick<Store, 'db' | 'write'>,
  clock: Pick<Clock, 'now'>,
): Promise<void> {
  const historyLimit = clock.now() - HISTORY_KEPT_DAYS * dayMs
  const newest = db
    .selectFrom('bench_history')
    .select(({ fn }) => fn.max('id').as('id'))
    .groupBy('bench')
  await write([
    db.deleteFrom('bench_history').where('at', '<', historyLimit).where('id', 'not in', newest),
    db.deleteFrom('recurring_time').where('due_at', '<', historyLimit),
    db.deleteFrom('booking_notice').where('at', '<', clock.now() - NOTICES_KEPT_DAYS * dayMs),
  ])
}

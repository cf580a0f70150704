import type { Weekly } from '@fernlab/shared/contracts/bench-care'
import type { Store } from '../store/store.ts'
import type { OutagePlan } from './outages.ts'
import type { BenchOutageTable } from './tables.ts'

/** A plan as its row has it. */
export function planOf(row: BenchOutageTable): OutagePlan {
  return {
    id: row.id,
    reason: row.reason,
    atOnce: row.at_once === 1,
    when:
      row.weekly === null
        ? { from: row.from_at ?? row.created_at, until: row.until_at }
        : (JSON.parse(row.weekly) as Weekly),
    createdBy: row.created_by,
    createdAt: row.created_at,
  }
}

/** What is planned for each bench and was not ended. */
export async function loadOutagePlans(store: Store): Promise<ReadonlyMap<string, readonly OutagePlan[]>> {
  const rows = await store.db
    .selectFrom('bench_outage')
    .selectAll()
    .where('ended_at', 'is', null)
    .orderBy('created_at')
    .execute()
  const plans = new Map<string, OutagePlan[]>()
  for (const row of rows) plans.set(row.bench, [...(plans.get(row.bench) ?? []), planOf(row)])
  return plans
}

import type { Period } from '@fernlab/shared/contracts/usage'
import { sql } from 'kysely'
import { planOf } from '../bench-care/stored-outages.ts'
import type { Store } from '../store/store.ts'
import { directSeconds } from './direct-uses.ts'
import { openSeconds, type PastPlan } from './open-time.ts'
import type { HeldTime } from './site-view.ts'

/** No run lasts longer, with what comes before and after it. */
const longestMs = 2 * 86_400_000

/**
 * How long benches were held by runs of which lab within the period, how long each was driven by hand, and how long each
 * was open, all until now at most.
 */
export async function siteBenches({
  db,
  benches,
  period,
  now,
}: {
  readonly db: Store['db']
  readonly benches: readonly string[]
  readonly period: Period
  readonly now: number
}): Promise<{ held: HeldTime[]; directS: Map<string, number>; openS: Map<string, number> }> {
  const { from } = period
  const to = Math.min(period.to, now)
  const held = await db
    .selectFrom('attempt')
    .innerJoin('run', 'run.id', 'attempt.run_id')
    .select(['attempt.bench', 'run.lab'])
    .select(
      sql<number>`sum(max(0, min(coalesce(attempt.ended_at, ${now}), ${to}) - max(attempt.assigned_at, ${from}))) / 1000.0`.as(
        'seconds',
      ),
    )
    .where('run.bench_check', 'is', null)
    .where('attempt.assigned_at', '>=', from - longestMs)
    .where('attempt.assigned_at', '<', to)
    .where(({ or, eb }) => or([eb('attempt.ended_at', 'is', null), eb('attempt.ended_at', '>', from)]))
    .groupBy(['attempt.bench', 'run.lab'])
    .execute()
  const directS = await directSeconds({ db }, { from, to, now })
  const plans = new Map<string, PastPlan[]>()
  const rows = await db
    .selectFrom('bench_outage')
    .selectAll()
    .where('created_at', '<', to)
    .where(({ or, eb }) => or([eb('ended_at', 'is', null), eb('ended_at', '>', from)]))
    .execute()
  for (const row of rows)
    plans.set(row.bench, [...(plans.get(row.bench) ?? []), { plan: planOf(row), endedAt: row.ended_at }])
  const firsts = await db
    .selectFrom('bench_history')
    .select(['bench', ({ fn }) => fn.min<number>('at').as('at')])
    .groupBy('bench')
    .execute()
  const since = new Map(firsts.map(({ bench, at }) => [bench, at]))
  const all = new Set([...benches, ...held.map(({ bench }) => bench), ...directS.keys()])
  // A bench was not closed before it was there.
  const openS = new Map(
    [...all].map((bench) => [bench, openSeconds(plans.get(bench) ?? [], Math.max(from, since.get(bench) ?? from), to)]),
  )
  return { held, directS, openS }
}

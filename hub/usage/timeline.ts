import type { Period, Timeline, UserOf } from '@fernlab/shared/contracts/usage'
import { sql } from 'kysely'
import type { Store } from '../store/store.ts'
import { directWithin } from './direct-uses.ts'
import { userOf } from './uses.ts'

const MOST_BARS = 3000
/** No run lasts longer, with what comes before and after it. */
const longestMs = 2 * 86_400_000

/**
 * Which runs of these people held which bench when, and when staff drove one of these benches by hand; by bench, the
 * earliest first.
 */
export async function timelineOf({
  db,
  people,
  mayName,
  period: { from, to },
  now,
}: {
  readonly db: Store['db']
  readonly people: readonly UserOf[]
  /** Whether it may be told that it was this person who drove a bench by hand. */
  readonly mayName: (personId: string) => boolean
  readonly period: Period
  readonly now: number
}): Promise<Pick<Timeline, 'benches' | 'more'>> {
  const byId = new Map(people.map((person) => [person.id, person]))
  const rows = await db
    .selectFrom('attempt')
    .innerJoin('run', 'run.id', 'attempt.run_id')
    .select(['run.id', 'run.person_id', 'run.lab', 'run.state', 'attempt.bench'])
    .select(['attempt.assigned_at', 'attempt.ended_at'])
    .where('attempt.assigned_at', '>=', from - longestMs)
    .where('attempt.assigned_at', '<', Math.min(to, now + 1))
    .where(({ or, eb }) => or([eb('attempt.ended_at', 'is', null), eb('attempt.ended_at', '>', from)]))
    .where('run.person_id', 'in', sql<string>`(SELECT value FROM json_each(${JSON.stringify([...byId.keys()])}))`)
    .orderBy('attempt.assigned_at')
    .limit(MOST_BARS + 1)
    .execute()
  const benches = new Map<string, Timeline['benches'][number]['uses']>()
  for (const row of rows.slice(0, MOST_BARS)) {
    const person = byId.get(row.person_id)
    if (person === undefined) continue
    const bar = {
      id: row.id,
      person,
      lab: row.lab,
      from: new Date(row.assigned_at).toISOString(),
      ...(row.ended_at === null ? {} : { until: new Date(row.ended_at).toISOString() }),
      state: row.state,
    }
    const known = benches.get(row.bench)
    if (known === undefined) benches.set(row.bench, [bar])
    else known.push(bar)
  }
  const direct = await directOn([...benches.keys()])
  return {
    benches: [...benches]
      .map(([bench, uses]) => ({ bench, uses, direct: direct.get(bench) ?? [] }))
      .sort((a, b) => (a.bench < b.bench ? -1 : 1)),
    more: rows.length > MOST_BARS,
  }

  async function directOn(ids: readonly string[]) {
    const byBench = new Map<string, Timeline['benches'][number]['direct']>()
    const found = await directWithin({ db }, { from, to: Math.min(to, now + 1), benches: ids })
      .limit(MOST_BARS)
      .execute()
    for (const { id, person_id, bench, started_at, ended_at, name, role } of found) {
      const person = mayName(person_id) ? userOf(person_id, role === null ? undefined : (name ?? undefined)) : undefined
      const bar = {
        id,
        ...(person === undefined ? {} : { person }),
        from: new Date(started_at).toISOString(),
        ...(ended_at === null ? {} : { until: new Date(ended_at).toISOString() }),
      }
      byBench.set(bench, [...(byBench.get(bench) ?? []), bar])
    }
    return byBench
  }
}

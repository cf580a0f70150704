/** Reads direct uses of benches: a page of them, one with its exchanges, and what they took of benches' time. */
import type { DirectExchange, DirectFilter, DirectUse, DirectUseDetail } from '@fernlab/shared/contracts/direct-use'
import { firstIdAt } from '@fernlab/shared/primitives/ids'
import { sql } from 'kysely'
import type { Store } from '../store/store.ts'
import { among, first, type UsePage, userOf } from './uses.ts'

export interface DirectUses {
  readonly page: UsePage<DirectFilter, DirectUse>
  get(id: string): Promise<DirectUseDetail | undefined>
  /** Whose it was, by id. */
  personOf(id: string): Promise<string | undefined>
  /** All that was exchanged in a use, in order. */
  exchanges(id: string): AsyncGenerator<DirectExchange, void>
}

const AT_ONCE = 500

const withPeople = ({ db }: Pick<Store, 'db'>) =>
  db
    .selectFrom('direct_use')
    .leftJoin('user', 'user.id', 'direct_use.person_id')
    .leftJoin('person', 'person.id', 'direct_use.person_id')
    .selectAll('direct_use')
    .select(['user.name', 'person.role'])

/** Reads direct uses of the store. */
export function createDirectUses({ store: { db }, now }: { store: Pick<Store, 'db'>; now: () => number }): DirectUses {
  const query = () => withPeople({ db })
  type Row = Awaited<ReturnType<ReturnType<typeof query>['execute']>>[number]

  const useOf = (row: Row): DirectUse => ({
    id: row.id,
    person: userOf(row.person_id, row.role === null ? undefined : (row.name ?? undefined)),
    bench: row.bench,
    ...(row.client_address === null ? {} : { address: row.client_address }),
    ...(row.country === null ? {} : { country: row.country }),
    startedAt: iso(row.started_at),
    ...(row.ended_at === null ? {} : { endedAt: iso(row.ended_at) }),
    lastsS: Math.max(0, (row.ended_at ?? now()) - row.started_at) / 1000,
    ...(row.ended_why === null ? {} : { ended: row.ended_why }),
    exchanges: row.exchanges,
  })

  const exchanges: DirectUses['exchanges'] = async function* (id) {
    for (let after = 0; ; ) {
      const rows = await db
        .selectFrom('direct_command')
        .selectAll()
        .where('use_id', '=', id)
        .where('id', '>', after)
        .orderBy('id')
        .limit(AT_ONCE)
        .execute()
      for (const { at, way, client_address, sets, reads, answer, error, took_ms } of rows) {
        yield {
          at: iso(at),
          way,
          ...(client_address === null ? {} : { address: client_address }),
          set: JSON.parse(sets),
          read: JSON.parse(reads),
          ...(answer === null ? {} : { answer: JSON.parse(answer) }),
          ...(error === null ? {} : { error }),
          tookMs: took_ms,
        }
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < AT_ONCE) return
      after = last.id
    }
  }

  return {
    page: async ({ filter: { person, bench, country, from, to }, people, limit, before }) => {
      let some = query()
      if (people !== undefined) some = some.where('direct_use.person_id', 'in', among(people))
      if (person !== undefined) some = some.where('direct_use.person_id', '=', person)
      if (bench !== undefined) some = some.where('direct_use.bench', '=', bench)
      if (country === 'unknown') some = some.where('direct_use.country', 'is', null)
      else if (country !== undefined) some = some.where('direct_use.country', '=', country)
      // Ids begin with the time of making.
      if (from !== undefined) some = some.where('direct_use.id', '>=', firstIdAt(Date.parse(from)))
      if (to !== undefined) some = some.where('direct_use.id', '<', firstIdAt(Date.parse(to)))
      if (before !== undefined) some = some.where('direct_use.id', '<', before)
      const rows = await some
        .orderBy('direct_use.id', 'desc')
        .limit(limit + 1)
        .execute()
      return { items: rows.slice(0, limit).map(useOf), more: rows.length > limit }
    },
    get: async (id) => {
      const row = await query().where('direct_use.id', '=', id).executeTakeFirst()
      if (row === undefined) return undefined
      const { items, more } = await first(exchanges(id))
      return { ...useOf(row), given: items, moreGiven: more }
    },
    personOf: async (id) =>
      (await db.selectFrom('direct_use').select('person_id').where('id', '=', id).executeTakeFirst())?.person_id,
    exchanges,
  }
}

/** Those that held one of these benches in the period, the earliest first. */
export const directWithin = (
  { db }: Pick<Store, 'db'>,
  { from, to, benches }: { readonly from: number; readonly to: number; readonly benches: readonly string[] },
) =>
  withPeople({ db })
    .where('started_at', '<', to)
    .where(({ or, eb }) => or([eb('ended_at', 'is', null), eb('ended_at', '>', from)]))
    .where('bench', 'in', among(benches))
    .orderBy('started_at')

/** How long benches were driven by hand within the period, until now at most, in seconds by bench. */
export async function directSeconds(
  { db }: Pick<Store, 'db'>,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): Promise<Map<string, number>> {
  const until = Math.min(to, now)
  const rows = await db
    .selectFrom('direct_use')
    .select('bench')
    .select(
      sql<number>`sum(max(0, min(coalesce(ended_at, ${now}), ${until}) - max(started_at, ${from}))) / 1000.0`.as(
        'seconds',
      ),
    )
    .where('started_at', '<', until)
    .where(({ or, eb }) => or([eb('ended_at', 'is', null), eb('ended_at', '>', from)]))
    .groupBy('bench')
    .execute()
  return new Map(rows.map(({ bench, seconds }) => [bench, seconds]))
}

const iso = (ms: number) => new Date(ms).toISOString()

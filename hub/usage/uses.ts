/** Reads uses: a page of them, one with all that is known of it, or all of a period one by one. */
import { COMMANDS_STREAM } from '@fernlab/shared/contracts/session-columns'
import type { Use, UseDetail, UseFilter, UserOf } from '@fernlab/shared/contracts/usage'
import { firstIdAt } from '@fernlab/shared/primitives/ids'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import { sql } from 'kysely'
import type { Store } from '../store/store.ts'
import type { SlimUse } from './slim-use.ts'
import { createUseRecord, type UseRecord } from './use-record.ts'

/** Whose uses; without, everybody's. */
type People = readonly string[] | undefined

/** Those that fit, the newest first, before the one with the id. */
export type UsePage<Filter, Item> = (which: {
  filter: Omit<Filter, 'course'>
  people: People
  limit: number
  before?: string | undefined
}) => Promise<{ items: Item[]; more: boolean }>

const AT_ONCE = 1000
/** Of commands, and of files, that one answer holds. */
const MOST_SHOWN = 500

/** In SQL: a list of any length as one value, so that its text is the same for every list. */
export const among = (ids: readonly string[]) => sql<string>`(SELECT value FROM json_each(${JSON.stringify(ids)}))`

/** The query of whole uses. */
export function usesQuery(
  { db }: Pick<Store, 'db'>,
  { filter, people }: { filter: Omit<UseFilter, 'course'>; people: People },
) {
  const { person, lab, bench, state, country, from, to } = filter
  let query = db
    .selectFrom('run')
    .leftJoin('user', 'user.id', 'run.person_id')
    .leftJoin('person', 'person.id', 'run.person_id')
    .select([
      'run.id',
      'run.person_id',
      'user.name',
      'person.role',
      'run.lab',
      'run.lab_version',
      'run.protocol',
      'run.bench',
      'run.client_address',
      'run.country',
      'run.state',
      'run.attempt',
      'run.created_at',
      'run.started_at',
      'run.ended_at',
      'run.reason',
      'run.parameters',
      'run.outputs',
      'run.rows',
    ])
    .select(({ selectFrom, fn }) =>
      selectFrom('run_download')
        .select(fn.countAll<number>().as('count'))
        .whereRef('run_download.run_id', '=', 'run.id')
        .as('downloads'),
    )
  // What checks of benches do is nobody's use.
  query = query.where('run.bench_check', 'is', null)
  if (people !== undefined) query = query.where('run.person_id', 'in', among(people))
  if (person !== undefined) query = query.where('run.person_id', '=', person)
  if (lab !== undefined) query = query.where('run.lab', '=', lab)
  if (bench !== undefined) query = query.where('run.bench', '=', bench)
  if (state !== undefined) query = query.where('run.state', '=', state)
  if (country === 'unknown') query = query.where('run.country', 'is', null)
  else if (country !== undefined) query = query.where('run.country', '=', country)
  // Ids begin with the time of making.
  if (from !== undefined) query = query.where('run.id', '>=', firstIdAt(Date.parse(from)))
  if (to !== undefined) query = query.where('run.id', '<', firstIdAt(Date.parse(to)))
  return query
}

type UseRow = Awaited<ReturnType<ReturnType<typeof usesQuery>['execute']>>[number]

export interface Uses {
  readonly page: UsePage<UseFilter, Use>
  get(id: string): Promise<UseDetail | undefined>
  /** Whose it was, by id. */
  personOf(id: string): Promise<string | undefined>
  /** All of what was done in a use. */
  readonly record: UseRecord
  /** Those that were asked for in the period, the earliest first, some at a time: others have their turn in between. */
  some(which: { from: number; to: number; people: People }): AsyncGenerator<readonly SlimUse[]>
  /** The parameters of these uses, by id. */
  parameters(ids: readonly string[]): Promise<ReadonlyMap<string, string>>
}

/** Reads uses of the store. */
export function createUses({ store, now }: { store: Store; now: () => number }): Uses {
  const { db } = store

  const named = async (ids: readonly string[]): Promise<(id: string) => UserOf> => {
    const rows = await db
      .selectFrom('user')
      .innerJoin('person', 'person.id', 'user.id')
      .select(['user.id', 'user.name'])
      .where('user.id', 'in', among([...new Set(ids)]))
      .execute()
    const names = new Map(rows.map(({ id, name }) => [id, name]))
    return (id) => userOf(id, names.get(id))
  }

  const useOf = (row: UseRow): Use => {
    const session = row.protocol === SESSION_PROTOCOL
    const rows = JSON.parse(row.rows) as Record<string, number>
    return {
      id: row.id,
      person: userOf(row.person_id, row.role === null ? undefined : (row.name ?? undefined)),
      lab: row.lab,
      protocol: row.protocol,
      session,
      bench: row.bench,
      ...(row.client_address === null ? {} : { address: row.client_address }),
      ...(row.country === null ? {} : { country: row.country }),
      askedAt: iso(row.created_at),
      ...(row.started_at === null ? {} : { startedAt: iso(row.started_at) }),
      ...(row.ended_at === null ? {} : { endedAt: iso(row.ended_at) }),
      waitS: Math.max(0, (row.started_at ?? row.ended_at ?? now()) - row.created_at) / 1000,
      ...(row.started_at === null ? {} : { lastsS: Math.max(0, (row.ended_at ?? now()) - row.started_at) / 1000 }),
      state: row.state,
      // Its first row says that it began, its last that it ended.
      ...(session ? { commands: Math.max(0, (rows[COMMANDS_STREAM] ?? 0) - (row.ended_at === null ? 1 : 2)) } : {}),
      downloads: row.downloads ?? 0,
    }
  }

  const record = createUseRecord({ store, named })

  return {
    page: async ({ filter, people, limit, before }) => {
      let query = usesQuery(store, { filter, people })
      if (before !== undefined) query = query.where('run.id', '<', before)
      const rows = await query
        .orderBy('run.id', 'desc')
        .limit(limit + 1)
        .execute()
      return { items: rows.slice(0, limit).map(useOf), more: rows.length > limit }
    },
    get: async (id) => {
      const row = await usesQuery(store, { filter: {}, people: undefined }).where('run.id', '=', id).executeTakeFirst()
      if (row === undefined) return undefined
      const use = useOf(row)
      const [given, taken] = await Promise.all([
        use.session ? first(record.commands(id)) : { items: [], more: false },
        first(record.files(id)),
      ])
      return {
        ...use,
        ...(row.reason === null ? {} : { reason: row.reason }),
        parameters: JSON.parse(row.parameters),
        outputs: JSON.parse(row.outputs),
        rows: JSON.parse(row.rows),
        given: given.items,
        moreGiven: given.more,
        taken: taken.items,
        moreTaken: taken.more,
      }
    },
    personOf: async (id) =>
      (await db.selectFrom('run').select('person_id').where('id', '=', id).executeTakeFirst())?.person_id,
    record,
    some: async function* ({ from, to, people }) {
      const end = firstIdAt(to)
      let after = firstIdAt(from)
      for (;;) {
        const rows = await db
          .selectFrom('run')
          .select(['id', 'person_id', 'lab', 'lab_version', 'protocol', 'bench', 'country', 'state'])
          .select(['created_at', 'started_at', 'ended_at'])
          .where('id', '>', after)
          .where('id', '<', end)
          .where('bench_check', 'is', null)
          // In order of ids in any case: with the plus, no index by person tempts to sort the whole for each page.
          .$if(people !== undefined, (query) => query.where(sql`+person_id`, 'in', among(people ?? [])))
          .orderBy('id')
          .limit(AT_ONCE)
          .execute()
        yield rows.map((row) => ({
          id: row.id,
          personId: row.person_id,
          lab: row.lab,
          labVersion: row.lab_version,
          protocol: row.protocol,
          bench: row.bench,
          country: row.country,
          state: row.state,
          askedAt: row.created_at,
          startedAt: row.started_at,
          endedAt: row.ended_at,
        }))
        if (rows.length < AT_ONCE) return
        after = rows.at(-1)?.id ?? end
      }
    },
    parameters: async (ids) => {
      const rows = await db.selectFrom('run').select(['id', 'parameters']).where('id', 'in', among(ids)).execute()
      return new Map(rows.map(({ id, parameters }) => [id, parameters]))
    },
  }
}

/** As many of them as one answer holds. */
export async function first<Item>(all: AsyncGenerator<Item, void>): Promise<{ items: Item[]; more: boolean }> {
  const items: Item[] = []
  for await (const item of all) {
    if (items.length === MOST_SHOWN) return { items, more: true }
    items.push(item)
  }
  return { items, more: false }
}

/** With the name where there is an account. */
export const userOf = (id: string, name: string | undefined): UserOf =>
  name === undefined ? { id, name: '', pseudonym: true } : { id, name }

const iso = (ms: number) => new Date(ms).toISOString()

/**
 * Countries of uses, and of benches driven by hand, that were asked for before there was a database of countries, or before
 * the one that knows them.
 *
 * INVARIANTS: a use whose country is known keeps it, and one whose address is not kept gets none; how far a round has come
 * is written with what it found, so that one that is cut off goes on from there; few rows at a time, so that nobody waits.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { sql } from 'kysely'
import * as z from 'zod'
import { createSettings } from '../store/settings.ts'
import type { Store, StoreQuery } from '../store/store.ts'
import type { Countries } from './countries.ts'

export interface LateCountries {
  /**
   * Fills in what can be filled in now, or says in the log why not; also done at the start, and whenever another file was
   * read.
   */
  round(): Promise<void>
  /** Ends a round that is under way. */
  close(): Promise<void>
}

const AT_ONCE = 500
/** So many uses are looked up between two lines in the log. */
const TOLD_EACH = 50_000

/** Of what there may be no country yet. */
interface Late {
  /** What the log calls them. */
  readonly what: string
  /** Where it is kept how far a round has come. */
  readonly settingName: string
  /** With an address and without a country, after that one. */
  count(after: Place): Promise<number>
  some(after: Place): Promise<readonly { readonly id: string; readonly address: string | null; readonly at: number }[]>
  /** What was forgotten meanwhile stays so. */
  fill(ids: readonly string[], country: string): StoreQuery
}
type Place = { readonly at: number; readonly id: string }

/** Of which database, and the last use that was looked up in it. */
const progressSchema = z.object({ database: z.string(), at: z.number(), id: z.string() })

/** Begins the first round at once. */
export function createLateCountries({
  store,
  countries,
  clock,
  log,
}: {
  readonly store: Store
  readonly countries: Pick<Countries, 'of' | 'source' | 'onRead'>
  readonly clock: Clock
  readonly log: Log
}): LateCountries {
  const settings = createSettings(store, clock)
  let closed = false
  let working: Promise<void> = Promise.resolve()

  const databaseNow = (): string | undefined => {
    const { database, builtAt } = countries.source()
    return database === undefined ? undefined : `${database} ${builtAt}`
  }

  const fillOne = async ({ what, settingName, count, some, fill }: Late): Promise<void> => {
    const database = databaseNow()
    if (database === undefined) return
    const stored = await settings.read(settingName)
    const before = stored === undefined ? undefined : progressSchema.parse(JSON.parse(stored))
    let after = before?.database === database ? before : { database, at: 0, id: '' }
    const of = await count(after)
    if (of === 0) return
    log.info({ database, uses: of }, `countries of earlier ${what} are looked up`)
    let looked = 0
    let found = 0
    // Another file begins a round of its own.
    while (!closed && databaseNow() === database) {
      const rows = await some(after)
      const last = rows.at(-1)
      if (last === undefined) {
        log.info({ database, looked, found }, `countries of earlier ${what} are filled in`)
        return
      }
      const byCountry = new Map<string, string[]>()
      for (const { id, address } of rows) {
        const country = address === null ? undefined : countries.of(address)
        if (country !== undefined) byCountry.set(country, [...(byCountry.get(country) ?? []), id])
      }
      after = { database, at: last.at, id: last.id }
      const changes = await store.write([
        ...[...byCountry].map(([country, ids]) => fill(ids, country)),
        settings.keep(settingName, JSON.stringify(after), null),
      ])
      found += changes.slice(0, -1).reduce((sum, { changes: changed }) => sum + changed, 0)
      const told = Math.floor(looked / TOLD_EACH)
      looked += rows.length
      if (Math.floor(looked / TOLD_EACH) > told) log.info({ looked, found, of }, 'countries are being looked up')
    }
  }
  const fill = async (): Promise<void> => {
    for (const late of [lateRuns(store), lateDirectUses(store)]) await fillOne(late)
  }

  const round = (): Promise<void> => {
    working = working
      .then(() => (closed ? undefined : fill()))
      .catch((error: unknown) => {
        // The next round goes on from here.
        log.warn({ error: asLabError(error).message }, 'countries of earlier uses could not be looked up')
      })
    return working
  }
  const stop = countries.onRead(() => void round())
  void round()

  return {
    round,
    close: async () => {
      closed = true
      stop()
      await working
    },
  }
}

const among = (ids: readonly string[]) => sql<string>`(SELECT value FROM json_each(${JSON.stringify(ids)}))`

function lateRuns({ db }: Pick<Store, 'db'>): Late {
  const open = (after: Place) =>
    db
      .selectFrom('run')
      .where('client_address', 'is not', null)
      .where('country', 'is', null)
      .where(sql<boolean>`(created_at, id) > (${after.at}, ${after.id})`)
  return {
    what: 'uses',
    settingName: 'usage.countries',
    count: async (after) => counted(open(after).select(({ fn }) => fn.countAll<number>().as('count'))),
    some: (after) =>
      open(after)
        .select(['id', 'client_address as address', 'created_at as at'])
        .orderBy('created_at')
        .orderBy('id')
        .limit(AT_ONCE)
        .execute(),
    fill: (ids, country) =>
      db
        .updateTable('run')
        .set({ country })
        .where('id', 'in', among(ids))
        .where('country', 'is', null)
        .where('client_address', 'is not', null),
  }
}

function lateDirectUses({ db }: Pick<Store, 'db'>): Late {
  const open = (after: Place) =>
    db
      .selectFrom('direct_use')
      .where('client_address', 'is not', null)
      .where('country', 'is', null)
      .where(sql<boolean>`(started_at, id) > (${after.at}, ${after.id})`)
  return {
    what: 'direct uses',
    settingName: 'usage.countries.direct',
    count: async (after) => counted(open(after).select(({ fn }) => fn.countAll<number>().as('count'))),
    some: (after) =>
      open(after)
        .select(['id', 'client_address as address', 'started_at as at'])
        .orderBy('started_at')
        .orderBy('id')
        .limit(AT_ONCE)
        .execute(),
    fill: (ids, country) =>
      db
        .updateTable('direct_use')
        .set({ country })
        .where('id', 'in', among(ids))
        .where('country', 'is', null)
        .where('client_address', 'is not', null),
  }
}

const counted = async (query: { executeTakeFirstOrThrow(): Promise<{ count: number }> }): Promise<number> =>
  (await query.executeTakeFirstOrThrow()).count

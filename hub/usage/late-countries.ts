/**
 * Countries of uses that were asked for before there was a database of countries, or before the one that knows them.
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
import type { Store } from '../store/store.ts'
import type { Countries } from './countries.ts'

export interface LateCountries {
  /** Fills in what can be filled in now, or says in the log why not; also done at the start, and whenever another file was read. */
  round(): Promise<void>
  /** Ends a round that is under way. */
  close(): Promise<void>
}

const settingName = 'usage.countries'
const AT_ONCE = 500
/** So many uses are looked up between two lines in the log. */
const TOLD_EACH = 50_000

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
  const { db } = store
  const settings = createSettings(store, clock)
  let closed = false
  let working: Promise<void> = Promise.resolve()

  const databaseNow = (): string | undefined => {
    const { database, builtAt } = countries.source()
    return database === undefined ? undefined : `${database} ${builtAt}`
  }

  /** With an address and without a country, after that one. */
  const open = (after: { readonly at: number; readonly id: string }) =>
    db
      .selectFrom('run')
      .where('client_address', 'is not', null)
      .where('country', 'is', null)
      .where(sql<boolean>`(created_at, id) > (${after.at}, ${after.id})`)

  const fill = async (): Promise<void> => {
    const database = databaseNow()
    if (database === undefined) return
    const stored = await settings.read(settingName)
    const before = stored === undefined ? undefined : progressSchema.parse(JSON.parse(stored))
    let after = before?.database === database ? before : { database, at: 0, id: '' }
    const { count } = await open(after)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (count === 0) return
    log.info({ database, uses: count }, 'countries of earlier uses are looked up')
    let looked = 0
    let found = 0
    // Another file begins a round of its own.
    while (!closed && databaseNow() === database) {
      const rows = await open(after)
        .select(['id', 'client_address', 'created_at'])
        .orderBy('created_at')
        .orderBy('id')
        .limit(AT_ONCE)
        .execute()
      const last = rows.at(-1)
      if (last === undefined) {
        log.info({ database, looked, found }, 'countries of earlier uses are filled in')
        return
      }
      const byCountry = new Map<string, string[]>()
      for (const { id, client_address: address } of rows) {
        const country = address === null ? undefined : countries.of(address)
        if (country !== undefined) byCountry.set(country, [...(byCountry.get(country) ?? []), id])
      }
      after = { database, at: last.created_at, id: last.id }
      const changes = await store.write([
        ...[...byCountry].map(([country, ids]) =>
          db
            .updateTable('run')
            .set({ country })
            .where('id', 'in', sql<string>`(SELECT value FROM json_each(${JSON.stringify(ids)}))`)
            .where('country', 'is', null)
            // What was forgotten meanwhile stays so.
            .where('client_address', 'is not', null),
        ),
        settings.keep(settingName, JSON.stringify(after), null),
      ])
      found += changes.slice(0, -1).reduce((sum, { changes: changed }) => sum + changed, 0)
      const told = Math.floor(looked / TOLD_EACH)
      looked += rows.length
      if (Math.floor(looked / TOLD_EACH) > told) log.info({ looked, found, of: count }, 'countries are being looked up')
    }
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

/**
 * How long uses keep what names their people: addresses, and the people themselves.
 *
 * INVARIANTS: a use that has a pseudonym never gets its person back: the pseudonym is a keyed hash, the same for one person
 * within a year, and a year's key is destroyed once no ended use of the year has a name; only uses that have ended are
 * touched; all of a use that names its person changes in one write, with what the audit log says of a direct use.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import { COMMANDS_STREAM } from '@fernlab/shared/contracts/session-columns'
import { type UsagePreview, type UsageRules, usageRulesSchema } from '@fernlab/shared/contracts/usage'
import { decode, encode } from '@fernlab/shared/links/codec'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { firstIdAt } from '@fernlab/shared/primitives/ids'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import { sql } from 'kysely'
import { auditEntries } from '../store/audit-entries.ts'
import { createSettings } from '../store/settings.ts'
import type { Store, StoreQuery } from '../store/store.ts'
import { forgetExchangeAddresses } from './exchange-addresses.ts'

export interface UsageKeeping {
  rules(): Promise<UsageRules>
  /** The queries of a change by a person, and what has to be known once they are written. */
  change(rules: UsageRules, by: string): Promise<void>
  /** What such rules would take away now. */
  preview(rules: UsageRules): Promise<UsagePreview>
  /** Whether addresses are kept at all, as far as this process knows. */
  keepsAddresses(): boolean
  /** Takes away what the rules say; stops early when asked to. */
  sweep(stopped: () => boolean): Promise<void>
}

const rulesName = 'usage'
const keyName = (year: number) => `usage.key.${year}`
const dayMs = 86_400_000
const AT_ONCE = 50
const usual: UsageRules = { addressDays: 90, nameDays: null }

/** Reads the rules once; they are changed through this. */
export async function openUsageKeeping({ store, clock }: { store: Store; clock: Clock }): Promise<UsageKeeping> {
  const { db } = store
  const settings = createSettings(store, clock)
  const audit = auditEntries(store, clock)
  const rules = async (): Promise<UsageRules> => {
    const stored = await settings.read(rulesName)
    return stored === undefined ? usual : usageRulesSchema.parse(JSON.parse(stored))
  }
  let known = await rules()

  const oldAddresses = (before: number) =>
    db.selectFrom('run').where('client_address', 'is not', null).where('created_at', '<', before)
  const oldSignIns = (before: number) =>
    db.selectFrom('session').where('ipAddress', 'is not', null).where('createdAt', '<', new Date(before).toISOString())
  const oldNames = (before: number) =>
    db.selectFrom('run').where('unnamed_at', 'is', null).where('bench_check', 'is', null).where('ended_at', '<', before)
  const oldDirectAddresses = (before: number) =>
    db.selectFrom('direct_use').where('client_address', 'is not', null).where('started_at', '<', before)
  const oldEntries = (before: number) =>
    db.selectFrom('audit').where('address', 'is not', null).where('at', '<', before)
  const oldDirectNames = (before: number) =>
    db.selectFrom('direct_use').where('unnamed_at', 'is', null).where('ended_at', '<', before)
  const count = async (rows: { executeTakeFirstOrThrow(): Promise<{ count: number }> }) =>
    (await rows.executeTakeFirstOrThrow()).count

  const forgetAddresses = async (before: number, stopped: () => boolean): Promise<number> => {
    let forgotten = 0
    while (!stopped()) {
      const some = oldAddresses(before)
        .select('id')
        .limit(AT_ONCE * 10)
      const [changed] = await store.write([db.updateTable('run').set({ client_address: null }).where('id', 'in', some)])
      forgotten += changed?.changes ?? 0
      if ((changed?.changes ?? 0) < AT_ONCE * 10) break
    }
    const changed = await store.write([
      db.updateTable('session').set({ ipAddress: null }).where('id', 'in', oldSignIns(before).select('id')),
      db
        .updateTable('direct_use')
        .set({ client_address: null })
        .where('id', 'in', oldDirectAddresses(before).select('id')),
      db.updateTable('audit').set({ address: null }).where('id', 'in', oldEntries(before).select('id')),
    ])
    await forgetExchangeAddresses(store, before, stopped)
    return changed.reduce((sum, { changes }) => sum + changes, forgotten)
  }

  const keyOf = async (year: number): Promise<Buffer> => {
    const stored = await settings.read(keyName(year))
    if (stored !== undefined) return Buffer.from(stored, 'hex')
    const key = randomBytes(32)
    await store.write([settings.keep(keyName(year), key.toString('hex'), null)])
    return key
  }

  /** The pages of commands with pseudonyms for who gave them. */
  const renamedPages = async (runId: string, call: (person: string) => string) => {
    const pages = await db
      .selectFrom('document')
      .select(['id', 'body'])
      .where('run_id', '=', runId)
      .where('stream', '=', COMMANDS_STREAM)
      .where('name', '=', 'event_page')
      .execute()
    return pages.map(({ id, body }) => {
      const whole = decode(body) as EventPageDoc | { doc: EventPageDoc }
      const page = 'doc' in whole ? whole.doc : whole
      const by = page.columns.by
      if (Array.isArray(by))
        page.columns.by = by.map((who) => (typeof who === 'string' && who !== '' ? call(who) : who))
      return db
        .updateTable('document')
        .set({ body: encode(whole) })
        .where('id', '=', id)
    })
  }

  const rename = async (
    run: { id: string; person_id: string; protocol: string; created_at: number; recurring_id: string | null },
    key: Buffer,
  ) => {
    const call = (person: string) => pseudonym(key, person)
    const [partners, takers] = await Promise.all([
      db.selectFrom('live_partner').select('person_id').where('run_id', '=', run.id).execute(),
      db.selectFrom('run_download').select('person_id').distinct().where('run_id', '=', run.id).execute(),
    ])
    await store.write([
      {
        query: db
          .updateTable('run')
          .set({ person_id: call(run.person_id), unnamed_at: clock.now(), note: null, client_address: null })
          .set({ idempotency_key: null, request_hash: null, booking_id: null, recurring_id: null })
          .where('id', '=', run.id)
          .where('unnamed_at', 'is', null),
        expect: 1,
      },
      ...partners.map(({ person_id }) =>
        db
          .updateTable('live_partner')
          .set({ person_id: call(person_id) })
          .where('run_id', '=', run.id)
          .where('person_id', '=', person_id),
      ),
      ...takers.map(({ person_id }) =>
        db
          .updateTable('run_download')
          .set({ person_id: call(person_id) })
          .where('run_id', '=', run.id)
          .where('person_id', '=', person_id),
      ),
      // A recurring run names its person, and each of its due times the run that it made.
      db
        .updateTable('recurring_time')
        .set({ run_id: null })
        .where('recurring_id', '=', run.recurring_id)
        .where('run_id', '=', run.id),
      ...(run.protocol === SESSION_PROTOCOL ? await renamedPages(run.id, call) : []),
    ])
  }

  /** The entries of the audit log that tell whose a direct use was, with its pseudonym or without the name. */
  const renamedEntries = async (
    use: { person_id: string; bench: string; started_at: number },
    name: string,
  ): Promise<StoreQuery[]> => {
    const next = await db
      .selectFrom('direct_use')
      .select('started_at')
      .where('bench', '=', use.bench)
      .where('started_at', '>', use.started_at)
      .orderBy('started_at')
      .limit(1)
      .executeTakeFirst()
    // That it ran out is noted when the hub sees it, which may have been down: but before the bench is taken again.
    const entries = db
      .updateTable('audit')
      .where('subject', '=', use.bench)
      .where('at', '>=', use.started_at)
      .where('at', '<', next?.started_at ?? Number.MAX_SAFE_INTEGER)
    return [
      entries
        // What it was for may say whose it was.
        .set({ person_id: name, detail: sql<string>`json_remove(detail, '$.reason')` })
        .where('action', 'in', ['bench.lease', 'bench.released'])
        .where('person_id', '=', use.person_id),
      entries
        // What somebody said as they ended it may name whose it was.
        .set({ detail: sql<string>`json_remove(detail, '$.holder', '$.reason')` })
        .where('action', 'in', ['bench.released', 'bench.lease-expired'])
        .where(sql<string>`detail ->> '$.holder'`, '=', use.person_id),
    ]
  }

  const forgetNames = async (before: number, stopped: () => boolean): Promise<{ uses: number; people: number }> => {
    const people = new Set<string>()
    let uses = 0
    while (!stopped()) {
      const runs = await oldNames(before)
        .select(['id', 'person_id', 'protocol', 'created_at', 'recurring_id'])
        .orderBy('ended_at')
        .limit(AT_ONCE)
        .execute()
      if (runs.length === 0) break
      for (const run of runs) {
        await rename(run, await keyOf(yearOf(run.created_at)))
        people.add(run.person_id)
        uses++
      }
    }
    while (!stopped()) {
      const direct = await oldDirectNames(before)
        .select(['id', 'person_id', 'bench', 'started_at'])
        .orderBy('ended_at')
        .limit(AT_ONCE)
        .execute()
      if (direct.length === 0) break
      const renamed = []
      for (const { id, person_id, bench, started_at } of direct) {
        const name = pseudonym(await keyOf(yearOf(started_at)), person_id)
        renamed.push(
          db
            .updateTable('direct_use')
            .set({ person_id: name, unnamed_at: clock.now(), client_address: null })
            .where('id', '=', id)
            .where('unnamed_at', 'is', null),
          db
            .updateTable('direct_command')
            .set({ client_address: null })
            .where('use_id', '=', id)
            .where('client_address', 'is not', null),
          ...(await renamedEntries({ person_id, bench, started_at }, name)),
        )
        people.add(person_id)
        uses++
      }
      await store.write(renamed)
    }
    return { uses, people: people.size }
  }

  /** Bookings would tell whose the use of that time was. */
  const forgetBookings = async (before: number, stopped: () => boolean) => {
    while (!stopped()) {
      const rows = await db
        .selectFrom('booking')
        .select(['id', 'person_id', 'created_by', 'starts_at'])
        .where('ends_at', '<', before)
        .where('person_id', 'not like', `${PREFIX}%`)
        .limit(AT_ONCE)
        .execute()
      if (rows.length === 0) break
      const renamed = []
      for (const { id, person_id, created_by, starts_at } of rows) {
        const key = await keyOf(yearOf(starts_at))
        const names = { person_id: pseudonym(key, person_id), created_by: pseudonym(key, created_by) }
        renamed.push(
          db
            .updateTable('booking')
            .set({ ...names, note: null, series_id: null })
            .where('id', '=', id),
          db.deleteFrom('booking_notice').where('booking_id', '=', id),
          db
            .updateTable('audit')
            .set({ person_id: names.person_id })
            .where('subject', '=', id)
            .where('person_id', '=', person_id),
        )
      }
      await store.write(renamed)
    }
    const used = db.selectFrom('booking').select('series_id').where('series_id', 'is not', null)
    await store.write([
      db
        .deleteFrom('booking_series')
        .where('created_at', '<', before)
        .where('id', 'not in', used.$castTo<{ series_id: string }>()),
    ])
  }

  /** Destroys the keys of years of which nothing is left to be named. */
  const destroyKeys = async (before: number) => {
    const keys = await db.selectFrom('setting').select('name').where('name', 'like', 'usage.key.%').execute()
    for (const { name } of keys) {
      const year = Number(name.split('.').at(-1))
      const [start, end] = [Date.UTC(year, 0), Date.UTC(year + 1, 0)]
      if (end > before) continue
      const named = await db
        .selectFrom('run')
        .select('id')
        .where('id', '>=', firstIdAt(start))
        .where('id', '<', firstIdAt(end))
        .where('unnamed_at', 'is', null)
        .where('bench_check', 'is', null)
        .limit(1)
        .executeTakeFirst()
      const driven = await db
        .selectFrom('direct_use')
        .select('id')
        .where('started_at', '>=', start)
        .where('started_at', '<', end)
        .where('unnamed_at', 'is', null)
        .limit(1)
        .executeTakeFirst()
      if (named === undefined && driven === undefined)
        await store.write([db.deleteFrom('setting').where('name', '=', name)])
    }
  }

  return {
    rules,
    keepsAddresses: () => known.addressDays !== 0,
    change: async (next, by) => {
      await store.write(settings.change(rulesName, { from: await rules(), to: next }, by))
      known = next
    },
    preview: async ({ addressDays, nameDays }) => {
      const now = clock.now()
      const addressesBefore = addressDays === null ? 0 : now - addressDays * dayMs
      const namesBefore = nameDays === null ? 0 : now - nameDays * dayMs
      const rows = [
        oldAddresses(addressesBefore).select(({ fn }) => fn.countAll<number>().as('count')),
        oldSignIns(addressesBefore).select(({ fn }) => fn.countAll<number>().as('count')),
        oldDirectAddresses(addressesBefore).select(({ fn }) => fn.countAll<number>().as('count')),
        oldEntries(addressesBefore).select(({ fn }) => fn.countAll<number>().as('count')),
        oldNames(namesBefore).select(({ fn }) => fn.countAll<number>().as('count')),
        oldDirectNames(namesBefore).select(({ fn }) => fn.countAll<number>().as('count')),
      ]
      const named = oldNames(namesBefore)
        .select('person_id')
        .union(oldDirectNames(namesBefore).select('person_id'))
        .as('named')
      const [runs = 0, signIns = 0, driven = 0, entries = 0, uses = 0, direct = 0] = await Promise.all(rows.map(count))
      const people = await count(db.selectFrom(named).select(({ fn }) => fn.countAll<number>().as('count')))
      return { addresses: runs + signIns + driven + entries, uses: uses + direct, people }
    },
    sweep: async (stopped) => {
      const { addressDays, nameDays } = await rules()
      const now = clock.now()
      const addresses = addressDays === null ? 0 : await forgetAddresses(now - addressDays * dayMs, stopped)
      let named = { uses: 0, people: 0 }
      if (nameDays !== null) {
        const before = now - nameDays * dayMs
        named = await forgetNames(before, stopped)
        await forgetBookings(before, stopped)
        if (!stopped()) await destroyKeys(before)
      }
      if (addresses + named.uses === 0) return
      await store.write([audit(null, 'usage.sweep', 'uses', { addresses, ...named, addressDays, nameDays })])
    },
  }
}

/** No person's id begins so. */
const PREFIX = 'p-'
const yearOf = (ms: number) => new Date(ms).getUTCFullYear()

function pseudonym(key: Buffer, personId: string): string {
  if (personId.startsWith(PREFIX)) return personId
  return PREFIX + createHmac('sha256', key).update(personId).digest('hex').slice(0, 20)
}

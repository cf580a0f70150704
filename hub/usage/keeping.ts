/**
 * How long uses keep what names their people: addresses, and the people themselves.
 *
 * INVARIANTS: a use that has a pseudonym never gets its person back: the pseudonym is a keyed hash, the same for one person
 * within a year, and a year's key is destroyed once no ended use of the year has a name; only uses that have ended are
 * touched; all of a use that names its person changes in one write.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import { COMMANDS_STREAM } from '@fernlab/shared/contracts/session-columns'
import { type UsagePreview, type UsageRules, usageRulesSchema } from '@fernlab/shared/contracts/usage'
import { decode, encode } from '@fernlab/shared/links/codec'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { firstIdAt } from '@fernlab/shared/primitives/ids'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import { auditEntries } from '../store/audit-entries.ts'
import { createSettings } from '../store/settings.ts'
import type { Store } from '../store/store.ts'

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
    db.selectFrom('run').where('unnamed_at', 'is', null).where('ended_at', '<', before)
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
    const signIns = oldSignIns(before).select('id')
    const [changed] = await store.write([db.updateTable('session').set({ ipAddress: null }).where('id', 'in', signIns)])
    return forgotten + (changed?.changes ?? 0)
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

  const rename = async (run: { id: string; person_id: string; protocol: string; created_at: number }, key: Buffer) => {
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
      ...(run.protocol === SESSION_PROTOCOL ? await renamedPages(run.id, call) : []),
    ])
  }

  const forgetNames = async (before: number, stopped: () => boolean): Promise<{ uses: number; people: number }> => {
    const people = new Set<string>()
    let uses = 0
    while (!stopped()) {
      const runs = await oldNames(before)
        .select(['id', 'person_id', 'protocol', 'created_at'])
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
        .limit(1)
        .executeTakeFirst()
      if (named === undefined) await store.write([db.deleteFrom('setting').where('name', '=', name)])
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
      const [addresses, signIns, uses, people] = await Promise.all([
        count(oldAddresses(addressesBefore).select(({ fn }) => fn.countAll<number>().as('count'))),
        count(oldSignIns(addressesBefore).select(({ fn }) => fn.countAll<number>().as('count'))),
        count(oldNames(namesBefore).select(({ fn }) => fn.countAll<number>().as('count'))),
        count(oldNames(namesBefore).select(({ fn }) => fn.count<number>('person_id').distinct().as('count'))),
      ])
      return { addresses: addresses + signIns, uses, people }
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
      // The write-ahead log would hold what was just removed for a while.
      await store.database.checkpoint()
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

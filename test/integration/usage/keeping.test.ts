import { callingFrom } from '@fernlab/hub/store/calling-from'
import { openUsageKeeping } from '@fernlab/hub/usage/keeping'
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import { COMMANDS_STREAM } from '@fernlab/shared/contracts/session-columns'
import { decode } from '@fernlab/shared/links/codec'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { storeDocuments, temporaryStore } from '../results/stored-run.ts'
import { minute, storeDirectUse, storeUse } from './stored-use.ts'

const test = suite('how long uses keep names', { timeoutMs: 20_000 })
let opened: Awaited<ReturnType<typeof temporaryStore>>
const day = 86_400_000
const begin = Date.parse('2026-03-02T09:00:00.000Z')

test.before.each(async () => {
  opened = await temporaryStore()
})
test.after.each(() => opened.close())

const runs = () => opened.store.db.selectFrom('run').selectAll().orderBy('id').execute()
const never = () => false

test('addresses go by the rule, countries and names stay; a preview says it before', async () => {
  const { store } = opened
  const clock = new ManualClock(begin + 100 * day)
  const keeping = await openUsageKeeping({ store, clock })
  assert.equal(await keeping.rules(), { addressDays: 90, nameDays: null })
  await storeUse(store, { person: 'ana', at: begin, address: '192.0.2.7', country: 'ES' })
  await storeUse(store, { person: 'ana', at: begin + 50 * day, address: '192.0.2.8' })
  assert.equal(await keeping.preview({ addressDays: 90, nameDays: null }), { addresses: 1, uses: 0, people: 0 })
  assert.equal(await keeping.preview({ addressDays: 0, nameDays: 30 }), { addresses: 2, uses: 2, people: 1 })
  await keeping.sweep(never)
  assert.equal(
    (await runs()).map(({ client_address, country, person_id }) => [client_address, country, person_id]),
    [
      [null, 'ES', 'ana'],
      ['192.0.2.8', null, 'ana'],
    ],
  )
  assert.ok(keeping.keepsAddresses())
  await keeping.change({ addressDays: 0, nameDays: null }, 'boss')
  assert.not(keeping.keepsAddresses())
  await keeping.sweep(never)
  assert.ok((await runs()).every(({ client_address }) => client_address === null))
  const entries = await store.db.selectFrom('audit').select(['action', 'detail']).orderBy('id').execute()
  assert.equal(
    entries.map(({ action }) => action),
    ['usage.sweep', 'settings.usage', 'usage.sweep'],
  )
})

test('a person becomes one pseudonym a year, in all that a use holds, and the key of a year that is over goes', async () => {
  const { store } = opened
  const clock = new ManualClock(begin + 40 * day)
  const keeping = await openUsageKeeping({ store, clock })
  const { id } = await storeUse(store, {
    person: 'ana',
    at: begin,
    protocol: SESSION_PROTOCOL,
    note: 'mine',
    address: '192.0.2.7',
  })
  await storeUse(store, { person: 'ana', at: begin + day })
  await storeUse(store, { person: 'bo', at: begin + 2 * day })
  await storeUse(store, { person: 'ana', at: begin + 30 * day })
  await store.write([
    store.db.insertInto('live_partner').values({ run_id: id, person_id: 'bo', joined_at: 0 }),
    store.db.insertInto('run_download').values({ run_id: id, person_id: 'ana', at: 0, what: 'data.csv' }),
    store.db.insertInto('booking').values({
      id: 'b',
      person_id: 'ana',
      lab: 'rc-circuit',
      starts_at: begin,
      ends_at: begin + 60_000,
      clean_up_ms: 0,
      places: 1,
      state: 'booked',
      created_at: begin,
      created_by: 'ana',
      note: 'mine too',
    }),
  ])
  const doc = {
    stream: COMMANDS_STREAM,
    first: 0,
    count: 3,
    time: Float64Array.of(1, 2, 3),
    columns: { by: ['', 'ana', 'bo'], what: ['begin', 'set', 'set'] },
  }
  await storeDocuments(store, [{ runId: id, attempt: 1, seq: 2, name: 'event_page', doc }])
  await keeping.change({ addressDays: 90, nameDays: 30 }, 'boss')
  await keeping.sweep(never)
  const [first, second, third, young] = await runs()
  assert.match(first?.person_id ?? '', /^p-[0-9a-f]{20}$/)
  assert.equal([first?.note, first?.client_address], [null, null])
  assert.is(second?.person_id, first?.person_id)
  assert.is.not(third?.person_id, first?.person_id)
  assert.is(young?.person_id, 'ana', 'not old enough')
  const rest = await store.database.read(`SELECT
    (SELECT person_id FROM live_partner) AS partner, (SELECT person_id FROM run_download) AS taker,
    (SELECT person_id FROM booking) AS booked, (SELECT note FROM booking) AS note, (SELECT body FROM document) AS body`)
  assert.equal(
    [rest[0]?.partner, rest[0]?.taker, rest[0]?.booked, rest[0]?.note],
    [third?.person_id, first?.person_id, first?.person_id, null],
  )
  const page = decode(rest[0]?.body as Uint8Array) as { doc: EventPageDoc }
  assert.equal(page.doc.columns.by as unknown, ['', first?.person_id, third?.person_id])
  assert.equal([...page.doc.time], [1, 2, 3])
  const keys = async () =>
    (await store.db.selectFrom('setting').select('name').where('name', 'like', 'usage.key.%').execute()).length
  assert.is(await keys(), 1)
  await keeping.sweep(never)
  assert.equal(
    (await runs()).map(({ person_id }) => person_id),
    [first, second, third, young].map((run) => run?.person_id),
  )
  clock.jump(365 * day)
  await keeping.sweep(never)
  assert.is((await runs())[3]?.person_id, first?.person_id, 'the same within the year')
  assert.is(await keys(), 0)
})

test('direct use keeps addresses and names by the same rules, and its year’s key until it has none', async () => {
  const { store } = opened
  const clock = new ManualClock(begin + 40 * day)
  const keeping = await openUsageKeeping({ store, clock })
  const [seven, eight] = ['192.0.2.7', '192.0.2.8'].map((address) => ({ address, exchanges: [{ set: {}, address }] }))
  await storeDirectUse(store, { person: 'ana', at: begin, country: 'ES', ...seven })
  await storeDirectUse(store, { person: 'ana', at: begin + 30 * day, ...eight })
  await storeUse(store, { person: 'ana', at: begin })
  const entry = (
    at: number,
    person_id: string | null,
    action: string,
    subject = 'n.a',
    holder?: string,
    reason?: string,
  ) =>
    store.db.insertInto('audit').values({ at, person_id, action, subject, detail: JSON.stringify({ holder, reason }) })
  await store.write([
    entry(begin, 'ana', 'bench.lease', 'n.a', undefined, 'for ana’s thesis'),
    entry(begin, 'ana', 'bench.lease', 'n.b'),
    entry(begin + minute, 'bo', 'bench.released', 'n.a', 'ana', 'left over night'),
    entry(begin + minute, 'ana', 'bench.outage'),
    entry(begin + day, null, 'bench.lease-expired', 'n.a', 'ana'),
    entry(begin + 30 * day, 'ana', 'bench.lease'),
    entry(begin + 30 * day, null, 'bench.lease-expired', 'n.a', 'ana'),
  ])
  const rules = { addressDays: 30, nameDays: 30 }
  assert.equal(await keeping.preview(rules), { addresses: 1, uses: 2, people: 1 })
  await keeping.change(rules, 'boss')
  await keeping.sweep(never)
  const direct = () => store.db.selectFrom('direct_use').selectAll().orderBy('id').execute()
  const [old, young] = await direct()
  const [run] = await runs()
  assert.match(old?.person_id ?? '', /^p-[0-9a-f]{20}$/)
  assert.is(old?.person_id, run?.person_id, 'the same as in runs of the year')
  assert.equal([old?.client_address, old?.country], [null, 'ES'])
  assert.equal([young?.person_id, young?.client_address], ['ana', '192.0.2.8'])
  const exchanges = await store.db.selectFrom('direct_command').select('client_address').orderBy('id').execute()
  assert.equal(
    exchanges.map((one) => one.client_address),
    [null, '192.0.2.8'],
  )
  const told = await store.db
    .selectFrom('audit')
    .select(['person_id', 'detail'])
    .where('action', 'like', 'bench.%')
    .orderBy('id')
    .execute()
  assert.equal(
    told.map(({ person_id, detail }) => [person_id, detail]),
    [
      [old?.person_id, '{}'],
      ['ana', '{}'],
      ['bo', '{}'],
      ['ana', '{}'],
      [null, '{}'],
      ['ana', '{}'],
      [null, '{"holder":"ana"}'],
    ],
    'the audit log gives that use, and no other, no name back',
  )
  const detail = async () =>
    JSON.parse(
      (await store.db.selectFrom('audit').select('detail').where('action', '=', 'usage.sweep').execute())[0]?.detail ??
        '{}',
    ) as object
  assert.equal(await detail(), { addresses: 1, uses: 2, people: 1, ...rules })
  const keys = async () =>
    (await store.db.selectFrom('setting').select('name').where('name', 'like', 'usage.key.%').execute()).length
  assert.is(await keys(), 1)
  clock.jump(365 * day)
  await keeping.sweep(never)
  assert.is((await direct())[1]?.person_id, old?.person_id)
  assert.is(await keys(), 0)
})

test('the audit log forgets addresses by the same rule, and keeps who did it', async () => {
  const { store } = opened
  const clock = new ManualClock(begin + 40 * day)
  const keeping = await openUsageKeeping({ store, clock })
  const entry = { person_id: 'ana', action: 'person.role', subject: 'bo', detail: '{}' }
  await store.write([
    store.db.insertInto('audit').values([
      { ...entry, at: begin, address: '192.0.2.7' },
      { ...entry, at: begin + 39 * day, address: '192.0.2.8' },
      { ...entry, at: begin, person_id: null, address: null },
    ]),
  ])
  const rules = { addressDays: 30, nameDays: null }
  assert.is((await keeping.preview(rules)).addresses, 1)
  await callingFrom('192.0.2.9', () => keeping.change(rules, 'boss'))
  await callingFrom('192.0.2.9', () => keeping.sweep(never))
  const entries = await store.db.selectFrom('audit').select(['person_id', 'action', 'address']).orderBy('id').execute()
  assert.equal(
    entries.map(({ person_id, action, address }) => [person_id, action, address]),
    [
      ['ana', 'person.role', null],
      ['ana', 'person.role', '192.0.2.8'],
      [null, 'person.role', null],
      ['boss', 'settings.usage', '192.0.2.9'],
      [null, 'usage.sweep', null],
    ],
    'what the hub does by itself comes from nowhere',
  )
})

test.run()

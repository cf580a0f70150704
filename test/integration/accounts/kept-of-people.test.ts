import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEndedLocks } from '@fernlab/hub/directory/ended-locks'
import { forgetExpired } from '@fernlab/hub/maintenance/expired'
import { auditEntries } from '@fernlab/hub/store/audit-entries'
import type { Store } from '@fernlab/hub/store/store'
import { openUsageKeeping } from '@fernlab/hub/usage/keeping'
import type { Me } from '@fernlab/shared/contracts/api'
import { COMMANDS_STREAM } from '@fernlab/shared/contracts/session-columns'
import { encode } from '@fernlab/shared/links/codec'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import type { SqlValue } from '@fernlab/shared/storage/database'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, serveHub } from '../api/served-hub.ts'
import { temporaryStore } from '../results/stored-run.ts'
import { ofNobody, ofPeople } from './kept-of-people.ts'
import { askAs, cookieOf, secretIn } from './visitor.ts'

const test = suite('what the database holds of people', { timeoutMs: 60_000 })

/** Stands in each column of its own, and nowhere else. */
const markOf = (column: string) => `quellfaden-${column}`
const marksIn = (text: string) => [
  ...new Set([...text.matchAll(/quellfaden-([a-z_]+\.[a-zA-Z_]+)/g)].map(([, at]) => at)),
]

/** A time, and a number that nothing else has. */
const LONG_AGO = 987_654

interface Column {
  readonly table: string
  readonly name: string
  readonly type: string
}

async function columnsOf({ database }: Store): Promise<Column[]> {
  const rows = await database.read(
    `SELECT m.name AS "table", c.name, c.type FROM sqlite_schema m JOIN pragma_table_info(m.name) c
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`,
  )
  return rows as unknown as Column[]
}

/** What a row has to have besides, to be what it is. */
const particular = (person: string): Readonly<Record<string, SqlValue>> => ({
  'audit.action': 'token.created',
  'audit.detail': JSON.stringify({ name: markOf('audit.detail') }),
  'booking.starts_at': 1,
  'booking.ends_at': 2,
  'booking.state': 'over',
  'booking_notice.detail': JSON.stringify({ by: markOf('booking_notice.detail') }),
  'booking_series.weekly': '{}',
  'direct_use.unnamed_at': null,
  'document.name': 'event_page',
  'document.stream': COMMANDS_STREAM,
  'document.body': encode({ stream: COMMANDS_STREAM, first: 0, count: 1, time: [1], columns: { by: [person] } }),
  'permission.subject_kind': 'person',
  'permission.protocols': '[]',
  'permission.gives': '{}',
  'recurring.due_at': null,
  'recurring.paused_for': 'person',
  'recurring.parameters': '{}',
  'run.protocol': SESSION_PROTOCOL,
  'run.state': 'succeeded',
  'run.bench_check': null,
  'run.unnamed_at': null,
  'session.createdAt': '2020-01-01T00:00:00.000Z',
  'session.expiresAt': '2020-01-02T00:00:00.000Z',
})

/** A row of everything that the hub keeps of the person; the account itself is there already. */
async function fill(store: Store, person: string): Promise<void> {
  const exact = particular(person)
  const value = ({ table, name, type }: Column): SqlValue => {
    const at = `${table}.${name}`
    if (Object.hasOwn(exact, at)) return exact[at] ?? null
    const holds = ofPeople[at]?.holds
    if (holds !== undefined) return holds === 'id' ? person : markOf(at)
    return type === 'TEXT' ? 'x' : type === 'BLOB' ? new Uint8Array([1]) : LONG_AGO
  }
  const tables = new Map<string, Column[]>()
  for (const column of await columnsOf(store)) tables.set(column.table, [...(tables.get(column.table) ?? []), column])
  for (const there of ['migration', 'user', 'person', 'account']) tables.delete(there)
  // Its members refer to it.
  const groups = tables.get('people_group') ?? []
  tables.delete('people_group')
  await store.database.write(
    [groups, ...tables.values()].map((columns) => ({
      sql: `INSERT INTO "${columns[0]?.table}" (${columns.map(({ name }) => `"${name}"`).join()}) VALUES (${columns.map(() => '?').join()})`,
      params: columns.map(value),
    })),
  )
}

/** The columns that hold what they held of the person. */
async function holding({ database }: Store, person: string): Promise<string[]> {
  const found: string[] = []
  for (const [column, { holds }] of Object.entries(ofPeople)) {
    const [table, name] = column.split('.')
    const sought = holds === 'id' ? person : markOf(column)
    const rows = await database.read(
      `SELECT 1 FROM "${table}" WHERE instr(CAST("${name}" AS BLOB), CAST(? AS BLOB)) > 0 LIMIT 1`,
      [sought],
    )
    if (rows.length > 0) found.push(column)
  }
  return found
}

const staying = (when: 'closing' | 'old') =>
  Object.entries(ofPeople).flatMap(([column, fate]) => (fate[when] === 'stays' ? [column] : []))

/** Everything in the files of the folder. */
const filesOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')

test('of every column it is known whether it tells of people, and what becomes of it', async () => {
  const { store, close } = await temporaryStore()
  try {
    const known = [
      ...Object.keys(ofPeople),
      ...Object.entries(ofNobody).flatMap(([table, names]) => names.split(' ').map((name) => `${table}.${name}`)),
    ]
    const there = (await columnsOf(store))
      .filter(({ type }) => type === 'TEXT' || type === 'BLOB')
      .map(({ table, name }) => `${table}.${name}`)
    assert.equal(
      there.filter((column) => !known.includes(column)),
      [],
      'say in kept-of-people.ts what becomes of it, and let closing an account and the sweeps do that',
    )
    assert.equal([...known].sort(), [...there].sort())
  } finally {
    await close()
  }
})

test('who closes their account leaves no word in any table or file, and an id only where it is said', async () => {
  const log = recordingLog()
  const hub = await serveHub({ log })
  try {
    const boss = cookieOf(await hub.json('POST', '/api/auth/sign-in/email', admin))
    const { id: bossId } = (await (await askAs(hub, boss, 'GET', '/api/v1/me')).json()) as Me
    const { link } = (await (await askAs(hub, boss, 'POST', '/api/v1/invitations', {})).json()) as { link: string }
    const password = 'a-long-password'
    const joined = await hub.json('POST', '/api/v1/join', {
      token: secretIn(link),
      name: markOf('user.name'),
      email: `${markOf('user.email')}@school.example`,
      password,
    })
    assert.is(joined.status, 201)
    const cookie = cookieOf(joined)
    const { id } = (await joined.json()) as Me
    await fill(hub.store, id)
    const entry = auditEntries(hub.store, new ManualClock(1))
    await hub.store.write([
      hub.store.db
        .updateTable('user')
        .set({ image: markOf('user.image') })
        .where('id', '=', id),
      hub.store.db
        .updateTable('person')
        .set({ time_zone: markOf('person.time_zone') })
        .where('id', '=', id),
      entry(id, 'bench.lease', 'x', { reason: markOf('bench.lease_reason') }),
      entry(id, 'bench.released', 'x', { reason: markOf('bench.lease_reason') }),
      entry(bossId, 'bench.released', 'x', { holder: id, lease: 'l', reason: markOf('user.name') }),
      entry(null, 'services.lock-ended', 'x', { owner: id, by: bossId, reason: markOf('user.name') }),
      entry(id, 'recurring.created', 'x', { name: markOf('recurring.name') }),
      entry(bossId, 'recurring.changed', 'x', { was: { name: markOf('recurring.name') }, is: { name: 'another' } }),
      entry(bossId, 'permission.created', 'x', {
        is: { subject: { kind: 'person', id }, note: markOf('permission.note') },
      }),
      entry(bossId, 'permission.changed', 'x', {
        was: { subject: { kind: 'person', id }, note: markOf('permission.note') },
        is: { subject: { kind: 'person', id } },
      }),
    ])
    const before = await holding(hub.store, id)
    // The password is kept as a hash.
    assert.equal(
      before,
      Object.keys(ofPeople).filter((column) => column !== 'account.password'),
    )
    assert.is((await askAs(hub, cookie, 'POST', '/api/v1/me/close', { password })).status, 204)
    // A node that was away tells only now what was written about them.
    await createEndedLocks(hub.store, new ManualClock(1)).keep('pi', [
      {
        ...{ id: 'e1', target: 'service fit', by: bossId, at: '2026-03-02T09:00:00Z' },
        owner: id,
        reason: markOf('user.name'),
      },
      {
        ...{ id: 'e2', target: 'service fit', by: bossId, at: '2026-03-02T09:00:00Z' },
        owner: bossId,
        reason: 'it hangs',
      },
    ])
    const told = await hub.store.db.selectFrom('audit').select('detail').where('subject', '=', 'pi').execute()
    assert.equal(
      told.map(({ detail }) => JSON.parse(detail).reason),
      [undefined, 'it hangs'],
    )
    assert.equal(await holding(hub.store, id), staying('closing'))
    assert.equal(marksIn(filesOf(hub.folder)), [])
    assert.equal(marksIn(JSON.stringify(log.lines)), [])
  } finally {
    await hub.close()
  }
})

test('when the rules have passed, uses and bookings are of nobody, also by way of another table', async () => {
  const { store, folder, close } = await temporaryStore()
  try {
    const clock = new ManualClock(Date.parse('2026-03-02T09:00:00.000Z'))
    const { db } = store
    const id = 'person-of-old'
    const made = { createdAt: 'x', updatedAt: 'x' }
    await store.write([
      db.insertInto('user').values({
        ...{ id, name: markOf('user.name'), email: markOf('user.email'), image: markOf('user.image') },
        ...{ emailVerified: 1, ...made },
      }),
      db.insertInto('person').values({ id, role: 'student', language: null, time_zone: markOf('person.time_zone') }),
      db.insertInto('account').values({
        ...{ id: 'x', accountId: id, providerId: 'credential', userId: id, password: markOf('account.password') },
        ...made,
      } as never),
    ])
    await fill(store, id)
    await store.write([auditEntries(store, clock)(id, 'booking.cancelled', 'x')])
    assert.equal(await holding(store, id), Object.keys(ofPeople))
    const keeping = await openUsageKeeping({ store, clock })
    await keeping.change({ addressDays: 30, nameDays: 30 }, 'boss')
    await keeping.sweep(() => false)
    await forgetExpired(store, clock)
    await store.database.checkpoint()
    assert.equal(await holding(store, id), staying('old'))
    const [led] = await store.database.read(`SELECT
      (SELECT person_id FROM audit WHERE action = 'booking.cancelled') AS cancelled,
      (SELECT run_id FROM recurring_time) AS made, (SELECT recurring_id FROM run) AS recurring,
      (SELECT booking_id FROM run) AS booking`)
    assert.match(String(led?.cancelled), /^p-/)
    assert.equal([led?.made, led?.recurring, led?.booking], [null, null, null])
    const gone = Object.keys(ofPeople).filter((column) => ofPeople[column]?.old === 'gone')
    const marks = marksIn(filesOf(folder))
    assert.equal(
      gone.filter((column) => marks.includes(column)),
      [],
    )
  } finally {
    await close()
  }
})

test.run()

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeOneTime } from '@fernlab/hub/accounts/one-time'
import { resetPassword } from '@fernlab/hub/accounts/passwords'
import { loadBookings } from '@fernlab/hub/bookings/booking-book'
import type { Me, Run } from '@fernlab/shared/contracts/api'
import type { DirectUse } from '@fernlab/shared/contracts/direct-use'
import type { Use } from '@fernlab/shared/contracts/usage'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { storeRun } from '../results/stored-run.ts'
import { storeDirectUse, storeUse } from '../usage/stored-use.ts'
import { askAs, cookieOf, secretIn } from './visitor.ts'

const test = suite('people: an account of one’s own', { timeoutMs: 60_000 })
let hub: ServedHub
let people = 0
const password = 'a-long-password'

test.before(async () => {
  hub = await serveHub({ trustedProxies: ['loopback'] })
})
test.after(() => hub.close())

const signIn = async (email: string) => cookieOf(await hub.json('POST', '/api/auth/sign-in/email', { email, password }))
const ask = (cookie: string, method: string, path: string, body?: object) => askAs(hub, cookie, method, path, body)
const failure = (promise: Promise<unknown>) => promise.then(undefined, (error: LabError) => error.code)
const code = async (response: Response) => ((await response.json()) as { code: string }).code

async function newPerson(role = 'student'): Promise<{ cookie: string; email: string; id: string }> {
  const boss = await signIn(admin.email)
  const made = await ask(boss, 'POST', '/api/v1/invitations', { role })
  const { link } = (await made.json()) as { link: string }
  const token = secretIn(link)
  const email = `person-${++people}@school.example`
  const joined = await hub.json('POST', '/api/v1/join', { token, name: 'Eli', email, password })
  assert.is(joined.status, 201)
  return { cookie: cookieOf(joined), email, id: ((await joined.json()) as Me).id }
}

const storeBooking = (id: string, personId: string, startsAt: number) =>
  hub.store.write([
    hub.store.db.insertInto('booking').values({
      id,
      person_id: personId,
      lab: 'circuits',
      starts_at: startsAt,
      ends_at: startsAt + 3_600_000,
      clean_up_ms: 0,
      places: 1,
      note: 'with my own words',
      state: 'booked',
      created_at: 0,
      created_by: personId,
    }),
  ])

/** Old ones are forgotten. */
const noticedAt = Date.now()

test('another name is there at once, and an empty one is refused', async () => {
  const { cookie } = await newPerson()
  const changed = await ask(cookie, 'PUT', '/api/v1/me', { name: '  Eli Sand ' })
  assert.is(((await changed.json()) as Me).name, 'Eli Sand')
  assert.is(((await (await ask(cookie, 'GET', '/api/v1/me')).json()) as Me).name, 'Eli Sand')
  assert.is((await ask(cookie, 'PUT', '/api/v1/me', { name: '   ' })).status, 400)
})

test('signing out everywhere ends each session, and no token', async () => {
  const { cookie, email } = await newPerson()
  const elsewhere = await signIn(email)
  const made = await ask(cookie, 'POST', '/api/v1/tokens', { name: 'mine', scopes: ['read'] })
  const { token } = (await made.json()) as { token: string }
  assert.is((await ask(elsewhere, 'GET', '/api/v1/me')).status, 200)
  assert.is((await ask(cookie, 'POST', '/api/v1/me/sign-out-everywhere')).status, 204)
  for (const ended of [cookie, elsewhere]) assert.is((await ask(ended, 'GET', '/api/v1/me')).status, 401)
  const byToken = await fetch(`${hub.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })
  assert.is(byToken.status, 200)
})

test('the export holds what is known of oneself, and of nobody else', async () => {
  const { cookie, id, email } = await newPerson('instructor')
  const other = await newPerson()
  await ask(cookie, 'POST', '/api/v1/invitations', { note: 'my course' })
  for (let i = 0; i < 130; i++) await storeRun(hub.store, { person: { id, name: 'Eli' }, note: `mine ${i}` })
  await storeRun(hub.store, { person: { id: other.id, name: 'Other' }, note: 'not mine' })
  const { id: run } = await storeUse(hub.store, { person: id, at: Date.now(), address: '192.0.2.7', country: 'ES' })
  await hub.store.write([
    hub.store.db.insertInto('run_download').values({ run_id: run, person_id: id, at: 0, what: 'data.csv' }),
  ])
  await storeBooking('booking-of-mine', id, 0)
  const key = { public_key: new Uint8Array([1]), counter: 0, transports: '[]', created_at: 0, last_used_at: 1000 }
  await hub.store.write([
    hub.store.db.insertInto('passkey').values({ id: 'key-of-mine', person_id: id, name: 'phone', ...key }),
  ])
  await hub.store.write([
    hub.store.db
      .updateTable('session')
      .set({ ipAddress: '192.0.2.8', updatedAt: '2020-01-01T00:00:00.000Z' })
      .where('userId', '=', id),
  ])
  const answer = await ask(cookie, 'GET', '/api/v1/me/export')
  assert.match(answer.headers.get('content-disposition') ?? '', /attachment/)
  const text = await answer.text()
  const { person, runs, sessions, passkeys, invitations, audit, origins, downloads, bookings } = JSON.parse(text) as {
    person: Me
    runs: Run[]
    sessions: { address: string; lastSeenAt: string }[]
    passkeys: object[]
    invitations: { note: string }[]
    audit: { action: string }[]
    origins: object[]
    downloads: object[]
    bookings: { id: string; start: string }[]
  }
  assert.is(person.email, email)
  assert.is(runs.length, 131)
  assert.equal(origins, [{ run, address: '192.0.2.7', country: 'ES' }])
  assert.equal(downloads, [{ run, at: '1970-01-01T00:00:00.000Z', what: 'data.csv' }])
  assert.equal(
    bookings.map((booking) => [booking.id, booking.start]),
    [['booking-of-mine', '1970-01-01T00:00:00.000Z']],
  )
  assert.equal(
    sessions.map(({ address, lastSeenAt }) => [address, lastSeenAt]),
    [['192.0.2.8', '2020-01-01T00:00:00.000Z']],
  )
  const times = { createdAt: '1970-01-01T00:00:00.000Z', lastUsedAt: '1970-01-01T00:00:01.000Z' }
  assert.equal(passkeys, [{ name: 'phone', ...times }])
  assert.equal(
    invitations.map(({ note }) => note),
    ['my course'],
  )
  assert.ok(audit.some(({ action }) => action === 'person.joined'))
  assert.not.match(text, /not mine|token_hash|scrypt/)
  const head = await ask(cookie, 'HEAD', '/api/v1/me/export')
  assert.equal([head.status, await head.text()], [200, ''])
})

test('the export has what every table holds of a person, but for keys and what the person sees elsewhere', async () => {
  /** What is not exported, and why. */
  const left: Record<string, string> = {
    account_letter: 'that a letter to them is due, for three days at most',
    address_link: 'a key, as a hash',
    idempotency: 'answers of calls, for a day',
    recovery_code: 'a key, as a hash',
    second_factor: 'a key',
    service_token: 'that a key was given, for an hour; the audit log has it',
    trusted_browser: 'a key, as a hash',
  }
  const exported = [
    ...['audit', 'bench_letters', 'booking', 'booking_notice', 'group_member', 'live_chat', 'live_partner', 'passkey'],
    ...['recurring', 'run', 'run_download', 'token', 'booking_series', 'direct_use'],
  ]
  const tables = await hub.store.database.read(
    "SELECT DISTINCT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'person_id'",
  )
  const known = [...exported, ...Object.keys(left)].sort()
  assert.equal(tables.map(({ name }) => name).sort(), known, 'export what it holds of a person, or say here why not')
  const { cookie, id } = await newPerson()
  const { db } = hub.store
  const recurringOf = {
    ...{
      id: 'recurring-of-mine',
      person_id: id,
      name: 'nightly',
      lab: 'small',
      protocol: 'set',
      parameters: '{"value":2}',
    },
    ...{ cron: '0 3 * * *', time_zone: 'Europe/Madrid', overlap: 'skip', missed: 'skip', decided_at: 0, created_at: 0 },
  } as const
  await hub.store.write([
    db.insertInto('recurring').values(recurringOf as never),
    db.insertInto('booking_series').values({ id: 'series', person_id: id, lab: 'small', weekly: '{}', created_at: 0 }),
    db.insertInto('live_partner').values({ run_id: 'another', person_id: id, joined_at: 0 }),
    db.insertInto('live_chat').values({ run_id: 'another', id: 'line', person_id: id, text: 'hello', at: 0 }),
    db.insertInto('bench_letters').values({ person_id: id, wanted: 1 }),
    db.insertInto('booking_notice').values({
      ...{
        id: 'notice',
        booking_id: 'booked',
        person_id: id,
        group_id: null,
        what: 'missed',
        at: noticedAt,
        detail: '{}',
      },
      ...{ letter: 'none', read_at: null },
    } as never),
    db.insertInto('permission').values({
      ...{ id: 'of-mine', subject_kind: 'person', subject: id, lab: 'small', protocols: '["set"]', starts_at: null },
      ...{ ends_at: null, note: null, gives: '{"mayQueue":true}', created_at: 0 },
    }),
  ])
  const driven = await storeDirectUse(hub.store, {
    ...{ person: id, at: 0, lasts: 0, address: '192.0.2.7' },
    exchanges: [{ set: { 'psu.voltage': 50 }, error: 'too much', way: 'mqtt', address: '192.0.2.8' }],
  })
  const found = (await (await ask(cookie, 'GET', '/api/v1/me/export')).json()) as Record<string, object[]>
  const epoch = '1970-01-01T00:00:00.000Z'
  assert.equal(found.directUses, [
    {
      ...{
        id: driven.id,
        bench: 'n.a',
        address: '192.0.2.7',
        country: null,
        from: epoch,
        until: epoch,
        ended: 'released',
      },
      exchanges: [
        { at: epoch, way: 'mqtt', address: '192.0.2.8', set: { 'psu.voltage': 50 }, read: [], error: 'too much' },
      ],
    },
  ])
  assert.equal(found.recurring, [
    {
      ...{ id: 'recurring-of-mine', name: 'nightly', lab: 'small', protocol: 'set', cron: '0 3 * * *' },
      ...{ parameters: { value: 2 }, timeZone: 'Europe/Madrid', pausedFor: null, createdAt: epoch },
    },
  ])
  assert.equal(found.series, [{ id: 'series', lab: 'small', weekly: {}, createdAt: epoch }])
  assert.equal(found.partnerIn, [{ session: 'another', since: epoch }])
  assert.equal(found.chat, [{ session: 'another', at: epoch, text: 'hello' }])
  assert.equal(found.letters, [{ ofBenches: true }])
  assert.equal(found.notices, [{ booking: 'booked', what: 'missed', at: new Date(noticedAt).toISOString() }])
  assert.equal(found.permissions, [
    {
      ...{ lab: 'small', protocols: ['set'], from: null, until: null, note: null },
      ...{ gives: { mayQueue: true }, createdAt: epoch },
    },
  ])
})

test('a closed account leaves runs of nobody who can be named, and opens nothing any more', async () => {
  const { cookie, email, id } = await newPerson('instructor')
  const made = await ask(cookie, 'POST', '/api/v1/tokens', { name: 'mine', scopes: ['read'] })
  const { token } = (await made.json()) as { token: string }
  const invited = await ask(cookie, 'POST', '/api/v1/invitations', {})
  const { link } = (await invited.json()) as { link: string }
  const run = await storeRun(hub.store, { person: { id, name: 'Eli' }, state: 'running', note: 'Eli’s own words' })
  const { id: use } = await storeUse(hub.store, { person: id, at: Date.now(), address: '192.0.2.7', country: 'ES' })
  const driven = await storeDirectUse(hub.store, { person: id, at: Date.now(), address: '192.0.2.7', country: 'ES' })
  await storeBooking('booked', id, Date.now() + 3_600_000)
  await storeBooking('past', id, 0)
  hub.bookingBook.reset(await loadBookings(hub.store, Date.now()))
  assert.is(await code(await ask(cookie, 'POST', '/api/v1/me/close', { password: 'wrong' })), 'wrong-credentials')
  assert.is(await code(await ask(cookie, 'POST', '/api/v1/me/close', { password })), 'runs-open')
  assert.is((await ask(cookie, 'GET', '/api/v1/me')).status, 200)
  await hub.store.write([hub.store.db.updateTable('run').set({ state: 'succeeded' }).where('id', '=', run.id)])
  assert.is((await ask(cookie, 'POST', '/api/v1/me/close', { password })).status, 204)
  assert.is((await ask(cookie, 'GET', '/api/v1/me')).status, 401)
  assert.is((await fetch(`${hub.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status, 401)
  const again = await hub.json('POST', '/api/auth/sign-in/email', { email, password })
  assert.is(await code(again), 'wrong-credentials')
  const secret = secretIn(link)
  assert.is(await code(await hub.json('POST', '/api/v1/join/check', { token: secret })), 'invitation-over')
  const booked = await hub.store.db.selectFrom('booking').selectAll().where('person_id', '=', id).execute()
  assert.equal(booked.map((row) => [row.id, row.state, row.note]).sort(), [
    ['booked', 'cancelled', null],
    ['past', 'booked', null],
  ])
  assert.is(hub.bookingBook.byId.has('booked'), false)
  const boss = await signIn(admin.email)
  const kept = (await (await ask(boss, 'GET', `/api/v1/runs/${run.id}`)).json()) as Run
  assert.equal([kept.person.name, kept.note], ['Former member', undefined])
  const stays = (await (await ask(boss, 'GET', `/api/v1/usage/uses/${use}`)).json()) as Use
  assert.equal(
    [stays.person, stays.address, stays.country, stays.lastsS],
    [{ id, name: '', pseudonym: true }, undefined, 'ES', 600],
  )
  const byHand = (await (await ask(boss, 'GET', `/api/v1/usage/direct/${driven.id}`)).json()) as DirectUse
  assert.equal([byHand.person, byHand.address, byHand.country], [{ id, name: '', pseudonym: true }, undefined, 'ES'])
  assert.not.match(JSON.stringify(await hub.store.db.selectFrom('user').selectAll().execute()), new RegExp(email))
  const listed = await ask(boss, 'GET', '/api/v1/users?limit=200')
  assert.not.match(await listed.text(), /Former member/)
  const files = ['hub.db', 'hub.db-wal'].map((file) => join(hub.folder, file)).filter((path) => existsSync(path))
  assert.ok(files.length > 0)
  for (const path of files) assert.not(readFileSync(path, 'latin1').includes(email), path)
  // The address is free again.
  const { link: next } = (await (await ask(boss, 'POST', '/api/v1/invitations', {})).json()) as { link: string }
  const nextToken = secretIn(next)
  assert.is((await hub.json('POST', '/api/v1/join', { token: nextToken, name: 'Eli', email, password })).status, 201)
})

test('nothing brings a closed account back, also not what was under way while it was closed', async () => {
  const { cookie, id } = await newPerson('instructor')
  const { db } = hub.store
  const made = await ask(cookie, 'POST', '/api/v1/tokens', { name: 'Eli’s laptop', scopes: ['admin'] })
  const { token } = (await made.json()) as { token: string }
  const sessions = await db.selectFrom('session').selectAll().where('userId', '=', id).execute()
  const tokens = await db.selectFrom('token').selectAll().where('person_id', '=', id).execute()
  const invited = await ask(cookie, 'POST', '/api/v1/invitations', { note: 'Eli’s course' })
  assert.is(invited.status, 201)
  assert.is((await ask(cookie, 'POST', '/api/v1/me/close', { password })).status, 204)
  assert.equal(await db.selectFrom('token').select('name').where('person_id', '=', id).execute(), [])
  const [invitation] = await db.selectFrom('invitation').select('note').where('created_by', '=', id).execute()
  assert.equal(invitation, { note: null })
  // A sign-in, a new token, another name and a letter, each written just after the account was closed.
  await hub.store.write([
    ...sessions.map((row) => db.insertInto('session').values(row)),
    ...tokens.map((row) => db.insertInto('token').values(row)),
  ])
  assert.is((await ask(cookie, 'GET', '/api/v1/me')).status, 401)
  assert.is((await fetch(`${hub.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status, 401)
  assert.is(await failure(hub.accounts.own.rename(id, 'Eli')), 'person-unknown')
  const clock = systemClock
  const secret = await makeOneTime({ store: hub.store, clock, purpose: 'password-reset', subject: id, ttlMs: 60_000 })
  const reset = await hub.json('POST', '/api/v1/password/reset', { token: secret, password })
  assert.is(await code(reset), 'link-used-or-expired')
  assert.equal(await db.selectFrom('account').select('id').where('userId', '=', id).execute(), [])
  const { name, email } = await db.selectFrom('user').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  assert.is(name, 'Former member')
  assert.is(await failure(resetPassword({ store: hub.store, email, publicUrl: hub.url })), 'person-unknown')
  // Nor is there anybody in the list to whom a role could be given.
  const boss = await signIn(admin.email)
  const listed = (await (await ask(boss, 'GET', `/api/v1/users?q=${id}`)).json()) as { items: Me[] }
  assert.equal(listed.items, [])
  assert.is(await code(await ask(boss, 'PUT', `/api/v1/users/${id}`, { role: 'admin' })), 'person-unknown')
})

test('the only admin can not leave', async () => {
  const boss = await signIn(admin.email)
  assert.is(await code(await ask(boss, 'POST', '/api/v1/me/close', { password })), 'last-admin')
  assert.is((await ask(boss, 'GET', '/api/v1/me')).status, 200)
})

test.run()

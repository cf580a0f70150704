/**
 * What becomes of connections that are open while the rights of their holder change, compared with docs/access.md:
 * sessions' WebSockets, events of runs and MQTT, by token and by sign-in.
 */
import type { Session } from '@fernlab/shared/contracts/sessions'
import mqtt from 'mqtt'
import * as assert from 'uvu/assert'
import { compareTable, documentedRows } from '../../support/documented-table.ts'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson, watch } from './session-people.ts'

const test = suite('open connections whose holders lose rights', { timeoutMs: 120_000 })
/** How old what a connection was let on for may be. */
const LONGEST_MS = 1200
let lab: TestHub
let owner: TestPerson
let session: Session

test.before(async () => {
  lab = await startTestHub({ labYaml: 'session: { seconds: 600, idleSeconds: 600 }\n' })
  await lab.node('node-1')
  owner = await newPerson(lab)
  session = (await owner.ask('POST', '/api/v1/sessions', { lab: 'small' })).body as Session
  await group('course', owner, 'member')
})
test.after(() => lab.close())

const admin = async (method: string, path: string, json?: object) => {
  const answer = await lab.call(path, { method, ...(json === undefined ? {} : { json }) })
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`)
}
/** By the browser in which they are signed in. */
const bySignIn = async ({ browser }: TestPerson, method: string, path: string, json?: object) => {
  const answer = await fetch(`${lab.hub.httpUrl}${path}`, {
    method,
    headers: { ...browser, 'content-type': 'application/json' },
    ...(method === 'POST' || method === 'PUT' ? { body: JSON.stringify(json ?? {}) } : {}),
  })
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`)
  return (answer.status === 204 ? undefined : await answer.json()) as never
}
let made = false
async function group(id: string, { id: who }: TestPerson, role: 'member' | 'instructor') {
  if (!made) await admin('POST', '/api/v1/groups', { id, name: id, kind: 'course' })
  made = true
  await admin('POST', `/api/v1/groups/${id}/members`, { add: [{ who, role }] })
}

interface Connection {
  /** True from when it was closed. */
  readonly ended: () => boolean
  /** True when something still comes over it. */
  alive(): Promise<boolean>
  close(): void
}
type Open = (person: TestPerson) => Promise<Connection>

const webSocket =
  (by: 'bearer' | 'browser'): Open =>
  async (person) => {
    const viewer = await watch(lab, session.id, person[by])
    let ended = false
    viewer.closed.then((code) => {
      ended = code === 4401
    })
    return {
      ended: () => ended,
      alive: () =>
        viewer.call('chat', { text: 'here' }).then(
          () => true,
          () => false,
        ),
      close: () => viewer.socket.terminate(),
    }
  }
const events =
  (by: 'bearer' | 'browser'): Open =>
  async (person) => {
    const gone = new AbortController()
    const path = `${lab.hub.httpUrl}/api/v1/runs/${session.id}/events`
    const answer = await fetch(path, { headers: person[by], signal: gone.signal })
    assert.is(answer.status, 200)
    let ended = false
    const read = async () => {
      for await (const _ of answer.body ?? []);
      ended = true
    }
    read().catch(() => {})
    return { ended: () => ended, alive: async () => !ended, close: () => gone.abort() }
  }
const broker =
  (url: () => string): Open =>
  async (person) => {
    const body = { name: 'dash', scopes: ['mqtt:status'] }
    const { token } = (await bySignIn(person, 'POST', '/api/v1/tokens', body)) as { token: string }
    const client = mqtt.connect(url(), { username: 'token', password: token, reconnectPeriod: 0 })
    client.on('error', () => {})
    await new Promise((resolve) => client.once('connect', resolve))
    return {
      ended: () => !client.connected,
      alive: () =>
        client.subscribeAsync('fernlab/v1/main/hub/status').then(
          () => true,
          () => false,
        ),
      close: () => client.end(true),
    }
  }

const kinds: Readonly<Record<string, Open>> = {
  'session, by token': webSocket('bearer'),
  'session, by sign-in': webSocket('browser'),
  'events, by token': events('bearer'),
  'events, by sign-in': events('browser'),
  MQTT: broker(() => lab.hub.mqttUrl),
  'MQTT over WebSocket': broker(() => `${lab.hub.httpUrl.replace('http', 'ws')}/mqtt`),
}

const tokensOf = async (person: TestPerson) =>
  ((await bySignIn(person, 'GET', '/api/v1/tokens')) as { items: { id: string }[] }).items

/** What happens to a student who teaches a course in which the owner is, and has no other right to the session. */
const happenings: Readonly<Record<string, (person: TestPerson) => Promise<unknown>>> = {
  'another name': (person) => bySignIn(person, 'PUT', '/api/v1/me', { name: 'Another' }),
  'taken out of the course': ({ id }) => admin('POST', '/api/v1/groups/course/members', { remove: [id] }),
  'another role': ({ id }) => admin('PUT', `/api/v1/users/${id}`, { role: 'guest' }),
  'each token revoked': async (person) => {
    for (const { id } of await tokensOf(person)) await bySignIn(person, 'DELETE', `/api/v1/tokens/${id}`)
  },
  'tokens revoked by an admin': ({ id }) => admin('POST', `/api/v1/users/${id}/revoke-tokens`),
  'signed out': (person) => bySignIn(person, 'POST', '/api/auth/sign-out'),
  'signed out everywhere': (person) => bySignIn(person, 'POST', '/api/v1/me/sign-out-everywhere'),
  suspended: ({ id }) => admin('POST', `/api/v1/users/${id}/suspend`),
  'account closed': (person) => bySignIn(person, 'POST', '/api/v1/me/close', { password: 'a-long-enough-password' }),
}

test('each connection ends with the right to it, and with no other', async () => {
  const expected = new Map(documentedRows('connections').map(([what = '', ...cells]) => [what, cells]))
  const row = async ([what, happen]: [string, (person: TestPerson) => Promise<unknown>]) => {
    const person = await newPerson(lab)
    // Tokens for MQTT are for staff, who need no course to watch.
    const colleague = await newPerson(lab, 'instructor')
    await group('course', person, 'instructor')
    await group('course', colleague, 'instructor')
    const holders = Object.keys(kinds).map((kind) => (kind.startsWith('MQTT') ? colleague : person))
    const open = await Promise.all(Object.values(kinds).map((connect, at) => connect(holders[at] ?? person)))
    for (const holder of new Set(holders)) await happen(holder)
    const ends = open.filter((_, at) => (expected.get(what)?.[at] ?? 'ends') === 'ends')
    const inTime = until(() => ends.every(({ ended }) => ended()), what, 30_000)
    // What did not end shows in the table.
    await inTime.catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, LONGEST_MS))
    const cells = await Promise.all(
      open.map(async ({ ended, alive }) => (ended() || !(await alive()) ? 'ends' : 'stays')),
    )
    for (const { close } of open) close()
    return [what, ...cells]
  }
  const rows = await Promise.all(Object.entries(happenings).map(row))
  compareTable('connections', [['what happens', ...Object.keys(kinds)], ...rows])
})

test('what still comes from who was cut off is not done', async () => {
  const person = await newPerson(lab)
  await group('course', person, 'instructor')
  const witness = await watch(lab, session.id, owner.bearer)
  const deaf = await watch(lab, session.id, person.bearer)
  const other = await watch(lab, session.id, person.bearer)
  deaf.socket.pause()
  await admin('POST', '/api/v1/groups/course/members', { remove: [person.id] })
  assert.is(await other.closed, 4401)
  // It has not read that it was cut off as well, and goes on talking.
  deaf.socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'chat', params: { text: 'still here' } }))
  await until(
    () =>
      !witness
        .told('people')
        .at(-1)
        ?.people.some(({ id }) => id === person.id),
    'they are gone',
  )
  await witness.call('chat', { text: 'after' })
  await until(() => witness.told('chat').some(({ text }) => text === 'after'), 'the line after')
  assert.equal(
    witness
      .told('chat')
      .map(({ text }) => text)
      .filter((text) => text === 'still here'),
    [],
  )
  deaf.socket.terminate()
  witness.close()
})

test.run()

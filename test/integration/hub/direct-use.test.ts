/** Staff drive a bench by hand through the hub: lease, exchange, limits, expiry; and nodes are enrolled by code. */
import { mkdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEdge } from '@fernlab/edge/main'
import { openNodeSettings } from '@fernlab/edge/settings/settings'
import { parseConfig } from '@fernlab/hub/config/config'
import type { Bench } from '@fernlab/shared/contracts/api'
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import type { DirectUse, DirectUseDetail } from '@fernlab/shared/contracts/direct-use'
import { topics } from '@fernlab/shared/contracts/topics'
import type { SiteUsage } from '@fernlab/shared/contracts/usage'
import { silentLog } from '@fernlab/shared/primitives/log'
import mqtt from 'mqtt'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('direct use and enrolment', { timeoutMs: 30_000 })
let lab: TestHub

test.before(async () => {
  lab = await startTestHub()
  await lab.node('hand')
})
test.after(() => lab.close())

const bench = '/api/v1/benches/hand.b-1'
const json = async (answer: Response) => (await answer.json()) as Record<string, string>
const state = async () => String((await json(await lab.call(bench))).state)
const take = (ttlS: number) => lab.call(`${bench}/lease`, { method: 'POST', json: { ttlS } })
const exchange = (body: object) => lab.call(`${bench}/exchange`, { method: 'POST', json: body })

test('with a lease a value is set and read in one call; without one nothing moves', async () => {
  const refused = await exchange({ set: { 'box.value': 3 } })
  assert.ok(refused.status >= 400 && refused.status < 500, `${refused.status}`)
  const { lease } = await json(await take(30))
  const done = await exchange({ lease, set: { 'box.value': 3 }, read: ['box.value'] })
  assert.is(done.status, 200, await done.clone().text())
  const { readings } = (await done.json()) as { readings: Record<string, { value: number; unit: string }> }
  assert.is(readings['box.value']?.value, 3)
  assert.is(readings['box.value']?.unit, '1')
  await until(async () => (await state()) === 'busy', 'the bench being busy')
  assert.is((await take(30)).status, 409, 'one hand on the bench at a time')
  assert.ok((await lab.call(`${bench}/lease`, { method: 'DELETE' })).ok)
  await until(async () => (await state()) === 'free', 'the bench being free')
  const after = await exchange({ read: ['box.value'] })
  assert.is(
    ((await after.json()) as typeof done & { readings: typeof readings }).readings['box.value']?.value,
    0,
    'safe',
  )
})

test('what was driven by hand is among the uses of the site, with all that was sent and came back', async () => {
  const { lease } = await json(await take(30))
  assert.ok((await exchange({ lease, set: { 'box.value': 3 }, read: ['box.value'] })).ok)
  assert.not((await exchange({ lease, set: { 'box.value': 'text' } })).ok)
  const usage = '/api/v1/usage/direct'
  const newest = async () =>
    ((await (await lab.call(`${usage}?bench=hand.b-1&limit=1`)).json()) as { items: DirectUse[] }).items[0]
  await until(async () => (await newest())?.exchanges === 2, 'the exchanges being noted')
  const lasts = await newest()
  assert.equal(
    [lasts?.endedAt, lasts?.ended, lasts?.address, lasts?.country],
    [undefined, undefined, '127.0.0.1', 'site'],
  )
  await lab.call(`${bench}/lease`, { method: 'DELETE' })
  const use = (await (await lab.call(`${usage}/${lasts?.id}`)).json()) as DirectUseDetail
  assert.equal([use.ended, use.bench, use.given.length], ['released', 'hand.b-1', 2])
  const [done, refused] = use.given
  assert.equal([done?.set, done?.read, done?.answer?.['box.value']?.value], [{ 'box.value': 3 }, ['box.value'], 3])
  assert.match(refused?.error ?? '', 'box.value')
  assert.match(await (await lab.call(`${usage}.csv`)).text(), `"${use.id}"`)
  assert.match(await (await lab.call(`${usage}/${use.id}/exchanges.csv`)).text(), '{""box.value"":3}')
  const from = new Date(Date.parse(use.startedAt) - 1).toISOString()
  const site = (await (await lab.call(`/api/v1/usage/site?from=${from}`)).json()) as SiteUsage
  const share = site.benches.find((one) => one.bench === 'hand.b-1')
  assert.ok((share?.directS ?? 0) > 0 && share?.seconds === 0 && (share?.share ?? 0) > 0, JSON.stringify(share))
})

test('what is exchanged after a use that ended at once is noted while it goes on', async () => {
  const first = await json(await take(60))
  assert.is((await exchange({ lease: first.lease, read: ['box.value'] })).status, 200)
  assert.is((await lab.call(`${bench}/lease`, { method: 'DELETE' })).status, 200)
  await sleep(300) // longer than exchanges wait for others to be written with them
  const second = await json(await take(60))
  assert.is((await exchange({ lease: second.lease, read: ['box.value'] })).status, 200)
  await until(async () => {
    const { items } = (await (await lab.call('/api/v1/usage/direct')).json()) as { items: DirectUse[] }
    return items.some((use) => use.endedAt === undefined && use.exchanges === 1)
  }, 'the exchange of the open use')
  assert.is((await lab.call(`${bench}/lease`, { method: 'DELETE' })).status, 200)
})

test('who holds the bench is told so, and goes on with the lease without its id', async () => {
  const { lease } = await json(await take(30))
  await until(async () => (await state()) === 'busy', 'the bench being busy')
  const mine = async () => ((await (await lab.call(bench)).json()) as { mine?: boolean }).mine
  assert.is(await mine(), true)
  const answer = await lab.call(`${bench}/lease`, { method: 'POST', json: { ttlS: 60, resume: true } })
  assert.is((await json(answer)).lease, lease)
  await lab.call(`${bench}/lease`, { method: 'DELETE' })
  assert.is(await mine(), undefined)
  const log = (await (await lab.call('/api/v1/audit?action=bench&limit=2')).json()) as { items: AuditEntry[] }
  assert.equal(
    log.items.map(({ action, subject, address }) => [action, subject, address]),
    [
      ['bench.released', 'hand.b-1', '127.0.0.1'],
      ['bench.lease', 'hand.b-1', '127.0.0.1'],
    ],
  )
  const anew = await lab.call(`${bench}/lease`, { method: 'POST', json: { ttlS: 30, resume: true } })
  assert.is(anew.status, 200, 'without a lease of one’s own the bench is taken')
  await lab.call(`${bench}/lease`, { method: 'DELETE' })
})

test('what a bench is taken for is told to those who may see people, until it is given back, and audited', async () => {
  const student = await newPerson(lab)
  const staff = await newPerson(lab, 'instructor')
  const shown = async (ask: (path: string) => Promise<unknown>) => {
    const one = (await ask(bench)) as Bench
    const all = (await ask('/api/v1/benches')) as { items: Bench[] }
    const same = all.items.find(({ id }) => id === one.id)
    assert.equal([same?.leaseReason, same?.leasedBy], [one.leaseReason, one.leasedBy])
    who = one.leasedBy?.name
    return one.leaseReason
  }
  let who: string | undefined
  const own = () => shown(async (path) => (await lab.call(path)).json())
  const by = (person: TestPerson) => shown(async (path) => (await person.ask('GET', path)).body)
  const lease = (body: object) => lab.call(`${bench}/lease`, { method: 'POST', json: { ttlS: 60, ...body } })

  const refused = await lease({ reason: 'x'.repeat(201) })
  assert.is(refused.status, 400)
  const { issues } = (await refused.json()) as { issues: { path: string }[] }
  assert.equal(
    issues.map(({ path }) => path),
    ['reason'],
  )
  assert.is((await lease({ reason: 'a\u0007bell' })).status, 400)
  assert.is(((await (await lab.call(bench)).json()) as Bench).leased, false, 'what is wrong takes nothing')

  assert.is((await lease({ reason: 'a diode' })).status, 200)
  assert.is(await own(), 'a diode')
  const admin = who
  assert.type(admin, 'string')
  assert.equal([await by(staff), who], ['a diode', admin])
  assert.equal([await by(student), who], [undefined, undefined])
  const log = (await (await lab.call('/api/v1/audit?action=bench.lease&limit=1')).json()) as { items: AuditEntry[] }
  assert.equal(log.items[0]?.detail, { reason: 'a diode' })
  // A renewal keeps it; one with another has that.
  assert.is((await lease({ resume: true })).status, 200)
  assert.is(await by(staff), 'a diode')
  assert.is((await lease({ resume: true, reason: 'two diodes' })).status, 200)
  assert.is(await by(staff), 'two diodes')
  await lab.restart()
  await until(async () => (await by(staff)) === 'two diodes', 'another hub on the same folder knowing it')
  await until(async () => (await lab.call(`${bench}/lease`, { method: 'DELETE' })).ok, 'the bench being given back')
  assert.is((await lease({ reason: '' })).status, 200)
  assert.is(await own(), undefined)
  assert.ok((await lab.call(`${bench}/lease`, { method: 'DELETE' })).ok)
})

test('a call that is repeated with its key is answered again and moves nothing', async () => {
  const keyed = (path: string, key: string, body: object) =>
    lab.call(`${bench}${path}`, { method: 'POST', json: body, headers: { 'idempotency-key': key } })
  const taken = await keyed('/lease', 'take', { ttlS: 30 })
  const { lease } = await json(taken.clone())
  assert.is(await (await keyed('/lease', 'take', { ttlS: 30 })).text(), await taken.text())
  const move = { lease, set: { 'box.value': 3 }, read: ['box.value'] }
  const moved = await keyed('/exchange', 'move', move)
  assert.is(moved.status, 200)
  assert.ok((await exchange({ lease, set: { 'box.value': 4 } })).ok)
  const again = await keyed('/exchange', 'move', move)
  assert.is(again.headers.get('idempotency-replayed'), 'true')
  assert.is(await again.text(), await moved.text())
  const { readings } = (await (await exchange({ lease, read: ['box.value'] })).json()) as {
    readings: Record<string, { value: number }>
  }
  assert.is(readings['box.value']?.value, 4)
  await lab.call(`${bench}/lease`, { method: 'DELETE' })
})

test('a token of staff sets a signal over MQTT, with the lease and never without', async () => {
  const made = async (scopes: string[]) =>
    (await json(await lab.call('/api/v1/tokens', { method: 'POST', json: { name: 'mqtt', scopes } }))).token
  const connect = async (scopes: string[]) =>
    mqtt.connectAsync(lab.hub.mqttUrl, { username: 'token', password: (await made(scopes)) ?? '', reconnectPeriod: 0 })
  const { parts } = (await (await lab.call(bench)).json()) as { parts: Record<string, { instrument: string }> }
  const topic = topics(lab.hub.site).signalSet('hand', parts.box?.instrument ?? '', 'value')
  const { lease } = await json(await take(30))
  const value = async () => {
    const { readings } = (await (await exchange({ lease, read: ['box.value'] })).json()) as {
      readings: Record<string, { value: number }>
    }
    return readings['box.value']?.value
  }
  const [driver, reader] = await Promise.all([connect(['run', 'mqtt:read']), connect(['mqtt:read'])])
  try {
    const set = (client: mqtt.MqttClient, number: number, by = lease) =>
      client.publishAsync(topic, JSON.stringify({ value: number, lease: by }), { qos: 0 })
    await set(driver, 4)
    await until(async () => (await value()) === 4, 'the value being set')
    await set(driver, 5, 'a-guess')
    await set(reader, 6)
    await until(() => !reader.connected, 'the one who may not set being cut off')
    assert.is(await value(), 4)
  } finally {
    await Promise.all([driver.endAsync(true), reader.endAsync(true)])
    await lab.call(`${bench}/lease`, { method: 'DELETE' })
  }
})

test('nonsense is refused with its path, and the value stays', async () => {
  const { lease } = await json(await take(30))
  for (const [set, named] of [
    [{ 'box.none': 1 }, /box\.none/],
    [{ 'none.value': 1 }, /no part none/],
    [{ 'box.value': 'text' }, /box\.value/],
  ] as const) {
    const answer = await exchange({ lease, set })
    assert.ok(answer.status >= 400 && answer.status < 500, `${JSON.stringify(set)}: ${answer.status}`)
    assert.match(await answer.text(), named)
  }
  const { readings } = (await (await exchange({ lease, read: ['box.value'] })).json()) as {
    readings: Record<string, { value: number }>
  }
  assert.is(readings['box.value']?.value, 0)
  await lab.call(`${bench}/lease`, { method: 'DELETE' })
})

test('a lease that nobody renews ends by itself, and the bench is safe and free', async () => {
  const { lease } = await json(await take(5))
  assert.ok((await exchange({ lease, set: { 'box.value': 7 } })).ok)
  await until(async () => (await state()) === 'free', 'the lease running out')
  const late = await exchange({ lease, set: { 'box.value': 8 } })
  assert.ok(late.status >= 400 && late.status < 500, `${late.status}`)
  const { readings } = (await (await exchange({ read: ['box.value'] })).json()) as {
    readings: Record<string, { value: number }>
  }
  assert.is(readings['box.value']?.value, 0)
})

test('a run waits while somebody drives the bench, and starts when it is given back', async () => {
  await take(60)
  await until(async () => (await state()) === 'busy', 'the bench being busy')
  const submitted = await lab.call('/api/v1/runs', {
    method: 'POST',
    json: { lab: 'small', protocol: 'nothing', parameters: {}, bench: 'hand.b-1' },
  })
  const { id } = await json(submitted)
  const waiting = await json(await lab.call(`/api/v1/runs/${id}`))
  assert.is(waiting.state, 'queued')
  assert.ok(String(waiting.waitReason).length > 5)
  await lab.call(`${bench}/lease`, { method: 'DELETE' })
  assert.is((await lab.final(id ?? '')).state, 'succeeded')
})

test('an enrolment code works once, for its node only', async () => {
  const { code } = await json(await lab.call('/api/v1/nodes', { method: 'POST', json: { node: 'new-node' } }))
  const enroll = (body: object) =>
    fetch(`${lab.hub.httpUrl}/api/v1/nodes/enroll`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  assert.ok((await enroll({ code, node: 'other-node' })).status >= 400)
  assert.ok((await enroll({ code: 'nonsense', node: 'new-node' })).status >= 400)
  const first = await enroll({ code, node: 'new-node' })
  assert.ok(first.ok, await first.clone().text())
  const credential = await json(first)
  assert.is(credential.node, 'new-node')
  assert.ok(String(credential.password).length >= 32)
  const second = await enroll({ code, node: 'new-node' })
  assert.ok(second.status >= 400 && second.status < 500, `${second.status}`)
})

test('an enrolled node goes where node.yaml says; what it is told else is where it had asked', async () => {
  const { code } = await json(await lab.call('/api/v1/nodes', { method: 'POST', json: { node: 'remote' } }))
  const port = Number(new URL(lab.hub.mqttUrl).port)
  const body = JSON.stringify({ code, node: 'remote' })
  const told = await new Promise<{ mqtt: string[]; username: string; password: string }>((resolve, reject) => {
    const headers = { host: 'lab.example:8080', 'content-type': 'application/json' }
    const asking = request(`${lab.hub.httpUrl}/api/v1/nodes/enroll`, { method: 'POST', headers }, (response) => {
      response.on('data', (bytes) => resolve(JSON.parse(String(bytes))))
    })
    asking.on('error', reject)
    asking.end(body)
  })
  assert.equal(told.mqtt, [`mqtt://lab.example:${port}`, 'ws://lab.example:8080/mqtt'])
  const dataFolder = join(lab.folder, 'nodes', 'remote')
  await mkdir(dataFolder, { recursive: true })
  const settings = await openNodeSettings(dataFolder, silentLog)
  const { username, password } = told
  await settings.update((data) => void Object.assign(data, { username, password, mqttUrl: 'mqtt://127.0.0.1:1' }))
  const edge = await startEdge({
    config: { text: `node: remote\nsite: main\nhub: { url: "${lab.hub.mqttUrl}" }\ninstruments: {}\n` },
    dataFolder,
    drivers: [],
    openTransport: () => Promise.reject(new Error('there is none')),
    log: silentLog,
  })
  try {
    await until(async () => (await json(await lab.call('/api/v1/nodes/remote'))).state === 'online', 'the node')
  } finally {
    await edge.close()
  }
})

test('an external broker and another database refuse the start with one line', () => {
  for (const [name, value] of [
    ['FERNLAB_BROKER_URL', 'mqtt://other:1883'],
    ['FERNLAB_DATABASE_URL', 'postgres://db/fernlab'],
  ] as const) {
    assert.throws(
      () => parseConfig({ [name]: value }, {}, lab.folder),
      (error: Error) => error.message.includes(name) && !error.message.includes('\n'),
    )
  }
})

test.run()

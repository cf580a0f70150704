/** Values set over MQTT with a lease, by real clients: who may, what comes of it, and that all of it is in the record. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { DirectExchange, DirectUse, DirectUseDetail } from '@fernlab/shared/contracts/direct-use'
import { parseTopic, topics } from '@fernlab/shared/contracts/topics'
import { decode } from '@fernlab/shared/links/codec'
import mqtt from 'mqtt'
import * as assert from 'uvu/assert'
import { timesBusy } from '../../support/busy.ts'
import { suite } from '../../support/suite.ts'
import { adminToken, startTestHub, type TestHub, until } from './hub-with-node.ts'
import { startScriptedNode } from './scripted-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('values set over MQTT', { timeoutMs: 60_000 })
const bench = '/api/v1/benches/hand.b-1'
const topic = topics('main').signalSet('hand', 'box-1', 'value')
const labYaml = `
session: { seconds: 60 }
panel: { widgets: [{ kind: number, signal: box.value }] }
`
let lab: TestHub
let driver: mqtt.MqttClient
let token: { readonly id: string; readonly token: string }

test.before(async () => {
  lab = await startTestHub({ env: { FERNLAB_TRUSTED_PROXIES: 'loopback' }, labYaml })
  await lab.node('hand', { limits: { 'box.value': { low: 0, high: 5000 } } })
  token = await makeToken()
  driver = await connect(token.token)
})
test.after(async () => {
  await driver.endAsync(true)
  await lab.close()
})

const makeToken = async (headers: Record<string, string> = { authorization: `Bearer ${adminToken}` }) => {
  const body = JSON.stringify({ name: 'mqtt', scopes: ['run', 'mqtt:read'] })
  const init = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body }
  return (await (await fetch(`${lab.hub.httpUrl}/api/v1/tokens`, init)).json()) as { id: string; token: string }
}
const connect = (secret: string, options: mqtt.IClientOptions = {}, url = lab.hub.mqttUrl) =>
  mqtt.connectAsync(url, { username: 'token', password: secret, reconnectPeriod: 0, ...options })
const take = async (ttlS = 60) => {
  const taken = await lab.call(`${bench}/lease`, { method: 'POST', json: { ttlS } })
  assert.is(taken.status, 200, await taken.clone().text())
  return ((await taken.json()) as { lease: string }).lease
}
const give = async () => {
  assert.ok((await lab.call(`${bench}/lease`, { method: 'DELETE' })).ok)
}
const set = (client: mqtt.MqttClient, message: unknown, options: mqtt.IClientPublishOptions = { qos: 0 }) =>
  client.publishAsync(topic, typeof message === 'string' ? message : JSON.stringify(message), options)
const value = async () => {
  const answer = await lab.call(`${bench}/exchange`, { method: 'POST', json: { read: ['box.value'] } })
  if (answer.status === 409) throw new Error('somebody holds the bench: read with the lease')
  return ((await answer.json()) as { readings: Record<string, { value: number }> }).readings['box.value']?.value
}
const valueUnder = async (lease: string) => {
  const answer = await lab.call(`${bench}/exchange`, { method: 'POST', json: { lease, read: ['box.value'] } })
  return ((await answer.json()) as { readings: Record<string, { value: number }> }).readings['box.value']?.value
}
const newest = async () =>
  ((await (await lab.call('/api/v1/usage/direct?limit=1')).json()) as { items: DirectUse[] }).items[0]
const detail = async () =>
  (await (await lab.call(`/api/v1/usage/direct/${(await newest())?.id}`)).json()) as DirectUseDetail
const overMqtt = async () => (await detail()).given.filter(({ way }) => way === 'mqtt')
const noted = (count: number) => until(async () => (await newest())?.exchanges === count, `${count} sets being noted`)
const inShort = ({ set: values, error, address }: DirectExchange) => [values['box.value'], error ?? 'set', address]
interface Said {
  readonly code?: string
  readonly address?: string
  readonly topic?: string
  readonly retain?: boolean
}
const log = () => lab.log.lines.map(({ fields }) => fields as Said)
const said = (code: string) => log().filter((line) => line.code === code)

test('what the holder sets is in the record of that use with how, from where, when and what came of it', async () => {
  const lease = await take()
  const proxied = { wsOptions: { headers: { 'x-forwarded-for': '203.0.113.9' } } }
  const socket = await connect(token.token, proxied, `${lab.hub.httpUrl.replace('http', 'ws')}/mqtt`)
  const five = await connect(token.token, { protocolVersion: 5 })
  const before = Date.now()
  try {
    await set(driver, { value: 1, lease })
    await set(driver, { value: 2, lease }, { qos: 1 })
    await set(driver, { value: 3, lease }, { qos: 2 })
    await noted(3)
    await set(five, { value: 4, lease }, { qos: 1 })
    await noted(4)
    await set(socket, { value: 5, lease })
    await noted(5)
    await set(driver, { value: 5001, lease })
    await set(driver, { value: 'text', lease })
    await noted(7)
    assert.is(await valueUnder(lease), 5)
  } finally {
    await Promise.all([socket.endAsync(true), five.endAsync(true)])
    await give()
  }
  const { given, id, person } = await detail()
  assert.equal(
    given.slice(0, 5).map(inShort),
    [1, 2, 3, 4, 5].map((n) => [n, 'set', n === 5 ? '203.0.113.9' : '127.0.0.1']),
  )
  const [limited, text, read] = given.slice(5)
  assert.match(limited?.error ?? '', '5000')
  assert.match(text?.error ?? '', 'box.value')
  assert.equal([read?.way, read?.address, read?.answer?.['box.value']?.value], ['api', '127.0.0.1', 5])
  assert.ok(given.every(({ at }) => Date.parse(at) >= before && Date.parse(at) <= Date.now()))
  assert.equal(person.name, ((await (await lab.call('/api/v1/me')).json()) as { name: string }).name)
  const table = await (await lab.call(`/api/v1/usage/direct/${id}/exchanges.csv`)).text()
  assert.match(table, /"mqtt","203\.0\.113\.9"|,mqtt,203\.0\.113\.9/)
})

for (const [v, qos] of [
  ['mqttv311', 0],
  ['mqttv5', 1],
] as const) {
  test(`${v}: mosquitto_pub sets, with the token as its password`, async () => {
    const lease = await take()
    const { hostname, port } = new URL(lab.hub.mqttUrl)
    const message = JSON.stringify({ value: 7, lease })
    const sign = ['-h', hostname, '-p', port, '-V', v, '-u', 'token', '-P', token.token]
    const publish = spawn('mosquitto_pub', [...sign, '-q', String(qos), '-t', topic, '-m', message])
    assert.equal(await once(publish, 'exit'), [0, null])
    await noted(1)
    assert.is(await valueUnder(lease), 7)
    await give()
    assert.equal((await overMqtt()).map(inShort), [[7, 'set', '127.0.0.1']])
  })
}

test('nobody but who took the lease makes use of it, by MQTT or the API, though they know its id', async () => {
  const other: TestPerson = await newPerson(lab, 'instructor')
  const stranger = await connect((await makeToken(other.browser)).token)
  const lease = await take()
  try {
    await set(stranger, { value: 9, lease }, { qos: 1 })
    await until(() => said('lease-ended').length > 0, 'the refusal being said')
    const [line] = said('lease-ended')
    assert.equal([line?.address, line?.topic], ['127.0.0.1', topic])
    for (const body of [
      { lease, set: { 'box.value': 9 } },
      { lease, read: ['box.value'] },
    ]) {
      const { status, body: problem } = await other.ask('POST', `${bench}/exchange`, body)
      assert.equal([status, (problem as { code: string }).code], [404, 'not-found'])
    }
    assert.is((await other.ask('POST', `${bench}/lease`, { ttlS: 3600, lease })).status, 404, 'nor renews it')
    assert.is(await valueUnder(lease), 0)
    await set(driver, { value: 8, lease }, { qos: 1 })
    await until(async () => (await valueUnder(lease)) === 8, 'the holder setting')
    assert.not(JSON.stringify(lab.log.lines).includes(lease), 'a lease is a secret')
  } finally {
    await stranger.endAsync(true)
    await give()
  }
  assert.equal((await overMqtt()).map(inShort), [[8, 'set', '127.0.0.1']])
})

test('with a lease that has ended, of another bench or a guess nothing is set, and the log says so', async () => {
  const lease = await take()
  await give()
  await until(async () => (await value()) === 0, 'the bench being safe')
  const { exchanges } = (await newest()) ?? {}
  const wrong = said('lease-ended').length
  await set(driver, { value: 3, lease }, { qos: 1 })
  await set(driver, { value: 3, lease: 'a-guess' }, { qos: 1 })
  const held = await take()
  await driver.publishAsync(
    topics('main').signalSet('hand', 'box-2', 'value'),
    JSON.stringify({ value: 3, lease: held }),
    {
      qos: 1,
    },
  )
  await until(() => said('lease-ended').length > wrong, 'the refusal')
  await set(driver, { value: 1, lease: held }, { qos: 1 })
  await noted(1)
  assert.is(await valueUnder(held), 1)
  await give()
  assert.is(exchanges, 0)
})

test('what is retained, too large or no such message is said in the log, and changes nothing', async () => {
  const lease = await take()
  const five = await connect(token.token, { protocolVersion: 5 })
  const watcher = await connect(token.token)
  const seen: string[] = []
  watcher.on('message', (at) => seen.push(at))
  await watcher.subscribeAsync('fernlab/v1/main/#')
  try {
    for (const message of [
      ...['', 'null', '3', '[]', '{"value":3', '{"value":3}', `{"lease":"${lease}"}`],
      ...[JSON.stringify({ value: null, lease }), JSON.stringify({ value: [3], lease })],
      JSON.stringify({ value: 3, lease: [lease] }),
    ]) {
      await set(driver, message, { qos: 1 })
      await until(() => said('set-unreadable').length === 1, `${message} being said`)
    }
    await driver.publishAsync(topic, Buffer.from(`{"value":"\xff","lease":"${lease}"}`, 'latin1'), { qos: 1 })
    await set(driver, { value: 3, lease, more: 'x'.repeat(17_000) }, { qos: 1 })
    await until(() => said('set-too-large').length === 1, 'what is too large being said')
    const [answer] = await Promise.allSettled([set(five, { value: 3, lease }, { qos: 1, retain: true })])
    assert.match(String((answer as PromiseRejectedResult).reason), /[Nn]ot authorized/, 'retained')
    assert.ok(log().some((line) => line.topic === topic && line.retain === true))
    assert.is(await valueUnder(lease), 0)
    await set(driver, { value: 2, lease }, { qos: 1 })
    await until(async () => (await valueUnder(lease)) === 2, 'the next being set')
    assert.not(seen.includes(topic), 'nobody is handed a lease')
    assert.not(JSON.stringify(lab.log.lines).includes(lease))
  } finally {
    await Promise.all([five.endAsync(true), watcher.endAsync(true)])
    await give()
  }
  assert.equal((await overMqtt()).map(inShort), [[2, 'set', '127.0.0.1']])
})

const burst = (client: mqtt.MqttClient, lease: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => set(client, { value: n + 1, lease }, { qos: 1 })))

async function recorded(id: string): Promise<string[][]> {
  const table = await (await lab.call(`/api/v1/usage/direct/${id}/exchanges.csv`)).text()
  const lines = table.trimEnd().split('\r\n').slice(1)
  return lines.map((line) => [/box\.value\W+(\d+)/.exec(line)?.[1] ?? '', line])
}

test('a thousand at once are all set and recorded in order, and the hub answers meanwhile', async () => {
  const lease = await take(600)
  const { id = '' } = (await newest()) ?? {}
  let over = false
  const answers: number[] = []
  const asking = (async () => {
    while (!over) {
      const began = performance.now()
      assert.ok((await lab.call('/api/v1/benches')).ok)
      answers.push(performance.now() - began)
    }
  })()
  const began = performance.now()
  await burst(driver, lease, 1000)
  await noted(1000)
  const tookMs = performance.now() - began
  over = true
  await asking
  assert.is(await valueUnder(lease), 1000)
  const longest = Math.max(...answers)
  const shown = `1000 sets in ${Math.round(tookMs)} ms; ${answers.length} answers meanwhile, ${Math.round(longest)} ms at most`
  if (process.env.FERNLAB_SHOW_TIMES === '1') console.log(shown)
  assert.ok(longest < 1500 * timesBusy(), `an answer took ${longest} ms`)
  await give()
  const rows = await recorded(id)
  assert.equal(
    rows.slice(0, 1000).map(([n]) => Number(n)),
    Array.from({ length: 1000 }, (_, n) => n + 1),
  )
  assert.ok(rows.slice(0, 1000).every(([, line = '']) => line.includes('mqtt')))
})

test('a token that is revoked sets nothing more, also of what it sent before', async () => {
  const lease = await take()
  const { id, token: secret } = await makeToken()
  const client = await connect(secret)
  const sent = Promise.allSettled(Array.from({ length: 300 }, (_, n) => set(client, { value: n + 1, lease })))
  assert.ok((await lab.call(`/api/v1/tokens/${id}`, { method: 'DELETE' })).ok)
  await until(() => !client.connected, 'its connection ending')
  await sent
  const last = await valueUnder(lease)
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.is(await valueUnder(lease), last)
  await client.endAsync(true)
  await give()
  const rows = (await detail()).given.filter(({ way }) => way === 'mqtt')
  const done = rows.filter(({ error }) => error === undefined)
  assert.is(done.at(-1)?.set['box.value'] ?? 0, last)
  assert.ok(rows.slice(done.length).every(({ error }) => /connection was cut/.test(error ?? '')))
})

test('a hub that stops amid a thousand has recorded what was set, without a gap', async () => {
  const lease = await take(600)
  const { id = '' } = (await newest()) ?? {}
  const sent = Promise.allSettled(Array.from({ length: 1000 }, (_, n) => set(driver, { value: n + 1, lease })))
  await new Promise((resolve) => setTimeout(resolve, 50))
  await lab.restart()
  await driver.endAsync(true)
  await sent
  await until(
    async () => (await lab.call(`${bench}/exchange`, { method: 'POST', json: { lease, read: [] } })).ok,
    'the node',
  )
  const last = await valueUnder(lease)
  await give()
  const rows = (await recorded(id)).filter(([, line = '']) => line.includes('mqtt'))
  const done = rows.filter(([, line = '']) => !/was stopped before/.test(line))
  const numbers = rows.map(([n]) => Number(n))
  assert.equal(
    numbers,
    Array.from({ length: rows.length }, (_, n) => n + 1),
    'in order, none left out',
  )
  const unsure = rows.filter(([, line = '']) => /before hand answered/.test(line)).length
  assert.ok(unsure <= 1, `${unsure} without an answer`)
  assert.ok(
    last === done.length || last === done.length + unsure,
    `${last} was set last, ${done.length} are recorded as set`,
  )
  driver = await connect(token.token)
})

test('a hub that stops while a node is silent records what it did not answer, and what waits, as not set', async () => {
  const mute = await startScriptedNode(lab, 'mute')
  let asked = 0
  mute.link.onMessage(({ topic: at, payload }) => {
    if (parseTopic('main', at)?.kind !== 'sync' || !at.endsWith('/request')) return
    const { id, method } = decode(payload) as { id: string; method: string }
    if (method === 'lease.take') void mute.send('reply', { id, result: { lease: 'mute-lease', ttlMs: 600_000 } })
    else asked++
  })
  await mute.greet()
  const mutes = '/api/v1/benches/mute.b'
  await until(async () => (await (await lab.call(mutes)).text()).includes('"free"'), 'the bench')
  const taken = await lab.call(`${mutes}/lease`, { method: 'POST', json: { ttlS: 600 } })
  assert.is(taken.status, 200, await taken.clone().text())
  const at = topics('main').signalSet('mute', 'box', 'value')
  for (const n of [1, 2]) await driver.publishAsync(at, JSON.stringify({ value: n, lease: 'mute-lease' }), { qos: 1 })
  await until(() => asked > 0, 'the node being asked')
  await lab.restart()
  await driver.endAsync(true)
  const [first, second, ...more] = (await detail()).given
  assert.equal([first?.set, second?.set, more, asked], [{ 'box.value': 1 }, { 'box.value': 2 }, [], 1])
  assert.match(first?.error ?? '', 'the hub was stopped before mute answered')
  assert.match(second?.error ?? '', 'the hub was stopped before it was its turn')
  await mute.close()
  driver = await connect(token.token)
})

test('a live session is driven through its own page and record alone, and students have no tokens for MQTT', async () => {
  const student = await newPerson(lab)
  const refused = await student.ask('POST', '/api/v1/tokens', { name: 'mqtt', scopes: ['run', 'mqtt:read'] })
  assert.ok(refused.status >= 400 && refused.status < 500, `${refused.status}`)
  const theirs = student.bearer.authorization.replace('Bearer ', '')
  const tried = await connect(theirs).then(
    (client) => client.endAsync(true).then(() => 'connected'),
    (error: unknown) => String(error),
  )
  assert.not.equal(tried, 'connected')
  const { id } = (await (await lab.call('/api/v1/sessions', { method: 'POST', json: { lab: 'small' } })).json()) as {
    id: string
  }
  const session = async () =>
    (await (await lab.call(`/api/v1/sessions/${id}`)).json()) as { state: string; bench?: string }
  await until(async () => (await session()).state === 'active', 'the session')
  assert.is((await session()).bench, 'hand.b-1')
  await set(driver, { value: 3, lease: id }, { qos: 1 })
  await until(() => said('lease-ended').length > 0, 'the refusal')
  assert.ok((await lab.call(`/api/v1/sessions/${id}`, { method: 'DELETE' })).ok)
})

test.run()

/** The broker with real clients: mqtt.js and mosquitto, both versions of the protocol, TCP and WebSocket. */
import { spawn } from 'node:child_process'
import { topics } from '@fernlab/shared/contracts/topics'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import * as assert from 'uvu/assert'
import WebSocket from 'ws'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'

const test = suite('the broker', { timeoutMs: 20_000 })
const map = topics('main')
const versions = [4, 5] as const
let lab: TestHub
let node: { username: string; password: string }
const clients: MqttClient[] = []

test.before(async () => {
  lab = await startTestHub()
  node = await lab.hub.enrollInProcess('n1')
})
test.after.each(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)))
})
test.after(() => lab.close())

async function connect(options: IClientOptions, url = lab.hub.mqttUrl): Promise<MqttClient> {
  const client = mqtt.connect(url, { reconnectPeriod: 0, connectTimeout: 10_000, ...options })
  clients.push(client)
  client.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed')))
  })
  return client
}

const refused = (options: IClientOptions) =>
  connect(options).then(
    () => false,
    () => true,
  )

async function token(scopes: string[]): Promise<{ id: string; token: string }> {
  const answer = await lab.call('/api/v1/tokens', { method: 'POST', json: { name: 'test', scopes } })
  assert.is(answer.status, 201, await answer.clone().text())
  return (await answer.json()) as { id: string; token: string }
}

/** How many are connected, as the hub's metrics say. */
async function broker(): Promise<{ clients: number }> {
  const text = await (await lab.call('/metrics')).text()
  return { clients: Number(/^fernlab_mqtt_clients (\d+)/m.exec(text)?.[1]) }
}

function collect(client: MqttClient): { topic: string; payload: string; retain: boolean }[] {
  const got: { topic: string; payload: string; retain: boolean }[] = []
  client.on('message', (topic, payload, { retain }) => got.push({ topic, payload: payload.toString(), retain }))
  return got
}

for (const protocolVersion of versions) {
  const v = protocolVersion === 4 ? '3.1.1' : '5'

  test(`${v}: wrong credentials are refused`, async () => {
    assert.ok(await refused({ protocolVersion }))
    assert.ok(await refused({ protocolVersion, username: 'n1', password: 'wrong' }))
    assert.ok(await refused({ protocolVersion, username: 'n2', password: node.password }))
    assert.ok(await refused({ protocolVersion, username: 'token', password: 'wrong' }))
    const { token: other } = await token(['admin'])
    assert.ok(await refused({ protocolVersion, username: 'token', password: other }), 'a token without an MQTT scope')
  })

  test(`${v}: an integrator with a wildcard receives only what its scopes allow`, async () => {
    const watcher = await connect({
      protocolVersion,
      username: 'token',
      password: (await token(['mqtt:status'])).token,
    })
    const got = collect(watcher)
    await watcher.subscribeAsync('#', { qos: 1 })
    const publisher = await connect({ protocolVersion, ...node })
    await publisher.publishAsync(map.signal('n1', 'psu', 'voltage'), '{"value":1}', { qos: 1, retain: true })
    await publisher.publishAsync(map.sync('n1', 'live'), 'x', { qos: 1 })
    await publisher.publishAsync(map.bench('n1', 'b'), JSON.stringify({ state: 'free', since: 'x', n: v }), { qos: 1 })
    await until(() => got.some(({ topic }) => topic === map.bench('n1', 'b')), 'the state of the bench')
    assert.ok(
      got.every(({ topic }) => !topic.includes('/sync/') && !topic.includes('/instruments/')),
      JSON.stringify(got),
    )
    assert.ok(got.some(({ topic, payload }) => topic === map.hubStatus && payload === 'online'))
  })

  test(`${v}: an integrator can’t publish, and nobody notices the attempt`, async () => {
    const { token: secret } = await token(['mqtt:read'])
    const watcher = await connect({ protocolVersion, username: 'token', password: secret })
    const got = collect(watcher)
    await watcher.subscribeAsync('fernlab/v1/main/#')
    const other = await connect({ protocolVersion, username: 'token', password: secret })
    other.publish(map.hubStatus, 'offline', { retain: true })
    other.publish(map.signalSet('n1', 'psu', 'voltage'), '{}')
    const publisher = await connect({ protocolVersion, ...node })
    await publisher.publishAsync(map.nodeStatus('n1'), 'online', { qos: 1 })
    await until(() => got.some(({ topic }) => topic === map.nodeStatus('n1')), 'a message after the attempt')
    assert.ok(watcher.connected)
    assert.ok(publisher.connected)
    assert.not(got.some(({ topic, payload }) => topic === map.hubStatus && payload === 'offline'))
  })

  test(`${v}: a node publishes nothing under another’s name, by message or by will`, async () => {
    const secret = (await token(['mqtt:read', 'admin'])).token
    const boss = await connect({ protocolVersion, username: 'token', password: secret })
    const got = collect(boss)
    await boss.subscribeAsync(['#', '$SYS/#'])
    const topicsOfOthers = [
      map.nodeStatus('n9'),
      map.signal('n9', 'psu', 'voltage'),
      map.bench('n9', 'b'),
      '$SYS/x',
      map.hubStatus,
      map.hubRuns('succeeded'),
    ]
    // Each over a connection of its own: 3.1.1 ends it at the first refusal.
    for (const topic of topicsOfOthers) {
      const evil = await connect({ protocolVersion, ...node })
      const cut = new Promise<string>((resolve) => evil.once('close', () => resolve('refused')))
      const sent = evil.publishAsync(topic, 'evil', { qos: 1, retain: true })
      const outcome = sent.then(
        () => 'taken',
        () => 'refused',
      )
      assert.is(await Promise.race([outcome, cut]), 'refused', topic)
      await evil.endAsync(true)
    }
    for (const topic of [map.nodeStatus('n9'), '$SYS/x']) {
      const will = { topic, payload: Buffer.from('evil'), qos: 1 as const, retain: true }
      const evil = await connect({ protocolVersion, ...node, will })
      const { clients } = await broker()
      evil.stream.destroy()
      await until(async () => (await broker()).clients < clients, 'the end of the connection')
    }
    const mine = await connect({ protocolVersion, ...node })
    await mine.publishAsync(map.nodeStatus('n1'), `after ${v}`, { qos: 1 })
    await until(() => got.some(({ payload }) => payload === `after ${v}`), 'a message after the attempts')
    assert.ok(got.some(({ topic }) => topic.startsWith('$SYS/')))
    const late = await connect({ protocolVersion, username: 'token', password: secret })
    const retained = collect(late)
    await late.subscribeAsync(['#', '$SYS/#'])
    await until(() => retained.some(({ topic }) => topic === map.hubStatus), 'what is retained')
    assert.equal(
      [...got, ...retained].filter(({ payload }) => payload === 'evil'),
      [],
    )
  })

  test(`${v}: its own will is published when its connection breaks`, async () => {
    const boss = await connect({ protocolVersion, username: 'token', password: (await token(['mqtt:status'])).token })
    const got = collect(boss)
    await boss.subscribeAsync(map.nodeStatus('n1'))
    const will = { topic: map.nodeStatus('n1'), payload: Buffer.from('offline'), qos: 1 as const, retain: true }
    const mine = await connect({ protocolVersion, ...node, will })
    await mine.publishAsync(map.nodeStatus('n1'), `online ${v}`, { qos: 1, retain: true })
    await until(() => got.some(({ payload }) => payload === `online ${v}`), 'online')
    mine.stream.destroy()
    await until(() => got.at(-1)?.payload === 'offline', 'the will')
  })

  test(`${v}: a client id can’t be taken over with another credential`, async () => {
    const mine = await connect({ protocolVersion, ...node, clientId: 'same' })
    const secret = (await token(['mqtt:status'])).token
    const other = await connect({ protocolVersion, username: 'token', password: secret, clientId: 'same' })
    const third = await connect({ protocolVersion, username: 'token', password: secret, clientId: 'node/n1' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.ok(mine.connected && other.connected && third.connected)
  })

  test(`${v}: revoking a token cuts its connections at once`, async () => {
    const made = await token(['mqtt:status'])
    const client = await connect({ protocolVersion, username: 'token', password: made.token })
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    assert.ok((await lab.call(`/api/v1/tokens/${made.id}`, { method: 'DELETE' })).ok)
    await closed
    assert.ok(await refused({ protocolVersion, username: 'token', password: made.token }))
  })

  test(`${v}: a packet that is too large ends its own connection only`, async () => {
    const other = await connect({ protocolVersion, username: 'token', password: (await token(['mqtt:status'])).token })
    const mine = await connect({ protocolVersion, ...node })
    const closed = new Promise<void>((resolve) => mine.once('close', () => resolve()))
    mine.publish(map.sync('n1', 'live'), Buffer.alloc(17 * 1024 * 1024))
    await closed
    assert.ok(other.connected)
  })

  test(`${v}: works over WebSocket on the web port`, async () => {
    const secret = (await token(['mqtt:status'])).token
    const url = `${lab.hub.httpUrl.replace('http', 'ws')}/mqtt`
    const client = await connect({ protocolVersion, username: 'token', password: secret }, url)
    const got = collect(client)
    await client.subscribeAsync(map.hubStatus)
    await until(() => got.some(({ payload }) => payload === 'online'), 'the hub’s status')
  })

  test(`${v}: mosquitto’s clients publish and subscribe`, async () => {
    const { port } = new URL(lab.hub.mqttUrl)
    const wire = ['-h', '127.0.0.1', '-p', port, '-V', protocolVersion === 4 ? 'mqttv311' : 'mqttv5']
    const secret = (await token(['mqtt:read'])).token
    const topic = map.signal('n1', 'dmm', `v${protocolVersion}`)
    const publish = spawn('mosquitto_pub', [
      ...wire,
      '-u',
      'n1',
      '-P',
      node.password,
      '-q',
      '1',
      '-r',
      '-t',
      topic,
      '-m',
      '42',
    ])
    assert.is(await new Promise((resolve) => publish.once('exit', resolve)), 0)
    const subscribe = spawn(
      'mosquitto_sub',
      [
        ...wire,
        '-u',
        'token',
        '-P',
        secret,
        '-t',
        `${map.base}/#`,
        '-T',
        map.hubStatus,
        '-C',
        '1',
        '-W',
        '5',
        '-F',
        '%t %p',
        '-R',
        '--retained-only',
      ].filter((arg) => arg !== '-R'),
    )
    let text = ''
    subscribe.stdout.on('data', (chunk) => {
      text += chunk
    })
    assert.is(await new Promise((resolve) => subscribe.once('exit', resolve)), 0)
    assert.match(text, /^fernlab\/v1\/main\//)
  })
}

test('a page of another origin is refused at /mqtt, the hub’s own is not', async () => {
  const url = `${lab.hub.httpUrl.replace('http', 'ws')}/mqtt`
  const outcome = (origin?: string) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(url, 'mqtt', origin === undefined ? {} : { origin })
      socket.once('open', () => {
        socket.close()
        resolve('open')
      })
      socket.once('unexpected-response', (_, response) => {
        resolve(String(response.statusCode))
        response.destroy()
      })
      socket.on('error', () => {})
    })
  assert.is(await outcome('https://evil.example'), '403')
  assert.is(await outcome(lab.hub.httpUrl), 'open')
  assert.is(await outcome(), 'open')
})

test('$SYS is read by an admin’s token only', async () => {
  const boss = await connect({
    protocolVersion: 5,
    username: 'token',
    password: (await token(['mqtt:read', 'admin'])).token,
  })
  const got = collect(boss)
  await boss.subscribeAsync('$SYS/#')
  const secret = (await token(['mqtt:read'])).token
  const other = await connect({ protocolVersion: 5, username: 'token', password: secret })
  await until(() => got.some(({ topic }) => topic.startsWith('$SYS/')), 'a $SYS message')
  const [granted] = await other.subscribeAsync('$SYS/#').catch(() => [{ qos: 128 }])
  assert.is(granted?.qos, 128)
})

test('a strange message is logged once, however often it comes', async () => {
  const before = lab.log.lines.length
  const evil = await connect({ protocolVersion: 5, ...node })
  for (let i = 0; i < 5; i++) await evil.publishAsync(map.sync('n1', 'inventory'), 'no CBOR at all', { qos: 1 })
  await until(() => lab.log.lines.slice(before).some(({ message }) => /dropped/.test(message)), 'the line')
  assert.is(
    lab.log.lines.slice(before).filter(({ message }) => message === 'a message of a node was dropped').length,
    1,
  )
})

test('revoking a node cuts its connection and its credential', async () => {
  const made = await lab.hub.enrollInProcess('n5')
  const client = await connect({ protocolVersion: 5, ...made })
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
  const answer = await lab.call('/api/v1/nodes/n5/revoke', { method: 'POST' })
  assert.ok(answer.ok, await answer.text())
  await closed
  assert.ok(await refused({ protocolVersion: 5, ...made }))
})

test('a new credential ends the old one and its connection', async () => {
  const made = await lab.hub.enrollInProcess('n6')
  const client = await connect({ protocolVersion: 5, ...made })
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
  const answer = await lab.call('/api/v1/nodes/n6/rotate', { method: 'POST' })
  assert.ok(answer.ok, await answer.clone().text())
  await closed
  assert.ok(await refused({ protocolVersion: 5, ...made }))
  const { username, password } = (await answer.json()) as { username: string; password: string }
  assert.ok((await connect({ protocolVersion: 5, username, password })).connected)
})

test.run()

/**
 * What each kind of MQTT client may publish and reads, for every channel of asyncapi.json and every topic between hub and
 * nodes, over TCP and WebSocket, compared with docs/access.md.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { asyncApi } from '@fernlab/hub/api/async-api'
import { createClientAddress } from '@fernlab/hub/api/client-address'
import { authenticateMqtt, type MqttAuthentication } from '@fernlab/hub/broker/authenticate'
import { type Broker, createBroker } from '@fernlab/hub/broker/broker'
import { type Listener, listenMqtt, serveWebSocket } from '@fernlab/hub/broker/listeners'
import { hubToNode, nodeToHub, topics } from '@fernlab/shared/contracts/topics'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import mqtt, { type MqttClient } from 'mqtt'
import * as assert from 'uvu/assert'
import { compareTable } from '../../support/documented-table.ts'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'
import { until } from './hub-with-node.ts'

const test = suite('topics, by who comes', { timeoutMs: 60_000 })
const site = 'main'
const map = topics(site)
let hub: ServedHub
let broker: Broker
let authentication: MqttAuthentication
let tcp: Listener
const web = createServer()
let webSockets: { close(): void }
const urls: string[] = []
const clients = new Set<MqttClient>()
/** Every message that the broker let through. */
const passed = new Set<string>()

interface Who {
  readonly column: string
  readonly username: string
  readonly password: string
}
const who: Who[] = []

test.before(async () => {
  hub = await serveHub()
  const { accounts } = hub
  broker = await createBroker({
    site,
    authenticate: async (name, secret) => authentication.identify(name, secret),
    clock,
    log,
  })
  authentication = authenticateMqtt({
    verifyNode: async (node, secret) => secret === `secret of ${node}`,
    verifyToken: accounts.verifyToken,
    tokenHolder: accounts.tokenHolder,
    onRevoked: accounts.onRevoked,
    onEnded: accounts.onEnded,
    broker,
    clock,
    log,
  })
  tcp = await listenMqtt({ broker, host: '127.0.0.1', port: 0, setting: 'x' })
  webSockets = serveWebSocket({ broker, server: web, origins: () => [], addresses: createClientAddress([]), log })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  urls.push(`mqtt://127.0.0.1:${tcp.port}`, `ws://127.0.0.1:${(web.address() as AddressInfo).port}/mqtt`)
  for (const filter of ['#', '$SYS/#']) {
    await broker.subscribe(filter, ({ topic, payload }) => void passed.add(`${topic} ${Buffer.from(payload)}`))
  }
  const token = async (column: string, role: 'admin' | 'instructor', scopes: readonly string[]) => {
    const { token: made } = await hub.person(role, scopes)
    who.push({ column, username: 'token', password: made.token })
  }
  who.push({ column: 'node n1', username: 'n1', password: 'secret of n1' })
  await token('token: mqtt:status', 'instructor', ['mqtt:status'])
  await token('token: mqtt:read', 'instructor', ['mqtt:read'])
  await token('staff’s token: mqtt:read, run', 'instructor', ['mqtt:read', 'run'])
  await token('admin’s token: mqtt:read, admin', 'admin', ['mqtt:read', 'admin'])
})
test.after(async () => {
  await Promise.all([...clients].map((client) => client.endAsync(true)))
  webSockets.close()
  authentication.close()
  await tcp.close()
  await broker.close()
  web.closeAllConnections()
  await new Promise((resolve) => web.close(resolve))
  await hub.close()
})

/** Each address of the documents, with names in it; what belongs to a node once for n1 and once for another. */
const addresses = [
  ...Object.values(asyncApi({ site, version: '0', mqttUrls: [] }).channels).map(({ address }) => address),
  ...nodeToHub.map((channel) => map.sync('{node}', channel)),
  ...hubToNode.map((channel) => map.sync('{node}', channel)),
].flatMap((address) => {
  const named = address.replace('{state}', 'queued').replaceAll(/\{(?!node)\w+\}/g, 'x')
  return named.includes('{node}') ? ['n1', 'n2'].map((node) => named.replace('{node}', node)) : [named]
})
const nowhere = [
  map.nodeStatus('n1').replace(`/${site}/`, '/other/'),
  `${map.node('n1')}/unknown`,
  `${map.hubStatus}/more`,
  '$SYS/x/heartbeat',
  'elsewhere',
]
const all = [...addresses, ...nowhere]
/** How one could try to read more than one may. */
const filters = [
  ...all,
  '#',
  '+/#',
  '$SYS/#',
  '+/+/+/nodes/+/sync/#',
  `${map.base}/#`,
  `${map.base}/nodes/+/sync/+`,
  `${map.base}/nodes/+/instruments/+/+/set`,
  '$share/g/#',
  `$share/g/${map.sync('n2', 'assign')}`,
  `$share/g/${map.signalSet('n1', 'x', 'x')}`,
  '$share/g/$SYS/#',
]

async function connect(url: string, { username, password }: Pick<Who, 'username' | 'password'>): Promise<MqttClient> {
  const client = mqtt.connect(url, { username, password, protocolVersion: 5, reconnectPeriod: 0 })
  clients.add(client)
  client.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('close', () => reject(new Error('refused')))
  })
  return client
}

let serial = 0

/** The topics that such a client gets when it asks for everything in every way. */
async function readBy(url: string, one: Who): Promise<Set<string>> {
  const client = await connect(url, one)
  const got = new Set<string>()
  const mark = `read ${++serial}`
  client.on('message', (topic, payload) => {
    if (String(payload).startsWith(mark)) got.add(topic)
    if (String(payload) === `${mark} last`) got.add('last')
  })
  for (const filter of filters) await client.subscribeAsync(filter, { qos: 1 }).catch(() => {})
  for (const topic of all) broker.publish(topic, mark)
  broker.publish(map.hubStatus, `${mark} last`)
  await until(() => got.has('last'), `${one.column}: the last one`)
  got.delete('last')
  await client.endAsync(true)
  return got
}

/** The topics to which such a client can publish. */
async function publishedBy(url: string, one: Who, retain = true): Promise<Set<string>> {
  const mark = `published ${++serial}`
  const goneWith = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', () => resolve()))
  let client = await connect(url, one)
  let gone = goneWith(client)
  for (const topic of all) {
    if (!client.connected) {
      client = await connect(url, one)
      gone = goneWith(client)
    }
    // What is refused ends the connection, or is acknowledged as not done.
    await Promise.race([client.publishAsync(topic, mark, { qos: 1, retain }).catch(() => {}), gone])
  }
  await client.endAsync(true)
  return new Set(all.filter((topic) => passed.has(`${topic} ${mark}`)))
}

test('a client publishes and reads what docs/access.md says, whatever it asks for', async () => {
  const [overTcp = '', overWeb = ''] = urls
  const rows: string[][] = [['topic', ...who.map(({ column }) => column)], ...all.map((topic) => [`\`${topic}\``])]
  for (const one of who) {
    const reads = await readBy(overTcp, one)
    const publishes = await publishedBy(overTcp, one)
    const publishesOnce = await publishedBy(overTcp, one, false)
    assert.equal(await readBy(overWeb, one), reads, `${one.column}: reads over WebSocket`)
    assert.equal(await publishedBy(overWeb, one), publishes, `${one.column}: publishes over WebSocket`)
    for (const [at, topic] of all.entries()) {
      const published = publishesOnce.has(topic) ? (publishes.has(topic) ? 'publishes' : 'publishes, unretained') : []
      assert.ok(publishesOnce.has(topic) || !publishes.has(topic), `${topic}: retained alone`)
      const may = [reads.has(topic) ? 'reads' : [], published].flat()
      rows[at + 1]?.push(may.join(', ') || '–')
    }
  }
  compareTable('topics', rows)
})

test('nobody else comes in, and a name says nothing', async () => {
  const student = await hub.person('student', ['read', 'run', 'mqtt:read'])
  const [reader, instructor] = [
    await hub.person('admin', ['read', 'admin']),
    await hub.person('instructor', ['mqtt:read']),
  ]
  await hub.accounts.revokeToken(instructor.person.id, instructor.token.id)
  const cookie = (await hub.signIn()).cookie
  const refused: Record<string, Pick<Who, 'username' | 'password'>> = {
    nobody: { username: '', password: '' },
    'a person’s password': { username: 'admin@school.example', password: 'a-long-password' },
    'a person’s cookie': { username: 'token', password: cookie },
    'a student’s token': { username: 'token', password: student.token.token },
    'a token without a scope for MQTT': { username: 'token', password: reader.token.token },
    'a revoked token': { username: 'token', password: instructor.token.token },
    'another node’s secret': { username: 'n2', password: 'secret of n1' },
    'a node’s secret as a token': { username: 'token', password: 'secret of n1' },
  }
  for (const [what, credential] of Object.entries(refused)) {
    for (const url of urls) {
      const came = await connect(url, credential).then(
        () => true,
        () => false,
      )
      assert.not(came, `${what} came in at ${url}`)
    }
  }
})

test.run()

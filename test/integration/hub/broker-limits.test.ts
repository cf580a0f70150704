/** The broker and clients that do not behave: who do not read, who come at the wrong moment, whom nobody knows. */
import { connect as connectSocket, type Socket } from 'node:net'
import { createBroker } from '@fernlab/hub/broker/broker'
import { listenMqtt } from '@fernlab/hub/broker/listeners'
import type { Identity } from '@fernlab/hub/broker/topic-rules'
import { topics } from '@fernlab/shared/contracts/topics'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import mqtt, { type MqttClient } from 'mqtt'
import { generate, parser } from 'mqtt-packet'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { until } from './hub-with-node.ts'

const test = suite('the broker and those who do not behave', { timeoutMs: 30_000 })
const map = topics('main')
const reader: Identity = {
  kind: 'integrator',
  tokenId: 't',
  personId: 'p',
  scopes: ['mqtt:read'],
  admin: false,
  drives: false,
}
const identities: Record<string, Identity> = { n1: { kind: 'node', node: 'n1' }, token: reader }
const closers: (() => unknown)[] = []

test.after.each(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function start(options: { authenticate?: (name: string) => Promise<Identity | undefined>; most?: number } = {}) {
  const log = recordingLog()
  const authenticate = options.authenticate ?? (async (name) => identities[name])
  const broker = await createBroker({ site: 'main', authenticate, clock, log })
  closers.push(() => broker.close())
  const more = options.most === undefined ? {} : { mostConnections: options.most }
  const listener = await listenMqtt({ broker, host: '127.0.0.1', port: 0, setting: 'P', ...more })
  closers.push(() => listener.close())
  return { broker, log, port: listener.port }
}

const socketTo = (port: number): Socket => {
  const socket = connectSocket(port, '127.0.0.1')
  socket.on('error', () => {})
  closers.push(() => socket.destroy())
  return socket
}
const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))
const connectPacket = (username: string, protocolVersion: 4 | 5 = 4) =>
  generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion,
    clean: true,
    clientId: 'raw',
    keepalive: 0,
    username,
    password: Buffer.from('x'),
  })

/** A client that says these packets and reads nothing after the answer to the last. */
async function rawClient(port: number, username: string, version: 4 | 5, ...packets: Buffer[]): Promise<Socket> {
  const socket = socketTo(port)
  let answers = 0
  const parse = parser({ protocolVersion: version })
  parse.on('packet', () => answers++)
  socket.on('data', (bytes) => parse.parse(bytes))
  socket.write(Buffer.concat([connectPacket(username, version), ...packets]))
  await until(() => answers > packets.length, 'the answers')
  return socket
}

async function nodeClient(port: number): Promise<MqttClient> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { username: 'n1', password: 'x', reconnectPeriod: 0 })
  client.on('error', () => {})
  closers.push(() => client.endAsync(true))
  await until(() => client.connected, 'the node')
  return client
}

test('a subscriber that stops reading is cut, and holds up nobody', async () => {
  const { broker, log, port } = await start()
  const subscribe = generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] })
  const stalled = await rawClient(port, 'token', 4, subscribe)
  stalled.pause()
  const node = await nodeClient(port)
  let slowest = 0
  const value = Buffer.alloc(16 * 1024)
  for (let i = 0; i < 200 && broker.clients > 1; i++) {
    const from = performance.now()
    for (let j = 0; j < 20; j++) node.publish(map.signal('n1', 'psu', 'voltage'), value)
    await node.publishAsync(map.sync('n1', 'live'), '', { qos: 1 })
    slowest = Math.max(slowest, performance.now() - from)
  }
  await until(() => broker.clients === 1, 'the cut')
  assert.ok(slowest < 5000, `the node waited ${slowest} ms`)
  assert.ok(node.connected)
  assert.is(log.lines.filter(({ message }) => /does not read/.test(message)).length, 1)
})

test('one that is cut off while it signs in does not come in', async () => {
  let answer = () => {}
  const { broker, port } = await start({
    authenticate: (name) => new Promise((resolve) => (answer = () => resolve(identities[name]))),
  })
  const socket = socketTo(port)
  const end = closed(socket)
  socket.resume()
  socket.write(connectPacket('n1'))
  const unset = answer
  await until(() => answer !== unset, 'the look-up')
  broker.disconnect((who) => who.kind === 'node' && who.node === 'n1')
  answer()
  await end
  assert.equal(broker.identities(), [])
})

test('one that is cut off publishes nothing from then on, and is gone soon although it reads nothing', async () => {
  const { broker, port } = await start()
  const got: string[] = []
  await broker.subscribe(map.sync('n1', 'live'), ({ payload }) => void got.push(Buffer.from(payload).toString()))
  const node = await rawClient(port, 'n1', 5)
  const message = (text: string) =>
    generate(
      { cmd: 'publish', topic: map.sync('n1', 'live'), payload: text, qos: 0, dup: false, retain: false },
      { protocolVersion: 5 },
    )
  node.write(message('before'))
  await until(() => got.length === 1, 'the message')
  node.pause()
  const unread = Buffer.alloc(1024 * 1024)
  for (let i = 0; i < 14; i++) broker.publish(map.sync('n1', 'cancel'), unread)
  await new Promise((resolve) => setTimeout(resolve, 100))
  broker.disconnect((who) => who.kind === 'node')
  const from = performance.now()
  node.write(message('after'))
  await until(() => broker.clients === 0, 'the end')
  assert.ok(performance.now() - from < 5000)
  assert.equal(got, ['before'])
})

test('a stranger may say little, and what it calls itself is not logged unless it is a name', async () => {
  const { log, port } = await start()
  const large = socketTo(port)
  const end = closed(large)
  large.resume()
  large.write(Buffer.concat([Buffer.from([0x10, 0x80, 0x80, 0x40]), Buffer.alloc(100_000)]))
  await end
  for (const name of ['fern_a-token-in-the-wrong-field', 'n9']) {
    const socket = socketTo(port)
    const refused = closed(socket)
    socket.resume()
    socket.write(connectPacket(name))
    await refused
  }
  const told = JSON.stringify(log.lines)
  assert.not.match(told, /wrong-field/)
  assert.match(told, /"n9"/)
})

test('more connections than may be are refused', async () => {
  const { port } = await start({ most: 2 })
  await nodeClient(port)
  await rawClient(port, 'token', 4)
  const third = socketTo(port)
  third.resume()
  await closed(third)
})

test.run()

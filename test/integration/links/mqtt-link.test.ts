import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { connectedPair } from '@fernlab/shared/links/in-process'
import { type MqttLink, type MqttMessage, openMqttLink } from '@fernlab/shared/links/mqtt-link'
import { recordingLog, silentLog } from '@fernlab/shared/primitives/log'
import { Aedes } from 'aedes'
import * as assert from 'uvu/assert'
import { timesBusy } from '../../support/busy.ts'
import { freePort } from '../../support/free-port.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the link to a broker')

interface Broker {
  readonly aedes: Aedes
  readonly url: string
  readonly sockets: Set<Socket>
  close(): Promise<void>
}

const closers: (() => Promise<void>)[] = []

async function startBroker(port = 0): Promise<Broker> {
  const aedes = await Aedes.createBroker({
    authenticate: (_client, username, password, done) => {
      done(null, username === undefined || (username === 'node' && password?.toString() === 'right'))
    },
  })
  const sockets = new Set<Socket>()
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
  }
  closers.push(close)
  return { aedes, url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, close }
}

function link(to: string, more: Partial<Parameters<typeof openMqttLink>[0]> = {}): MqttLink {
  const made = openMqttLink({
    to,
    clientId: `c${Math.random()}`,
    filters: ['a/#'],
    log: silentLog,
    reconnectMs: 20,
    ...more,
  })
  closers.push(() => made.close())
  return made
}

const connected = (made: MqttLink) => new Promise<void>((resolve) => made.onConnect(resolve))
const message = (made: MqttLink) => new Promise<MqttMessage>((resolve) => made.onMessage(resolve))

test.after.each(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

test('what one side publishes the other receives, subscribed before onConnect', async () => {
  const broker = await startBroker()
  const [one, two] = [link(broker.url), link(broker.url)]
  await Promise.all([connected(one), connected(two)])
  const arrived = message(two)
  await one.publish('a/b', new Uint8Array([1, 2, 3]))
  const { topic, payload } = await arrived
  assert.is(topic, 'a/b')
  assert.equal([...payload], [1, 2, 3])
})

test('a connection inside the process works as one over a socket does', async () => {
  const broker = await startBroker()
  const one = link('', {
    to: () => {
      const [mine, theirs] = connectedPair()
      broker.aedes.handle(theirs as unknown as Socket)
      return mine
    },
  })
  const two = link(broker.url)
  await Promise.all([connected(one), connected(two)])
  const big = new Uint8Array(3_000_000).map((_, index) => index & 255)
  const arrived = message(one)
  await two.publish('a/big', big)
  const { payload } = await arrived
  assert.is(Buffer.compare(payload, big), 0)
})

test('a broker that goes and comes back is logged once each, and the link is whole again', async () => {
  const log = recordingLog()
  const first = await startBroker(await freePort())
  const made = link(first.url, { log })
  await connected(made)
  const lost = new Promise<string>((resolve) => made.onDisconnect(resolve))
  await first.close()
  await lost
  assert.not(made.connected)
  try {
    await made.publish('a/b', 'x')
    assert.unreachable('a message was taken while nothing could carry it')
  } catch (error) {
    assert.is((error as { code: string }).code, 'broker-unreachable')
  }
  await new Promise((resolve) => setTimeout(resolve, 200))
  const back = new Promise<void>((resolve) => made.onConnect(resolve))
  const second = await startBroker(Number(new URL(first.url).port))
  await back
  const other = link(second.url)
  await connected(other)
  const arrived = message(made)
  await other.publish('a/again', 'x')
  await arrived
  assert.equal(
    log.lines.map(({ level, message: text }) => `${level} ${text}`),
    ['warn the broker is not reachable', 'info the broker is reachable again'],
  )
})

test('what was under way when the connection broke is settled, not waited for for ever', async () => {
  const broker = await startBroker()
  // The broker reads whatever arrives: what stands before it is what can stop taking.
  const before: Socket[] = []
  const server = createServer((socket) => {
    const behind = connect(Number(new URL(broker.url).port), '127.0.0.1')
    socket.on('close', () => behind.destroy())
    socket.pipe(behind).pipe(socket)
    before.push(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => new Promise((resolve) => server.close(() => resolve())))
  const made = link(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await connected(made)
  for (const socket of before) socket.unpipe().pause()
  const settled = made.publish('a/big', new Uint8Array(64 * 1024 * 1024)).then(
    () => 'sent',
    (error: { code: string }) => error.code,
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  for (const socket of before) socket.destroy()
  assert.is(await settled, 'broker-unreachable')
})

const stages = ['authenticate', 'authorizeSubscribe'] as const
for (const stage of stages) {
  test(`one that is closed while the broker thinks about its ${stage} stays closed`, async () => {
    const broker = await startBroker()
    let asked = 0
    const answer = await new Promise<() => void>((resolve) => {
      const ask = (done: () => void) => {
        asked += 1
        resolve(done)
      }
      if (stage === 'authenticate')
        broker.aedes.authenticate = (_client, _name, _password, done) => ask(() => done(null, true))
      else broker.aedes.authorizeSubscribe = (_client, wanted, done) => ask(() => done(null, wanted))
      link(broker.url)
    })
    await closers.pop()?.()
    answer()
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal([asked, broker.sockets.size], [1, 0])
  })
}

test('subscriptions that are refused are asked for again, and the log says so', async () => {
  const broker = await startBroker()
  const log = recordingLog()
  let refusals = 0
  broker.aedes.authorizeSubscribe = (_client, subscription, done) => {
    refusals += 1
    done(null, refusals > 2 ? subscription : null)
  }
  const made = link(broker.url, { log })
  await connected(made)
  assert.is(refusals, 3)
  assert.is(log.lines.filter(({ message: text }) => text === 'the broker refused the subscriptions').length, 2)
})

test('a wrong credential is told apart from an absent broker, and tried again', async () => {
  const broker = await startBroker()
  const made = link(broker.url, { username: 'node', password: 'wrong' })
  let times = 0
  const refused = await new Promise<boolean>((resolve) => {
    made.onDisconnect((_reason, was) => {
      times++
      if (times === 2) resolve(was)
    })
  })
  assert.ok(refused)
})

test('credentials in the address itself count as well', async () => {
  const broker = await startBroker()
  const made = link(broker.url.replace('mqtt://', 'mqtt://node:wrong@'))
  assert.ok(await new Promise<boolean>((resolve) => made.onDisconnect((_reason, refused) => resolve(refused))))
  await connected(link(broker.url.replace('mqtt://', 'mqtt://node:right@')))
})

test('the will of a process that vanished is published', async () => {
  const broker = await startBroker()
  const watcher = link(broker.url)
  await connected(watcher)
  const dying = link(broker.url, { will: { topic: 'a/status', payload: 'offline' } })
  await connected(dying)
  const arrived = message(watcher)
  const [, second] = [...broker.sockets]
  second?.destroy()
  const { topic, payload } = await arrived
  assert.is(topic, 'a/status')
  assert.is(Buffer.from(payload).toString(), 'offline')
})

test('closing twice, also while nothing answers, ends within its bound', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  closers.push(async () => {
    silent.close()
  })
  const made = link(`mqtt://127.0.0.1:${(silent.address() as AddressInfo).port}`)
  const started = performance.now()
  await Promise.all([made.close(), made.close()])
  assert.ok(performance.now() - started < 2000 * timesBusy())
})

test.run()

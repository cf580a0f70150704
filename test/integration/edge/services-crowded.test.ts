/** Links that nobody signs in at a node shut nobody out who does. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Peer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a node at whose door many wait', { timeoutMs: 30_000 })
const CLIENTS = 4
/** As many as the node has places for those who have not signed in, and more. */
const CROWD = CLIENTS + 2 * 64 + 50

let node: TestNode
let owner: Peer
const sockets: WebSocket[] = []
const connections: Socket[] = []

test.before.each(async () => {
  const services = { listen: { host: '127.0.0.1', port: 0, announce: false, clients: CLIENTS } }
  node = await startTestNode(undefined, { config: { object: { ...nodeFileAlone(), services } } })
  owner = await onMachine(node.dataFolder)
})
test.after.each(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  for (const socket of connections.splice(0)) socket.destroy()
  await owner.close()
  await node.remove()
})

const url = () => node.edge.services.addresses[0] ?? ''
const tokenOf = async (person: string) =>
  ((await owner.call('node/token', { person, services: ['*'], rights: ['read'] })) as { token: string }).token
/** Comes, and says nothing. */
async function idle(localAddress = '127.0.0.1') {
  const socket = new WebSocket(url(), ['fernlab.rpc.1.json'], { localAddress })
  sockets.push(socket)
  socket.on('error', () => {}) // told so at once
  await Promise.race([once(socket, 'open'), once(socket, 'close')])
  return socket
}
interface Answer {
  readonly result?: object
  readonly error?: { readonly data: { readonly code: string } }
}
const ask = async (socket: WebSocket, method: string, params: object): Promise<Answer> => {
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  const [data] = await Promise.race([once(socket, 'message'), once(socket, 'close').then(() => ['{}'])])
  return JSON.parse(String(data))
}
async function signedIn(person: string, localAddress: string): Promise<WebSocket> {
  const socket = await idle(localAddress)
  const { result, error } = await ask(socket, SIGN_IN, { token: await tokenOf(person) })
  assert.ok(result, error?.data.code ?? 'it was closed')
  return socket
}

test('hundreds of links of one address that do not sign in are in the way of no other address, nor of who has signed in', async () => {
  const first = await signedIn('ada', '127.0.0.1')
  const told: string[] = []
  for (let n = 0; n < CROWD; n++) {
    const socket = await idle()
    socket.once('close', (_, reason) => void told.push(String(reason)))
  }
  for (let turn = 0; turn < 500 && told.length < 50; turn++) await sleep(10)
  assert.ok(told.length >= 50, `${told.length} were told`)
  assert.equal([...new Set(told)], ['too-many-unsigned'])
  for (const person of ['bob', 'cy', 'dan']) await signedIn(person, '127.0.0.2')
  const read = { signals: ['voltage'] }
  assert.ok((await ask(first, 'bench-1.psu/signals.read', read)).result)
  // All places of clients are taken now: said to the next one, and again once it asks.
  const next = await idle('127.0.0.3')
  const refused = await ask(next, SIGN_IN, { token: await tokenOf('eve') })
  assert.is(refused.error?.data.code, 'too-many-clients')
  first.terminate()
  for (let turn = 0; turn < 500 && node.edge.services.counts.links > CROWD; turn++) await sleep(10)
  await signedIn('eve', '127.0.0.3')
})

test('nor are connections that ask for nothing at all', async () => {
  const { port } = new URL(url())
  let closed = 0
  for (let n = 0; n < 5 * CROWD; n++) {
    const socket = connect(Number(port), '127.0.0.1')
    connections.push(socket)
    socket.on('error', () => {})
    socket.once('close', () => void closed++)
    await once(socket, 'connect')
  }
  await signedIn('ada', '127.0.0.2')
  await signedIn('bob', '127.0.0.1')
  for (let turn = 0; turn < 500 && closed < 4 * CROWD; turn++) await sleep(10)
  assert.ok(closed >= 4 * CROWD, `${closed} had to go`)
})

test('more who sign in at once than there is room for: so many come in, the others are told', async () => {
  const tokens = await Promise.all(['ada', 'bob', 'cy'].map(tokenOf))
  const all = await Promise.all(Array.from({ length: CLIENTS + 3 }, () => idle()))
  const answers = await Promise.all(all.map((socket, n) => ask(socket, SIGN_IN, { token: tokens[n % 3] })))
  assert.is(answers.filter(({ result }) => result !== undefined).length, CLIENTS)
  const codes = answers.flatMap(({ error }) => error?.data.code ?? [])
  assert.equal(codes, Array(3).fill('too-many-clients'))
})

test.run()

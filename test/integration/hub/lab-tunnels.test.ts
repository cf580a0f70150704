/** Connections to a lab's own server through its node, over real sockets. */
import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Edge } from '@fernlab/edge/main'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { LAB_TUNNEL_PATH } from '@fernlab/shared/contracts/sync'
import * as assert from 'uvu/assert'
import { WebSocket, WebSocketServer } from 'ws'
import { startTestLabServer, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { startLabServerNode } from './lab-server-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite("tunnels to a lab's own server", { timeoutMs: 60_000 })
let lab: TestHub
let server: TestLabServer
let edge: Edge
let ada: TestPerson
let id: string
/** The node's connection to the broker. */
let link: Duplex

test.before(async () => {
  server = await startTestLabServer()
  lab = await startTestHub()
  const { hub } = lab
  const { connectInProcess } = hub
  hub.connectInProcess = () => {
    link = connectInProcess()
    return link
  }
  edge = await startLabServerNode(lab, server)
  ada = await newPerson(lab)
})
test.after(async () => {
  await edge.close()
  await lab.close()
  await server.stop()
})
const stateOf = async () => ((await ada.ask('GET', `/api/v1/sessions/${id}`)).body as Session).state
test.before.each(async () => {
  const { body } = await ada.ask('POST', '/api/v1/sessions', { lab: 'robot' })
  id = (body as Session).id
  await until(async () => (await stateOf()) === 'active', 'the session is active')
})
const finish = async () => {
  await ada.ask('POST', `/api/v1/sessions/${id}/finish`)
  await until(async () => (await stateOf()) === 'closed', 'the session is closed')
}
test.after.each(finish)

const begin = async (path: string, options: RequestOptions = {}): Promise<ClientRequest> => {
  const agent = await lab.hub.labTunnels.agentFor(id)
  const asking = request({ agent, host: 'lab', path: `/lab${path}`, ...options })
  // Whoever waits for the answer hears of it.
  asking.on('error', () => {})
  return asking
}
const answerTo = (asking: ClientRequest) =>
  new Promise<IncomingMessage>((resolve, reject) => asking.once('response', resolve).once('error', reject))
const textOf = async (message: IncomingMessage): Promise<string> => {
  message.setEncoding('utf8')
  let text = ''
  for await (const piece of message) text += piece
  return text
}
const ask = async (path: string, options: RequestOptions = {}, body?: string): Promise<string> => {
  const asking = await begin(path, options)
  asking.end(body)
  return await textOf(await answerTo(asking))
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code?: string }) => String(error.code),
  )

test('requests reach the lab and nothing but it, and one connection serves one after the other', async () => {
  const connections = new Set<unknown>()
  server.pages = async (request, response) => {
    connections.add(request.socket)
    response.end(`${request.method} ${request.url} of ${request.headers.host}: ${(await textOf(request)).length}`)
  }
  assert.is(await ask('/arm?x=1'), 'GET /lab/arm?x=1 of lab: 0')
  assert.is(await ask('/arm', { method: 'POST' }, 'x'.repeat(300_000)), 'POST /lab/arm of lab: 300000')
  assert.is(await ask('/', { host: 'other.example', port: 1 }), 'GET /lab/ of other.example:1: 0')
  assert.is(connections.size, 1)
})

test('how much went through is in the documents of the session', async () => {
  server.pages = (_request, response) => response.end('x'.repeat(1000))
  await ask('/')
  lab.hub.labTunnels.requested(id)
  await finish()
  const csv = await (await lab.call(`/api/v1/runs/${id}/data.csv?stream=commands`)).text()
  const row = /lab-page,[^,]*,"?(\{.*?\})"?,done/.exec(csv)?.[1] ?? ''
  const { requests, connections, receivedBytes, sentBytes } = JSON.parse(row.replaceAll('""', '"'))
  assert.equal([requests, connections], [1, 1])
  assert.ok(receivedBytes > 1000 && receivedBytes < 2000, `${receivedBytes}`)
  assert.ok(sentBytes > 20 && sentBytes < 1000, `${sentBytes}`)
})

test('requests beyond a number wait for each other', async () => {
  let most = 0
  server.pages = (_request, response) => {
    most = Math.max(most, server.connections.size)
    setImmediate(() => response.end('done'))
  }
  assert.equal(await Promise.all(Array.from({ length: 100 }, () => ask('/'))), Array(100).fill('done'))
  assert.ok(most <= 24, `${most} connections`)
})

test('a WebSocket goes through', async () => {
  const echo = new WebSocketServer({ noServer: true })
  server.upgrades = (request, socket, head) =>
    echo.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (data, binary) => webSocket.send(data, { binary }))
    })
  const agent = await lab.hub.labTunnels.agentFor(id)
  const socket = new WebSocket('ws://lab/lab/live', { agent })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const echoed = new Promise<Buffer>((resolve) => socket.once('message', (data) => resolve(data as Buffer)))
  socket.send('hello')
  assert.is(String(await echoed), 'hello')
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.close()
  await closed
  server.upgrades = undefined
})

test('the end of the session cuts every connection, on both ends, and there are none afterwards', async () => {
  server.pages = (_request, response) => void response.writeHead(200).write('begun')
  const answer = await answerTo((await begin('/stream')).end())
  const broken = codeOf(textOf(answer))
  await until(() => server.connections.size > 0, 'the lab has a connection')
  await finish()
  assert.is.not(await broken, 'none')
  await until(() => server.connections.size === 0, 'the lab has none')
  assert.is(await codeOf(lab.hub.labTunnels.agentFor(id)), 'session-not-active')
})

test('a node whose link breaks loses its connections at once, and has new ones when it is back', async () => {
  server.pages = (request, response) => {
    response.writeHead(200)
    if (request.url === '/lab/stream') response.write('begun')
    else response.end('done')
  }
  const answer = await answerTo((await begin('/stream')).end())
  const broken = codeOf(textOf(answer))
  link.destroy()
  assert.is.not(await broken, 'none')
  await until(() => server.connections.size === 0, 'the lab has none')
  await until(async () => (await codeOf(lab.hub.labTunnels.agentFor(id))) === 'none', 'the node is back')
  assert.is(await ask('/'), 'done')
})

test('there is an end to how many WebSockets a session may have, and each that is closed makes room', async () => {
  const echo = new WebSocketServer({ noServer: true })
  server.upgrades = (request, socket, head) => echo.handleUpgrade(request, socket, head, () => {})
  server.pages = (_request, response) => response.end('done')
  const agent = await lab.hub.labTunnels.agentFor(id)
  const open = () =>
    new Promise<WebSocket>((resolve, reject) => {
      const socket = new WebSocket('ws://lab/lab/live', { agent })
      socket.once('open', () => resolve(socket)).once('error', reject)
    })
  const sockets: WebSocket[] = []
  for (let at = 0; at < 48; at++) sockets.push(await open())
  assert.is(await codeOf(open()), 'session-busy')
  assert.is(await codeOf(ask('/')), 'session-busy')
  const [first, ...rest] = sockets
  const closed = new Promise((resolve) => first?.once('close', resolve))
  first?.terminate()
  await closed
  assert.is(await ask('/'), 'done')
  for (const socket of rest) socket.terminate()
  await until(() => server.connections.size <= 1, 'the lab has none but the idle one')
  server.upgrades = undefined
})

test('wrong tokens are refused and logged without what they were', async () => {
  const statusOf = (headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const socket = new WebSocket(`${lab.hub.httpUrl.replace('http', 'ws')}${LAB_TUNNEL_PATH}`, { headers })
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode))
      socket.once('open', () => reject(new Error('it was let in')))
      socket.on('error', () => {})
    })
  const token = `01jzzzzzzzzzzzzzzzzzzzzzzz.${'a'.repeat(43)}`
  assert.is(await statusOf({}), 401)
  assert.is(await statusOf({ authorization: `Bearer ${token}` }), 401)
  const refusals = lab.log.lines.filter(({ message }) => /a tunnel was refused/.test(message))
  assert.is(refusals.length, 2)
  assert.not.match(JSON.stringify(lab.log.lines), /a{43}/)
})

test('a lab that is gone is named, and does not end the hub', async () => {
  await server.stop()
  const asking = await begin('/')
  asking.end()
  assert.is(await codeOf(answerTo(asking)), 'lab-server-unreachable')
  await server.start()
})

test('an upgrade that the lab refuses, and a request that is given up, leave nothing behind', async () => {
  const agent = await lab.hub.labTunnels.agentFor(id)
  const socket = new WebSocket('ws://lab/lab/live', { agent })
  await new Promise((resolve) => socket.once('error', resolve))
  server.pages = () => {}
  const asking = await begin('/never')
  asking.end()
  await until(() => server.connections.size > 0, 'the lab has a connection')
  asking.destroy()
  await until(() => server.connections.size === 0, 'the lab has none')
})

test('a reader that stalls stalls the lab, and gets all of it in the end', async () => {
  const size = 50 * 1024 * 1024
  let sent = 0
  let source: Duplex | undefined
  server.pages = (request, response) => {
    source = request.socket
    const piece = Buffer.alloc(64 * 1024, 'x')
    response.writeHead(200, { 'content-length': size })
    const more = () => {
      while (sent < size) {
        sent += piece.length
        if (!response.write(piece)) return void response.once('drain', more)
      }
      response.end()
    }
    more()
  }
  const answer = await answerTo((await begin('/large')).end())
  // It stops when the buffers on the way are full: on this machine those of the kernel hold a few MB of it.
  let seen = -1
  await until(async () => {
    const before = seen
    seen = sent
    await new Promise((resolve) => setTimeout(resolve, 100))
    return before === seen && sent > 0
  }, 'the lab has stopped sending')
  assert.ok(sent < size - 10 * 1024 * 1024, `${sent} bytes were sent while nobody read`)
  assert.is(source?.destroyed, false)
  let received = 0
  for await (const piece of answer) received += (piece as Buffer).length
  assert.is(received, size)
})

test.run()

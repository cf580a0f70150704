/** A node that connects its lab's own server with a hub, over real sockets. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLabServerDriver } from '@fernlab/edge/drivers/lab-server/lab-server'
import { openConnection } from '@fernlab/edge/drivers/lab-server/lab-server-connection'
import { hubWebAddress } from '@fernlab/edge/link/hub-web-address'
import { createLabTunnels } from '@fernlab/edge/link/lab-tunnels'
import { COMMANDS_STREAM } from '@fernlab/shared/contracts/session-columns'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import type { TunnelStream } from '@fernlab/shared/links/tunnel-stream'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import * as assert from 'uvu/assert'
import { startTestNode, type TestNode } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { type HubEnd, startHubEnd } from '../../support/lab-server/hub-end.ts'
import { LAB_PASSWORD, LAB_USER, startTestLabServer, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a node that connects its lab’s own server with the hub', { timeoutMs: 30_000 })
let folder: string
let lab: TestLabServer
let hub: ScriptedHub
let end: HubEnd
let node: TestNode
let session: Assignment
let tokens = 0

const protocol: Protocol = {
  title: 'A session',
  version: 1,
  restart: 'never',
  parameters: {},
  steps: [{ kind: 'live', seconds: 600, idleS: 600, silenceS: 600, server: { part: 'server' } }],
  cleanUp: [{ kind: 'dispose', part: 'server' }],
  outputs: {},
  plots: [],
}
const visitor = { username: 'user-1', unique: 'user-1@test', fullName: 'user-1', locale: 'en', back: 'http://hub/' }

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-lab-'))
  await writeFile(join(folder, 'password'), LAB_PASSWORD)
  lab = await startTestLabServer()
  hub = await startScriptedHub('n1')
  end = await startHubEnd()
  node = await startTestNode(hub, {
    extraDrivers: [createLabServerDriver()],
    config: {
      folder,
      object: {
        site: SITE,
        node: 'n1',
        hub: { url: 'in-process' },
        instruments: {
          server: {
            driver: 'lab-server',
            config: { url: lab.url, username: LAB_USER, passwordFile: 'password' },
          },
        },
        benches: { 'bench-1': { parts: { server: 'server' } } },
      },
    },
  })
  await hub.until(
    'the bench is free',
    () => node.edge.benches.get('bench-1')?.status.state === 'free' && node.edge.syncState === 'synced',
  )
  session = assignmentOf(protocol, { maxSeconds: 3600, visitor })
  await hub.assign(session)
  await hub.until('it is active', () => hub.live.some((run) => run.session?.stage === 'active'))
})
test.after.each(async () => {
  await node.remove()
  await end.close()
  await hub.close()
  await lab.stop()
  await rm(folder, { recursive: true, force: true })
})

const dial = async (url = end.url) => {
  const token = `token-${++tokens}`
  await hub.call('session.dial', { runId: session.runId, attempt: session.attempt, hub: url, token }, 10_000)
  const stream = end.streams.get(token)
  if (stream === undefined) throw new Error('nobody came with the token')
  return stream
}
const refusal = async (work: Promise<unknown>): Promise<LabError> => {
  const outcome = await work.then(
    () => 'done',
    (error: LabError) => error,
  )
  if (typeof outcome === 'string') throw new Error('it was not refused')
  return outcome
}
const textOf = (stream: TunnelStream) =>
  new Promise<string>((resolve, reject) => {
    let text = ''
    stream.on('data', (piece) => {
      text += String(piece)
    })
    stream.once('end', () => resolve(text)).once('error', reject)
  })
const finish = async () => {
  await hub.call('session.finish', { runId: session.runId, attempt: session.attempt, by: 'ada' })
  await hub.until('the session stopped', () => hub.stopped(session.runId) !== undefined)
}
const labPage = () =>
  hub.documents(session.runId).flatMap((document) => {
    if (document.name !== 'event_page' || document.doc.stream !== COMMANDS_STREAM) return []
    const { what = [], value = [] } = document.doc.columns as Record<string, string[]>
    return [...what].flatMap((one, row) => (one === 'lab-page' ? [JSON.parse(String(value[row]))] : []))
  })

test('whatever the hub sends gets to the lab, and the answer back; both are counted', async () => {
  lab.pages = (request, response) => void request.pipe(response.writeHead(200, { connection: 'close' }))
  const stream = await dial()
  const question = `POST /lab/ HTTP/1.1\r\nHost: lab\r\nContent-Length: 5\r\n\r\nhello`
  stream.write(question)
  const answer = await textOf(stream)
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(answer, /hello/)
  stream.end()
  await hub.call('session.used', { runId: session.runId, attempt: session.attempt, requests: 7 })
  await finish()
  assert.equal(labPage(), [{ requests: 7, connections: 1, receivedBytes: answer.length, sentBytes: question.length }])
})

test('a lab that ends after all that it says is heard to the end', async () => {
  const size = 8 * 1024 * 1024
  lab.pages = (_request, response) => {
    response.socket?.end(Buffer.alloc(size, 'x'))
  }
  const stream = await dial()
  stream.write('GET /lab/ HTTP/1.1\r\nHost: lab\r\n\r\n')
  assert.is((await textOf(stream)).length, size)
  stream.end()
  await hub.until('the lab has no connection', () => lab.connections.size === 0)
  assert.is(stream.errored, null)
})

test('a lab that breaks off breaks the tunnel, and a tunnel that breaks ends the connection to the lab', async () => {
  lab.pages = (request, response) => {
    response.writeHead(200).write('begun')
    // With bytes that nobody has read, which is more than an end.
    if (request.url === '/lab/broken') request.socket.destroy()
  }
  const [one, other] = [await dial(), await dial()]
  for (const [stream, path] of [
    [one, 'broken'],
    [other, 'whole'],
  ] as const) {
    stream.write(`POST /lab/${path} HTTP/1.1\r\nHost: lab\r\nContent-Length: 4000000\r\n\r\n`)
  }
  const broken = refusal(textOf(one))
  one.write(Buffer.alloc(4_000_000))
  assert.is((await broken).code, 'tunnel-broken')
  await hub.until('the lab has one connection', () => lab.connections.size === 1)
  other.destroy()
  await hub.until('the lab has none', () => lab.connections.size === 0)
  assert.is(node.edge.benches.get('bench-1')?.status.state, 'busy')
})

test('the end of the session cuts all of them at once, and no other can be had', async () => {
  lab.pages = (_request, response) => void response.writeHead(200).write('begun')
  const stream = await dial()
  stream.write('GET /lab/ HTTP/1.1\r\nHost: lab\r\n\r\n')
  await hub.until('the lab has a connection', () => lab.connections.size === 1)
  const broken = refusal(textOf(stream))
  await finish()
  assert.is((await broken).code, 'tunnel-broken')
  await hub.until('the lab has none', () => lab.connections.size === 0)
  assert.is((await refusal(dial())).code, 'session-not-active')
})

test('a hub that can not be reached, or refuses, is named, and nothing is left at the lab', async () => {
  const elsewhere = await refusal(dial('http://127.0.0.1:1'))
  assert.is(elsewhere.code, 'hub-unreachable')
  assert.match(elsewhere.message, /ws:\/\/127\.0\.0\.1:1\/lab-tunnel.*hub\.web in node\.yaml/)
  end.refusing = true
  assert.match((await refusal(dial())).message, /401/)
  await hub.until('the lab has no connection', () => lab.connections.size === 0)
})

test('the certificate of the hub is verified, against the authority that the node was given too', async () => {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', ...subject]
  execFileSync('openssl', made, { cwd: folder, stdio: 'ignore' })
  const read = (name: string) => readFile(join(folder, name), 'utf8')
  const [key, cert] = [await read('key.pem'), await read('cert.pem')]
  const sealed = await startHubEnd({ key, cert })
  const over = new AbortController()
  const { signal } = new AbortController()
  const visited = {
    url: lab.url,
    through: 'hub' as const,
    over: over.signal,
    count: () => {},
    connect: () => openConnection({ base: new URL(lab.url), ca: undefined, signal }),
  }
  const open = (ca: string | undefined) =>
    createLabTunnels({ ca, log: silentLog }).open({
      visited,
      hub: hubWebAddress({ said: sealed.url }),
      token: 'sealed',
      signal,
    })
  const refused = await refusal(open(undefined))
  assert.is(refused.code, 'hub-unreachable')
  assert.match(refused.message, /self-signed/)
  assert.is(sealed.streams.size, 0)
  await open(cert)
  assert.is(sealed.streams.size, 1)
  over.abort()
  await hub.until('the lab has no connection', () => lab.connections.size === 0)
  await sealed.close()
})

test('a lab that is gone is named, and the hub is not called', async () => {
  await lab.stop()
  assert.is((await refusal(dial())).code, 'lab-server-unreachable')
  assert.is(end.streams.size, 0)
})

test('there is an end to how many a session may have; each that ends makes room', async () => {
  const streams = await Promise.all(Array.from({ length: 64 }, () => dial()))
  assert.is((await refusal(dial())).code, 'session-busy')
  streams[0]?.destroy()
  await hub.until('the lab has one less', () => lab.connections.size === 63)
  await dial()
})

test.run()

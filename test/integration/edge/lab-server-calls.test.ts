/** What a lab's own server is asked over real sockets: the calls themselves, and connections for its pages. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLabServerCalls } from '@fernlab/edge/drivers/lab-server/lab-server-client'
import { openConnection } from '@fernlab/edge/drivers/lab-server/lab-server-connection'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { LAB_PASSWORD, LAB_USER, startTestLabServer, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { suite } from '../../support/suite.ts'

const test = suite("calls on a lab's own server", { timeoutMs: 20_000 })
const folder = mkdtempSync(join(tmpdir(), 'fernlab-lab-tls-'))
const pathOf = (name: string) => join(folder, name)
const textOf = (name: string) => readFileSync(pathOf(name), 'utf8')
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore', cwd: folder })
const ending = new AbortController()
let servers: TestLabServer[] = []

/** A certificate of the authority `ca` for the address, good between these two days (YYMMDD…Z). */
function makeCertificate(name: string, address: string, from: string, to: string): { key: string; cert: string } {
  writeFileSync(pathOf(`${name}.cnf`), `${authority}subjectAltName=${address}\n`)
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=lab')
  const dates = ['-startdate', from, '-enddate', to, '-extensions', 'own']
  openssl('ca', '-batch', '-notext', '-config', `${name}.cnf`, '-in', `${name}.csr`, '-out', `${name}.pem`, ...dates)
  return { key: textOf(`${name}.key`), cert: textOf(`${name}.pem`) }
}

const authority = `
[ca]
default_ca = own_ca
[own_ca]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[own]
`

const [LONG_AGO, YESTERDAY, FAR] = ['20200101000000Z', '20200102000000Z', '21000101000000Z']

test.before(() => {
  const ca = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem']
  openssl(...ca, '-days', '36500', '-subj', '/CN=The lab')
  writeFileSync(pathOf('index.txt'), '')
  writeFileSync(pathOf('serial'), '01\n')
})
test.after(() => rmSync(folder, { recursive: true, force: true }))
test.after.each(async () => {
  for (const server of servers) await server.stop()
  servers = []
})

const start = async (tls?: { key: string; cert: string }): Promise<TestLabServer> => {
  const server = await startTestLabServer(tls === undefined ? {} : { tls })
  servers.push(server)
  return server
}
const callsOn = (url: string, ca?: string) =>
  createLabServerCalls({
    base: new URL(url),
    username: LAB_USER,
    password: async () => LAB_PASSWORD,
    ca: async () => ca,
  })
const errorOf = (work: Promise<unknown>): Promise<LabError | undefined> =>
  work.then(
    () => undefined,
    (error: LabError) => error,
  )

/** A call and a connection, as they end at this address. */
const errorsAt = async (url: string, ca: string | undefined) => {
  const called = await errorOf(callsOn(url, ca).version(ending.signal))
  const connected = await errorOf(openConnection({ base: new URL(url), ca, signal: ending.signal }))
  return [called, connected] as const
}

test('a certificate of an authority that was named is trusted', async () => {
  const { url } = await start(makeCertificate('good', 'IP:127.0.0.1', LONG_AGO, FAR))
  assert.is(await callsOn(url, textOf('ca.pem')).version(ending.signal), '1')
  const socket = await openConnection({ base: new URL(url), ca: textOf('ca.pem'), signal: ending.signal })
  socket.destroy()
})

const untrusted = [
  {
    what: 'of an authority that nobody knows',
    address: 'IP:127.0.0.1',
    to: FAR,
    known: false,
    says: /self-signed|verify/,
  },
  {
    what: 'for another name',
    address: 'IP:192.0.2.1,DNS:other.example',
    to: FAR,
    known: true,
    says: /altnames|not in the cert/i,
  },
  { what: 'that has expired', address: 'IP:127.0.0.1', to: YESTERDAY, known: true, says: /expired/ },
]
for (const [at, { what, address, to, known, says }] of untrusted.entries()) {
  test(`a certificate ${what} is refused before anything is sent, and said to be the reason`, async () => {
    const server = await start(makeCertificate(`wrong-${at}`, address, LONG_AGO, to))
    let asked = 0
    server.instead = () => ++asked < 0
    const [called, connected] = await errorsAt(server.url, known ? textOf('ca.pem') : undefined)
    assert.is(called?.code, 'lab-server-certificate')
    assert.is(called?.details.begun, false)
    assert.is(connected?.code, 'lab-server-certificate')
    for (const error of [called, connected]) assert.match(String(error?.message), says)
    assert.is(asked, 0)
  })
}

const wholeStart = {
  back: 'http://hub.example/sessions/1',
  client_initial_data: {},
  server_initial_data: {
    'priority.queue.slot.start': '2026-01-02 03:04:05.000000',
    'priority.queue.slot.start.timestamp': 1767323045,
    'priority.queue.slot.length': 60,
    'priority.queue.slot.initialization_in_accounting': true,
    'request.username': 'user-1',
    'request.username.unique': 'user-1@test',
    'request.full_name': 'user-1',
    'request.locale': 'en',
    'request.experiment_id.experiment_name': 'robot',
    'request.experiment_id.category_name': 'Robots',
  },
}

test('wrong credentials are said to be the reason, whether the server says so in JSON or on a page', async () => {
  const server = await start()
  const calls = createLabServerCalls({
    base: new URL(server.url),
    username: LAB_USER,
    password: async () => 'another',
    ca: async () => undefined,
  })
  assert.is(await calls.version(ending.signal), '1')
  for (const refused of [
    calls.test(ending.signal),
    calls.start(wholeStart, ending.signal),
    calls.status('s 1?', ending.signal),
    calls.dispose('s 1?', ending.signal),
  ]) {
    const error = await errorOf(refused)
    assert.equal([error?.code, error?.details.begun], ['lab-server-credentials', false])
    assert.not.match(String(error?.message), /another|<title>/)
  }
  assert.is(server.sessions.length, 0)
})

test('a session is disposed of where the server says so, knows of none, or did it before; not where it did nothing', async () => {
  const server = await start()
  const calls = callsOn(server.url)
  const { id } = await calls.start(wholeStart, ending.signal)
  for (const one of [id, id, 'gone']) await calls.dispose(one, ending.signal)
  assert.is(server.sessions[0]?.disposed, 1)
  assert.is(await calls.status(id, ending.signal), -1)
  for (const [body, code] of [
    [{}, undefined],
    [{ message: 'Unknown op' }, 'lab-server-unreadable'],
    [{ error: true, message: 'the arm is stuck' }, 'lab-server-unreadable'],
  ] as const) {
    server.instead = (_call, _request, response) => {
      response.end(JSON.stringify(body))
      return true
    }
    assert.is((await errorOf(calls.dispose(id, ending.signal)))?.code, code, JSON.stringify(body))
  }
})

test('a start that the server can not read fails, and may have begun something', async () => {
  const server = await start()
  const { 'request.full_name': _, ...told } = wholeStart.server_initial_data
  const error = await errorOf(callsOn(server.url).start({ ...wholeStart, server_initial_data: told }, ending.signal))
  assert.equal([error?.code, error?.details.begun], ['lab-server-failed', undefined])
  assert.is(server.sessions.length, 0)
})

test('several sessions are asked for at once, and a server that does not know how is told apart from one that fails', async () => {
  const server = await start()
  const calls = callsOn(server.url)
  const ask = () => calls.statuses(['s 1?', 'gone'], 5, ending.signal)
  assert.is(await ask(), undefined)
  server.askedTogether = 0
  const { id } = await calls.start(wholeStart, ending.signal)
  assert.equal(await ask(), { [id]: 5, gone: -1 })
  server.mostTogether = 1
  assert.equal(await ask(), { [id]: 5 })
  for (const [status, code] of [
    [405, undefined],
    [500, 'lab-server-failed'],
    [401, 'lab-server-credentials'],
  ] as const) {
    server.instead = (_call, _request, response) => {
      response.writeHead(status).end('{}')
      return true
    }
    assert.is((await errorOf(ask()))?.code, code, `${status}`)
  }
})

test('connecting ends when it is given up, and names a server that is not there', async () => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  const giveUp = new AbortController()
  // It accepts, and never says a word of TLS.
  silent.once('connection', () => giveUp.abort(new Error('enough')))
  const base = new URL(`https://127.0.0.1:${port}/`)
  const given = await errorOf(openConnection({ base, ca: undefined, signal: giveUp.signal }))
  assert.is(given?.message, 'enough')
  assert.is((await errorOf(openConnection({ base, ca: undefined, signal: giveUp.signal })))?.message, 'enough')
  await new Promise((resolve) => silent.close(resolve))
  const absent = await errorOf(openConnection({ base, ca: undefined, signal: ending.signal }))
  assert.is(absent?.code, 'lab-server-unreachable')
})

test.run()

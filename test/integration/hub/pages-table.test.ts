/** What the second origin answers, whoever asks and however: docs/access.md says it, and this finds it out anew. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Edge } from '@fernlab/edge/main'
import type { Session, SessionPage, SessionVisit } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { WebSocketServer } from 'ws'
import { compareTable } from '../../support/documented-table.ts'
import { startTestLabServer, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { suite } from '../../support/suite.ts'
import { adminToken, smallLab, startTestHub, type TestHub, until } from './hub-with-node.ts'
import { startLabServerNode } from './lab-server-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('what the second origin answers', {
  timeoutMs: 200_000,
  hookTimeoutMs: 120_000,
  fileTimeoutMs: 400_000,
})
let lab: TestHub
let server: TestLabServer
let edge: Edge
let ada: TestPerson
let ben: TestPerson
let address: URL
let pageFile: string
let robot: string
let webFolder: string
/** Ada's passes: the one of her session now, of one that is over, and of a sign-in that has ended. */
const passes = { now: '', over: '', signedOut: '' }
/** Starts that nobody has opened, of the same. */
const starts = { over: '', signedOut: '' }
const sockets = new WebSocketServer({ noServer: true })
let asked = 0

const files = [
  ...smallLab.map((file) =>
    file.path === 'lab.yaml' ? { ...file, text: `${file.text}session: {}\npage: page/index.html\n` } : file,
  ),
  { path: 'page/index.html', text: '<!doctype html><title>Small</title>' },
]

const stateOf = async (who: TestPerson, id: string) =>
  ((await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session).state
const open = async (who: TestPerson, of: string): Promise<string> => {
  const { id } = (await who.ask('POST', '/api/v1/sessions', { lab: of })).body as Session
  await until(async () => (await stateOf(who, id)) === 'active', `the session of ${of} is active`)
  return id
}
const entryOf = async (headers: Record<string, string>, id: string): Promise<string> => {
  const answer = await fetch(`${lab.hub.httpUrl}/api/v1/sessions/${id}/visit`, { method: 'POST', headers })
  assert.is(answer.status, 200)
  return ((await answer.json()) as SessionVisit).url
}
const passBy = async (entry: string): Promise<string> => {
  const answer = await fetch(entry, { redirect: 'manual' })
  assert.is(answer.status, 303)
  return answer.headers.getSetCookie().at(-1)?.split(';')[0] ?? ''
}

test.before(async () => {
  server = await startTestLabServer()
  server.pages = (request, response) => {
    asked++
    request.resume()
    response.writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'robot=1; HttpOnly; Path=/' })
    response.end('<title>The robot</title>')
  }
  server.instead = (call) => {
    // Nobody but the node says these.
    if (call.startsWith('of-browsers')) asked++
    return false
  }
  server.upgrades = (request, socket, head) => {
    asked++
    sockets.handleUpgrade(request, socket, head, (webSocket) => webSocket.close())
  }
  webFolder = await mkdtemp(join(tmpdir(), 'fernlab-web-'))
  await mkdir(join(webFolder, 'lab-page'))
  await writeFile(join(webFolder, 'index.html'), '<!doctype html>')
  await writeFile(join(webFolder, 'lab-page', 'fernlab.js'), 'export {}')
  await writeFile(join(webFolder, 'lab-page', 'fernlab.d.ts'), 'export {}')
  lab = await startTestHub({ webFolder })
  const pushed = await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })
  assert.ok(pushed.ok, await pushed.text())
  await lab.node('node-1')
  edge = await startLabServerNode(lab, server)
  ada = await newPerson(lab)
  ben = await newPerson(lab)
  const small = await open(ben, 'small')
  const page = (await ben.ask('GET', `/api/v1/sessions/${small}/page`)).body as SessionPage
  address = new URL(page.url)
  pageFile = address.pathname
  const first = await open(ada, 'robot')
  passes.over = await passBy(await entryOf(ada.bearer, first))
  starts.over = await entryOf(ada.bearer, first)
  await ada.ask('POST', `/api/v1/sessions/${first}/finish`)
  await until(async () => (await stateOf(ada, first)) === 'closed', 'the first session is closed')
  robot = await open(ada, 'robot')
  passes.now = await passBy(await entryOf(ada.bearer, robot))
  starts.signedOut = await entryOf(ada.browser, robot)
  passes.signedOut = await passBy(await entryOf(ada.browser, robot))
  const out = await fetch(`${lab.hub.httpUrl}/api/auth/sign-out`, {
    method: 'POST',
    headers: { ...ada.browser, 'content-type': 'application/json' },
    body: '{}',
  })
  assert.is(out.status, 200)
})
test.after(async () => {
  await edge?.close()
  await lab?.close()
  await server?.stop()
  sockets.close()
  await rm(webFolder, { recursive: true, force: true })
})

interface Ask {
  readonly method?: string
  readonly host?: string
  /** What follows the address, as it is written. */
  readonly more?: string
  readonly cookie?: string
  readonly headers?: Readonly<Record<string, string>>
}
interface Got {
  readonly status: string
  readonly headers: ReadonlyMap<string, string>
  readonly reachedLab: boolean
}

/** As it is written, over a connection of its own: `fetch` would tidy what it sends. */
const raw = async (target: string, { method = 'GET', host, more = '', cookie, headers = {} }: Ask): Promise<Got> => {
  const before = asked
  const sent: Record<string, string> = { host: host ?? address.host, connection: 'close', ...headers }
  if (cookie !== undefined) sent.cookie = cookie
  const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`)
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(address.port), address.hostname, () =>
      socket.write(`${method} ${target}${more} HTTP/1.1\r\n${lines.join('')}\r\n`),
    )
    const chunks: Buffer[] = []
    socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer to ${method} ${target}${more}`)))
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      // What a WebSocket says after its head is its own.
      if (chunk.includes('HTTP/1.1 101')) socket.destroy()
    })
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.on('error', reject)
  })
  const [first = '', ...rest] = (text.split('\r\n\r\n')[0] ?? '').split('\r\n')
  const found = new Map<string, string>()
  for (const line of rest) {
    const at = line.indexOf(':')
    const name = line.slice(0, at).toLowerCase()
    const value = line.slice(at + 1).trim()
    found.set(name, found.has(name) ? `${found.get(name)} + ${value}` : value)
  }
  return { status: first.split(' ')[1] ?? 'cut', headers: found, reachedLab: asked > before }
}

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
}
const addresses: Readonly<Record<string, (ask: Ask) => Promise<Got>>> = {
  'a lab’s page': (ask) => raw(pageFile, ask),
  '`/fernlab.js`': (ask) => raw('/fernlab.js', ask),
  'start of a visit': async (ask) => raw(new URL(await entryOf(ada.bearer, robot)).pathname, ask),
  'page of a lab’s server': (ask) => raw('/lab/', ask),
  'its WebSocket': (ask) => raw('/lab/live', { ...ask, headers: { ...upgrade, ...ask.headers } }),
  'any other': (ask) => raw('/any/other', ask),
}

const changed = (pass: string) => pass.replace(/.(?=\.)/, (last) => (last === 'A' ? 'B' : 'A'))
const site = (value: string, mode: string, dest: string): Record<string, string> => ({
  'sec-fetch-site': value,
  'sec-fetch-mode': mode,
  'sec-fetch-dest': dest,
})
const right =
  (ask: Ask = {}): (() => Ask) =>
  () => ({ cookie: passes.now, ...ask })

const ways: Readonly<Record<string, () => Ask | Promise<Ask>>> = {
  nobody: () => ({}),
  'the hub’s session cookie': () => ({ cookie: ben.browser.cookie }),
  'an admin’s token': () => ({ headers: { authorization: `Bearer ${adminToken}` } }),
  'a visitor': right(),
  'a visitor’s pass with another letter': () => ({ cookie: changed(passes.now) }),
  'a pass that nobody gave out': () => ({ cookie: 'fernlab-visit=WyJhIl0.AAAA' }),
  'the token of a start as the pass': async () => ({
    cookie: `fernlab-visit=${new URL(await entryOf(ada.bearer, robot)).pathname.split('/').at(-1)}`,
  }),
  'a pass of a session that is over': () => ({ cookie: passes.over }),
  'a pass of who has signed out': () => ({ cookie: passes.signedOut }),
  'a visitor, another host': right({ host: 'other.example' }),
  'a visitor, a host that is none': right({ host: '"><script>' }),
  ...Object.fromEntries(
    ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'CONNECT', 'BREW'].map((method) => [
      `a visitor, ${method}`,
      right({ method, ...(['POST', 'PUT', 'PATCH'].includes(method) ? { headers: { 'content-length': '0' } } : {}) }),
    ]),
  ),
  'a visitor, `Range`': right({ headers: { range: 'bytes=0-3' } }),
  'a visitor, `If-None-Match: *`': right({ headers: { 'if-none-match': '*' } }),
  'a visitor, `If-Modified-Since`': right({ headers: { 'if-modified-since': new Date().toUTCString() } }),
  'a visitor, for a service worker': right({ headers: { 'service-worker': 'script' } }),
  'a visitor, ahead of time': right({ headers: { 'sec-purpose': 'prefetch;prerender' } }),
  'a link of another site': right({ headers: site('cross-site', 'navigate', 'document') }),
  'a form of another site': right({
    method: 'POST',
    headers: { ...site('cross-site', 'navigate', 'document'), origin: 'https://evil.example', 'content-length': '0' },
  }),
  'a frame of another site': right({ headers: site('cross-site', 'navigate', 'iframe') }),
  'a picture of another site': right({ headers: site('cross-site', 'no-cors', 'image') }),
  'a script of another site': right({
    headers: { ...site('cross-site', 'cors', 'empty'), origin: 'https://evil.example' },
  }),
  'a script of another site, older browser': right({ headers: { origin: 'https://evil.example' } }),
  'a script of a sandboxed page': right({ headers: { ...site('cross-site', 'cors', 'empty'), origin: 'null' } }),
  'a script of the hub’s pages': () => ({
    cookie: passes.now,
    headers: { ...site('same-site', 'cors', 'empty'), origin: lab.hub.httpUrl },
  }),
  'a frame of the hub’s pages': right({ headers: site('same-site', 'navigate', 'iframe') }),
  'a script of its own': () => ({
    cookie: passes.now,
    headers: { ...site('same-origin', 'cors', 'empty'), origin: address.origin },
  }),
  ...Object.fromEntries(
    [
      '/../../lab.yaml',
      '/%2e%2e/%2e%2e/lab.yaml',
      '/%252e%252e%252flab.yaml',
      '/..\\..\\lab.yaml',
      '/..%5c..%5clab.yaml',
    ].map((more) => [`a visitor, \`${more}\` behind it`, right({ more })]),
  ),
  ...Object.fromEntries(
    ['/../weblab/sessions/of-browsers', '/%2e%2e/weblab%2fsessions/', '/%252e%252e/WEBLAB%255csessions/'].map(
      (more) => [`a visitor, \`${more}\` behind it`, right({ more })],
    ),
  ),
  'a visitor, 10,000 letters behind it': right({ more: `/${'x'.repeat(10_000)}` }),
  'a visitor, 20,000 letters behind it': right({ more: `/${'x'.repeat(20_000)}` }),
  'a visitor, `%0d%0aSet-Cookie:x=1` behind it': right({ more: '/%0d%0aSet-Cookie:x=1' }),
  'a visitor, a zero byte behind it': right({ more: '/%00' }),
  'a visitor, a bare line feed behind it': right({ more: '/\nX: 1' }),
}

const cell = ({ status, reachedLab }: Got) => `${status}${reachedLab ? ', lab' : ''}`

test('each address answers each asker as the table says', async () => {
  const rows: string[][] = []
  for (const [how, ask] of Object.entries(ways)) {
    const cells: string[] = []
    for (const at of Object.values(addresses)) cells.push(cell(await at(await ask())))
    rows.push([how, ...cells])
  }
  compareTable('pages', [['who asks', ...Object.keys(addresses)], ...rows])
})

test('the start of a visit works as the table says', async () => {
  const fresh = async () => new URL(await entryOf(ada.bearer, robot)).pathname
  const used = async () => {
    const path = await fresh()
    assert.is((await raw(path, {})).status, '303')
    return path
  }
  const tokenOf = (path: string) => path.split('/').at(-1) ?? ''
  const found: Readonly<Record<string, () => Promise<Got>>> = {
    'as it was given out': async () => raw(await fresh(), {}),
    'used before, by the same browser': async () => raw(await used(), { cookie: passes.now }),
    'used before, by another': async () => raw(await used(), {}),
    'with another letter': async () => raw(`/.fernlab/visit/${changed(tokenOf(await fresh()))}`, {}),
    'with more behind it': async () => raw(`${await fresh()}.x`, {}),
    'a pass in place of its token': () => raw(`/.fernlab/visit/${passes.now.split('=')[1]}`, {}),
    'of a session that is over': () => raw(new URL(starts.over).pathname, {}),
    'of who has signed out since': () => raw(new URL(starts.signedOut).pathname, {}),
  }
  const rows: string[][] = []
  for (const [which, answer] of Object.entries(found)) {
    const got = await answer()
    rows.push([which, cell(got), got.headers.get('set-cookie')?.includes('fernlab-visit=') === true ? 'yes' : '–'])
  }
  compareTable('visit-starts', [['start', 'answer', 'lets in'], ...rows])
})

test('a request to speak WebSocket that brings a body is not passed on', async () => {
  const sends = (more: Record<string, string>) =>
    raw('/lab/live', { cookie: passes.now, headers: { ...upgrade, ...more } })
  for (const more of [{ 'content-length': '5' }, { 'transfer-encoding': 'chunked' }] as Record<string, string>[]) {
    const { status, reachedLab } = await sends(more)
    assert.equal([status, reachedLab], ['400', false], JSON.stringify(more))
  }
  assert.is((await sends({ 'content-length': '0' })).status, '101')
})

test('a lab that answers by the head alone is heard, and nothing of that request is left for the next one', async () => {
  const warnings: string[] = []
  const note = ({ message }: Error) => void warnings.push(message)
  process.on('warning', note)
  // More than a connection may have listeners.
  for (let time = 0; time < 15; time++) {
    const early = await raw('/lab/early', { method: 'POST', cookie: passes.now, headers: { 'content-length': '5' } })
    const next = [await raw('/lab/next', { cookie: passes.now }), await raw('/lab/next', { cookie: passes.now })]
    assert.equal([early, ...next].map(cell), ['200, lab', '200, lab', '200, lab'], `time ${time}`)
  }
  for (let time = 0; time < 15; time++) assert.is(cell(await raw('/lab/next', { cookie: passes.now })), '200, lab')
  process.off('warning', note)
  assert.equal(warnings, [])
})

test('a start that a page of another site loads is still good for the person', async () => {
  const path = new URL(await entryOf(ada.bearer, robot)).pathname
  assert.is((await raw(path, { headers: site('cross-site', 'no-cors', 'image') })).status, '403')
  assert.is((await raw(path, {})).status, '303')
})

const promised = [
  'content-security-policy',
  'x-content-type-options',
  'cross-origin-resource-policy',
  'cross-origin-opener-policy',
  'access-control-allow-origin',
  'referrer-policy',
  'cache-control',
  'set-cookie',
  'clear-site-data',
]
/** What differs from run to run. */
const plain = (value: string) =>
  value
    .replaceAll(lab.hub.httpUrl, 'HUB')
    .replace(/=[\w-]+\.[\w-]+(?=;)/g, '=…')
    .replace(/fernlab-lab\.[0-9a-f]+\./g, 'fernlab-lab.….')

test('each answer has the headers that the table says', async () => {
  const notThere = '/.fernlab/visit/none'
  const answers: Readonly<Record<string, () => Promise<Got>>> = {
    'a lab’s page': () => raw(pageFile, {}),
    '`/fernlab.js`': () => raw('/fernlab.js', {}),
    'nothing there': () => raw('/any/other', {}),
    'a method for files that is none': () => raw(pageFile, { method: 'POST', headers: { 'content-length': '0' } }),
    'a visit starts': async () => raw(new URL(await entryOf(ada.bearer, robot)).pathname, {}),
    'a visit does not start': () => raw(notThere, {}),
    'a page of a lab’s server': () => raw('/lab/', { cookie: passes.now }),
    'a page of a lab’s server, refused': () => raw('/lab/weblab/sessions/', { cookie: passes.now }),
    'a session that is over': () => raw('/lab/', { cookie: passes.over }),
    'the same, as JSON': () => raw('/lab/', { cookie: passes.over, headers: { accept: 'application/json' } }),
  }
  const rows: string[][] = []
  for (const [what, answer] of Object.entries(answers)) {
    const { headers } = await answer()
    rows.push([what, ...promised.map((name) => (headers.has(name) ? `\`${plain(headers.get(name) ?? '')}\`` : '–'))])
  }
  compareTable('page-headers', [['answer', ...promised.map((name) => `\`${name}\``)], ...rows])
})

test.run()

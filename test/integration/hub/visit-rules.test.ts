/** What visits to labs' own servers are held to, with sessions, time and origins as a test says. */
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createPageAddress } from '@fernlab/hub/lab-pages/page-address'
import { ANSWER_MS } from '@fernlab/hub/lab-servers/forward'
import { createLabVisits, type LabVisits } from '@fernlab/hub/lab-servers/lab-visits'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what visits to labs’ own servers are held to')
const clock = new ManualClock()
const agent = new Agent({ keepAlive: true })
const active = new Set<string>()
const partners = new Set<string>()
let mayWork = true
/** Sign-ins that have ended. */
const ended = new Set<string>()
let changed: (id: string) => void = () => {}
let accountChanged: (person: string) => void = () => {}
let lab: Server
let front: Server
let visits: LabVisits
let asked: IncomingMessage[] = []
let silent = false

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const closed = (server: Server) =>
  new Promise<unknown>((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })

test.before(async () => {
  lab = createServer((request, response) => {
    asked.push(request)
    if (!silent) response.writeHead(200, { 'content-type': 'text/plain' }).end(request.headers['x-forwarded-host'])
  })
  lab.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.on('data', (data) => socket.write(data)).on('end', () => socket.end())
    socket.on('error', () => socket.destroy())
  })
  const labPort = await listening(lab)
  const address = createPageAddress({
    pagesUrl: 'https://*.pages.example',
    tls: false,
    hubPort: () => 1,
    pagesPort: () => 2,
  })
  visits = createLabVisits({
    sessions: {
      visit: async (id) => ({ url: `http://127.0.0.1:${labPort}/of/${id}`, through: 'hub' }),
      isActive: (id) => active.has(id),
      takesPart: async (id, person) => partners.has(`${id} ${person}`),
      noteVisit: async () => {},
      onChange: (listener) => {
        changed = (runId) => listener({ runId, kind: 'state' })
        return () => {}
      },
    },
    mayWork: async ({ signIn }) => mayWork && !ended.has(signIn),
    tunnels: { agentFor: async () => agent, requested: () => {} },
    onEnded: (listener) => {
      accountChanged = listener
      return () => {}
    },
    originOf: (host, id) => (host === 'wild' ? address.forVisit(host, id) : `http://${host}`),
    publicUrl: () => 'https://hub.example',
    isPageFile: () => false,
    clock,
    log: silentLog,
  })
  front = createServer((request, response) => {
    if (!visits.take(request, response)) response.writeHead(404).end()
  })
  front.on('upgrade', (request, socket, head) => {
    if (!visits.upgrade(request, socket, head)) socket.destroy()
  })
  await listening(front)
})
test.after(async () => {
  visits.close()
  agent.destroy()
  await Promise.all([closed(front), closed(lab)])
})
test.before.each(() => {
  active.clear()
  partners.clear()
  mayWork = true
  ended.clear()
  silent = false
  asked = []
})

const begin = (id: string, person = 'ada') => {
  active.add(id)
  partners.add(`${id} ${person}`)
}
interface Got {
  readonly status: number | undefined
  readonly cookies: string[]
  readonly text: string
}
const get = (path: string, headers: Record<string, string> = {}) =>
  new Promise<Got>((resolve, reject) => {
    const { port } = front.address() as AddressInfo
    request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const cookies = response.headers['set-cookie'] ?? []
        resolve({ status: response.statusCode, cookies, text: Buffer.concat(chunks).toString() })
      })
    })
      .once('error', reject)
      .end()
  })
const openAt = async (host: string, id: string, personId = 'ada', signIn = `of ${personId}`) =>
  new URL((await visits.open({ sessionId: id, personId, signIn, host })).url)
const enter = async (id: string, cookie?: string, signIn?: string) => {
  const { pathname } = await openAt('pages', id, 'ada', signIn)
  const got = await get(pathname, cookie === undefined ? {} : { cookie })
  return { ...got, pathname, pass: got.cookies.at(-1)?.split(';')[0] ?? '' }
}

test('who opens a second lab in the same browser is asked first; the first is replaced then', async () => {
  begin('s1')
  begin('s2')
  const first = await enter('s1')
  assert.is(first.status, 303)
  const second = await enter('s2', first.pass)
  assert.is(second.status, 409)
  assert.match(second.text, /Another lab is open in this browser/)
  assert.match(second.text, new RegExp(`href="${second.pathname}\\?replace"`.replaceAll('.', '\\.')))
  // Nothing is used up by being asked.
  const gone = await get(`${second.pathname}?replace`, { cookie: first.pass })
  assert.is(gone.status, 303)
  assert.match(gone.cookies.at(-1) ?? '', /^fernlab-visit=/)
  assert.is((await get(`${second.pathname}?replace`, { cookie: first.pass })).status, 403)
})

test('with a host for each session, the cookie is of that host and of TLS alone', async () => {
  begin('s1')
  begin('s2')
  const url = await openAt('wild', 's1')
  assert.is(url.origin, 'https://s-s1.pages.example')
  assert.is((await openAt('wild', 's2')).origin, 'https://s-s2.pages.example')
  const { cookies } = await get(url.pathname)
  assert.match(cookies.join(), /^__Host-fernlab-visit=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
  const { text } = await get('/', { cookie: cookies.join().split(';')[0] ?? '' })
  assert.is(text, 's-s1.pages.example')
})

test('who is no longer a partner, or may not use benches any more, is out within a second', async () => {
  begin('s1')
  const { pass: cookie } = await enter('s1')
  assert.is((await get('/', { cookie })).status, 200)
  partners.clear()
  await clock.advance(1000)
  const out = await get('/', { cookie })
  assert.equal([out.status, /You no longer take part/.test(out.text)], [403, true])
  begin('s1')
  mayWork = false
  assert.is((await get('/', { cookie })).status, 403)
  mayWork = true
  assert.is((await get('/', { cookie })).status, 200)
  // An entry that was made before is no better.
  const { pathname } = await openAt('pages', 's1')
  partners.clear()
  await clock.advance(1000)
  assert.is((await get(pathname)).status, 403)
})

test('a visit ends with the sign-in that asked for its address, and no other of the same person', async () => {
  begin('s1')
  const { pass: here } = await enter('s1', undefined, 'laptop')
  const { pass: there } = await enter('s1', undefined, 'phone')
  const { pathname: early } = await openAt('pages', 's1', 'ada', 'phone')
  assert.is((await get('/', { cookie: there })).status, 200)
  ended.add('phone')
  accountChanged('ada')
  assert.is((await get('/', { cookie: there })).status, 403)
  assert.is((await get(early)).status, 403)
  assert.is((await get('/', { cookie: here })).status, 200)
  // Where another process has ended it, within a second.
  ended.add('laptop')
  await clock.advance(1000)
  assert.is((await get('/', { cookie: here })).status, 403)
})

test('what is open ends at once for who may not use benches any more, and for nobody else', async () => {
  begin('s1')
  partners.add('s1 ben')
  const { pass: cookie } = await enter('s1')
  const bens = (await get((await openAt('pages', 's1', 'ben')).pathname)).cookies.at(-1)?.split(';')[0] ?? ''
  const connect = (pass: string) =>
    new Promise<Duplex>((resolve, reject) => {
      const { port } = front.address() as AddressInfo
      const headers = { cookie: pass, connection: 'Upgrade', upgrade: 'websocket' }
      request({ host: '127.0.0.1', port, path: '/socket', headers, agent: false })
        .once('upgrade', (_response, socket) => resolve(socket))
        .once('response', ({ statusCode }) => reject(new Error(`refused with ${statusCode}`)))
        .once('error', reject)
        .end()
    })
  const [mine, his] = [await connect(cookie), await connect(bens)]
  silent = true
  asked = []
  const pending = get('/slow', { cookie })
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const ended = new Promise<void>((resolve) => mine.on('error', () => {}).once('close', () => resolve()))
  mine.resume()
  mayWork = false
  accountChanged('ada')
  await ended
  assert.equal([(await pending).status, /You no longer take part/.test((await pending).text)], [403, true])
  mayWork = true
  accountChanged('ben')
  const echoed = new Promise<string>((resolve) => his.once('data', (data) => resolve(String(data))))
  his.write('still here')
  assert.is(await echoed, 'still here')
  his.destroy()
})

test('a lab that thinks for too long, and one whose session ends meanwhile, are given up', async () => {
  begin('s1')
  const { pass: cookie } = await enter('s1')
  silent = true
  const came = async () => {
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  asked = []
  const late = get('/slow', { cookie, accept: 'application/json' })
  await came()
  await clock.advance(ANSWER_MS)
  const { status, text } = await late
  assert.equal([status, (JSON.parse(text) as { code: string }).code], [504, 'visit-late'])

  asked = []
  const cut = get('/slow', { cookie })
  await came()
  active.clear()
  changed('s1')
  const over = await cut
  assert.equal([over.status, /href="https:\/\/hub\.example\/sessions\/s1"/.test(over.text)], [410, true])
})

test('after the hub was restarted, the way back is the session’s page', async () => {
  const got = await get('/', { cookie: 'fernlab-visit=of.another-process' })
  assert.equal([got.status, /This page is not open/.test(got.text)], [403, true])
  assert.is((await get('/')).status, 404)
})

test.run()

import { createHash } from 'node:crypto'
import { type IncomingMessage, request as plainRequest, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Edge } from '@fernlab/edge/main'
import type { Session, SessionVisit } from '@fernlab/shared/contracts/sessions'
import type { UseDetail } from '@fernlab/shared/contracts/usage'
import * as assert from 'uvu/assert'
import { WebSocket, WebSocketServer } from 'ws'
import { fernlab } from '../../support/command.ts'
import { startTestLabServer, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { startLabServerNode } from './lab-server-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite("visits to a lab's own server through the hub", { timeoutMs: 30_000 })
let lab: TestHub
let server: TestLabServer
let edge: Edge
let ada: TestPerson
let ben: TestPerson
const sockets = new WebSocketServer({ noServer: true })
const seen: IncomingMessage[] = []
/** Answers held back until a test lets them go. */
const held: ServerResponse[] = []

const pages: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/lab/echo': (request, response) => {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'x-length': request.headers['content-length'] ?? '',
    })
    request.pipe(response)
  },
  '/lab/cookies': (_request, response) => {
    const cookie = [
      'session=abc; HttpOnly; Path=/',
      'seen=1; Path=/',
      'fernlab-visit=mine; Path=/',
      'fernlab.session_token=x',
    ]
    response.writeHead(302, { location: `${new URL(server.url).origin}/lab/`, 'set-cookie': cookie }).end()
  },
  '/lab/held': (_request, response) => void held.push(response),
  '/lab/broken': (_request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half', () => response.destroy())
  },
  '/lab/events': (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: first\n\n')
  },
}

test.before(async () => {
  server = await startTestLabServer()
  server.pages = (request, response) => {
    seen.push(request)
    const page = pages[(request.url ?? '').split('?', 1)[0] ?? '']
    if (page !== undefined) return page(request, response)
    request.resume()
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>The lab</title><h1>The lab itself</h1>')
  }
  server.upgrades = (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (data, binary) => webSocket.send(data, { binary }))
    })
  lab = await startTestHub()
  edge = await startLabServerNode(lab, server)
  ada = await newPerson(lab)
  ben = await newPerson(lab)
})
test.after(async () => {
  await edge.close()
  await lab.close()
  await server.stop()
  sockets.close()
})

const get = async (who: TestPerson, id: string) => (await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session
const reaches = async (who: TestPerson, id: string, state: Session['state']) => {
  await until(async () => (await get(who, id)).state === state, `session ${id} is ${state}`)
}
const open = async (who: TestPerson): Promise<string> => {
  const { status, body } = await who.ask('POST', '/api/v1/sessions', { lab: 'robot' })
  assert.is(status, 201, JSON.stringify(body))
  const { id } = body as Session
  await reaches(who, id, 'active')
  return id
}
const close = async (who: TestPerson, id: string) => {
  await who.ask('POST', `/api/v1/sessions/${id}/finish`)
  await reaches(who, id, 'closed')
}
const visit = async (who: TestPerson, id: string) => {
  const { status, body } = await who.ask('POST', `/api/v1/sessions/${id}/visit`)
  assert.is(status, 200, JSON.stringify(body))
  return body as SessionVisit
}
/** Opens the entry as a browser does; the cookies that it has then. */
const enter = async ({ url }: SessionVisit, cookie = '') => {
  const response = await fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } })
  const [pass = ''] = response.headers.getSetCookie().at(-1)?.split(';') ?? []
  return { response, pass }
}
const origin = (visited: SessionVisit) => new URL(visited.url).origin
/** As it is written: `fetch` would tidy paths and heads. */
const asWritten = (at: string, text: string) =>
  new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(at)
    const socket = connect(Number(port), hostname, () => socket.write(text))
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      if (Buffer.concat(chunks).includes('\r\n')) socket.destroy()
    })
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1').split('\r\n')[0] ?? ''))
    socket.on('error', reject)
  })

test('the entry opens the lab once, in one browser, until the session is over', async () => {
  const id = await open(ada)
  const visited = await visit(ada, id)
  assert.is(visited.through, 'hub')
  assert.not.equal(origin(visited), new URL(lab.hub.httpUrl).origin)
  assert.ok(Date.parse(visited.expiresAt ?? '') > Date.now())
  assert.is((await fetch(visited.url, { method: 'HEAD' })).status, 403)
  assert.is((await fetch(visited.url, { headers: { 'sec-purpose': 'prefetch' } })).status, 403)
  const { response, pass } = await enter(visited)
  assert.equal(
    [response.status, response.headers.get('location'), response.headers.get('referrer-policy')],
    [303, `/lab/callback/${server.sessions.length}`, 'no-referrer'],
  )
  assert.match(response.headers.getSetCookie().join(), /^fernlab-visit=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/)
  assert.not.match(pass, /127|lab\/|robot/)

  const replayed = await enter(visited)
  assert.is(replayed.response.status, 403)
  assert.match(await replayed.response.text(), /has been used/)

  const page = await fetch(`${origin(visited)}/lab/callback/1`, { headers: { cookie: pass } })
  assert.equal([page.status, await page.text()], [200, '<title>The lab</title><h1>The lab itself</h1>'])
  const asked = seen.at(-1)?.headers ?? {}
  assert.equal(
    [asked.host, asked.cookie, asked['x-forwarded-host'], asked['x-forwarded-for']],
    [new URL(server.url).host, undefined, new URL(visited.url).host, undefined],
  )
  assert.is((await fetch(`${origin(visited)}/lab/`)).status, 404)

  await close(ada, id)
  const over = await fetch(`${origin(visited)}/lab/`, {
    headers: { cookie: pass, 'accept-language': 'es-ES,en;q=0.5' },
  })
  assert.equal([over.status, over.headers.get('clear-site-data')], [410, '"cache", "storage"'])
  assert.match(await over.text(), new RegExp(`Tu sesión ha terminado[^]*href="${lab.hub.httpUrl}/sessions/${id}"`))
  const json = await fetch(`${origin(visited)}/lab/`, { headers: { cookie: pass, accept: 'application/json' } })
  assert.is(((await json.json()) as { code: string }).code, 'visit-over')
})

test('bodies, ranges, events and WebSockets pass as they come', async () => {
  const id = await open(ada)
  const visited = await visit(ada, id)
  const { pass } = await enter(visited)
  const at = (path: string, init: RequestInit = {}) =>
    fetch(`${origin(visited)}${path}`, { ...init, redirect: 'manual', headers: { ...init.headers, cookie: pass } })
  const big = Buffer.alloc(3_000_000, 'fernlab ')
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const echoed = await at('/lab/echo', { method, body: big })
    assert.is(digest(new Uint8Array(await echoed.arrayBuffer())), digest(big), method)
    assert.is(echoed.headers.get('x-length'), String(big.length))
  }
  await at('/lab/', { headers: { range: 'bytes=0-3' } })
  assert.is(seen.at(-1)?.headers.range, 'bytes=0-3')

  const cookies = await at('/lab/cookies')
  assert.is(cookies.headers.get('location'), `${origin(visited)}/lab/`)
  const set = cookies.headers.getSetCookie()
  assert.match(set.join('\n'), /^fernlab-lab\.[0-9a-f]{16}\.session=abc; HttpOnly; Path=\/\nseen=1; Path=\/$/)
  const back = set.map((line) => line.split(';')[0]).join('; ')
  await fetch(`${origin(visited)}/lab/`, { headers: { cookie: `wiki=1; ${pass}; ${back}; fernlab.session_token=x` } })
  assert.is(seen.at(-1)?.headers.cookie, 'session=abc; seen=1')

  const events = await at('/lab/events')
  const reader = events.body?.getReader()
  assert.is(Buffer.from((await reader?.read())?.value ?? []).toString(), 'data: first\n\n')

  const socket = new WebSocket(`${origin(visited).replace('http', 'ws')}/lab/live`, {
    headers: { cookie: pass, origin: origin(visited) },
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const echo = new Promise((resolve) => socket.once('message', (data) => resolve(String(data))))
  socket.send('to the arm')
  assert.is(await echo, 'to the arm')

  const cut = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const ended = (async () => {
    while ((await reader?.read())?.done === false);
  })().catch(() => {})
  await close(ada, id)
  await Promise.all([cut, ended])
})

test('others, other pages and other readings of a request get nothing of the lab', async () => {
  const id = await open(ada)
  const visited = await visit(ada, id)
  const { pass } = await enter(visited)
  const before = seen.length
  assert.is((await ben.ask('POST', `/api/v1/sessions/${id}/visit`)).status, 404)
  // Not by `fetch`, which says for itself what kind of request it is.
  const status = (headers: Record<string, string>, method = 'GET') =>
    new Promise<number | undefined>((resolve, reject) => {
      const asking = plainRequest(`${origin(visited)}/lab/`, { method, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
      asking.once('error', reject).end()
    })
  const forged = pass.replace(/.(?=\.)/, (last) => (last === 'A' ? 'B' : 'A'))
  assert.is(await status({ cookie: forged }), 403)
  assert.is(await status({ cookie: `fernlab-visit=${new URL(visited.url).pathname.split('/').at(-1)}` }), 403)
  for (const headers of [
    { origin: lab.hub.httpUrl },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { 'service-worker': 'script' },
  ] as Record<string, string>[]) {
    assert.is(await status({ cookie: pass, ...headers }), 403, JSON.stringify(headers))
  }
  assert.is(await status({ cookie: pass, origin: lab.hub.httpUrl }, 'POST'), 403)
  const head = `Host: x\r\nCookie: ${pass}\r\n`
  for (const [line, wanted] of [
    ['GET /lab/weblab/sessions/test HTTP/1.1', /403/],
    ['GET /lab//WEBLAB/%73essions/ HTTP/1.1', /403/],
    ['POST /lab/x/..%2fweblab%252fsessions/ HTTP/1.1', /403/],
    [`GET http://${new URL(server.url).host}/lab/ HTTP/1.1`, /400/],
    ['OPTIONS * HTTP/1.1', /400|403/],
    ['TRACE /lab/ HTTP/1.1', /400/],
  ] as const) {
    assert.match(await asWritten(visited.url, `${line}\r\n${head}\r\n`), wanted, line)
  }
  for (const more of [
    'Content-Length: 0\r\nContent-Length: 5\r\n',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'Host: y\r\nContent-Length: 0\r\n',
  ]) {
    assert.match(await asWritten(visited.url, `POST /lab/ HTTP/1.1\r\n${head}${more}\r\n0\r\n\r\n`), /400/, more)
  }
  assert.match(await asWritten(visited.url, `GET /lab/ HTTP/1.1\r\n${head}X: ${'x'.repeat(20_000)}\r\n\r\n`), /431/)
  const foreign = new WebSocket(`${origin(visited).replace('http', 'ws')}/lab/live`, {
    headers: { cookie: pass, origin: 'http://evil.example' },
  })
  assert.match(await new Promise((resolve) => foreign.once('error', (error) => resolve(error.message))), /403/)
  assert.is(seen.length, before)

  // A link from elsewhere leads there, and a lab page without a header of its origin may post.
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  assert.is(await status({ cookie: pass, ...link }), 200)
  assert.is(await status({ cookie: pass, origin: 'null', 'sec-fetch-site': 'same-origin' }, 'POST'), 200)
  await close(ada, id)
})

test('a lab that is away, breaks off or takes too long is said in plain words; too much at once waits', async () => {
  const id = await open(ada)
  const visited = await visit(ada, id)
  const { pass } = await enter(visited)
  const at = (path: string) => fetch(`${origin(visited)}${path}`, { headers: { cookie: pass } })
  const broken = await at('/lab/broken')
    .then((response) => response.text())
    .catch(() => 'broken off')
  assert.is(broken, 'broken off')
  const many = Array.from({ length: 41 }, () => at('/lab/held').then(({ status }) => status))
  // One more than may be under way.
  assert.is(await Promise.race(many), 503)
  await until(() => {
    for (const response of held.splice(0)) response.end('done')
    return seen.filter(({ url }) => url === '/lab/held').length === 40
  }, 'all the others came')
  for (const response of held.splice(0)) response.end('done')
  assert.is((await Promise.all(many)).filter((status) => status === 200).length, 40)
  await server.stop()
  const away = await at('/lab/')
  assert.is(away.status, 502)
  assert.match(await away.text(), /The lab does not answer/)
  await server.start()
  await close(ada, id)
})

test('what was asked is among the documents of the session, and in its use', async () => {
  const id = await open(ada)
  const visited = await visit(ada, id)
  const { pass } = await enter(visited)
  const form = new FormData()
  form.set('plan', new Blob(['1,2,3']), 'plan.csv')
  const headers = { cookie: pass }
  await (await fetch(`${origin(visited)}/lab/?key=secret`, { headers })).text()
  await (await fetch(`${origin(visited)}/lab/move`, { method: 'POST', body: form, headers })).text()
  const csv = async () => await (await lab.call(`/api/v1/runs/${id}/data.csv?stream=commands`)).text()
  await until(async () => (await csv()).includes('lab-upload'), 'the file is noted')
  await close(ada, id)
  const text = await csv()
  assert.match(text, new RegExp(`${ada.id},lab-view,GET /lab/,.*,200`))
  assert.match(text, new RegExp(`${ada.id},lab-post,POST /lab/move,.*,200`))
  assert.match(text, /lab-upload,plan\.csv,"?\{""bytes"":5\}/)
  assert.not.match(text, /secret/)
  const use = (await (await lab.call(`/api/v1/usage/uses/${id}`)).json()) as UseDetail
  const given = use.given.map(({ what, target }) => `${what} ${target}`)
  assert.ok(given.includes('lab-upload plan.csv'), given.join('; '))
})

test('the command line prints the same address, and how long it works', async () => {
  const id = await open(ada)
  const env = { FERNLAB_HUB: lab.hub.httpUrl, FERNLAB_TOKEN: ada.bearer.authorization.replace('Bearer ', '') }
  const { out, err, code } = await fernlab(['session', 'visit', id], { env })
  assert.equal([code, err], [0, 'It works once, within a minute.\n'])
  assert.is((await fetch(out.trim(), { redirect: 'manual' })).status, 303)
  const json = JSON.parse((await fernlab(['session', 'visit', id, '--json'], { env })).out) as SessionVisit
  assert.equal(Object.keys(json).sort(), ['expiresAt', 'through', 'url'])
  await close(ada, id)
})

test('one browser is in one lab at a time: the next replaces it when somebody says so', async () => {
  const first = await open(ada)
  const { pass } = await enter(await visit(ada, first))
  const cookies = await fetch(`${origin(await visit(ada, first))}/lab/cookies`, {
    headers: { cookie: pass },
    redirect: 'manual',
  })
  assert.is(cookies.status, 302)
  const again = await enter(await visit(ada, first), pass)
  assert.equal([again.response.status, again.response.headers.get('clear-site-data')], [303, null])
  await close(ada, first)
  const second = await open(ben)
  const visited = await visit(ben, second)
  // The session before is over: nothing is lost, and what it left goes.
  const next = await enter(visited, pass)
  assert.equal([next.response.status, next.response.headers.get('clear-site-data')], [303, '"cache", "storage"'])
  assert.match(
    next.response.headers.getSetCookie().join('\n'),
    /session=; Max-Age=0; Path=\/\nseen=; Max-Age=0; Path=\/\n/,
  )
  await close(ben, second)
})

test('a visit ends when its person signs out everywhere, though the session goes on', async () => {
  const carl = await newPerson(lab)
  const id = await open(carl)
  const by = (path: string) => fetch(`${lab.hub.httpUrl}${path}`, { method: 'POST', headers: carl.browser })
  const visited = (await (await by(`/api/v1/sessions/${id}/visit`)).json()) as SessionVisit
  const { pass } = await enter(visited)
  const page = () => fetch(`${origin(visited)}/lab/`, { headers: { cookie: pass } })
  assert.is((await page()).status, 200)
  assert.is((await by('/api/v1/me/sign-out-everywhere')).status, 204)
  assert.is((await page()).status, 403)
  assert.is((await get(carl, id)).state, 'active')
  await close(carl, id)
})

test('a visit ends at once when its person is suspended, with what is open and the session at the lab', async () => {
  const dora = await newPerson(lab)
  const id = await open(dora)
  const visited = await visit(dora, id)
  const { pass } = await enter(visited)
  const page = (path: string) => fetch(`${origin(visited)}${path}`, { headers: { cookie: pass } })
  const events = await page('/lab/events')
  const ended = events.text().then(
    () => 'ended',
    () => 'ended',
  )
  assert.is((await page('/lab/')).status, 200)
  const disposed = () => server.sessions.at(-1)?.disposed === 1
  assert.is(disposed(), false)
  assert.is((await lab.call(`/api/v1/users/${dora.id}/suspend`, { method: 'POST' })).status, 204)
  assert.is(await ended, 'ended')
  const later = await page('/lab/')
  assert.ok([403, 410].includes(later.status), String(later.status))
  const stateOf = async () => ((await (await lab.call(`/api/v1/sessions/${id}`)).json()) as Session).state
  await until(async () => (await stateOf()) === 'closed', 'the session is over')
  assert.ok(disposed(), 'the lab was told')
})

test.run()

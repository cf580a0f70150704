import type { IncomingMessage } from 'node:http'
import { ambiguous, headersToBrowser, headersToLab } from '@fernlab/hub/lab-servers/headers'
import { refusedTarget } from '@fernlab/hub/lab-servers/path-guard'
import { watchUploads } from '@fernlab/hub/lab-servers/uploads'
import { cookieOf, createLabCookies, passName } from '@fernlab/hub/lab-servers/visit-cookies'
import { createVisitTokens, ENTRY_MS } from '@fernlab/hub/lab-servers/visit-tokens'
import { createVisitUse, MOST_ROWS } from '@fernlab/hub/lab-servers/visit-use'
import type { VisitRow } from '@fernlab/shared/contracts/sync'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('visits to labs’ own servers')

test('what hubs alone may ask is refused in every spelling', () => {
  for (const path of [
    '/lab/weblab/sessions/',
    '/weblab/sessions',
    '/lab/WebLab/SESSIONS/x/status',
    '/lab//weblab///sessions/',
    '/lab/./weblab/./sessions/',
    '/lab/x/../weblab/y/../sessions/',
    '/weblab/sessions/..',
    '/weblab/sessions/../../lab',
    '/lab/%77eblab/sessions/',
    '/lab/weblab%2fsessions/',
    '/lab/weblab%252Fsessions/',
    '/lab/%2577eblab/%25%37%33essions/',
    '/lab/weblab\\sessions/',
    '/lab/weblab%5Csessions/',
    '/lab/weblab;a=b/sessions;c/',
    '/lab/weblab%3Bx/sessions/',
    '/lab/we%09blab/sessions/',
    '/lab/weblab%20/sessions/',
    '/lab/%ef%bd%97eblab/sessions/',
    '/lab/web%E2%80%8Blab/sessions/',
    '//weblab/sessions/',
    '/lab/x%2f..%2fweblab/sessions',
    '/weblab/sessions?x',
  ]) {
    assert.is(refusedTarget(path), 'for-hubs-alone', path)
  }
  for (const path of ['http://other.example/', '*', '', 'lab', '/a b', '/a\tb', '/é', '/a#b', '/%00', '/%2500']) {
    assert.is(refusedTarget(path), 'not-a-path', path)
  }
  assert.is(refusedTarget(`/%${'25'.repeat(20)}41`), 'not-a-path')
  for (const path of [
    '/',
    '/lab/callback/1',
    '/lab/weblab/session',
    '/lab/sessions/weblab/',
    '/weblab-sessions/',
    '/lab/?next=/weblab/sessions/',
    '/lab/%zz%',
    '/lab/%C3%A9/%ff',
  ]) {
    assert.is(refusedTarget(path), undefined, path)
  }
})

test('an entry works once, for a minute; it is no pass, and nobody makes either', async () => {
  const clock = new ManualClock()
  const tokens = createVisitTokens({ clock })
  const visit = { sessionId: 's1', personId: 'p1', signIn: 'i1', origin: 'http://lab.example:8081' }
  const entry = tokens.entry(visit)
  assert.match(entry, /^[\w.-]+$/)
  assert.equal(tokens.look(entry), visit)
  assert.equal(tokens.take(entry), visit)
  assert.is(tokens.take(entry), undefined)
  assert.is(tokens.look(entry), undefined)
  const late = tokens.entry(visit)
  const pass = tokens.pass(visit)
  await clock.advance(ENTRY_MS)
  assert.is(tokens.take(late), undefined)
  assert.equal(tokens.read(pass), visit)
  const fresh = tokens.entry(visit)
  assert.is(tokens.read(fresh), undefined)
  assert.is(tokens.take(pass), undefined)
  assert.is(createVisitTokens({ clock }).read(pass), undefined)
  const [text = '', mac = ''] = pass.split('.')
  const other = Buffer.from(Buffer.from(text, 'base64url').toString().replace('p1', 'p2')).toString('base64url')
  for (const forged of [
    `${other}.${mac}`,
    `${text}.`,
    text,
    '',
    '.',
    `${pass}.x`,
    `${pass}=`,
    `${text}.${mac.slice(1)}`,
  ]) {
    assert.is(tokens.read(forged), undefined, forged)
  }
})

test('a lab gets its own cookies alone, and sets none of the hub’s', () => {
  const cookies = createLabCookies('session-1', false)
  const all = 'fernlab.session_token=secret; fernlab-visit=pass; wiki=other; session=older'
  assert.is(cookies.toLab(all), undefined)
  const [hidden = '', seen = '', ...more] = cookies.toBrowser([
    'session=abc; HttpOnly; Path=/lab; Domain=lab.example; Secure; SameSite=None; Partitioned',
    'csrf=t=1; Path=/; SameSite=Strict; Max-Age=60',
    'fernlab.session_token=mine',
    '__Secure-fernlab.session_token=mine; Secure',
    '__Host-Http-fernlab.session_token=mine; Secure; Path=/',
    '__host-FERNLAB-visit=mine',
    'no-value',
    '=no-name',
    'a b=1',
    `long=${'x'.repeat(5000)}`,
  ])
  assert.equal(more, [])
  assert.match(hidden, /^fernlab-lab\.[0-9a-f]{16}\.session=abc; HttpOnly; Path=\/lab; SameSite=Lax$/)
  assert.is(seen, 'csrf=t=1; Path=/; Max-Age=60; SameSite=Strict')
  const [kept = ''] = hidden.split(';')
  assert.is(cookies.toLab(`${all}; ${kept}; csrf=t=1`), 'session=abc; csrf=t=1')
  // A lab that sets the hub's name behind the back of scripts gets a name of its own.
  const [tossed = ''] = cookies.toBrowser(['fernlab-visit=stolen; HttpOnly'])
  assert.match(tossed, /^fernlab-lab\.[0-9a-f]{16}\.fernlab-visit=stolen; HttpOnly$/)
  assert.is(createLabCookies('session-2', false).toLab(`${all}; ${kept}; csrf=t=1`), undefined)
  assert.equal(
    cookies.forget().map((line) => line.replace(/\.[0-9a-f]{16}\./, '.#.')),
    [
      'fernlab-lab.#.session=; Max-Age=0; Path=/lab',
      'csrf=; Max-Age=0; Path=/',
      'fernlab-lab.#.fernlab-visit=; Max-Age=0; Path=/',
    ],
  )
  const secure = createLabCookies('session-1', true)
  assert.is(secure.toBrowser(['a=1; SameSite=None'])[0], 'a=1; SameSite=None; Secure')
  assert.is(secure.toBrowser(Array.from({ length: 60 }, (_, n) => `c${n}=1`)).length, 39)
  assert.equal([passName(false), passName(true)], ['fernlab-visit', '__Host-fernlab-visit'])
  assert.is(cookieOf('a=1; fernlab-visit=x.y; b', 'fernlab-visit'), 'x.y')
})

/** A message with this head, as the parser gives it. */
function message(raw: readonly (readonly [string, string])[], more: Partial<IncomingMessage> = {}): IncomingMessage {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of raw) {
    const key = name.toLowerCase()
    if (key === 'set-cookie') headers[key] = [...((headers[key] as string[] | undefined) ?? []), value]
    else headers[key] = headers[key] === undefined ? value : `${String(headers[key])}, ${value}`
  }
  return { headers, rawHeaders: raw.flat(), ...more } as IncomingMessage
}

const between = (cookies = createLabCookies('session-1', false)) => ({
  origin: 'http://pages.example:8081',
  lab: 'https://robot.example',
  cookies,
})

test('the lab hears of the request what is its own, in its own addresses', () => {
  const sent = headersToLab(
    message([
      ['Host', 'pages.example:8081'],
      ['Connection', 'keep-alive, X-Private'],
      ['X-Private', '1'],
      ['Origin', 'http://pages.example:8081'],
      ['Referer', 'http://pages.example:8081/lab/?a=1'],
      ['Cookie', 'fernlab.session_token=secret'],
      ['X-Forwarded-For', '10.0.0.7'],
      ['X_Forwarded_Host', 'evil.example'],
      ['X-Real-IP', '10.0.0.7'],
      ['Forwarded', 'for=10.0.0.7'],
      ['X-Original-URL', '/weblab/sessions/'],
      ['X-Rewrite-Url', '/weblab/sessions/'],
      ['Authorization', 'Basic ZmVybmxhYjp4'],
      ['Expect', '100-continue'],
      ['TE', 'trailers'],
      ['Upgrade', 'h2c'],
      ['Accept-Language', 'es'],
      ['X-Two', 'a'],
      ['X-Two', 'b'],
      ['Content-Length', '3'],
      ['Range', 'bytes=0-1'],
    ]),
    between(),
  )
  assert.equal(sent, {
    'accept-language': 'es',
    'x-two': ['a', 'b'],
    range: 'bytes=0-1',
    host: 'robot.example',
    origin: 'https://robot.example',
    referer: 'https://robot.example/lab/?a=1',
    'x-forwarded-host': 'pages.example:8081',
    'x-forwarded-proto': 'http',
    via: '1.1 fernlab',
    'content-length': '3',
  })
  const from = (name: string, value: string) => headersToLab(message([[name, value]]), between())[name.toLowerCase()]
  assert.is(from('Referer', 'http://hub.example/sessions/1'), undefined)
  assert.is(from('Referer', 'http://pages.example:80819/'), undefined)
  assert.is(from('Origin', 'http://hub.example'), undefined)
  assert.is(from('Authorization', 'Bearer x'), 'Bearer x')
  assert.is(from('Transfer-Encoding', 'chunked'), 'chunked')
})

test('the browser is told of the answer what holds for the lab’s pages alone', () => {
  const given = headersToBrowser(
    message([
      ['Content-Type', 'text/html'],
      ['Content-Length', '5'],
      ['Connection', 'close, X-Hop'],
      ['X-Hop', '1'],
      ['Transfer-Encoding', 'chunked'],
      ['Set-Cookie', 'a=1; Domain=.example'],
      ['Set-Cookie', 'fernlab-visit=1'],
      ['Clear-Site-Data', '"cookies"'],
      ['Strict-Transport-Security', 'max-age=1'],
      ['WWW-Authenticate', 'Basic'],
      ['Service-Worker-Allowed', '/'],
      ['Alt-Svc', 'h3=":443"'],
      ['Content-Security-Policy', "default-src 'self'"],
      ['Vary', 'Accept'],
      ['X-Robot', 'arm'],
    ]),
    between(),
  )
  assert.equal(given, {
    'content-type': 'text/html',
    'content-length': '5',
    'content-security-policy': ["default-src 'self'", "frame-ancestors 'self'"],
    'x-robot': 'arm',
    'set-cookie': 'a=1',
    vary: ['Accept', 'Cookie'],
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'x-robots-tag': 'noindex',
  })
  const moved = (name: string, value: string) => headersToBrowser(message([[name, value]]), between())[name]
  for (const [to, at] of [
    ['https://robot.example/lab/a?b#c', 'http://pages.example:8081/lab/a?b#c'],
    ['http://robot.example/lab', 'http://robot.example/lab'],
    ['//robot.example/lab', 'http://pages.example:8081/lab'],
    ['https://robot.example//evil.example/', 'http://pages.example:8081//evil.example/'],
    ['https://robot.example.evil.example/', 'https://robot.example.evil.example/'],
    ['https://hub.example/sessions/1', 'https://hub.example/sessions/1'],
    ['/lab/b', '/lab/b'],
    ['b?c', 'b?c'],
  ] as const) {
    // A server behind TLS that does not know of it says http, on the port of https or none.
    if (to.startsWith('http:')) assert.is(moved('location', to), 'http://pages.example:8081/lab')
    else assert.is(moved('location', to), at, to)
  }
  assert.is(moved('refresh', '5; url=https://robot.example/x'), '5; url=http://pages.example:8081/x')
  assert.is(moved('refresh', '5'), '5')
})

test('a head that two servers could read in two ways is refused', () => {
  const why = (...raw: (readonly [string, string])[]) => ambiguous(message(raw))
  assert.is(why(['Host', 'a'], ['Content-Length', '1']), undefined)
  assert.is(why(['Host', 'a'], ['Transfer-Encoding', 'chunked']), undefined)
  assert.is(why(['Content-Length', '1'], ['content-length', '1']), 'content-length')
  assert.is(why(['Content-Length', '1'], ['Transfer-Encoding', 'chunked']), 'Content-Length')
  assert.is(why(['Transfer-Encoding', 'gzip, chunked']), 'Transfer-Encoding')
  assert.is(why(['Transfer_Encoding', 'x']), 'Transfer-Encoding')
  assert.is(why(['Content-Length', '+1']), 'Content-Length')
  assert.is(why(['Host', 'a'], ['Host', 'b']), 'host')
})

test('files in a form are found however it is cut', () => {
  const body = [
    '--frontier\r\ncontent-disposition: form-data; name="note"\r\n\r\nhello\r\n',
    '--frontier\r\nContent-Disposition: form-data; name="f"; filename="plan a.csv"\r\nContent-Type: text/csv\r\n\r\n',
    '1,2\r\n--front\r\n3\r\n',
    '--frontier\r\nContent-Disposition: form-data; name="g"; filename="empty.txt"\r\n\r\n\r\n',
    '--frontier\r\nContent-Disposition: form-data; name="h"; filename=""\r\n\r\n\r\n',
    '--frontier--\r\n',
  ].join('')
  const wanted = [
    { name: 'plan a.csv', bytes: 15 },
    { name: 'empty.txt', bytes: 0 },
  ]
  for (const size of [1, 2, 3, 7, 50, body.length]) {
    const watch = watchUploads('multipart/form-data; boundary=frontier')
    for (let at = 0; at < body.length; at += size) watch?.note(Buffer.from(body.slice(at, at + size)))
    assert.equal(watch?.files, wanted, `in pieces of ${size}`)
  }
  assert.is(watchUploads('application/json'), undefined)
  assert.is(watchUploads(undefined), undefined)
  assert.ok(watchUploads('multipart/form-data; charset=x; boundary="a b"') !== undefined)
})

test('pages and posts have rows, without what is secret in them, up to a limit', async () => {
  const told: VisitRow[] = []
  const use = createVisitUse({
    entry: '/lab/callback/k3y',
    tell: async (rows) => void told.push(...rows),
    log: silentLog,
  })
  const one = { personId: 'ada', status: 200, sentBytes: 1, receivedBytes: 2, uploads: [] }
  use.note({ ...one, method: 'GET', target: '/lab/callback/k3y?token=1', isPage: true })
  use.note({ ...one, method: 'GET', target: '/lab/app.js', isPage: false })
  use.note({
    ...one,
    method: 'POST',
    target: '/lab/move/0123456789abcdef0123456789abcdef',
    isPage: false,
    uploads: [{ name: 'plan.csv', bytes: 9 }],
  })
  await Promise.resolve()
  const value = '{"sent":1,"received":2}'
  const { by, outcome } = { by: 'ada', outcome: '200' }
  const wanted = [
    { by, what: 'lab-view', target: 'GET /lab/callback/…', value, outcome },
    { by, what: 'lab-post', target: 'POST /lab/move/…', value, outcome },
    { by, what: 'lab-upload', target: 'plan.csv', value: '{"bytes":9}', outcome },
  ]
  for (let tick = 0; told.length < 3 && tick < 100; tick++) await Promise.resolve()
  assert.equal(told, wanted)
  for (let n = 0; n < MOST_ROWS; n++) use.note({ ...one, method: 'GET', target: '/', isPage: true })
  for (let tick = 0; told.length < MOST_ROWS && tick < 10_000; tick++) await Promise.resolve()
  assert.equal([told.length, told.at(-1)?.what], [MOST_ROWS, 'lab-more'])
})

test.run()

import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { listenPages } from '@fernlab/hub/lab-pages/listen-pages'
import type { Session, SessionPage } from '@fernlab/shared/contracts/sessions'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { smallLab, startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('labs’ own pages', { timeoutMs: 30_000 })
let lab: TestHub
let ada: TestPerson
let ben: TestPerson
let page: SessionPage
let sessionId: string

const files = [
  ...smallLab.map((file) =>
    file.path === 'lab.yaml'
      ? { ...file, text: `${file.text}\naccess: { public: false }\nsession: {}\npage: page/index.html\n` }
      : file,
  ),
  { path: 'page/index.html', text: '<!doctype html><title>Small</title><script src="own.js"></script>' },
  { path: 'page/own.js', text: 'document.title = "first"' },
]
const push = async (all = files) => {
  const pushed = await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files: all } })
  assert.is(pushed.ok, true, await pushed.text())
}
const at = (path: string) => new URL(path, page.url)
/** As it is written: `fetch` would tidy the path. */
const asWritten = (path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const { hostname, port } = new URL(page.url)
    plainRequest({ hostname, port, path }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .once('error', reject)
      .end()
  })

test.before(async () => {
  lab = await startTestHub()
  await push()
  await lab.node('node-1')
  ada = await newPerson(lab)
  ben = await newPerson(lab)
  const { body } = await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })
  sessionId = (body as Session).id
  const active = async () => (await ada.ask('GET', `/api/v1/sessions/${sessionId}`)).body as Session
  await until(async () => (await active()).state === 'active', 'the session is active')
  assert.is((await active()).page, true)
  page = (await ada.ask('GET', `/api/v1/sessions/${sessionId}/page`)).body as SessionPage
})
test.after(() => lab.close())

test('who is in the session gets an address at another origin; nobody else does', async () => {
  assert.not.equal(new URL(page.url).origin, new URL(lab.hub.httpUrl).origin)
  const endpoints = JSON.parse(readFileSync(join(lab.folder, 'endpoints.json'), 'utf8')) as { pages: string }
  assert.is(new URL(page.url).origin, endpoints.pages)
  assert.is((await ben.ask('GET', `/api/v1/sessions/${sessionId}/page`)).status, 404)
  const stranger = await fetch(`${lab.hub.httpUrl}/api/v1/sessions/${sessionId}/page`)
  assert.is(stranger.status, 401)
})

test('a file is of no origin, calls nobody, is shown by the hub alone, and touches no cookie', async () => {
  const response = await fetch(page.url, { headers: { cookie: 'fernlab=1', authorization: 'Bearer x' } })
  assert.is(response.status, 200)
  assert.match(await response.text(), /<title>Small/)
  const header = (name: string) => response.headers.get(name) ?? ''
  const policy = header('content-security-policy').split('; ')
  for (const rule of [
    'sandbox allow-scripts',
    "default-src 'none'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    `frame-ancestors ${lab.hub.httpUrl}`,
  ]) {
    assert.ok(policy.includes(rule), `${rule} is missing in ${policy.join('; ')}`)
  }
  assert.not.match(policy.join(), /allow-same-origin|unsafe-eval'(?<!wasm-unsafe-eval')|https?:\/\/(?!127\.0\.0\.1)/)
  assert.equal(
    [
      'x-content-type-options',
      'cross-origin-resource-policy',
      'cross-origin-opener-policy',
      'referrer-policy',
      'access-control-allow-origin',
      'access-control-allow-credentials',
      'set-cookie',
    ].map((name) => response.headers.get(name)),
    ['nosniff', 'cross-origin', 'same-origin', 'no-referrer', '*', null, null],
  )
  assert.match(header('permissions-policy'), /camera=\(\)/)
  assert.is(header('content-type'), 'text/html; charset=utf-8')
  const again = await fetch(page.url, { headers: { 'if-none-match': header('etag') } })
  assert.is(again.status, 304)
  for (const method of ['POST', 'PUT', 'OPTIONS']) assert.is((await fetch(page.url, { method })).status, 405)
})

test('nothing else of the lab, of the hub or of the disk is there', async () => {
  const prefix = new URL(page.url).pathname.replace(/\/[^/]*$/, '')
  assert.is((await fetch(at('own.js'))).status, 200)
  for (const path of [
    '/',
    '/index.html',
    '/api/v1/me',
    '/healthz',
    prefix,
    `${prefix}/`,
    `${prefix}/page/index.html`,
    `${prefix}/lab.yaml`,
    `${prefix}/../../lab.yaml`,
    `${prefix}/%2e%2e/lab.yaml`,
    `${prefix}/..%2flab.yaml`,
    `${prefix}/..%2f..%2f..%2f..%2fetc%2fpasswd`,
    `${prefix}/..%5clab.yaml`,
    `${prefix}/own.js%00.html`,
    `${prefix}//own.js`,
    `${prefix}/%ff`,
    prefix.replace('small', 'other').concat('/index.html'),
    `/small.1.zzzzzzzz.${'A'.repeat(43)}/index.html`,
  ]) {
    assert.is(await asWritten(path), 404, path)
  }
})

test('a session keeps the page of its version, also when the lab has a new one', async () => {
  await push(files.map((file) => (file.path === 'page/own.js' ? { ...file, text: 'document.title = "second"' } : file)))
  assert.match(await (await fetch(at('own.js'))).text(), /first/)
  const next = (await ada.ask('GET', `/api/v1/sessions/${sessionId}/page`)).body as SessionPage
  assert.match(await (await fetch(new URL('own.js', next.url))).text(), /first/)
})

test('the lab’s files at the hub’s own origin are downloads, never pages', async () => {
  const response = await lab.call('/api/v1/labs/small/files/page/index.html')
  assert.equal(
    [response.headers.get('content-type'), response.headers.get('content-disposition')],
    ['application/octet-stream', 'attachment'],
  )
  assert.match(response.headers.get('content-security-policy') ?? '', /sandbox$/)
})

test('a port after the hub’s that is taken is no obstacle, unless it was asked for', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  const log = recordingLog()
  const fetch = async () => new Response('here')
  const visits = { take: () => false, upgrade: () => false }
  const options = { fetch, visits, host: '127.0.0.1', hubPort: port - 1, tls: undefined, log }
  const pages = await listenPages({ ...options, port: undefined })
  try {
    assert.not.equal(pages.port, port)
    assert.match(log.lines.map(({ message }) => message).join(), /FERNLAB_PAGES_PORT fixes it/)
    const error = await listenPages({ ...options, port }).then(
      () => undefined,
      ({ message }: Error) => message,
    )
    assert.match(error ?? '', /FERNLAB_PAGES_PORT is \d+ on 127\.0\.0\.1, but another program listens there/)
  } finally {
    await pages.close()
    taken.close()
  }
})

test('behind a proxy with TLS there is no page until its origin is set, and the hub says so', async () => {
  const proxied = await startTestHub({ env: { FERNLAB_PUBLIC_URL: 'https://lab.example' } })
  try {
    assert.ok(proxied.log.lines.some(({ message }) => message.includes('FERNLAB_PAGES_URL')))
  } finally {
    await proxied.close()
  }
})

test('a session that is over gives no address', async () => {
  await ada.ask('DELETE', `/api/v1/sessions/${sessionId}`)
  await until(
    async () => ((await ada.ask('GET', `/api/v1/sessions/${sessionId}`)).body as Session).state === 'closed',
    'the session is over',
  )
  assert.is((await ada.ask('GET', `/api/v1/sessions/${sessionId}/page`)).status, 404)
})

test.run()

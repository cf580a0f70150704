/** A lab's own server through the real hub and a node of this process, as a browser has it. */
import { join } from 'node:path'
import type { Edge } from '@fernlab/edge/main'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { WebSocketServer } from 'ws'
import { startTestHub, type TestHub, until } from '../integration/hub/hub-with-node.ts'
import { startLabServerNode } from '../integration/hub/lab-server-node.ts'
import { newPerson, type TestPerson } from '../integration/hub/session-people.ts'
import { startTestLabServer, type TestLabServer } from '../support/lab-server/lab-server.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { openBrowser, type VisitOptions, visit } from './support/browser.ts'

const test = suite('a lab’s own server in the browser', {
  timeoutMs: 120_000,
  hookTimeoutMs: 60_000,
  fileTimeoutMs: 300_000,
})
let lab: TestHub
let server: TestLabServer
let edge: Edge
let browser: Browser
let ada: TestPerson
const sockets = new WebSocketServer({ noServer: true })
const posted: string[] = []

const page = `<!doctype html>
<html lang="en">
  <head><title>The robot</title></head>
  <body>
    <h1>The robot</h1>
    <form method="post" action="/lab/move" enctype="multipart/form-data">
      <label>Angle <input name="angle"></label>
      <label>Plan <input type="file" name="plan"></label>
      <button>Move</button>
    </form>
    <p>The arm says <output id="arm">nothing</output>.</p>
    <p>A worker was <output id="worker">not tried</output>; the hub said <output id="hub">nothing</output>.</p>
    <script>
      const show = (id, text) => (document.querySelector('#' + id).textContent = text)
      const arm = new WebSocket(location.origin.replace('http', 'ws') + '/lab/arm')
      arm.onopen = () => arm.send('hello')
      arm.onmessage = ({ data }) => show('arm', data)
      arm.onclose = () => show('arm', 'no more')
      navigator.serviceWorker.register('/lab/worker.js').then(
        () => show('worker', 'taken'),
        () => show('worker', 'refused'),
      )
      const hub = new URLSearchParams(location.search).get('hub')
      if (hub !== null) {
        fetch(hub + '/api/v1/me', { credentials: 'include' }).then(
          () => show('hub', 'who I am'),
          () => show('hub', 'no'),
        )
      }
    </script>
  </body>
</html>`

test.before(async () => {
  server = await startTestLabServer()
  server.pages = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://lab')
    if (pathname === '/lab/worker.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end('onfetch = () => {}')
    } else if (request.method === 'POST') {
      const chunks: Buffer[] = []
      request.on('data', (chunk) => chunks.push(chunk))
      request.on('end', () => {
        posted.push(Buffer.concat(chunks).toString())
        response.writeHead(303, { location: `${new URL(server.url).origin}/lab/?moved` }).end()
      })
    } else if (pathname.startsWith('/lab/callback/')) {
      const cookie = 'robot=1; HttpOnly; Path=/'
      response
        .writeHead(302, { location: `/lab/?hub=${encodeURIComponent(lab.hub.httpUrl)}`, 'set-cookie': cookie })
        .end()
    } else if (!/\brobot=1\b/.test(request.headers.cookie ?? '')) {
      response.writeHead(403, { 'content-type': 'text/html' }).end('Who are you?')
    } else {
      response.writeHead(200, { 'content-type': 'text/html' }).end(page)
    }
  }
  server.upgrades = (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (data) => webSocket.send(`${String(data)} to you`))
    })
  lab = await startTestHub({ webFolder: join(root, 'hub/web/dist') })
  edge = await startLabServerNode(lab, server)
  ada = await newPerson(lab)
  browser = await openBrowser()
})
test.after(async () => {
  await browser?.close()
  await edge?.close()
  await lab?.close()
  await server?.stop()
  sockets.close()
})

const get = async (id: string) => (await ada.ask('GET', `/api/v1/sessions/${id}`)).body as Session

const cookiesOf = (who: TestPerson) =>
  who.browser.cookie.split('; ').map((line) => {
    const [name = '', ...value] = line.split('=')
    return { name, value: value.join('='), url: lab.hub.httpUrl, httpOnly: true }
  })

/** Ada's session, active, and its page in her browser. */
async function open(options: VisitOptions = {}) {
  const { id } = (await ada.ask('POST', '/api/v1/sessions', { lab: 'robot' })).body as Session
  await until(async () => (await get(id)).state === 'active', 'the session is active', 40_000)
  const seen = await visit(browser, options)
  await seen.context.addCookies(cookiesOf(ada))
  await seen.page.goto(`${lab.hub.httpUrl}/sessions/${id}`)
  const link = seen.page.getByRole('link', { name: /Open the lab’s own page|Abrir la página del laboratorio/ })
  const [tab] = await Promise.all([seen.context.waitForEvent('page'), link.press('Enter')])
  await tab.getByRole('heading', { name: 'The robot' }).waitFor()
  return { ...seen, tab, id }
}

test('it opens in a tab of its own, takes a form and a WebSocket, and ends with the session', async () => {
  const { page, context, tab, id } = await open()
  assert.not.equal(new URL(tab.url()).origin, lab.hub.httpUrl)
  await tab.getByText('The arm says hello to you.').waitFor()
  // What a page of another origin is not told, and could not send in her name.
  await tab.getByText('A worker was refused; the hub said no.').waitFor()
  assert.is(await tab.evaluate('document.cookie'), '')
  assert.is(await tab.evaluate('window.opener'), null)
  await tab.getByLabel('Angle').fill('45')
  await tab.getByLabel('Plan').setInputFiles({ name: 'plan.csv', mimeType: 'text/csv', buffer: Buffer.from('1,2') })
  await tab.getByRole('button', { name: 'Move' }).press('Enter')
  await tab.waitForURL(/\/lab\/\?moved$/)
  assert.match(posted.join(), /name="angle"\r\n\r\n45\r\n/)
  await tab.getByText('The arm says hello to you.').waitFor()
  await ada.ask('POST', `/api/v1/sessions/${id}/finish`)
  await tab.getByText('The arm says no more.').waitFor()
  // The lab's server hears of the end from the node, as the hub does.
  await until(async () => (await get(id)).state !== 'active', 'the hub knows of the end')
  await tab.reload()
  await tab.getByRole('heading', { name: 'Your session is over' }).waitFor()
  assert.equal(await barriersOn(tab), [])
  await tab.getByRole('link', { name: 'To your session' }).press('Enter')
  await tab.waitForURL(`${lab.hub.httpUrl}/sessions/${id}`)
  await page.getByRole('listitem').filter({ hasText: 'commands' }).waitFor()
  assert.not.match((await context.cookies()).map(({ name }) => name).join(), /robot/)
  await context.close()
})

test('it comes by itself in place of the page that waited for it, before the lab takes its visitor for gone', async () => {
  const { page, context } = await visit(browser)
  await context.addCookies(cookiesOf(ada))
  // weblablib waits 15 s for a visitor.
  server.awayMs = 15_000
  await page.goto(`${lab.hub.httpUrl}/labs/robot`)
  await page.getByRole('button', { name: 'Drive it live' }).press('Enter')
  await page.getByRole('heading', { name: 'The robot' }).waitFor({ timeout: 40_000 })
  const { items } = (await ada.ask('GET', '/api/v1/sessions?open=true')).body as { items: Session[] }
  const id = String(items[0]?.id)
  assert.is((await get(id)).state, 'active')
  await page.goBack()
  await page.getByRole('link', { name: 'Open the lab’s own page' }).waitFor()
  assert.is(page.url(), `${lab.hub.httpUrl}/sessions/${id}`)
  // Nobody looks at it any more.
  await page.getByText("the lab's server has ended it").waitFor({ timeout: 40_000 })
  server.awayMs = Number.POSITIVE_INFINITY
  await until(async () => server.sessions.at(-1)?.disposed === 1, 'it is disposed of')
  await context.close()
})

test('a hostile page of a lab’s server does nothing in the name of who looks at it', async () => {
  const { page: own, context, tab, id } = await open()
  const { httpUrl: hub } = lab.hub
  await own.evaluate("localStorage.setItem('theirs', 'secret')")
  /** What the browser did send to the hub, and how that went. */
  const sent = new Map<string, number>()
  context.on('response', (response) => {
    const { pathname, origin, search } = new URL(response.url())
    if (origin === hub && search.startsWith('?hostile')) {
      sent.set(`${response.request().method()} ${pathname}${search}`, response.status())
    }
  })
  const results = (await tab.evaluate(`(async () => {
    const hub = ${JSON.stringify(hub)}
    const id = ${JSON.stringify(id)}
    const attempt = async (work) => {
      try {
        return 'got ' + (await work())
      } catch (error) {
        return error.name ?? String(error)
      }
    }
    const post = (path, body) =>
      fetch(hub + path + '?hostile=fetch', { method: 'POST', mode: 'no-cors', credentials: 'include', body })
    const form = (path, name) =>
      new Promise((resolve) => {
        const frame = document.createElement('iframe')
        frame.name = name
        document.body.append(frame)
        const made = document.createElement('form')
        made.method = 'post'
        made.enctype = 'text/plain'
        made.action = hub + path + '?hostile=form'
        made.target = name
        const field = document.createElement('input')
        field.name = '{"name":"stolen","scopes":["read"],"x":"'
        field.value = '"}'
        made.append(field)
        document.body.append(made)
        frame.onload = () => resolve()
        made.submit()
      })
    const socket = () =>
      new Promise((resolve, reject) => {
        const made = new WebSocket(hub.replace('http', 'ws') + '/api/v1/sessions/' + id + '/live')
        made.onopen = () => resolve('in')
        made.onerror = () => reject(new Error('refused'))
      })
    const events = () =>
      new Promise((resolve, reject) => {
        const made = new EventSource(hub + '/api/v1/runs/' + id + '/events', { withCredentials: true })
        made.onopen = () => resolve('in')
        made.onerror = () => {
          made.close()
          reject(new Error('refused'))
        }
      })
    const shown = () =>
      new Promise((resolve, reject) => {
        const frame = document.createElement('iframe')
        frame.onload = () => {
          const inside = frame.contentDocument
          return inside === null ? reject(new Error('not shown')) : resolve(inside.title)
        }
        frame.id = 'hub'
        frame.src = hub + '/sessions/' + id + '?hostile=frame'
        document.body.append(frame)
      })
    const results = {
      read: await attempt(async () => (await fetch(hub + '/api/v1/me', { credentials: 'include' })).status),
      put: await attempt(() => fetch(hub + '/api/v1/me', { method: 'PUT', credentials: 'include', body: '{}' })),
      socket: await attempt(socket),
      events: await attempt(events),
      shown: await attempt(shown),
      cookie: await attempt(() => document.cookie),
      storage: await attempt(() => localStorage.getItem('theirs')),
      opener: await attempt(() => String(window.opener)),
      library: await attempt(async () => (await navigator.serviceWorker.register('/fernlab.js')).scope),
    }
    await post('/api/v1/tokens', '{"name":"stolen","scopes":["read"]}')
    await post('/api/v1/sessions/' + id + '/finish')
    await post('/api/auth/sign-out', '{}')
    await form('/api/v1/tokens', 'tokens')
    await form('/api/v1/sessions/' + id + '/finish', 'finish')
    localStorage.setItem('mine', 'left for the next lab')
    return results
  })()`)) as Record<string, string>
  assert.equal(results, {
    read: 'TypeError',
    put: 'TypeError',
    socket: 'Error',
    events: 'Error',
    shown: 'Error',
    cookie: 'got ',
    storage: 'got null',
    opener: 'got null',
    library: 'TypeError',
  })
  // All of these were sent, with her cookies, since the hub is of the same site.
  for (const request of [
    'POST /api/v1/tokens?hostile=fetch',
    `POST /api/v1/sessions/${id}/finish?hostile=fetch`,
    'POST /api/auth/sign-out?hostile=fetch',
    'POST /api/v1/tokens?hostile=form',
    `POST /api/v1/sessions/${id}/finish?hostile=form`,
  ]) {
    await until(() => sent.has(request), request)
    const status = sent.get(request)
    assert.ok(status !== undefined && status >= 400 && status < 500, `${request}: ${status}`)
  }
  assert.is((await get(id)).state, 'active')
  const { items } = (await ada.ask('GET', '/api/v1/tokens')).body as { items: { name: string }[] }
  assert.not.ok(items.some(({ name }) => name === 'stolen'))
  await own.reload()
  await own.getByRole('link', { name: 'Open the lab’s own page' }).waitFor()

  // A tab of the hub's that it opens is none that it holds.
  const [popup] = await Promise.all([
    context.waitForEvent('page'),
    tab.evaluate(`void (window.taken = window.open(${JSON.stringify(`${hub}/account`)}))`),
  ])
  await popup.waitForLoadState()
  assert.is(await tab.evaluate('window.taken === null || window.taken.closed'), true)
  assert.is(await popup.evaluate('window.opener'), null)

  // What it has left is gone for the next lab in this browser.
  await ada.ask('POST', `/api/v1/sessions/${id}/finish`)
  await until(async () => (await get(id)).state === 'closed', 'the session is closed', 40_000)
  const { id: next } = (await ada.ask('POST', '/api/v1/sessions', { lab: 'robot' })).body as Session
  await until(async () => (await get(next)).state === 'active', 'the next session is active', 40_000)
  await own.goto(`${hub}/sessions/${next}`)
  const link = own.getByRole('link', { name: 'Open the lab’s own page' })
  const [second] = await Promise.all([context.waitForEvent('page'), link.press('Enter')])
  await second.getByRole('heading', { name: 'The robot' }).waitFor()
  assert.is(await second.evaluate("localStorage.getItem('mine')"), null)
  assert.is(await own.evaluate("localStorage.getItem('theirs')"), 'secret')
  await context.close()
  await ada.ask('POST', `/api/v1/sessions/${next}/finish`)
  await until(async () => (await get(next)).state === 'closed', 'the next session is closed', 40_000)
})

test('on a phone, in the language of the browser, it says that it is over', async () => {
  const { tab, context, id } = await open({ language: 'es-ES', phone: true })
  await ada.ask('POST', `/api/v1/sessions/${id}/finish`)
  await until(async () => (await get(id)).state === 'closed', 'the session is closed')
  await tab.reload()
  await tab.getByRole('heading', { name: 'Tu sesión ha terminado' }).waitFor()
  const wide = await tab.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  assert.is(wide, 0)
  await context.close()
})

test.run()

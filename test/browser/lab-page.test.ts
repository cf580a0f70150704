/** A lab's own page on the real hub, with a node of this process: what it may do works, and what it may not fails. */
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { startEdge } from '@fernlab/edge/main'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import type { Browser, Frame, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import type { Session as LabSession } from '../../hub/web/library/fernlab.ts'
import { smallLab, startTestHub, type TestHub, until } from '../integration/hub/hub-with-node.ts'
import { newPerson, type TestPerson } from '../integration/hub/session-people.ts'
import { guides } from '../support/doc-blocks.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { openBrowser, tabTo, type VisitOptions, visit } from './support/browser.ts'

const test = suite('a lab’s own page', { timeoutMs: 90_000, hookTimeoutMs: 60_000, fileTimeoutMs: 500_000 })
let lab: TestHub
let browser: Browser
let ada: TestPerson
let staff: TestPerson
let opened: Session

declare global {
  interface Window {
    lab: Promise<LabSession>
    refused: string[]
  }
}

/** `__name` is what the tests' compiler puts around each function that a test sends into the frame. */
const ownPage = `<!doctype html>
<html lang="en">
  <head><title>Box</title><link rel="stylesheet" href="style.css"></head>
  <body>
    <h1>Box</h1>
    <p>It holds <output id="value">nothing</output>.</p>
    <button id="seven">Put seven in</button>
    <script>
      refused = []
      __name = (made) => made
      addEventListener('securitypolicyviolation', ({ effectiveDirective }) => refused.push(effectiveDirective))
    </script>
    <script type="module">
      import { connect } from '/fernlab.js'
      window.lab = connect()
      const session = await window.lab
      session.on('signals', (values) => (document.querySelector('#value').textContent = values['box.value']))
      document.querySelector('#seven').onclick = () => session.set('box.value', 7)
    </script>
  </body>
</html>`
const push = async (page: string, more = '') => {
  const files = [
    ...smallLab.map((file) =>
      file.path === 'lab.yaml'
        ? { ...file, text: `${file.text}session: { seconds: 120, mostSeconds: 600 }\npage: page/index.html\n${more}` }
        : file,
    ),
    { path: 'page/index.html', text: page },
    {
      path: 'page/style.css',
      text: 'body { background: #fff; color: #111 } [data-theme="dark"] body { background: #111; color: #eee }',
    },
  ]
  const pushed = await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })
  assert.is(pushed.ok, true, await pushed.text())
}
const get = async (id: string) => (await ada.ask('GET', `/api/v1/sessions/${id}`)).body as Session

/** Ada's session, active. */
async function open(of = 'small'): Promise<Session> {
  const { id } = (await ada.ask('POST', '/api/v1/sessions', { lab: of })).body as Session
  await until(async () => (await get(id)).state === 'active', 'the session is active', 40_000)
  opened = await get(id)
  return opened
}

/** The session's page in somebody's browser. */
async function look(who: TestPerson, options: VisitOptions = {}) {
  const seen = await visit(browser, options)
  await seen.context.addCookies(
    who.browser.cookie.split('; ').map((line) => {
      const [name = '', ...value] = line.split('=')
      return { name, value: value.join('='), url: lab.hub.httpUrl }
    }),
  )
  await seen.page.goto(`${lab.hub.httpUrl}/sessions/${opened.id}`)
  return seen
}

/** The lab's page in the frame, which has its session. */
async function frameIn(page: Page): Promise<Frame> {
  const frame = await (await page.locator('iframe').elementHandle())?.contentFrame()
  if (frame == null) throw new Error('there is no frame')
  await frame.waitForFunction(() => window.lab !== undefined)
  await frame.evaluate(() => window.lab.then(() => {}))
  return frame
}

test.before(async () => {
  lab = await startTestHub({ webFolder: join(root, 'hub/web/dist') })
  await push(ownPage)
  await lab.node('node-1')
  ada = await newPerson(lab)
  staff = await newPerson(lab, 'instructor')
  browser = await openBrowser()
})
test.after(async () => {
  await browser?.close()
  await lab?.close()
})
test.after.each(async () => {
  await ada.ask('DELETE', `/api/v1/sessions/${opened.id}`)
  await until(async () => (await get(opened.id)).state === 'closed', 'the session is over')
})

test('it moves the bench, hears what is read, knows the time, has the data, and ends the session', async () => {
  await open()
  const { page, context, complaints } = await look(ada)
  const frame = await frameIn(page)
  await frame.getByRole('button', { name: 'Put seven in' }).click()
  await frame.getByText('It holds 7.').waitFor()
  const found = await frame.evaluate(async () => {
    const session = await window.lab
    const before = session.timeLeft ?? 0
    await session.extend(60)
    const { 'box.value': read } = await session.read('box.value')
    return {
      before,
      read: read?.value,
      role: session.role,
      ready: session.ready,
      unit: session.signals['box.value']?.unit,
      language: session.language,
      csv: (await session.files.data('readings')).split('\n')[0],
      everything: JSON.stringify(session),
    }
  })
  assert.ok(found.before > 0 && found.before <= 120, `${found.before} s`)
  assert.equal([found.read, found.role, found.ready, found.unit, found.language], [7, 'owner', true, '1', 'en'])
  assert.match(found.csv ?? '', /box/)
  assert.not.match(found.everything, new RegExp(`Person|${ada.id}`))
  await frame.waitForFunction(async () => ((await window.lab).timeLeft ?? 0) > 121)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    frame.evaluate(async () => (await window.lab).files.download('readings')),
  ])
  assert.match(download.suggestedFilename(), /\.csv$/)
  // The frame goes with the session: nobody waits in it for the answer.
  await frame.evaluate(() => void window.lab.then((session) => session.finish()))
  await page.getByText('What was recorded').waitFor()
  const commands = await fetch(`${lab.hub.httpUrl}/api/v1/runs/${opened.id}/data.csv?stream=commands`, {
    headers: ada.bearer,
  })
  assert.match(await commands.text(), /box\.value/)
  assert.equal(complaints, [])
  await context.close()
})

test('values that come fast go out as the last of them', async () => {
  await open()
  const { page, context } = await look(ada)
  const frame = await frameIn(page)
  await frame.evaluate(async () => {
    const session = await window.lab
    await Promise.all(Array.from({ length: 200 }, (_, i) => session.set('box.value', i)))
  })
  await frame.getByText('It holds 199.').waitFor()
  const refusal = await frame.evaluate(async () =>
    (await window.lab).set('box.other', 1).then(
      () => 'taken',
      ({ name, code }: { name: string; code: string }) => `${name} ${code}`,
    ),
  )
  assert.match(refusal, /^SessionError .*/)
  await context.close()
})

test('nothing in it reaches the account, the page around it, or anybody outside', async () => {
  await open()
  const { page, context } = await look(ada)
  const asked: string[] = []
  page.on('request', (request) => {
    if (request.frame() !== page.mainFrame() && !request.isNavigationRequest()) asked.push(request.url())
  })
  const frame = await frameIn(page)
  const here = page.url()
  const outcome = await frame.evaluate(
    async ({ hub, id }) => {
      const attempt = async (work: () => unknown): Promise<string> => {
        try {
          const got = await work()
          return `got ${typeof got === 'object' && got !== null ? 'an object' : got}`
        } catch (error) {
          return error instanceof Error ? error.name : String(error)
        }
      }
      const socket = () =>
        new Promise((resolve, reject) => {
          const made = new WebSocket(`${hub.replace('http', 'ws')}/api/v1/sessions/${id}/live`)
          made.onopen = resolve
          made.onerror = () => reject(new Error('closed'))
        })
      const image = () =>
        new Promise((resolve, reject) => {
          const made = new Image()
          made.onload = resolve
          made.onerror = () => reject(new Error('refused'))
          made.src = `${hub}/favicon.svg`
        })
      const form = () => {
        const made = document.createElement('form')
        made.action = `${hub}/api/v1/tokens`
        made.method = 'post'
        document.body.append(made)
        made.submit()
      }
      const child = () =>
        new Promise((resolve) => {
          const made = document.createElement('iframe')
          made.onload = () => resolve(undefined)
          made.src = `${hub}/`
          document.body.append(made)
        })
      const results = {
        me: await attempt(() => fetch(`${hub}/api/v1/me`, { credentials: 'include' })),
        opaque: await attempt(() => fetch(`${hub}/api/v1/me`, { mode: 'no-cors', credentials: 'include' })),
        cookie: await attempt(() => document.cookie),
        local: await attempt(() => localStorage.length),
        sessionStorage: await attempt(() => sessionStorage.length),
        database: await attempt(
          () =>
            new Promise((resolve, reject) => {
              const request = indexedDB.open('x')
              request.onsuccess = resolve
              request.onerror = () => reject(request.error)
            }),
        ),
        document: await attempt(() => parent.document),
        frames: await attempt(() => top?.frames[0]?.document === document),
        location: await attempt(() => parent.location.href),
        leave: await attempt(() => {
          if (top !== null) top.location.href = 'https://evil.example/'
        }),
        popup: await attempt(() => String(window.open(`${hub}/account`))),
        socket: await attempt(socket),
        image: await attempt(image),
        worker: await attempt(() => navigator.serviceWorker.register('/fernlab.js')),
        beacon: await attempt(() => navigator.sendBeacon(`${hub}/api/v1/tokens`, '{}')),
        evaluated: await attempt(() => new Function('return 1')()),
      }
      form()
      await child()
      return { results, origin, refused: window.refused }
    },
    { hub: lab.hub.httpUrl, id: opened.id },
  )
  const { results, refused } = outcome
  assert.is(outcome.origin, 'null')
  assert.equal(
    {
      me: results.me,
      opaque: results.opaque,
      cookie: results.cookie,
      local: results.local,
      sessionStorage: results.sessionStorage,
      database: results.database,
      document: results.document,
      location: results.location,
      leave: results.leave,
      popup: results.popup,
      socket: results.socket,
      image: results.image,
      evaluated: results.evaluated,
    },
    {
      me: 'TypeError',
      opaque: 'TypeError',
      cookie: 'SecurityError',
      local: 'SecurityError',
      sessionStorage: 'SecurityError',
      database: 'SecurityError',
      document: 'SecurityError',
      location: 'SecurityError',
      leave: 'SecurityError',
      popup: 'got null',
      socket: 'Error',
      image: 'Error',
      evaluated: 'EvalError',
    },
  )
  assert.match(results.worker, /Error$/)
  for (const rule of ['connect-src', 'img-src', 'frame-src']) assert.ok(refused.includes(rule), `${rule}: ${refused}`)
  assert.is(page.url(), here)
  assert.is(context.pages().length, 1)
  await page.getByText('You have the controls.').waitFor()
  const tokens = (await ada.ask('GET', '/api/v1/tokens')).body as { items: unknown[] }
  assert.is(tokens.items.length, 1, 'no token was made')
  await context.close()
})

test('what it says beside the library is not heard, and what it may not ask for is not done', async () => {
  await open()
  const { page, context } = await look(ada)
  const frame = await frameIn(page)
  const answers = await frame.evaluate(
    async ({ id }) => {
      for (const forged of [
        { jsonrpc: '2.0', id: 1, method: 'chat', params: { text: 'forged' } },
        { id: 1, method: 'set', params: { values: { 'box.value': 3 } } },
        { fernlab: 1, welcome: 'x', session: id },
      ]) {
        parent.postMessage(forged, '*')
      }
      const port = await new Promise<MessagePort>((resolve, reject) => {
        addEventListener('message', ({ ports: [own] }) => (own === undefined ? reject() : resolve(own)), { once: true })
        parent.postMessage({ fernlab: 1, hello: 'mine' }, '*')
      })
      const ask = (at: number, method: string, params: object) =>
        new Promise<string>((resolve) => {
          port.addEventListener('message', ({ data }) => {
            if (data.id === at) resolve(data.error?.code ?? 'done')
          })
          port.start()
          port.postMessage({ id: at, method, params })
        })
      return [
        await ask(1, 'chat', { text: 'forged' }),
        await ask(2, 'control.give', { to: 'somebody' }),
        await ask(3, 'constructor', {}),
        await ask(4, 'data', { stream: 'commands' }),
        await ask(5, 'data', { stream: '../../me?' }),
        await ask(6, 'set', { values: { 'box.value': 3 }, session: 'another' }),
        await ask(7, 'read', { signals: ['box.value'] }),
      ]
    },
    { id: opened.id },
  )
  assert.equal(answers.slice(0, 4), ['method-unknown', 'method-unknown', 'method-unknown', 'not-found'])
  assert.not.equal(answers[4], 'done')
  assert.equal(answers.slice(5), ['call-invalid', 'done'])
  assert.is(await page.getByText('forged').count(), 0)
  await context.close()
})

test('who looks on sees it move, and moves nothing', async () => {
  await open()
  const { page: mine, context: own } = await look(ada)
  const { page, context } = await look(staff)
  const frame = await frameIn(page)
  const refusal = await frame.evaluate(async () => {
    const session = await window.lab
    const why = ({ code, message }: { code: string; message: string }) => `${code}: ${message}`
    return [
      session.role,
      String(session.ready),
      await session.set('box.value', 3).then(() => 'taken', why),
      await session.finish().then(() => 'taken', why),
    ]
  })
  assert.equal(refusal, [
    'observer',
    'false',
    'not-in-control: The controls are not yours now.',
    'forbidden: Only whose session it is may do this.',
  ])
  await (await frameIn(mine)).getByRole('button', { name: 'Put seven in' }).click()
  await frame.getByText('It holds 7.').waitFor()
  await own.close()
  await context.close()
})

test('it can be left by keys and skipped, has a name, and fits a phone by night', async () => {
  await open()
  const { page, context, complaints } = await look(ada)
  const frame = await frameIn(page)
  await page.getByTitle('The bench of Small, as its lab draws it').waitFor()
  await tabTo(page, page.getByRole('link', { name: 'Skip the lab’s own page' }))
  await page.keyboard.press('Tab')
  assert.is(await page.evaluate(() => document.activeElement?.tagName), 'IFRAME')
  await frame.waitForFunction(() => document.activeElement?.id === 'seven')
  await page.keyboard.press('Tab')
  await page.waitForFunction(() => document.activeElement?.tagName === 'BUTTON')
  await tabTo(page, page.getByRole('button', { name: 'Full screen' }))
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Leave full screen' }).click()
  await page.waitForFunction(() => document.fullscreenElement === null)
  assert.equal(await barriersOn(page), [])
  assert.equal(complaints, [])
  await context.close()
  const phone = await look(ada, { phone: true, scheme: 'dark', language: 'es-ES' })
  const small = await frameIn(phone.page)
  const dressed = await small.evaluate(() => [document.documentElement.dataset.theme, document.documentElement.lang])
  assert.equal(dressed, ['dark', 'es'])
  const wide = await phone.page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  assert.ok(wide <= 0, `${wide} px too wide`)
  assert.equal(await barriersOn(phone.page), [])
  await phone.context.close()
})

test('a page that leaves or does not answer is told of, and loading it again or the panel helps', async () => {
  await push(ownPage, 'panel: { widgets: [{ kind: slider, signal: box.value, limits: { low: 0, high: 10 } }] }\n')
  await open()
  const { page, context } = await look(ada)
  await page.clock.install()
  await page.reload()
  const frame = await frameIn(page)
  const elsewhere: string[] = []
  page.on('response', (response) => elsewhere.push(response.url()))
  await frame.evaluate(() => {
    location.href = 'data:text/html,<h1>Sign in again</h1>'
  })
  const silent = page.getByRole('alert').getByText('The lab’s page does not answer')
  for (let seconds = 0; seconds < 60 && !(await silent.isVisible()); seconds += 4) await page.clock.runFor(4_000)
  await silent.waitFor()
  await page.getByRole('button', { name: 'Load it again' }).click()
  await silent.waitFor({ state: 'detached' })
  await frameIn(page)
  await page.getByRole('button', { name: 'Use the panel' }).click()
  await page.getByRole('slider').waitFor()
  await page.getByRole('button', { name: 'Back to the lab’s page' }).click()
  await frameIn(page)
  assert.not.ok(elsewhere.some((url) => url.startsWith('data:')))
  await context.close()
})

test('the example of the guide drives the bench of the guide', async () => {
  const blocks = guides().find(({ path }) => path === 'docs/lab-builders.md')?.blocks ?? []
  const files = blocks.flatMap(({ file, text }) => {
    if (file?.startsWith('divider/') !== true) return []
    const more = file === 'divider/lab.yaml' ? 'session: {}\npage: page/index.html\n' : ''
    return [{ path: file.slice('divider/'.length), text: `${text}${more}` }]
  })
  const example = files.find(({ path }) => path === 'page/index.html')?.text ?? ''
  assert.ok(example.trim().split('\n').length <= 32, 'the example is short')
  const pushed = await lab.call('/api/v1/labs/divider', { method: 'PUT', json: { files } })
  assert.is(pushed.ok, true, await pushed.text())
  const node = await startEdge({
    config: { text: blocks.find(({ file }) => file === 'emulated/node.yaml')?.text ?? '' },
    dataFolder: join(lab.folder, 'nodes', 'desk'),
    drivers: builtInDrivers(),
    openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
    site: 'main',
    credential: await lab.hub.enrollInProcess('desk'),
    link: () => lab.hub.connectInProcess(),
    reconnectMs: 50,
    log: silentLog,
  })
  try {
    const bench = async () =>
      (await (await lab.call('/api/v1/benches/desk.divider')).json()) as { state: string; reason?: string }
    await until(async () => (await bench()).state === 'free', 'the bench of the guide is free', 40_000)
    await open('divider')
    const { page, context, complaints } = await look(ada)
    const frame = page.frameLocator('iframe')
    await frame.getByText(/\d s left/).waitFor()
    await frame.getByRole('slider', { name: 'Supply' }).fill('0.5')
    await frame.getByText(/The meter reads 0\.[45]\d\d V/).waitFor()
    await frame.getByRole('button', { name: 'Give the bench back' }).click()
    await page.getByText('What was recorded').waitFor()
    assert.equal(complaints, [])
    await context.close()
  } finally {
    await node.close()
  }
})

test.run()

/** A lab's own page on the real hub: what it may not do fails. */
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { frameIn, type LabPageStage, labPageStage } from './support/lab-page-stage.ts'

const test = suite('the walls around a lab’s own page', {
  timeoutMs: 120_000,
  hookTimeoutMs: 60_000,
  fileTimeoutMs: 500_000,
})
let stage: LabPageStage

labPageStage(test, (given) => {
  stage = given
})

test('nothing in it reaches the account, the page around it, or anybody outside', async () => {
  const { lab, ada, open, look } = stage
  const session = await open()
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
    { hub: lab.hub.httpUrl, id: session.id },
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
  const { ada, open, look } = stage
  const session = await open()
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
    { id: session.id },
  )
  assert.equal(answers.slice(0, 4), ['method-unknown', 'method-unknown', 'method-unknown', 'not-found'])
  assert.not.equal(answers[4], 'done')
  assert.equal(answers.slice(5), ['call-invalid', 'done'])
  assert.is(await page.getByText('forged').count(), 0)
  await context.close()
})

test.run()

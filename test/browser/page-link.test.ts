import type { PageState } from '@fernlab/shared/contracts/lab-page'
import * as assert from 'uvu/assert'
import { ApiProblem } from '../../hub/web/src/api/client.ts'
import { openPageLink, type PageLinkOptions } from '../../hub/web/src/lab-page/page-link.ts'
import { suite } from '../support/suite.ts'

const test = suite('the link to a lab’s own page')

const state: PageState = {
  session: 'active',
  ready: true,
  role: 'owner',
  secondsLeft: 60,
  signals: {},
  language: 'en',
  theme: 'light',
}
type Reply = { id: number; result?: unknown; error?: { code: string } }

/** A frame that the test holds in its hand. */
function stand(more: Partial<PageLinkOptions> = {}) {
  const mailbox = new EventTarget()
  const ports: MessagePort[] = []
  const frame = {
    postMessage: (_welcome: unknown, _origin: string, [port]: MessagePort[]) => void (port && ports.push(port)),
  }
  const performed: [string, object][] = []
  const answering: boolean[] = []
  const heights: number[] = []
  let atMs = 0
  const link = openPageLink({
    mailbox,
    frame: () => frame as unknown as Window,
    state,
    newest: () => ({}),
    perform: async (method, params) => void performed.push([method, params]),
    why: (error) => (error instanceof ApiProblem ? error.code : 'other'),
    onHeight: (height) => void heights.push(height),
    onAnswering: (is) => void answering.push(is),
    now: () => atMs,
    ...more,
  })
  const say = (data: unknown, source: unknown = frame, origin = 'null') =>
    mailbox.dispatchEvent(Object.assign(new Event('message'), { data, source, origin }))
  const hello = () => say({ fernlab: 1, hello: 'abc' })
  /** Asks on a port and waits for the answer. */
  const ask = (port: MessagePort | undefined, method: string, params: unknown = {}, id = 1) =>
    new Promise<Reply>((resolve) => {
      if (port === undefined) throw new Error('there is no port')
      port.addEventListener('message', ({ data }) => {
        if ((data as Reply).id === id) resolve(data as Reply)
      })
      port.start()
      port.postMessage({ id, method, params })
    })
  const end = () => {
    link.close()
    for (const port of ports) port.close()
  }
  const pass = (ms: number) => {
    atMs += ms
  }
  return { link, frame, ports, performed, answering, heights, say, hello, ask, end, pass }
}

test('only the frame is heard, and only as a sandboxed one', () => {
  const { frame, ports, say, hello, end } = stand()
  const greeting = { fernlab: 1, hello: 'abc' }
  say(greeting, { postMessage: () => {} })
  say(greeting, null)
  say(greeting, frame, 'https://evil.example')
  for (const data of [null, 'hello', {}, { fernlab: 2, hello: 'abc' }, { fernlab: 1 }, { fernlab: 1, hello: {} }])
    say(data)
  assert.is(ports.length, 0)
  hello()
  assert.is(ports.length, 1)
  end()
})

test('what a page may ask for is done; anything else is not', async () => {
  const { ports, performed, hello, ask, end } = stand()
  hello()
  const [port] = ports
  assert.equal(await ask(port, 'set', { values: { 'psu.voltage': 3 } }), { id: 1, result: undefined })
  let id = 2
  for (const method of ['chat', 'control.give', 'control.take', 'toString', '__proto__', '']) {
    assert.is((await ask(port, method, {}, id++)).error?.code, 'method-unknown', method)
  }
  for (const params of [null, 3, 'x', [], 'a'.repeat(20_000), { values: 'a'.repeat(20_000) }]) {
    assert.is((await ask(port, 'set', params, id++)).error?.code, 'call-invalid', String(params).slice(0, 20))
  }
  const ring: Record<string, unknown> = {}
  ring.ring = ring
  assert.is((await ask(port, 'set', ring, id++)).error?.code, 'call-invalid')
  assert.equal(performed, [['set', { values: { 'psu.voltage': 3 } }]])
  end()
})

test('who looks on drives nothing, and who is not the owner ends nothing', async () => {
  const { ports, performed, hello, ask, end } = stand({ state: { ...state, ready: false, role: 'observer' } })
  hello()
  let id = 1
  for (const method of ['set', 'call', 'read']) {
    assert.is((await ask(ports[0], method, {}, id++)).error?.code, 'not-in-control')
  }
  for (const method of ['extend', 'finish']) assert.is((await ask(ports[0], method, {}, id++)).error?.code, 'forbidden')
  assert.equal(performed, [])
  end()
})

test('a partner finishes with the controls, and never has more time', async () => {
  const idle = stand({ state: { ...state, ready: false, role: 'partner' } })
  idle.hello()
  assert.is((await idle.ask(idle.ports[0], 'finish', {}, 1)).error?.code, 'not-in-control')
  idle.end()
  const { ports, performed, hello, ask, end } = stand({ state: { ...state, ready: true, role: 'partner' } })
  hello()
  assert.is((await ask(ports[0], 'extend', { seconds: 5 }, 1)).error?.code, 'forbidden')
  assert.is((await ask(ports[0], 'finish', {}, 2)).error, undefined)
  assert.equal(performed, [['finish', {}]])
  end()
})

test('calls are bounded in number and rate', async () => {
  let done = () => {}
  const held = new Promise<void>((resolve) => {
    done = resolve
  })
  const { ports, hello, ask, pass, end } = stand({ perform: () => held })
  hello()
  const first = Array.from({ length: 8 }, (_, i) => ask(ports[0], 'read', {}, i + 1))
  assert.is((await ask(ports[0], 'read', {}, 9)).error?.code, 'too-many-calls')
  done()
  await Promise.all(first)
  for (let id = 10; id < 27; id++) assert.is((await ask(ports[0], 'read', {}, id)).error, undefined)
  assert.is((await ask(ports[0], 'read', {}, 27)).error?.code, 'too-many-calls')
  pass(1000)
  assert.is((await ask(ports[0], 'read', {}, 28)).error, undefined)
  end()
})

test('a page that is loaded again has the port alone', async () => {
  const { ports, performed, hello, ask, end } = stand()
  hello()
  hello()
  const [old, young] = ports
  old?.postMessage({ id: 1, method: 'set', params: {} })
  await ask(young, 'set', { values: {} })
  assert.is(performed.length, 1)
  end()
})

test('a page that says nothing for long does not answer, until it does', async () => {
  const { link, ports, answering, hello, ask, end } = stand()
  for (let beat = 0; beat < 5; beat++) link.beat()
  assert.equal(answering, [false])
  hello()
  assert.equal(answering, [false, true])
  for (let beat = 0; beat < 3; beat++) link.beat()
  await ask(ports[0], 'finish')
  link.beat()
  assert.equal(answering, [false, true])
  end()
})

test('a flood of hellos and heights is drawn out: five ports a second, and of heights the last', async () => {
  const { ports, heights, hello, end, pass } = stand()
  for (let n = 0; n < 1000; n++) hello()
  assert.is(ports.length, 5)
  pass(1000)
  hello()
  assert.is(ports.length, 6)
  const port = ports.at(-1)
  for (let n = 0; n < 1000; n++) port?.postMessage({ height: 300 + n })
  while (heights.at(-1) !== 1299) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(heights.length <= 10, `${heights.length} were drawn`)
  assert.is(heights[0], 300)
  end()
})

test.run()

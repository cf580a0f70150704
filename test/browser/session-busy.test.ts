import type { Browser, Route } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('a live session on a slow computer, or at a slow hub', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

/** Counts the times that are written to the second, as those of lines are. */
const countTimes = `
  globalThis.timesWritten = 0
  Intl.DateTimeFormat = new Proxy(Intl.DateTimeFormat, {
    construct(format, [language, options]) {
      if (options?.second !== undefined) timesWritten += 1
      return new format(language, options)
    },
  })`

test('a reading draws what it changes, and no line of what was done or said', async () => {
  const session = hub.addSession()
  const { page, context, complaints } = await visit(browser)
  await page.addInitScript({ content: countTimes })
  await page.goto(`${hub.url}/sessions/${session.session.id}`)
  await page.getByText('You have the controls.').waitFor()
  await session.listened()
  const by = { id: 'p2', name: 'Bo Lindqvist' }
  for (let at = 0; at < 40; at++) {
    const command = { what: 'set', values: { [at % 2 === 0 ? 'psu.voltage' : 'fgen.amplitude']: at } } as const
    session.tell('command', { by, command, outcome: 'done', at: new Date(Date.now() + at).toISOString() })
    session.say(by, `line ${at}`)
  }
  await page.getByRole('region', { name: 'Chat' }).getByText('line 39').waitFor()
  await page.getByText('Generator amplitude → 39').waitFor()
  const timesWritten = () => page.evaluate<number>('timesWritten')
  const before = await timesWritten()
  assert.ok(before >= 80, `${before} times were written for 80 lines`)
  for (let at = 1; at <= 20; at++) {
    session.read(1_700_000_000 + at, { 'dmm.voltage': at / 10 })
    await page
      .getByText(at === 10 ? '1.00' : (at / 10).toFixed(2))
      .first()
      .waitFor()
  }
  assert.is(await timesWritten(), before)
  assert.equal(complaints, [])
  await context.close()
})

test('an answer that was under way when the bench was ready does not take the panel away again', async () => {
  const session = hub.addSession({ state: 'preparing' })
  const { page, context, complaints } = await visit(browser)
  const path = `**/api/v1/sessions/${session.session.id}`
  await page.goto(`${hub.url}/sessions/${session.session.id}`)
  await page.getByText('The bench is being made ready for you').first().waitFor()
  const answered = deferred()
  const released = deferred()
  const gone = deferred()
  const hold = async (route: Route) => {
    const response = await route.fetch()
    answered.resolve()
    await released.promise
    await route.fulfill({ response })
    gone.resolve()
  }
  await page.route(path, hold, { times: 1 })
  // The page asks how it stands when its connection is lost.
  session.cut()
  await answered.promise
  session.become({ state: 'active', endsAt: new Date(Date.now() + 600_000).toISOString() })
  const line = page.getByRole('textbox', { name: 'Write a line' })
  await line.fill('half a th')
  released.resolve()
  await gone.promise
  const next = page.waitForResponse(path)
  session.cut()
  await next
  assert.is(await line.inputValue(), 'half a th')
  assert.equal(complaints, [])
  await context.close()
})

function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve: () => resolve() }
}

test.run()

/** A page of a hub that runs experiments by the client for TypeScript, as whoever is signed in and by a token. */
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { adminToken, type TestHub } from '../integration/hub/hub-with-node.ts'
import type { TestPerson } from '../integration/hub/session-people.ts'
import { putSlowLab } from '../support/clients/slow-lab.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'
import { visitAs } from './support/lab-page-stage.ts'
import { pageScript } from './support/page-script.ts'
import { serviceStage } from './support/service-stage.ts'

const test = suite('a client in a page of a hub', { timeoutMs: 120_000, hookTimeoutMs: 90_000 })
let lab: TestHub
let browser: Browser
let ada: TestPerson
let script = ''

const program = `
import { connect } from '@fernlab/client/browser'
globalThis.runs = async (token) => {
  await using lab = connect({ hub: '/', ...(token === undefined ? {} : { token }) })
  const run = await lab.run('slow', 'steps', { points: 60, highest: { value: 3000, unit: 'mV' } })
  const events = []
  const listening = (async () => { for await (const { name } of run.events()) events.push(name) })()
  const names = []
  const rows = []
  let isLive
  for await (const { name, doc } of run.documents()) {
    names.push(name)
    if (name !== 'event_page') continue
    isLive ??= (await run.get()).state === 'running'
    rows.push(...doc.seq_num)
  }
  await listening
  const { state } = await run.wait()
  const { rows: count } = await run.data()
  const wrong = await lab.run('slow', 'steps', { highest: 12 }).catch(({ issues }) => issues.map(({ path }) => path))
  return { names: [...new Set(names)], rows, isLive, last: events.at(-1), state, count, wrong }
}
globalThis.refused = (hub) => {
  try { connect({ hub }) } catch ({ code }) { return code }
}
`

serviceStage(test, (given) => {
  ;({ lab, browser, ada } = given)
})
test.before(async () => {
  await putSlowLab({ http: lab.hub.httpUrl, token: adminToken })
  script = await pageScript(root, program)
})

const expected = {
  names: ['start', 'descriptor', 'event_page', 'stop'],
  rows: Array.from({ length: 60 }, (_, i) => i + 1),
  isLive: true,
  last: 'end',
  state: 'succeeded',
  count: 60,
  wrong: ['parameters.highest'],
}
type Runs = { runs(token?: string): Promise<unknown>; refused(hub: unknown): unknown }

test('it runs an experiment as who is signed in, follows its documents and events, and reads its data', async () => {
  const { page, context, complaints } = await visitAs(browser, lab, ada)
  await page.goto(lab.hub.httpUrl)
  await page.evaluate(script)
  assert.equal(await page.evaluate(() => (globalThis as never as Runs).runs()), expected)
  assert.is(await page.evaluate(() => (globalThis as never as Runs).refused('http://')), 'address-wrong')
  assert.equal(complaints, [])
  await context.close()
})

test('the same by a token, where nobody is signed in', async () => {
  const { page, context } = await visitAs(browser, lab, ada)
  await page.goto(lab.hub.httpUrl)
  await context.clearCookies()
  await page.evaluate(script)
  assert.equal(await page.evaluate((token) => (globalThis as never as Runs).runs(token), adminToken), expected)
  await context.close()
})

test.run()

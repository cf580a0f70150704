/** A lab's own page on the real hub: how it is reached, named, fitted, and missed. */
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { startEdge } from '@fernlab/edge/main'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { until } from '../integration/hub/hub-with-node.ts'
import { guides } from '../support/doc-blocks.ts'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { tabTo } from './support/browser.ts'
import { frameIn, type LabPageStage, labPageStage, ownPage } from './support/lab-page-stage.ts'

const test = suite('how a lab’s own page is shown', {
  timeoutMs: 120_000,
  hookTimeoutMs: 60_000,
  fileTimeoutMs: 500_000,
})
let stage: LabPageStage

labPageStage(test, (given) => {
  stage = given
})

test('it can be left by keys and skipped, has a name, and fits a phone by night', async () => {
  const { ada, open, look } = stage
  await open()
  const { page, context, complaints } = await look(ada)
  const frame = await frameIn(page)
  await page.getByTitle('The bench of Small, as its lab draws it').waitFor()
  await tabTo(page, page.getByRole('link', { name: 'Skip the lab’s own page' }))
  await page.keyboard.press('Tab')
  await page.waitForFunction(() => document.activeElement?.tagName === 'IFRAME')
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
  const { ada, push, open, look } = stage
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
  const { lab, ada, open, look } = stage
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

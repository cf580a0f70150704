import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('lists of runs, and running again', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const ofNils = { person: { id: 'p9', name: 'Nils Holm' }, note: 'group B' }

for (const phone of [false, true]) {
  test(`staff look at everybody’s runs, with their names, ${phone ? 'on a phone' : 'on a desk'}`, async () => {
    hub.role = 'instructor'
    hub.addRun(ofNils)
    const { page, context, complaints } = await visit(browser, { phone })
    await page.goto(`${hub.url}/runs`)
    await page.getByRole('heading', { name: 'No runs yet' }).waitFor()
    await page.getByLabel('Whose runs').selectOption('all')
    await page.waitForURL(/whose=all/)
    await page.getByRole('heading', { name: 'Everybody’s runs' }).waitFor()
    const row = page.getByRole('listitem').filter({ hasText: 'Nils Holm' })
    await row.getByText('group B').waitFor()
    await page.reload()
    await row.getByText('Nils Holm').waitFor()
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
    assert.equal(complaints, [])
    await context.close()
  })
}

test('a student has their own runs only, whatever the address asks for', async () => {
  hub.role = 'student'
  hub.addRun(ofNils)
  hub.addRun()
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/runs?whose=all`)
  await page.getByRole('heading', { name: 'My runs' }).waitFor()
  await page.getByRole('link', { name: 'RC circuit: Charge curve' }).waitFor()
  assert.is(await page.getByText('Nils Holm').count(), 0)
  assert.is(await page.getByLabel('Whose runs').count(), 0)
  await context.close()
})

test('running again keeps the bench that was asked for, unless it is let go', async () => {
  const done = { state: 'succeeded', wantedBench: 'demo.rc-1' } as const
  const run = hub.addRun(done)
  const { page, context } = await visit(browser)
  for (const [lets, sent] of [
    [false, 'demo.rc-1'],
    [true, undefined],
  ] as const) {
    await page.goto(`${hub.url}/runs/${run.run.id}`)
    await page.getByRole('link', { name: 'Run again with changes' }).click()
    const same = page.getByRole('checkbox', { name: 'Only on RC bench 1, as before' })
    await same.waitFor()
    assert.ok(await same.isChecked())
    if (lets) await same.uncheck()
    const asked = page.waitForRequest(
      (request) => request.method() === 'POST' && request.url().endsWith('/api/v1/runs'),
    )
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    assert.is(((await asked).postDataJSON() as { bench?: string }).bench, sent)
  }
  await context.close()
})

test('running again on a phone leads to the filled form, which says whose values it has', async () => {
  const run = hub.addRun({ state: 'succeeded', parameters: { voltage: 3.25, duration: 5, rate: 10 } })
  const { page, context } = await visit(browser, { phone: true })
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByRole('link', { name: 'Run again with changes' }).click()
  const line = page.getByText(/^With the values of your run: /)
  await line.waitFor()
  await page.getByRole('heading', { name: 'RC circuit' }).first().waitFor()
  await page.waitForLoadState('networkidle')
  const box = await line.boundingBox()
  assert.ok(box !== null && box.y > 0 && box.y < 600, `the line stands at ${box?.y}`)
  await context.close()
})

for (const width of [1200, 1280]) {
  test(`beside the form the earlier runs do not overlap, ${width} px wide`, async () => {
    hub.addRun({
      state: 'succeeded',
      protocolTitle: 'Electroluminescence of the junction',
      outputTitles: { time_constant: 'Time constant of the circuit' },
      outputs: { time_constant: { value: 1.0023, unit: 's', uncertainty: 0.0041 } },
    })
    const { page, context } = await visit(browser)
    await page.setViewportSize({ width, height: 900 })
    await page.goto(`${hub.url}/labs/rc-circuit`)
    const row = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: /^Electroluminescence/ }) })
    await row.getByText(/1\.002/).waitFor()
    // Both at one moment: what comes above moves them.
    const [title, result] = await row.evaluate((element) => {
      const link = element.querySelector('a')
      const output = [...element.querySelectorAll('*')].findLast((one) => one.textContent.includes('1.002'))
      return [link, output].map((one) => (one ?? document.body).getBoundingClientRect().toJSON() as DOMRect)
    })
    assert.ok(title !== undefined && result !== undefined)
    assert.ok(
      title.bottom <= result.top || title.right <= result.left,
      `${JSON.stringify(title)} overlaps ${JSON.stringify(result)}`,
    )
    await context.close()
  })
}

test('an address that can be none of a run or a lab has no page', async () => {
  const { page, context } = await visit(browser)
  await page.route(/api\/v1\/(runs|labs)\/No-Such/, (route) =>
    route.fulfill({ status: 400, json: { status: 400, code: 'request-invalid', hint: 'Correct what is listed.' } }),
  )
  for (const path of ['runs', 'labs']) {
    await page.goto(`${hub.url}/${path}/No-Such`)
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  }
  await context.close()
})

test('outputs go by their titles, in the list and where one is missing', async () => {
  const outputTitles = { saturation_current: 'Saturation current', n: 'Ideality factor' }
  hub.addRun({ state: 'succeeded', outputTitles, outputs: { n: { value: 1.9, unit: '1' } } })
  const partial = hub.addRun({ state: 'partial', outputTitles, reason: 'no value for saturation_current, n, spare' })
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/runs`)
  await page.getByText(/^Ideality factor = 1\.9/).waitFor()
  await page.goto(`${hub.url}/runs/${partial.run.id}`)
  await page.getByText(/No value for Saturation current, Ideality factor, spare\./).waitFor()
  await context.close()
})

test.run()

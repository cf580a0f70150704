/// <reference lib="dom" />
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('the page of services', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('services stand by their state, with who has them, and their address is copied', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/`)
  await page.getByRole('navigation').getByRole('link', { name: 'Services' }).click()
  const names = page.getByRole('main').getByRole('heading', { level: 2 })
  await comes(() => names.allInnerTexts(), ['fit', 'diode-1.psu', 'diode-1.psu', 'rc-1.dmm', 'rc-1.psu'])
  const row = (text: string) => page.getByRole('listitem').filter({ hasText: text }).first()
  assert.match(
    (await row('fit').textContent()) ?? '',
    /^fit.*unhealthy.*fit-server on demo.*it does not answer\. You took it /,
  )
  assert.match(
    (await row('simulated/supply on demo').textContent()) ?? '',
    /^diode-1\.psu.*locked.*Bo Lindqvist took it .*“a sweep over night”/,
  )
  assert.match((await row('physics-2').textContent()) ?? '', /^diode-1\.psu.*gone.*Last heard of/)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await row('simulated/multimeter').getByRole('button', { name: 'Copy' }).click()
  await comes(() => page.evaluate(() => navigator.clipboard.readText()), 'fernlab://main/demo/rc-1.dmm')
  assert.equal(complaints, [])
  await context.close()
})

test('they are found by words, state and tag, which the address keeps', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/services`)
  const names = page.getByRole('main').getByRole('heading', { level: 2 })
  await page.getByRole('button', { name: 'dc', exact: true }).first().click()
  await comes(() => names.allInnerTexts(), ['diode-1.psu', 'rc-1.psu'])
  await page.getByLabel('State of the service').selectOption('gone')
  await comes(() => names.allInnerTexts(), ['diode-1.psu'])
  await page.waitForURL('**/services?tag=dc&state=gone')
  await page.getByLabel('Find a service, a node or a tag').fill('nothing such')
  await page.getByText('0 of 5 services').waitFor()
  await page.getByRole('button', { name: 'Show all' }).click()
  await page.getByText('5 of 5 services').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('one service says what it can do, and how a program uses it, where nobody answers', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/services`)
  await page.getByRole('link', { name: 'rc-1.psu' }).click()
  await page.getByRole('heading', { level: 1, name: 'rc-1.psu' }).waitFor()
  await page.getByText('ramp(to: number (V), seconds: number (s)) → boolean').waitFor()
  const signal = page.getByRole('region', { name: 'Signals' }).getByRole('listitem', { name: 'Voltage' })
  await signal.getByText('0 to 5').waitFor()
  await page.getByText('It is not reached now; the page goes on trying.').waitFor()
  await page.getByText('It can be set and called again once it is reached.').waitFor()
  assert.is(await page.getByRole('button', { name: /^Take/ }).count(), 0)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: 'Copy: Python' }).click()
  const copied = 'import fernlab\n\nservice = fernlab.Proxy("fernlab://main/demo/rc-1.psu")\nprint(service.voltage)'
  await comes(() => page.evaluate(() => navigator.clipboard.readText()), copied)
  assert.equal(complaints, [])
  await context.close()
})

test('what is set is in sight when the page of a service is opened, and its name ends no line', async () => {
  for (const { phone, width, height } of [
    { phone: false, width: 1280, height: 720 },
    // Less the bar at the bottom.
    { phone: true, width: 390, height: 788 },
  ]) {
    const { page, context } = await visit(browser, { phone })
    await page.setViewportSize({ width, height })
    await page.goto(`${hub.url}/services/demo/rc-1.psu`)
    await page.getByText('It is not reached now; the page goes on trying.').waitFor()
    const field = await page.getByRole('textbox', { name: 'New value' }).first().boundingBox()
    assert.ok(field !== null && field.y + field.height < height, JSON.stringify(field))
    const code = page.getByRole('region', { name: 'TypeScript' })
    assert.is(
      await code.evaluate((element) => getComputedStyle(element.firstElementChild ?? element).whiteSpace),
      'pre',
    )
    assert.is(await code.evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth), phone)
    await page.getByRole('button', { name: 'Copy: Address' }).waitFor()
    await page.getByRole('term').filter({ hasText: 'Address' }).waitFor()
    const name = page.getByRole('definition').getByText('rc-1.psu', { exact: true })
    assert.is(await name.evaluate((element) => element.getClientRects().length), 1)
    assert.is(await page.getByText('has no log of its own').count(), 0)
    await context.close()
  }
})

test('of one that is gone no axes stand empty, and why is said once', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/services/physics-2/diode-1.psu`)
  await page.getByText('The page goes on by itself once physics-2 is back.').waitFor()
  await comes(() => page.getByRole('heading', { name: /^The last minute/ }).count(), 0)
  assert.is(await page.getByText('It is not read').count(), 0)
  await context.close()
})

test('a lab says how many of its benches stand how, and that one is free once', async () => {
  const { page, context } = await visit(browser)
  await page.route('**/api/v1/labs?*', async (route) => {
    const answer = await route.fetch()
    const { items } = (await answer.json()) as { items: { id: string; benches: object[] }[] }
    const many = items.map((lab) => ({
      ...lab,
      benches: lab.benches.flatMap((bench, at) => [bench, { ...bench, id: `more-${at}` }]),
    }))
    await route.fulfill({ response: answer, json: { items: many } })
  })
  await page.goto(`${hub.url}/labs`)
  const card = (title: string) => page.getByRole('main').getByRole('listitem').filter({ hasText: title }).first()
  await card('RC circuit').getByText('free × 2').waitFor()
  assert.is(await card('RC circuit').getByText('free now').count(), 0)
  await card('membrane').getByText('about 6 min').waitFor()
  await context.close()
})

test('where there are none yet, the page says what will stand there', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.route('**/api/v1/directory?*', (route) => route.fulfill({ json: { items: [] } }))
  await page.goto(`${hub.url}/services`)
  await page.getByText('No services yet').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test.run()

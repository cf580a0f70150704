import { AxeBuilder } from '@axe-core/playwright'
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('usage on the page', { timeoutMs: 60_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('an instructor sees who of a course did what, when, on which bench, and what is alike', async () => {
  hub.role = 'instructor'
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/usage?course=optics`)
  await page.getByText('2 of 3 people used a lab in these days.').waitFor()
  await page.getByRole('row', { name: /^Ana Ruiz 7 3 h 30 min/ }).waitFor()
  await page.getByRole('row', { name: /^Chen Wei 0 none not in these days/ }).waitFor()
  await page.getByRole('region', { name: 'When in the week' }).getByRole('row', { name: /^Mon/ }).waitFor()
  const bar = page.getByRole('list', { name: 'demo.rc-1' }).getByRole('link', { name: /^Ana Ruiz, / })
  assert.is(await bar.getAttribute('href'), '/runs/u1')
  await page.getByText('voltage = 3.37, rate = 12').waitFor()
  await page.getByText(/A reason to ask, and no proof/).waitFor()
  await page.getByRole('button', { name: 'The day before' }).click()
  await page.getByText('Nobody was on a bench on this day.').waitFor()
  const csv = page.getByRole('link', { name: 'Who did what, as CSV' })
  assert.match(
    (await csv.getAttribute('href')) ?? '',
    /^\/api\/v1\/usage\/courses\/optics\/people\.csv\?from=.*timeZone=/,
  )
  await page.getByLabel('Period').selectOption('own')
  await page.getByLabel('From').fill('2026-03-01')
  await page.getByLabel('Until, included').fill('2026-03-31')
  await page.waitForURL(/until=2026-03-31/)
  assert.equal([...complaints], [])
  await context.close()
})

test('an admin sees the site: shares of open time, waiting and countries; nothing is said as such', async () => {
  hub.role = 'admin'
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('link', { name: 'Usage' }).click()
  await page.getByText('50%: 8 h 20 min of 16 h 40 min').waitFor()
  await page.getByText('closed all the time').waitFor()
  await page.getByText('30 uses, people: 12').waitFor()
  await page.getByText('Spain').waitFor()
  await page.getByLabel('Of', { exact: true }).selectOption('optics')
  await page.getByText('2 of 3 people used a lab in these days.').waitFor()
  hub.empty = true
  await page.goto(`${hub.url}/usage?days=7`)
  await page.getByText('Nothing was used in these days').waitFor()
  hub.empty = false
  assert.equal([...complaints], [])
  await context.close()
})

test('both are free of barriers, on a phone and in the dark too; a student sees neither', async () => {
  for (const path of ['/usage', '/usage?course=optics']) {
    for (const options of [{}, { phone: true, scheme: 'dark' as const }]) {
      hub.role = 'admin'
      const { page, context } = await visit(browser, options)
      await page.goto(`${hub.url}${path}`)
      await page.getByRole('heading', { name: 'When in the week' }).waitFor()
      const { violations } = await new AxeBuilder({ page }).analyze()
      assert.equal(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
        [],
        path,
      )
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      assert.ok(width <= (page.viewportSize()?.width ?? 0), `${path} is ${width} wide`)
      await context.close()
    }
  }
  hub.role = 'student'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/usage`)
  await page.getByText('This page is for staff.').waitFor()
  await context.close()
})

test.run()

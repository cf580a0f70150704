import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { comes, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('usage on the page', { timeoutMs: 120_000 })
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
  const monday = page.getByRole('region', { name: 'When in the week' }).getByRole('row', { name: /^Mon/ })
  await monday.waitFor()
  const byNumbers = page.getByRole('button', { name: 'Numbers: When in the week' })
  await byNumbers.focus()
  await page.keyboard.press('Enter')
  await page.getByText('Minutes', { exact: true }).waitFor()
  // 9 to 12 o'clock: without colour, and as a screen reader has it.
  assert.equal((await monday.locator('td > span[aria-hidden]').allTextContents()).slice(8, 13), [
    '–',
    '5',
    '30',
    '–',
    '25',
  ])
  assert.is(await monday.locator('td[data-shade]').count(), 0)
  await page.keyboard.press('Enter')
  await comes(() => monday.locator('td[data-shade]').count(), 24)
  const bar = page.getByRole('list', { name: 'demo.rc-1' }).getByRole('link', { name: /^Ana Ruiz, / })
  assert.is(await bar.getAttribute('href'), `/runs/01u${'2'.padStart(23, '0')}`)
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

test('an instructor finds who has not done a lab yet, in the order of time, and takes their addresses', async () => {
  hub.role = 'instructor'
  const { page, context, complaints } = await visit(browser)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto(`${hub.url}/usage?course=optics`)
  const names = page.getByRole('region', { name: 'Who did what' }).getByRole('rowheader')
  await names.first().waitFor()
  await page.getByRole('button', { name: 'Time on benches' }).press('Enter')
  await page.getByRole('columnheader', { name: 'Time on benches' }).waitFor()
  await page.waitForURL(/sort=-time/)
  await page.getByRole('button', { name: 'Time on benches' }).press('Enter')
  await page.waitForURL(/sort=time/)
  const byTime = page.getByRole('columnheader', { name: 'Time on benches' })
  await byTime.and(page.locator('[aria-sort=ascending]')).waitFor()
  assert.equal(await names.allTextContents(), ['Chen Wei', 'Bo Lindqvist', 'Ana Ruiz'])
  await page.getByRole('combobox', { name: 'Lab' }).selectOption('rc-circuit')
  await page.getByRole('combobox', { name: 'Who' }).selectOption('open')
  await page.getByText('2 of 3 people', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Copy 2 mail addresses' }).click()
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  assert.is(await page.evaluate(() => navigator.clipboard.readText()), 'chen@school.example, bo@school.example')
  await page.reload()
  await page.getByText('2 of 3 people', { exact: true }).waitFor()
  await page.getByLabel('Search by name or mail').fill('nobody')
  await page.getByText('0 of 3 people', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Show all' }).click()
  await page.getByText('3 of 3 people', { exact: true }).waitFor()
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
  await page.getByText('The site’s network').waitFor()
  await page.getByText(/^Looked up when each was asked for, in DBIP-Country-Lite of /).waitFor()
  await page.getByLabel('Of', { exact: true }).selectOption('optics')
  await page.getByText('2 of 3 people used a lab in these days.').waitFor()
  hub.empty = true
  await page.goto(`${hub.url}/usage?days=7`)
  await page.getByText('Nothing was used in these days').waitFor()
  hub.empty = false
  assert.equal([...complaints], [])
  await context.close()
})

test('every use is listed, narrowed by what is clicked and chosen, page by page, and as a table', async () => {
  hub.role = 'admin'
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/usage?course=optics`)
  await page.getByRole('link', { name: 'Bo Lindqvist' }).first().click()
  await page.waitForURL(/\/usage\/uses\?course=optics&from=[\d-]+&until=[\d-]+&person=p2$/)
  await page.getByText('Uses of Bo Lindqvist.').waitFor()
  const uses = page.getByRole('main').getByRole('listitem')
  assert.is(await uses.count(), 30)
  await page.getByRole('button', { name: 'Show all' }).click()
  await page.getByRole('button', { name: 'Show more' }).click()
  await page.waitForFunction(() => document.querySelectorAll('main li').length === 61)
  await page.getByRole('combobox', { name: 'Bench' }).selectOption('demo.rc-1')
  await page.getByLabel('Until, included').fill('2026-03-31')
  await page.getByRole('button', { name: 'Show these' }).click()
  await page.waitForURL(/bench=demo\.rc-1/)
  await page.waitForFunction(() => document.querySelectorAll('main li').length === 20)
  assert.match(
    (await page.getByRole('link', { name: 'CSV' }).getAttribute('href')) ?? '',
    /^\/api\/v1\/usage\/uses\.csv\?bench=demo\.rc-1&to=2026-0[34]-/,
  )
  await page.getByRole('link', { name: 'Overview' }).click()
  await page.getByRole('link', { name: 'Spain' }).click()
  await page.waitForURL(/country=ES/)
  assert.is(await page.getByRole('combobox', { name: 'Country' }).inputValue(), 'ES')
  hub.empty = true
  await page.goto(`${hub.url}/usage/uses?lab=membrane`)
  await page.getByText('No use fits').waitFor()
  hub.empty = false
  assert.equal([...complaints], [])
  await context.close()
})

test('a use tells who, what, where, when, from where, how long, its commands with answers, and its files', async () => {
  hub.role = 'instructor'
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/usage/uses`)
  await page.getByRole('main').getByRole('listitem').first().getByRole('link').first().click()
  await page.waitForURL(/\/usage\/uses\/01u0{22}1$/)
  await page.getByRole('heading', { name: /^Ana Ruiz: / }).waitFor()
  const fact = async (name: string) =>
    await page
      .locator('dl > div')
      .filter({ has: page.getByText(name, { exact: true }) })
      .locator('dd')
      .first()
      .textContent()
  assert.equal(
    [await fact('Bench'), await fact('From where'), await fact('Waited'), await fact('Lasted')],
    ['demo.iv-1', 'Sweden', '2 min', '30 min'],
  )
  await page.getByRole('row', { name: /Ana Ruiz set supply\.voltage 5 done$/ }).waitFor()
  await page
    .getByRole('row', { name: /Bo Lindqvist set supply\.voltage 50 50 V is above the limit of 12 V$/ })
    .waitFor()
  await page.getByRole('row', { name: /Ana Ruiz data\.csv$/ }).waitFor()
  assert.is(
    await page.getByRole('link', { name: 'Commands, as CSV' }).getAttribute('href'),
    '/api/v1/usage/uses/01u00000000000000000000001/commands.csv',
  )
  assert.is(
    await page.getByRole('link', { name: 'Open the run' }).getAttribute('href'),
    '/runs/01u00000000000000000000001',
  )
  await page.goto(`${hub.url}/usage/uses/01u${'2'.padStart(23, '0')}`)
  await page.getByText('1.002 ± 0.004 s').waitFor()
  await page.getByText('1200 rows').waitFor()
  await page.getByText('Nobody took results as a file.').waitFor()
  assert.equal([...complaints], [])
  await page.goto(`${hub.url}/usage/uses/${'0'.repeat(26)}`)
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  await context.close()
})

test('what staff drove by hand is listed and opened, and its bench and the timeline lead to it', async () => {
  hub.role = 'admin'
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/usage`)
  await page.getByText('16%: 2 h 40 min of 16 h 40 min, 60 min of that by hand').waitFor()
  await page.getByRole('link', { name: 'Driven by hand' }).click()
  const uses = page.getByRole('main').getByRole('listitem')
  await uses.filter({ hasText: 'Bo Lindqvist' }).getByText('under way').waitFor()
  await page.getByRole('combobox', { name: 'Bench' }).selectOption('demo.rc-1')
  await page.getByRole('button', { name: 'Show these' }).click()
  await page.waitForURL(/bench=demo\.rc-1/)
  await page.waitForFunction(() => document.querySelectorAll('main li').length === 1)
  assert.match(
    (await page.getByRole('link', { name: 'CSV' }).getAttribute('href')) ?? '',
    /^\/api\/v1\/usage\/direct\.csv\?bench=demo\.rc-1/,
  )
  await uses.first().getByRole('link').first().click()
  await page.waitForURL(/\/usage\/direct\/01u0{20}101$/)
  await page.getByRole('heading', { name: 'Chen Wei: demo.rc-1' }).waitFor()
  await page.getByText('ran out: nobody renewed it').waitFor()
  await page
    .getByRole('row', {
      name: /psu\.voltage = 5 psu\.output = on read dmm\.voltage dmm\.voltage = 4\.998 V page or API 192\.0\.2\.7 12 ms$/,
    })
    .waitFor()
  await page
    .getByRole('row', { name: /psu\.voltage = 50 50 V is above the limit of 12 V MQTT 192\.0\.2\.8 3 ms$/ })
    .waitFor()
  await page.getByRole('link', { name: 'Open the bench' }).click()
  await page.getByRole('link', { name: 'Who drove it by hand' }).click()
  await page.waitForURL(/\/usage\/direct\?bench=demo\.rc-1$/)
  await page.goto(`${hub.url}/usage?course=optics`)
  const bar = page.getByRole('list', { name: 'demo.rc-1' }).getByRole('link', { name: /^Chen Wei, driven by hand, / })
  assert.is(await bar.getAttribute('href'), '/usage/direct/01u00000000000000000000101')
  await page.getByRole('img', { name: /^The staff, driven by hand, / }).waitFor()
  hub.empty = true
  await page.goto(`${hub.url}/usage/direct`)
  await page.getByText('No use fits').waitFor()
  hub.empty = false
  assert.equal([...complaints], [])
  await page.goto(`${hub.url}/usage/direct/${'0'.repeat(26)}`)
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  await context.close()
})

test('a course, its people and a bench lead to their uses', async () => {
  hub.role = 'admin'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/people/groups/optics`)
  await page.getByRole('main').getByRole('link', { name: 'Usage', exact: true }).click()
  await page.waitForURL(/\/usage\?course=optics$/)
  await page.goto(`${hub.url}/benches/demo.rc-1`)
  await page.getByRole('link', { name: 'Who used it' }).click()
  await page.waitForURL(/\/usage\/uses\?bench=demo\.rc-1$/)
  await page.goto(`${hub.url}/people`)
  await page
    .getByRole('link', { name: /^Usage: / })
    .first()
    .click()
  await page.waitForURL(/\/usage\/uses\?person=/)
  await context.close()
})

const desk = {}
const phone = { phone: true, scheme: 'dark' as const }
for (const [path, heading, kinds] of [
  ['/usage', 'When in the week', [desk, phone]],
  ['/usage?course=optics', 'When in the week', [desk, phone]],
  ['/usage/uses', 'Single uses', [phone]],
  ['/usage/uses/01u00000000000000000000001', 'Commands', [phone]],
  ['/usage/direct', 'Driven by hand', [phone]],
  ['/usage/direct/01u00000000000000000000101', 'Exchanges', [phone]],
] as const) {
  test(`${path} is free of barriers, on a phone and in the dark too`, async () => {
    for (const options of kinds) {
      hub.role = 'admin'
      const { page, context } = await visit(browser, options)
      await page.goto(`${hub.url}${path}`)
      await page.getByRole('heading', { name: heading }).waitFor()
      assert.equal(await barriersOn(page), [])
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      assert.ok(width <= (page.viewportSize()?.width ?? 0), `it is ${width} wide`)
      await context.close()
    }
  })
}

test('a student sees none of it', async () => {
  hub.role = 'student'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/usage`)
  await page.getByText('This page is for staff.').waitFor()
  await context.close()
})

test.run()

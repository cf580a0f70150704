import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { changeLines } from '../../hub/web/src/audit/change-lines.ts'
import { suite } from '../support/suite.ts'
import { comes, tabTo, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { auditEntries } from './support/fake-staff.ts'
import { stage } from './support/stage.ts'

const test = suite('the audit log on the page', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const entries = (page: Page) => page.locator('main li')
/** Waits until so many entries are listed. */
const listed = (page: Page, count: number) =>
  page.waitForFunction((wanted) => document.querySelectorAll('main li').length === wanted, count)

test('settings lead to who changed what, with what was before', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/settings`)
  await page.getByRole('link', { name: 'Open the audit log' }).click()
  await listed(page, 50)
  const [retention, role, sweep] = await entries(page).allInnerTexts()
  assert.match(retention ?? '', /Ana Ruiz\s+settings\.retention\s+runs\s+dataDays: 365 → 90$/)
  assert.match(
    role ?? '',
    /Ana Ruiz\s+from 192\.0\.2\.7\s+person\.role\s+Chiamaka Okonkwo-Featherstonehaugh\s+guest → student$/,
  )
  assert.match(sweep ?? '', /the hub\s+retention\.sweep\s+runs\s+samples: 12\s+runs: 3$/)
  await page.getByRole('button', { name: 'Show more' }).click()
  await listed(page, auditEntries.length)
  await comes(() => page.getByRole('button', { name: 'Show more' }).count(), 0)
  assert.equal(complaints, [])
  await context.close()
})

test('on a phone the entries come first, and the filters unfold', async () => {
  const { page, context, complaints } = await visit(browser, { phone: true })
  await page.goto(`${hub.url}/audit`)
  await listed(page, 50)
  const what = page.getByLabel('What', { exact: true })
  assert.not.ok(await what.isVisible())
  await page.getByRole('button', { name: 'Filters', expanded: false }).click()
  await what.fill('settings')
  await page.getByRole('button', { name: 'Find' }).click()
  await listed(page, 1)
  await page.getByRole('button', { name: 'Filters: 1', expanded: false }).click()
  await comes(() => what.inputValue(), 'settings')
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await listed(page, 50)
  assert.equal(complaints, [])
  await context.close()
})

test('entries are found by action, person and time, and the file has the same', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/audit`)
  await listed(page, 50)
  await tabTo(page, page.getByLabel('What', { exact: true }))
  await page.keyboard.type('settings')
  await page.keyboard.press('Enter')
  await listed(page, 1)
  const file = page.getByRole('link', { name: 'Download as CSV' })
  await comes(() => file.getAttribute('href'), '/api/v1/audit.csv?action=settings')
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await listed(page, 50)
  await page.getByRole('link', { name: 'Ana Ruiz' }).first().click()
  await listed(page, 2)
  await comes(() => page.getByLabel('Who', { exact: true }).inputValue(), 'p1')
  await page.getByLabel('Before').fill('2020-01-01T10:00')
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByText('No entries').waitFor()
  assert.is(await file.getAttribute('href'), '/api/v1/audit.csv?person=p1&to=2020-01-01T09%3A00%3A00.000Z')
  await page.reload()
  await page.getByText('No entries').waitFor()
  assert.is(await page.getByLabel('Before').inputValue(), '2020-01-01T10:00')
  assert.equal(complaints, [])
  await context.close()
})

test('nobody but an admin reads it', async () => {
  const { page, context } = await visit(browser)
  hub.role = 'instructor'
  await page.goto(`${hub.url}/audit`)
  await page.getByRole('alert').waitFor()
  assert.is(await page.getByRole('link', { name: 'Download as CSV' }).count(), 0)
  await context.close()
})

test('a change is told in two parts, of objects only what differs, and beside it what else is said', () => {
  const lines = (detail: Record<string, unknown>) => changeLines({ detail }, 'nothing')
  assert.equal(lines({ is: 'a' }), [{ before: 'nothing', after: 'a' }])
  assert.equal(lines({ from: 1, to: null, lab: 'rc' }), [
    { before: '1', after: 'nothing' },
    { name: 'lab', said: 'rc' },
  ])
  assert.equal(lines({ was: { a: 1, b: [2] }, is: { a: 1, b: [3], c: true } }), [
    { name: 'b', before: '[2]', after: '[3]' },
    { name: 'c', before: 'nothing', after: 'true' },
  ])
  assert.equal(lines({ from: 'here' }), [{ name: 'from', said: 'here' }])
  assert.equal(lines({}), [])
})

test.run()

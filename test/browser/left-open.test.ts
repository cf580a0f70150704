import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('a page that is left open', { timeoutMs: 120_000 })

let browser: Browser
let hub: FakeHub
stage(test, (given) => {
  ;({ browser, hub } = given)
})

/** What the browser says of a tab that somebody comes back to. */
const comeBack = (page: Page) => page.evaluate(() => window.dispatchEvent(new Event('visibilitychange')))

test('whose sign-in has ended is told so where they are, and goes on after another', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  const step = page.getByLabel(/^Step/).first()
  await step.fill('3')
  hub.isSignedIn = false
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  const notice = page.getByRole('status').filter({ hasText: 'Your sign-in has ended.' })
  await notice.waitFor()
  assert.is(await step.inputValue(), '3')
  assert.is(await page.getByRole('link', { name: 'My runs' }).count(), 1)
  assert.is(await notice.getByRole('link').getAttribute('href'), '/sign-in?next=%2Flabs%2Frc-circuit')

  // As in another tab.
  hub.isSignedIn = true
  await comeBack(page)
  await notice.waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL('**/runs/*')
  assert.is([...hub.runs.values()].at(-1)?.run.parameters.voltage, 3)
  assert.equal(complaints, [])
  await context.close()
})

test('whose sign-in has ended signs in on the way to another page, and arrives there', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/runs`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  hub.isSignedIn = false
  await comeBack(page)
  await page.getByText('Your sign-in has ended.').waitFor()
  await page.getByRole('link', { name: 'Calendar' }).click()
  await page.waitForURL('**/sign-in?next=%2Fcalendar')
  await page.getByLabel('Mail address').fill('ana@school.example')
  await page.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/calendar')
  await page.getByRole('heading', { name: 'Calendar', level: 1 }).waitFor()
  assert.is(await page.getByText('Your sign-in has ended.').count(), 0)
  await context.close()
})

test('a sign-in that was renewed in another window holds in this one, without a look at it', async () => {
  const { page, context } = await visit(browser)
  await page.clock.install()
  await page.goto(`${hub.url}/runs`)
  const notice = page.getByText('Your sign-in has ended.')
  await page.getByRole('link', { name: 'Account' }).waitFor()
  hub.isSignedIn = false
  await comeBack(page)
  await notice.waitFor()
  hub.isSignedIn = true
  await page.getByRole('link', { name: 'Calendar' }).click()
  await page.getByRole('heading', { name: 'Calendar', level: 1 }).waitFor()
  await notice.waitFor({ state: 'hidden' })

  await page.getByRole('link', { name: 'My runs' }).click()
  await page.getByRole('heading', { name: 'My runs', level: 1 }).waitFor()
  hub.isSignedIn = false
  await comeBack(page)
  await notice.waitFor()
  hub.isSignedIn = true
  await page.clock.runFor(10_000)
  await notice.waitFor({ state: 'hidden' })
  await context.close()
})

test('what the hub tells strangers too is not taken for a sign-in', async () => {
  const { page, context } = await visit(browser)
  await page.clock.install()
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('link', { name: 'Account' }).waitFor()
  hub.isSignedIn = false
  await comeBack(page)
  await page.getByText('Your sign-in has ended.').waitFor()
  let asked = 0
  page.on('request', (request) => {
    if (request.url().endsWith('/api/v1/me')) asked++
  })
  const listed = page.waitForResponse((response) => response.url().includes('/api/v1/labs?'))
  await page.clock.runFor(11_000)
  await (await listed).finished()
  await page.getByText('Your sign-in has ended.').waitFor()
  assert.is(asked, 0)
  await context.close()
})

test('an update of the hub is still told after another sign-in', async () => {
  const { page, context } = await visit(browser)
  await page.clock.install()
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await page.getByRole('link', { name: 'Account' }).waitFor()
  hub.version = '0.2.0'
  await page.clock.fastForward(10 * 60_000)
  await page.getByText('This hub was updated.').waitFor()
  hub.isSignedIn = false
  await comeBack(page)
  const ended = page.getByRole('status').filter({ hasText: 'Your sign-in has ended.' })
  await ended.getByRole('link', { name: 'Sign in' }).click()
  await page.getByLabel('Mail address').fill('ana@school.example')
  await page.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'RC circuit' }).waitFor()
  await page.getByText('This hub was updated.').waitFor()
  await context.close()
})

test('an update of the hub is told, and nothing is taken from under one’s hands', async () => {
  const { page, context } = await visit(browser)
  await page.clock.install()
  await page.goto(`${hub.url}/labs/rc-circuit`)
  const step = page.getByLabel(/^Step/).first()
  await step.fill('3')
  hub.version = '0.2.0'
  await page.clock.fastForward(10 * 60_000)
  await page.getByText('This hub was updated.').waitFor()
  assert.is(await step.inputValue(), '3')
  const loaded = page.waitForEvent('load')
  await page.getByRole('button', { name: 'Load again' }).click()
  await loaded
  await page.getByRole('heading', { name: 'RC circuit' }).waitFor()
  assert.is(await page.getByText('This hub was updated.').count(), 0)
  await context.close()
})

test('a part that the updated hub has no more is had by loading the page again', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  let isGone = true
  await page.route(/account-page.*\.js$/, (route) => (isGone ? route.fulfill({ status: 404 }) : route.continue()))
  page.once('domcontentloaded', () => {
    isGone = false
  })
  const loaded = page.waitForEvent('load')
  await page.getByRole('link', { name: 'Account' }).click()
  await loaded
  await page.getByRole('heading', { name: 'Account', level: 1 }).waitFor()
  await context.close()
})

test('a page that is opened while the hub is away comes by itself when the hub is back', async () => {
  const { page, context } = await visit(browser)
  await page.clock.install()
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.getByRole('link', { name: 'Account' }).waitFor()
  hub.down = true
  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByText('A part of this page did not come.').waitFor()
  hub.down = false
  await page.clock.runFor(10_000)
  await page.getByRole('heading', { name: 'Account', level: 1 }).waitFor()
  await context.close()
})

test.run()

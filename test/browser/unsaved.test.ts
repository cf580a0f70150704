import type { Browser, Locator, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('what was typed and not saved', { timeoutMs: 120_000, fileTimeoutMs: 600_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const question = (page: Page) => page.getByRole('dialog', { name: 'Leave without saving?' })
const toRuns = (page: Page) => page.getByRole('navigation').getByRole('link', { name: 'My runs' }).click()
const typeInto = (label: string) => (page: Page) => page.getByRole('textbox', { name: label }).fill('77')

/** Forms that stand in a page: where, and how something is typed. */
const inPages: Readonly<Record<string, readonly [path: string, type: (page: Page) => Promise<void>]>> = {
  'a run': ['/labs/rc-circuit', (page) => page.getByRole('textbox', { name: /^Step/ }).fill('3')],
  accounts: ['/settings', (page) => page.getByRole('switch', { name: /^Staff and lab builders/ }).press(' ')],
  'how long results stay': ['/settings', typeInto('Samples, days')],
  'how long uses keep names': ['/settings', typeInto('Addresses, days')],
  'the order of who waits': ['/settings', typeInto('Minutes that a booking waits')],
  'what lab servers learn': ['/settings', (page) => page.getByRole('switch', { name: /^These servers/ }).press(' ')],
  'a password': ['/account', (page) => page.getByLabel('Present password').first().fill('correct horse')],
  'a name': [
    '/account',
    async (page) => {
      await page.getByRole('button', { name: 'Change the name' }).click()
      await page.getByRole('textbox', { name: 'Name' }).fill('Ana R.')
    },
  ],
}

/** Forms that stand in a dialog: where, the way to it, and how something is typed. */
const inDialogs: Readonly<
  Record<string, readonly [path: string, open: string, type: (dialog: Locator) => Promise<void>]>
> = {
  'a permission': ['/people/permissions', 'Give a permission', (dialog) => dialog.getByLabel('Note').fill('for May')],
  'a template': [
    '/people/permissions/templates',
    'Make a template',
    (dialog) => dialog.getByLabel('What it is called').fill('Evening'),
  ],
  'a group': ['/people/groups', 'Make a group', (dialog) => dialog.getByLabel('Name').fill('Evening')],
  'people of a group': [
    '/people/groups/optics',
    'Put people in',
    (dialog) => dialog.getByLabel('Mail addresses').fill('ana@school.example'),
  ],
  'an invitation': ['/people', 'Invite people', (dialog) => dialog.getByLabel('For whom').fill('for May')],
  'a recurring run': [
    '/labs/rc-circuit',
    'Repeat…',
    (dialog) => dialog.getByLabel('Name', { exact: true }).fill('Nightly'),
  ],
  'a calibration': ['/benches/demo.rc-1', 'Calibrate a signal', (dialog) => dialog.getByLabel('Note').fill('room 12')],
  'a token': ['/account', 'Create a token', (dialog) => dialog.getByLabel('Name', { exact: true }).fill('laptop')],
  'a mail address': [
    '/account',
    'Change the mail address',
    (dialog) => dialog.getByLabel('New mail address').fill('a@x.example'),
  ],
}

for (const [name, [path, type]] of Object.entries(inPages)) {
  test(`${name}: leaving the page asks first, and staying keeps what was typed`, async () => {
    const { page, context, complaints } = await visit(browser)
    await page.goto(hub.url + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.waitForLoadState('networkidle')
    await type(page)
    await toRuns(page)
    await question(page).getByRole('button', { name: 'Stay' }).click()
    await question(page).waitFor({ state: 'detached' })
    assert.is(new URL(page.url()).pathname, path)
    await toRuns(page)
    await question(page).getByRole('button', { name: 'Leave' }).click()
    await page.waitForURL(`${hub.url}/runs`)
    assert.equal([...complaints], [])
    await context.close()
  })
}

for (const [name, [path, open, type]] of Object.entries(inDialogs)) {
  test(`${name}: Escape and the browser’s own ways ask first, Cancel does not`, async () => {
    const { page, context, complaints } = await visit(browser)
    await page.goto(hub.url + path)
    await toRuns(page)
    await page.waitForURL(`${hub.url}/runs`)
    await page.goBack()
    const way = page.getByRole('button', { name: open }).first()
    await way.click()
    const form = page.getByRole('dialog').first()
    await type(form)
    await page.keyboard.press('Escape')
    await question(page).waitFor()
    await page.keyboard.press('Escape')
    await question(page).waitFor({ state: 'detached' })
    assert.is(await page.getByRole('dialog').count(), 1, 'the form is there still')
    await page.evaluate(() => history.forward())
    await question(page).getByRole('button', { name: 'Stay' }).click()
    await question(page).waitFor({ state: 'detached' })
    // The browser had gone already, and comes back.
    await page.waitForURL(hub.url + path)
    await form.getByRole('button', { name: 'Cancel' }).click()
    await form.waitFor({ state: 'detached' })
    await way.click()
    await page.keyboard.press('Escape')
    await form.waitFor({ state: 'detached' })
    assert.equal([...complaints], [])
    await context.close()
  })
}

test('closing the window asks as long as something is not saved', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/settings`)
  await page.getByRole('textbox', { name: 'Samples, days' }).fill('400')
  const asked = page.waitForEvent('dialog')
  await page.close({ runBeforeUnload: true })
  const asks = await asked
  assert.is(asks.type(), 'beforeunload')
  await asks.dismiss()
  await page.getByRole('button', { name: 'Save', exact: true }).nth(1).click()
  await page.getByRole('status').filter({ hasText: 'Saved' }).first().waitFor()
  const closed = page.waitForEvent('close')
  await page.close({ runBeforeUnload: true })
  await closed
  await context.close()
})

test('what was saved is left without a question, and asks again when it is changed again', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/settings`)
  const grace = page.getByRole('textbox', { name: 'Minutes that a booking waits' })
  await grace.fill('20')
  await grace.press('Enter')
  await page.getByRole('status').filter({ hasText: /\S/ }).first().waitFor()
  await grace.fill('21')
  await toRuns(page)
  await question(page).getByRole('button', { name: 'Stay' }).click()
  await grace.fill('20')
  await toRuns(page)
  await page.waitForURL(`${hub.url}/runs`)
  await context.close()
})

test('what is sent leads on without a question', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/people/groups`)
  await page.getByRole('button', { name: 'Make a group' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Evening')
  await dialog.getByRole('button', { name: 'Make a group' }).click()
  await page.waitForURL(`${hub.url}/people/groups/evening`)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await page.getByRole('textbox', { name: /^Step/ }).fill('3')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL(/\/runs\/.+/)
  assert.is(await question(page).count(), 0)
  await context.close()
})

test.run()

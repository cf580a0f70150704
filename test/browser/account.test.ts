import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('one’s own account', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))

test('a person changes their name in place, and thinks better of it with Escape', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  const change = page.getByRole('button', { name: 'Change the name' })
  await change.click()
  await page.getByLabel('Name', { exact: true }).fill('Somebody else')
  await page.keyboard.press('Escape')
  await page.getByText('Ana Ruiz').waitFor()
  assert.is(await focused(page), 'Change the name')
  await page.keyboard.press('Enter')
  await page.getByLabel('Name', { exact: true }).fill('Ana Ruiz Soler')
  await page.keyboard.press('Enter')
  await page.getByText('Ana Ruiz Soler').waitFor()
  assert.is(await focused(page), 'Change the name')
  assert.equal(complaints, [])
  await context.close()
})

test('another password wants the present one, and says what it ended', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  const save = page.getByRole('button', { name: 'Change the password' })
  await save.click()
  await page.getByText('Give your present password.').waitFor()
  await page.getByText('Use at least 10 characters.').waitFor()
  await page.getByLabel('Present password').fill('not it')
  await page.getByLabel('New password').fill('a-longer-password')
  await save.click()
  await page.getByText('The present password is wrong.').waitFor()
  assert.is(await page.getByRole('alert').count(), 0)
  await page.getByLabel('Present password').fill('correct horse')
  assert.is(await page.getByText('The present password is wrong.').count(), 0)
  await save.click()
  await page.getByText('Changed. Everywhere else you are signed out.').waitFor()
  await comes(() => page.getByLabel('New password').inputValue(), '')
  assert.equal(complaints, [])
  await context.close()
})

test('a guest, who may have no tokens, is shown none and no refusal', async () => {
  hub.role = 'guest'
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  await page.getByRole('heading', { name: 'Your data' }).waitFor()
  assert.is(await page.getByRole('heading', { name: 'API tokens' }).count(), 0)
  assert.is(await page.getByRole('alert').count(), 0)
  assert.equal(complaints, [])
  await context.close()
})

test('signing out everywhere asks first, and the sign-in page confirms it', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await dialog.getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.waitForURL(/\/sign-in/)
  await page.getByText('You are signed out everywhere.').waitFor()
  await context.close()
})

test('a person takes their data home', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download' }).click(),
  ])
  assert.match(download.url(), /\/api\/v1\/me\/export$/)
  await context.close()
})

test('an account is closed with the password only', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  await page.getByRole('button', { name: 'Close the account' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Close it for good' }).click()
  await dialog.getByText('Give your present password.').waitFor()
  await dialog.getByLabel('Password', { exact: true }).fill('wrong')
  await dialog.getByRole('button', { name: 'Close it for good' }).click()
  await dialog.getByText('The password is wrong.').waitFor()
  await dialog.getByLabel('Password', { exact: true }).fill('correct horse')
  await dialog.getByRole('button', { name: 'Close it for good' }).click()
  await page.waitForURL(/\/sign-in/)
  await page.getByText('Your account is closed for good.').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('a person sees where they are signed in, and ends one of them, then all others', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  const section = page.getByRole('region', { name: 'Where you are signed in' })
  const first = section.getByRole('listitem').first()
  await first.getByText('this browser').waitFor()
  assert.is(await first.getByRole('button').count(), 0)
  await section.getByRole('button', { name: 'Sign out: Safari, iPhone' }).click()
  await section.getByText('Safari, iPhone').waitFor({ state: 'detached' })
  await section.getByText('Unknown browser').waitFor()
  await section.getByRole('button', { name: 'Sign out all others' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out all others' }).click()
  await section.getByText('Unknown browser').waitFor({ state: 'detached' })
  assert.is(await section.getByRole('listitem').count(), 1)
  assert.equal(complaints, [])
  await context.close()
})

test('a person sees their groups, and leaves one after a question', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  const section = page.getByRole('region', { name: 'Your groups and courses' })
  const course = section.getByRole('listitem').filter({ hasText: 'Optics, spring' })
  await course.getByText('Its instructors take people out.').waitFor()
  await course.getByText('with Bo Lindqvist, Ida Berg').waitFor()
  await section.getByText('You are its only instructor.').waitFor()
  assert.is(await section.getByRole('button').count(), 1)
  await section.getByRole('button', { name: 'Leave: Electronics club' }).click()
  const dialog = page.getByRole('dialog', { name: 'Leave “Electronics club”?' })
  await dialog.getByRole('button', { name: 'Leave' }).click()
  await section.getByText('Electronics club').waitFor({ state: 'detached' })
  assert.equal(complaints, [])
  await context.close()
})

test('all tokens are revoked at once, after a question', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  const section = page.getByRole('region', { name: 'API tokens' })
  await section.getByRole('button', { name: 'Revoke: notebook' }).waitFor()
  await section.getByRole('button', { name: 'Revoke all' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke all' }).click()
  await section.getByRole('button', { name: 'Revoke: notebook' }).waitFor({ state: 'detached' })
  assert.is(await section.getByRole('button', { name: /^Revoke/ }).count(), 0)
  assert.equal(complaints, [])
  await context.close()
})

test('a token gets the scopes that are chosen and the end that is asked for', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  const dialog = page.getByRole('dialog')
  const create = dialog.getByRole('button', { name: 'Create a token' })
  const open = () => page.getByRole('button', { name: 'Create a token' }).click()
  const sent = async () => {
    const [request] = await Promise.all([
      page.waitForRequest((one) => one.method() === 'POST' && one.url().endsWith('/api/v1/tokens')),
      create.click(),
    ])
    await dialog.getByText('fl_3Jx8mQ2vZt7KpWc5Rb9LnYd4').waitFor()
    await dialog.getByRole('button', { name: 'Done' }).click()
    await dialog.waitFor({ state: 'detached' })
    return request.postDataJSON()
  }
  await open()
  await dialog.getByLabel('Name').fill(' dashboard ')
  for (const scope of ['read labs and results', 'start and stop runs']) await dialog.getByLabel(scope).uncheck()
  await create.click()
  await dialog.getByText('Choose one.').waitFor()
  await dialog.getByLabel('listen over MQTT').check()
  await dialog.getByLabel('Ends after').selectOption({ label: '30 days' })
  assert.equal(await sent(), { name: 'dashboard', scopes: ['mqtt:read'], expiresInDays: 30 })
  await open()
  assert.ok(await dialog.getByLabel('read labs and results').isChecked(), 'the next token begins as the first did')
  assert.is(await dialog.getByLabel('Ends after').inputValue(), '90')
  await dialog.getByLabel('Name').fill('archive')
  await dialog.getByLabel('everything').check()
  await dialog.getByLabel('Ends after').selectOption({ label: 'does not end' })
  assert.equal(await sent(), { name: 'archive', scopes: ['read', 'run', 'admin'] })
  hub.role = 'student'
  await page.reload()
  await open()
  await dialog.getByLabel('change your account').waitFor()
  // Nor are those for MQTT, which the hub gives to staff alone.
  assert.is(await dialog.getByRole('checkbox').count(), 3)
  hub.role = 'admin'
  assert.equal(complaints, [])
  await context.close()
})

test.run()

import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('the second factor on the page', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('a person sets it up with picture and secret, is asked for it at sign-in, and turns it off', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  const section = page.getByRole('region', { name: 'Second factor' })
  await section.getByRole('button', { name: 'Set it up' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Password', { exact: true }).fill('not it')
  await page.keyboard.press('Enter')
  await dialog.getByText('The password is wrong.').waitFor()
  await dialog.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.keyboard.press('Enter')
  await dialog.getByRole('img', { name: /Picture for an authenticator app/ }).waitFor()
  await dialog.getByText('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ').waitFor()
  await dialog.getByLabel('Code', { exact: true }).fill('000000')
  await page.keyboard.press('Enter')
  await dialog.getByText('This code is wrong.').waitFor()
  await dialog.getByLabel('Code', { exact: true }).fill('123456')
  await page.keyboard.press('Enter')
  await dialog.getByText('7K3QM-X2V9R-0HJ4T').waitFor()
  await dialog.getByRole('link', { name: 'Save as a file' }).waitFor()
  await dialog.getByRole('button', { name: 'I have kept them' }).click()
  await section.getByText('On. 8 recovery codes are left.').waitFor()

  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('textbox', { name: 'Mail address' }).fill('ana@school.example')
  await page.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Your second factor' }).waitFor()
  await page.getByLabel('Code', { exact: true }).fill('999999')
  await page.keyboard.press('Enter')
  await page.getByText('This code is wrong.').waitFor()
  await page.getByLabel('Code', { exact: true }).fill('123456')
  await page.getByLabel('Do not ask in this browser for 30 days').check()
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.waitForURL(`${hub.url}/labs`)

  await page.goto(`${hub.url}/account`)
  await section.getByRole('button', { name: 'New recovery codes' }).click()
  await dialog.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.keyboard.press('Enter')
  await dialog.getByText('WBN8C-3M5PD-Y1S6G').waitFor()
  await dialog.getByRole('button', { name: 'I have kept them' }).click()
  await section.getByRole('button', { name: 'Turn it off' }).click()
  await dialog.getByLabel('Password', { exact: true }).fill('correct horse')
  await dialog.getByRole('button', { name: 'Turn it off' }).click()
  await section.getByText(/^Off\./).waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('staff who must have one are led to it, and from there to where they wanted to go', async () => {
  hub.mustSetUp = true
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  await page.getByText('This site wants its staff to have one.').waitFor()
  await page.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.keyboard.press('Enter')
  await page.getByLabel('Code', { exact: true }).fill('123456')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await page.waitForURL(`${hub.url}/people`)
  await page.getByText('bo.lindqvist@school.example').waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('an admin takes the second factor of somebody away who lost it', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  const reset = page.getByRole('button', { name: 'Reset the second factor of Bo Lindqvist' })
  await reset.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('once you know that it is them').waitFor()
  await dialog.getByRole('button', { name: 'Reset second factor' }).click()
  await page.getByText('It is off.').waitFor()
  assert.is(await reset.count(), 0)
  assert.equal([...complaints], [])
  await context.close()
})

test.run()

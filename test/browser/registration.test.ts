import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('accounts that people make themselves', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('an admin opens registration; the sign-in page then leads to it', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
  assert.is(await page.getByRole('link', { name: 'Make an account' }).count(), 0)
  await page.goto(`${hub.url}/register`)
  await page.getByText('Accounts are made by invitation here.').waitFor()

  await page.goto(`${hub.url}/settings`)
  const accounts = page.getByRole('region', { name: 'Accounts' })
  await accounts.getByLabel('People may make accounts of their own').check()
  await accounts.getByLabel('Only with an address at').fill('school')
  await accounts.getByRole('button', { name: 'Save' }).click()
  await accounts.getByText('Give what stands behind the @').waitFor()
  await accounts.getByLabel('Only with an address at').fill('@School.example, uni.example')
  await accounts.getByLabel('They become').selectOption('guest')
  await accounts.getByRole('button', { name: 'Save' }).click()
  await accounts.getByText('Saved.').waitFor()

  await page.goto(`${hub.url}/sign-in`)
  await page.getByRole('link', { name: 'Make an account' }).click()
  await page.getByText('Use your address at school.example or uni.example.').waitFor()
  await page.getByRole('button', { name: 'Send me the link' }).click()
  await page.getByText('Give your name.').waitFor()
  await page.getByLabel('Your name').fill('Nils')
  await page.getByLabel('Mail address').fill('nils@school.example')
  await page.keyboard.press('Enter')
  await page.getByText('A letter to nils@school.example is on its way.').waitFor()
  await page.getByRole('button', { name: 'Send it again' }).click()
  await page.getByText('Only the link of the last letter works.').waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('the link of the letter leads to a password and in; an old one to another', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/register#token=old`)
  await page.getByText('This link was used, replaced by a later one, or is older than a day.').waitFor()
  await page.getByRole('link', { name: 'Ask for a new link' }).waitFor()
  await page.goto('about:blank')
  await page.goto(`${hub.url}/register#token=once`)
  await page.getByText('nils@school.example is confirmed.').waitFor()
  assert.is(await page.getByLabel('Your name').inputValue(), 'Nils')
  await page.getByLabel('Password', { exact: true }).fill('short')
  await page.keyboard.press('Enter')
  await page.getByText('Use at least 10 characters.').waitFor()
  await page.getByLabel('Password', { exact: true }).fill('a-long-password')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${hub.url}/labs`)
  assert.equal([...complaints], [])
  await context.close()
})

test('a person asks for another address with the password, and confirms it from the letter', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/account`)
  await page.getByRole('button', { name: 'Change the mail address' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('New mail address').fill('ana@new.example')
  await dialog.getByLabel('Password', { exact: true }).fill('not it')
  await dialog.getByRole('button', { name: 'Send the letter' }).click()
  await dialog.getByText('The password is wrong.').waitFor()
  await dialog.getByLabel('Password', { exact: true }).fill('correct horse')
  await dialog.getByRole('button', { name: 'Send the letter' }).click()
  await dialog.getByText('A letter to ana@new.example is on its way.').waitFor()
  await page.goto(`${hub.url}/confirm-address#token=once`)
  await page.getByRole('button', { name: 'Use this address' }).click()
  await page.getByText('You sign in with nils@school.example now.').waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('who forgot the password asks for a link, and chooses another by it', async () => {
  const { page, context, complaints } = await visit(browser, { phone: true })
  const sent = async (path: string, button: string) => {
    const [request] = await Promise.all([
      page.waitForRequest((one) => one.url().endsWith(path)),
      page.getByRole('button', { name: button }).click(),
    ])
    return request.postDataJSON()
  }
  await page.goto(`${hub.url}/sign-in`)
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await page.getByLabel('Mail address').fill('nils')
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page.getByText('Give a mail address, such as ana@school.example.').waitFor()
  await page.getByLabel('Mail address').fill('nils@school.example')
  assert.equal(await sent('/api/v1/password/forgot', 'Send the link'), { email: 'nils@school.example' })
  await page.getByText('If there is an account for nils@school.example, a link is on its way.').waitFor()
  await page.getByRole('button', { name: 'Send it again' }).click()
  await page.getByText('Sent again. Only the link of the last letter works.').waitFor()
  await page.getByRole('button', { name: 'Another address' }).click()
  await page.getByLabel('Mail address').fill('nils@uni.example')
  await page.keyboard.press('Enter')
  await page.getByText('If there is an account for nils@uni.example, a link is on its way.').waitFor()
  await page.goto('about:blank')
  await page.goto(`${hub.url}/reset#token=once`)
  await page.getByLabel('New password').fill('short')
  await page.getByRole('button', { name: 'Save the password' }).click()
  await page.getByText('Use at least 10 characters.').waitFor()
  await page.getByLabel('New password').fill('a-longer-password')
  const wanted = { token: 'once', password: 'a-longer-password' }
  assert.equal(await sent('/api/v1/password/reset', 'Save the password'), wanted)
  await page.getByText('Your password is changed. Sign in with it.').waitFor()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByLabel('Mail address').waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test.run()

/// <reference lib="dom" />
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { admin, type ServedHub, serveHub } from '../integration/api/served-hub.ts'
import { suite } from '../support/suite.ts'
import { openBrowser, visit } from './support/browser.ts'

const test = suite('passkeys on the page, with the hub itself', { timeoutMs: 120_000 })
const webFolder = fileURLToPath(new URL('../../hub/web/dist/', import.meta.url))
let hub: ServedHub
let browser: Browser

test.before(async () => {
  browser = await openBrowser()
})
test.after(() => browser.close())
test.before.each(async () => {
  hub = await serveHub({ webFolder })
})
test.after.each(() => hub.close())

/** Where passkeys are: this machine by its name. */
const here = () => hub.url.replace('127.0.0.1', 'localhost')

/** Gives the page's browser a device that keeps passkeys and knows its person; returns how that stops. */
async function giveDevice(page: Page) {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    forget: () => session.send('WebAuthn.clearCredentials', { authenticatorId }),
  }
}

async function signInByPassword(page: Page) {
  await page.getByRole('textbox', { name: 'Mail address' }).fill(admin.email)
  await page.getByLabel('Password', { exact: true }).fill(admin.password)
  await page.keyboard.press('Enter')
}
async function addPasskey(page: Page, name: string) {
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name of the passkey').fill(name)
  await dialog.getByLabel('Password', { exact: true }).fill(admin.password)
  await dialog.getByRole('button', { name: 'Go on' }).click()
  return dialog
}

test('a person adds one, signs in with it alone, renames and removes it', async () => {
  const { page, context, complaints } = await visit(browser)
  const device = await giveDevice(page)
  await page.goto(`${here()}/sign-in?next=/account`)
  await signInByPassword(page)
  await page.waitForURL(`${here()}/account`)
  const section = page.getByRole('region', { name: 'Passkeys' })
  await section.getByText('None yet.').waitFor()
  await addPasskey(page, 'my laptop')
  await section.getByText('my laptop').waitFor()
  await section.getByText('never used').waitFor()
  const dialog = await addPasskey(page, 'twice')
  await dialog.getByText('This device keeps a passkey of your account already.').waitFor()
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.waitForURL(`${here()}/labs`)
  await page.goto(`${here()}/account`)
  await section.getByText(/^last used/).waitFor()
  await section.getByRole('button', { name: 'Rename: my laptop' }).click()
  await page.getByRole('dialog').getByLabel('Name of the passkey').fill('laptop of 2026')
  await page.keyboard.press('Enter')
  await section.getByText('laptop of 2026').waitFor()
  await section.getByRole('button', { name: 'Remove: laptop of 2026' }).click()
  await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill(admin.password)
  await page.keyboard.press('Enter')
  await section.getByText('None yet.').waitFor()

  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  const enter = page.getByRole('button', { name: 'Sign in with a passkey' })
  await enter.click()
  await page.getByText('No account here has this passkey any more.').waitFor()
  await device.forget()
  await enter.click()
  await page.getByText('Your browser gave no passkey').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('where staff need a second factor, it comes after the password', async () => {
  const { page, context, complaints } = await visit(browser)
  await giveDevice(page)
  await page.goto(`${here()}/sign-in?next=/account`)
  await signInByPassword(page)
  await addPasskey(page, 'my laptop')
  await page.getByText('my laptop').waitFor()
  const { personId = '' } = (await hub.accounts.authenticate(await cookiesOf(page))) ?? {}
  const registration = { open: false, domains: [], role: 'student' as const }
  await hub.accounts.rules.change({ registration, staffSecondFactor: true }, personId)
  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await signInByPassword(page)
  await page.getByText('Your passkey comes after the password here.').waitFor()
  assert.is(await page.getByLabel('Code', { exact: true }).count(), 0)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.waitForURL(`${here()}/labs`)
  assert.equal(complaints, [])
  await context.close()
})

async function cookiesOf(page: Page): Promise<Headers> {
  const cookies = await page.context().cookies()
  return new Headers({ cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') })
}

test('opened at a number, the page leads to the address where passkeys work', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in?next=/account`)
  const there = page.getByRole('link', { name: `Sign in with a passkey at ${new URL(here()).host}` })
  assert.is(await there.getAttribute('href'), `${here()}/sign-in?next=/account`)
  await signInByPassword(page)
  const section = page.getByRole('region', { name: 'Passkeys' })
  await section.getByText('Passkeys work at one address only.').waitFor()
  assert.is(await section.getByRole('button', { name: 'Add a passkey' }).count(), 0)
  await context.close()
})

test.run()

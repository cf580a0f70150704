import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('people and invitations', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('an admin finds a person, gives another role and takes it back', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  await page.getByLabel('Search by name or mail').fill('chiamaka')
  await page.getByText('bo.lindqvist@school.example').waitFor({ state: 'detached' })
  const role = page.getByLabel(/^Role of Chiamaka/)
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
  await role.focus()
  await role.selectOption('builder')
  await page.getByText(/is now lab builder/).waitFor()
  assert.match((await focused()) ?? '', /^Role of Chiamaka/)
  assert.is(await role.inputValue(), 'builder')
  await page.getByRole('button', { name: 'Undo' }).press('Enter')
  await page.getByText(/is now lab builder/).waitFor({ state: 'detached' })
  assert.match((await focused()) ?? '', /^Role of Chiamaka/)
  assert.is(await role.inputValue(), 'student')
  assert.equal([...complaints], [])
  await context.close()
})

test('an admin revokes all tokens of somebody who has some', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  const revoke = page.getByRole('button', { name: /^Revoke the tokens of/ })
  await revoke.waitFor()
  assert.is(await revoke.count(), 1)
  await revoke.click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke tokens' }).click()
  await page.getByText('The tokens are revoked.').waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('an admin suspends somebody after a question, and lets them in again', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  await page.getByRole('button', { name: /^Suspend Chiamaka/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/^They are signed out everywhere/).waitFor()
  await dialog.getByRole('button', { name: 'Suspend', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText(/^suspended /).waitFor()
  const restore = page.getByRole('button', { name: /^Let Chiamaka.* in again/ })
  await restore.press('Enter')
  await page.getByText(/^suspended /).waitFor({ state: 'detached' })
  // The button that undid it is the one that does it: the keyboard's place stays.
  const focused = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
  assert.match(focused ?? '', /^Suspend Chiamaka/)
  assert.equal([...complaints], [])
  await context.close()
})

test('an admin takes a lost second factor away, and reads that it is off', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  const reset = page.getByRole('button', { name: /^Reset the second factor of/ })
  await reset.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Reset second factor' }).click()
  await page.getByText('It is off.').waitFor()
  await dialog.waitFor({ state: 'detached' })
  assert.is(await reset.count(), 0)
  assert.equal([...complaints], [])
  await context.close()
})

test('people are shown by group and by role, and the address keeps it', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  await page.getByText('bo.lindqvist@school.example').waitFor()
  const group = page.getByLabel('Group', { exact: true })
  await group.selectOption('optics')
  await page.getByText('bo.lindqvist@school.example').waitFor({ state: 'detached' })
  await page.getByText('chiamaka@students.school.example').waitFor()
  await page.waitForURL(/\?group=optics$/)
  await page.reload()
  await page.getByText('chiamaka@students.school.example').waitFor()
  assert.is(await page.getByText('bo.lindqvist@school.example').count(), 0)
  await group.selectOption('')
  await page.getByText('bo.lindqvist@school.example').waitFor()
  await page.getByRole('combobox', { name: 'Role', exact: true }).selectOption('admin')
  await page.getByText('bo.lindqvist@school.example').waitFor({ state: 'detached' })
  await page.waitForURL(/\?role=admin$/)
  await page.getByLabel('Search by name or mail').fill('nobody')
  await page.getByRole('button', { name: 'Show everybody' }).click()
  await page.getByText('bo.lindqvist@school.example').waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('a role that may not be given is explained, and the list shows what holds', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  const role = page.getByLabel('Role of Ana Ruiz')
  await role.selectOption('guest')
  await page.getByText('This is the only admin who can sign in.').waitFor()
  assert.is(await role.inputValue(), 'admin')
  await context.close()
})

test('an invitation is made, its link shown once, and taken back', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  await page.getByRole('button', { name: 'Invite people' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('How many may join').fill('0')
  await dialog.getByRole('button', { name: 'Make the link' }).click()
  await dialog.getByText('A whole number from 1 to 1000').waitFor()
  await dialog.getByLabel('How many may join').fill('25')
  await dialog.getByRole('button', { name: 'Make the link' }).click()
  await dialog.getByText('https://lab.school.example/join#token=q8Zt5xW2mB7cVn4RkLd9').waitFor()
  await dialog.getByText(/for up to 25 people/).waitFor()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: 'Take back: Physics 2, spring' }).click()
  await dialog.getByRole('button', { name: 'Take back' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText('Physics 2, spring').waitFor({ state: 'detached' })
  assert.equal([...complaints], [])
  await context.close()
})

test('an invitation leads into a group, for who has an account only, and ends when it is asked to', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  const dialog = page.getByRole('dialog')
  const only = dialog.getByLabel('Only for people who have an account')
  const sent = async () => {
    const [request] = await Promise.all([
      page.waitForRequest((one) => one.method() === 'POST' && one.url().endsWith('/api/v1/invitations')),
      dialog.getByRole('button', { name: 'Make the link' }).click(),
    ])
    await dialog.getByRole('button', { name: 'Done' }).click()
    await dialog.waitFor({ state: 'detached' })
    return request.postDataJSON()
  }
  await page.getByRole('button', { name: 'Invite people' }).click()
  await dialog.getByLabel('Into the group').waitFor()
  assert.is(await only.count(), 0, 'without a group it would invite nobody')
  await dialog.getByLabel('Into the group').selectOption('optics')
  await only.check()
  await dialog.getByLabel('The link ends after').selectOption({ label: '1 day' })
  await dialog.getByLabel('For whom').fill(' late comers ')
  const late = { role: 'student', most: 30, expiresInDays: 1, group: 'optics', register: false, note: 'late comers' }
  assert.equal(await sent(), late)
  await page.getByRole('button', { name: 'Invite people' }).click()
  await comes(() => dialog.getByLabel('Into the group').inputValue(), '')
  assert.equal(await sent(), { role: 'student', most: 30, expiresInDays: 14 })
  assert.equal([...complaints], [])
  await context.close()
})

test('of a list of thousands the first lines are shown with how many more there are', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  await page.getByRole('button', { name: 'Import a list' }).click()
  const dialog = page.getByRole('dialog')
  const lines = Array.from({ length: 4000 }, (_, n) => `Person ${n},p${n}@school.example`)
  const buffer = Buffer.from(`name,email\n${lines.join('\n')}\n`)
  await dialog.locator('input[type="file"]').setInputFiles({ name: 'all.csv', mimeType: 'text/csv', buffer })
  await dialog.getByText('and 3800 more').waitFor()
  assert.is(await dialog.getByRole('row').count(), 201)
  await dialog.getByRole('button', { name: 'Make 4000 accounts' }).click()
  await dialog.getByText(/^4000 accounts were made/).waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('a list is looked through, imported, and its links are saved', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  await page.getByRole('button', { name: 'Import a list' }).click()
  const dialog = page.getByRole('dialog')
  const make = dialog.getByRole('button', { name: /^Make \d+ accounts?$/ })
  const choose = (text: string) =>
    dialog
      .locator('input[type="file"]')
      .setInputFiles({ name: 'class.csv', mimeType: 'text/csv', buffer: Buffer.from(`name,email\n${text}\n`) })
  await dialog.getByText('saved as “CSV UTF-8”').waitFor()
  assert.ok(await make.isDisabled())
  await choose('Hal,nonsense')
  await dialog.getByText('line 2: "nonsense" is not a mail address').waitFor()
  assert.ok(await make.isDisabled())
  await choose('Fay,fay@school.example\nAna,ana@school.example\n=Gus,gus@school.example')
  await dialog.getByText('is here already, stays as it is').waitFor()
  await dialog.getByRole('button', { name: 'Make 2 accounts' }).click()
  await dialog.getByText('2 accounts were made.').waitFor()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Save the links' }).click(),
  ])
  const saved = readFileSync((await download.path()) ?? '', 'utf8')
  assert.match(saved, /"Fay","fay@school.example","https:\/\/lab.school.example\/reset#token=t0"/)
  assert.match(saved, /"'=Gus"/)
  await dialog.getByRole('button', { name: 'Done' }).click()
  assert.equal([...complaints], [])
  await context.close()
})

test('what is wrong with a list is said in Spanish too, whatever it was saved as', async () => {
  const { page, context } = await visit(browser, { language: 'es-ES' })
  await page.goto(`${hub.url}/people`)
  await page.getByRole('button', { name: 'Importar una lista' }).click()
  const dialog = page.getByRole('dialog')
  const buffer = Buffer.from('\ufeffname,email\nÑa,nonsense\n', 'utf16le')
  await dialog.locator('input[type="file"]').setInputFiles({ name: 'class.csv', mimeType: 'text/csv', buffer })
  await dialog.getByText('línea 2: "nonsense" no es una dirección de correo').waitFor()
  await dialog.getByText('La lista tiene errores.').waitFor()
  await context.close()
})

test('an instructor sees people without changing them, and invites students only', async () => {
  hub.role = 'instructor'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  await page.getByText('bo.lindqvist@school.example').waitFor()
  assert.is(await page.getByLabel(/^Role of/).count(), 0)
  await page.getByRole('button', { name: 'Invite people' }).click()
  const offered = page.getByLabel('They join as').getByRole('option')
  await comes(() => offered.allTextContents(), ['guest', 'student'])
  await context.close()
})

test('whoever opens an invitation makes an account and is in the catalogue', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/join#token=once`)
  await page.getByText('Bo Lindqvist invites you to join as student.').waitFor()
  await page.getByRole('button', { name: 'Join' }).click()
  await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'name')
  await page.getByLabel('Your name').fill('Nils')
  await page.getByLabel('Mail address').fill('nils@school.example')
  await page.getByLabel('Password', { exact: true }).fill('a-long-password')
  await page.getByRole('button', { name: 'Join' }).click()
  await page.waitForURL(`${hub.url}/labs`)
  assert.equal([...complaints], [])
  await page.goto(`${hub.url}/join#token=old`)
  await page.getByText('This invitation no longer works.').waitFor()
  assert.is(await page.getByRole('button', { name: 'Try again' }).count(), 0, 'a refusal stays a refusal')
  await context.close()
})

test.run()

/** A live session, on real parts: `npm start`'s hub and demo node, two people in real browsers, the emulated diode on its wire. */
import { readFile } from 'node:fs/promises'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { comes, openBrowser, tabTo, type VisitOptions } from '../browser/support/browser.ts'
import { type RunningFernlab, startFernlab } from '../support/running-fernlab.ts'
import { suite } from '../support/suite.ts'
import { newPerson, type Person, signedIn } from './support/people.ts'

const test = suite('from the queue to what was recorded', {
  timeoutMs: 240_000,
  hookTimeoutMs: 240_000,
  fileTimeoutMs: 700_000,
})

let lab: RunningFernlab
let browser: Browser
let ada: Person
let bo: Person

test.before(async () => {
  lab = await startFernlab({ readyMs: 200_000 })
  browser = await openBrowser()
  ada = await newPerson(lab, 'Ada Fern')
  bo = await newPerson(lab, 'Bo Lindqvist')
})
test.after(async () => {
  await browser?.close()
  await lab?.cleanUp()
})

const asPerson = (person: Person, options?: VisitOptions) => signedIn(browser, lab, person, options)

/** Resolves once their session of the lab is active. */
async function drives(person: Person): Promise<Session> {
  let session = await person.call<Session>('POST', '/api/v1/sessions', { lab: 'diode-iv' })
  while (session.state !== 'active') {
    assert.ok(session.state === 'waiting' || session.state === 'preparing', session.state)
    session = await person.call<Session>('GET', `/api/v1/sessions/${session.id}`)
  }
  return session
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const supply = (page: Page) => page.getByRole('switch', { name: 'Supply on' })

/** Waits until the gauge shows that the diode conducts. */
const conducts = (page: Page) =>
  page.waitForFunction(
    () => Number(document.querySelector('[role=meter]')?.getAttribute('aria-valuenow') ?? 0) > 0.3,
    undefined,
    { timeout: 60_000 },
  )

/** Waits for the chart of what was recorded. */
async function plotted(page: Page): Promise<void> {
  await page.waitForURL(/\/runs\/[0-9a-z]{26}/)
  await page.locator('main canvas').first().waitFor()
  await page
    .getByText(/: \d+ points/)
    .first()
    .waitFor({ state: 'attached' })
}

test('two at their desks: wait, drive, hand over, chat, more time, finish, take the data home, plot it', async () => {
  const first = await drives(bo)
  const { page, context, complaints } = await asPerson(ada)
  await page.goto(`${lab.http}/labs/diode-iv`)
  await button(page, 'Drive it live').click()
  await page.waitForURL(/\/sessions\/[0-9a-z]{26}/)
  const id = page.url().slice(-26)
  await page.getByText(/^Your turn comes in about/).waitFor()
  await bo.call('POST', `/api/v1/sessions/${first.id}/finish`)
  await button(page, 'Use the panel').click()
  await page.getByText('You have the controls.').waitFor()

  await supply(page).click()
  await page.getByRole('slider', { name: 'Supply voltage' }).focus()
  await page.keyboard.press('End')
  await conducts(page)

  await button(page, 'Invite a partner').click()
  const link = await page.getByRole('dialog').locator('code').textContent()
  await page.keyboard.press('Escape')
  const other = await asPerson(bo)
  await other.page.goto(link ?? '')
  await button(other.page, 'Take part').click()
  await other.page.getByText('Ada Fern has the controls.').waitFor()
  await button(page, 'Hand over').click()
  await page.getByRole('menuitem', { name: bo.name }).click()
  await other.page.getByText('You have the controls.').waitFor()
  await button(other.page, 'Use the panel').click()
  await supply(other.page).click()
  await page.getByText('Supply on → off').waitFor()
  await comes(() => supply(page).isDisabled(), true, 'one hand is on the controls')
  await other.page.getByRole('textbox', { name: 'Write a line' }).fill('Try 3 volts')
  await other.page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Chat' }).getByText('Try 3 volts').waitFor()
  await button(page, 'Take the controls').click()
  await page.getByText('You have the controls.').waitFor()

  const before = await ada.call<Session>('GET', `/api/v1/sessions/${id}`)
  await button(page, '5 min more').click()
  await page.getByText(/^1[0-5]:\d\d left$/).waitFor()
  const after = await ada.call<Session>('GET', `/api/v1/sessions/${id}`)
  assert.is(after.seconds, before.seconds + 300)

  await button(page, 'Finish').click()
  await page.getByRole('dialog', { name: 'Give the bench back?' }).getByRole('button', { name: 'Finish' }).click()
  await page.getByRole('heading', { name: 'What was recorded' }).waitFor()
  await other.page.getByRole('heading', { name: 'What was recorded' }).waitFor()
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: /readings/ }).click(),
  ])
  const [head = '', ...rows] = (await readFile(await saved.path(), 'utf8')).trim().split('\n')
  assert.match(head, /voltmeter[._]voltage/, head)
  assert.ok(rows.length > 10, `${rows.length} rows`)
  await page.getByRole('link', { name: 'Chart, data and downloads' }).click()
  await plotted(page)
  assert.equal([...complaints, ...other.complaints], [])
  await other.context.close()
  await context.close()
})

test('on a phone, by night, by keyboard alone: reserve, drive, chat, more time, finish, plot', async () => {
  const { page, context, complaints } = await asPerson(ada, { phone: true, scheme: 'dark' })
  await page.goto(`${lab.http}/labs/diode-iv`)
  const press = async (name: string) => {
    await tabTo(page, button(page, name))
    await page.keyboard.press('Enter')
  }
  await press('Drive it live')
  await page.waitForURL(/\/sessions\/[0-9a-z]{26}/)
  await tabTo(page, page.getByRole('link', { name: 'Skip the lab’s own page' }))
  await page.keyboard.press('Enter')
  await press('Use the panel')
  await tabTo(page, supply(page))
  await page.keyboard.press('Space')
  await page.getByText('Supply on → on').waitFor()
  await tabTo(page, page.getByRole('slider', { name: 'Supply voltage' }))
  await page.keyboard.press('End')
  await conducts(page)
  await tabTo(page, page.getByRole('textbox', { name: 'Write a line' }))
  await page.keyboard.type('Nobody here?')
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Chat' }).getByText('Nobody here?').waitFor()
  await press('5 min more')
  await page.getByText(/^1[0-5]:\d\d left$/).waitFor()
  await press('Finish')
  const dialog = page.getByRole('dialog', { name: 'Give the bench back?' })
  await tabTo(page, dialog.getByRole('button', { name: 'Finish' }))
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'What was recorded' }).waitFor()
  await tabTo(page, page.getByRole('link', { name: 'Chart, data and downloads' }))
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle)
  assert.is(ring, 'solid')
  await page.keyboard.press('Enter')
  await plotted(page)
  assert.equal(complaints, [])
  await context.close()
})

test.run()

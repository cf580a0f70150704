import type { Browser, Locator, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { openBrowser, visit } from './support/browser.ts'
import { type FakeHub, startFakeHub } from './support/fake-hub.ts'

const test = suite('from sign-in to a finished run', { timeoutMs: 60_000, fileTimeoutMs: 400_000 })

let hub: FakeHub
let browser: Browser

test.before(async () => {
  browser = await openBrowser()
})
test.before.each(async () => {
  hub = await startFakeHub({ signedIn: false })
})
test.after.each(async () => {
  await hub.close()
})
test.after(async () => {
  await browser?.close()
})

/** Presses Tab until the place has the focus; fails when it is not reached. */
async function tabTo(page: Page, place: Locator): Promise<void> {
  await place.waitFor()
  for (let presses = 0; presses < 60; presses++) {
    if (await place.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`60 presses of Tab did not reach ${String(place)}`)
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Mail address').fill('ana@school.example')
  await page.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.keyboard.press('Enter')
}

test('by keyboard alone: sign in, open a lab, change a value, run, read the chart', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/runs`)
  await page.getByLabel('Mail address').waitFor()
  await page.keyboard.type('ana@school.example')
  await page.keyboard.press('Tab')
  await page.keyboard.type('correct horse')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'No runs yet' }).waitFor()
  await tabTo(page, page.getByRole('link', { name: 'Choose a lab' }))
  await page.keyboard.press('Enter')
  await tabTo(page, page.getByRole('link', { name: 'RC circuit' }))
  await page.keyboard.press('Enter')
  await tabTo(page, page.getByLabel(/^Step/).first())
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('4.5')
  await page.keyboard.press('Enter')
  await page.getByText('succeeded').first().waitFor({ timeout: 20_000 })
  assert.equal([...hub.runs.values()][0]?.run.parameters.voltage, 4.5)
  const chart = page.getByRole('application', { name: /Voltage of the capacitor/ })
  await tabTo(page, chart)
  await page.keyboard.press('Home')
  await page.keyboard.press('ArrowRight')
  await page.getByText(/^at 100\u202fms$|^at 0.1\u202fs$/).waitFor()
  await page.getByText('1.002 ± 0.004\u202fs').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('a wrong value says why beside its field, and nothing is sent', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in?next=/labs/rc-circuit`)
  await signIn(page)
  const step = page.getByLabel(/^Step/).first()
  await step.fill('12')
  const message = async () => {
    const id = (await step.getAttribute('aria-describedby'))?.split(/\s+/) ?? []
    const texts = await Promise.all(id.map((one) => page.locator(`[id="${one}"]`).textContent()))
    return texts.join(' ')
  }
  assert.match(await message(), /The most is 10\u202fV/)
  assert.is(await step.getAttribute('aria-invalid'), 'true')
  await step.fill('5 mA')
  assert.match(await message(), /“mA” does not fit here; use V/)
  await step.fill('5 xyz')
  assert.match(await message(), /not a unit we know/)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  assert.is(hub.runs.size, 0)
  assert.ok(await step.evaluate((element) => element === document.activeElement))
  await step.fill('4500 mV')
  await page.getByText('reads as 4.5\u202fV').waitFor()
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL(/\/runs\//)
  assert.equal([...hub.runs.values()][0]?.run.parameters.voltage, 4.5)
  await context.close()
})

test('the sentence about points and time follows what is typed', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  const sentence = page.getByText(/points, about/)
  const before = (await sentence.textContent()) ?? ''
  await page
    .getByLabel(/^Recording time/)
    .first()
    .fill('50')
  await page.waitForFunction((text) => !document.body.textContent.includes(text), before)
  assert.not.equal((await sentence.textContent()) ?? '', before)
  await context.close()
})

test('live points go on where they stopped after the connection was cut', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await signIn(page)
  await page.waitForURL(/labs/)
  const run = hub.addRun({}, 40)
  for (let i = 0; i < 12; i++) run.advance()
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByText('Rows 1 to 10 of 10').waitFor()
  run.drop()
  for (let i = 0; i < 5; i++) run.advance()
  await page.getByText('Rows 1 to 15 of 15').waitFor()
  assert.is(run.resumedFrom.length, 2)
  assert.is(run.resumedFrom[0], '')
  assert.ok(Number(run.resumedFrom[1]) > 0)
  for (let i = 0; i < 26; i++) run.advance()
  await page.getByText('succeeded').first().waitFor()
  await context.close()
})

test('when the hub is out of reach the page stays, says so, and comes back by itself', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('heading', { name: 'RC circuit' }).waitFor()
  hub.down = true
  await page.getByText('The hub cannot be reached.').waitFor({ timeout: 25_000 })
  await page.getByRole('heading', { name: 'RC circuit' }).waitFor()
  hub.down = false
  await page.getByRole('button', { name: 'Try now' }).click()
  await page.getByText('The hub cannot be reached.').waitFor({ state: 'detached' })
  await context.close()
})

test('stopping a run asks first, and the safe answer has the focus', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await signIn(page)
  await page.waitForURL(/labs/)
  const run = hub.addRun({}, 40)
  for (let i = 0; i < 6; i++) run.advance()
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByRole('button', { name: 'Stop the run' }).click()
  const keep = page.getByRole('button', { name: 'Let it run' })
  await keep.waitFor()
  await page.waitForFunction(() => document.activeElement?.textContent === 'Let it run')
  await page.getByRole('dialog').getByRole('button', { name: 'Stop the run' }).click()
  await page.getByText('cancelled').first().waitFor()
  assert.is(run.run.state, 'cancelled')
  await context.close()
})

test('Spanish from the browser, English when chosen, remembered', async () => {
  const { page, context } = await visit(browser, { language: 'es-ES' })
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('heading', { name: 'Laboratorios' }).waitFor()
  await page.getByRole('heading', { name: 'Circuito RC' }).waitFor()
  assert.is(await page.getAttribute('html', 'lang'), 'es')
  await page.getByRole('button', { name: /Aspecto, Idioma/ }).click()
  await page.getByRole('menuitem', { name: 'English' }).click()
  await page.getByRole('heading', { name: 'Labs' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'RC circuit' }).waitFor()
  await context.close()
})

test('the place in the queue stands on every page and leads to the run', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await signIn(page)
  await page.waitForURL(/labs/)
  const run = hub.addRun({ position: 3, estimatedStart: new Date(Date.now() + 360_000).toISOString() })
  await page.reload()
  await page.getByRole('link', { name: 'Your turn comes in about 6 min' }).click()
  await page.getByText('2 runs are before yours.').waitFor()
  assert.ok(page.url().endsWith(run.run.id))
  await context.close()
})

test.run()

import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { nodes } from './support/fake-staff.ts'
import { stage } from './support/stage.ts'

const test = suite('the pages of staff', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('rules that remove results are asked about first, and saving them is confirmed', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/settings`)
  const samples = page.getByLabel('Samples, days')
  const runs = page.getByLabel('Whole runs, days')
  const form = page.locator('form').filter({ hasText: 'Samples, days' })
  const save = form.getByRole('button', { name: 'Save', exact: true })
  await samples.fill('30')
  await runs.fill('10')
  await save.click()
  await page.getByText(/^Samples cannot outlive their run/).waitFor()
  assert.is(await page.getByRole('dialog').count(), 0)
  await runs.fill('60')
  await save.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/samples of runs that ended more than 30 days ago/).waitFor()
  await dialog.getByText(/^Runs that ended more than 60 days ago/).waitFor()
  assert.is(await page.getByText('Saved.').count(), 0)
  await dialog.getByRole('button', { name: 'Save and remove' }).click()
  await page.getByText('Saved.').waitFor()
  await page.reload()
  await comes(() => samples.inputValue(), '30')
  await samples.fill('')
  await save.click()
  await page.getByText('Saved.').waitFor()
  assert.is(await page.getByRole('dialog').count(), 0)
  assert.equal(complaints, [])
  await context.close()
})

test('what waiting is worth and how long bench time counts is set, and nothing that makes no sense', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/settings`)
  const step = page.getByLabel('Waiting worth one of priority, minutes')
  const save = page.getByRole('button', { name: 'Save the order' })
  await comes(() => page.getByLabel('Bench time counts for, hours').inputValue(), '168')
  await step.fill('0')
  await save.click()
  await page.getByText('Give a whole number from 1 to 1440.').waitFor()
  await step.fill('30')
  await save.click()
  await page.getByText('The queue is ordered anew.').waitFor()
  await page.reload()
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('[name=stepMinutes]')?.value === '30')
  assert.equal(complaints, [])
  await context.close()
})

test('how long uses keep names and addresses is said in a sentence, and what would go before it goes', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/settings`)
  const addresses = page.getByLabel('Addresses, days')
  const names = page.getByLabel('Names, days')
  const save = page.getByRole('button', { name: 'Save how long' })
  await page
    .getByText(/^Addresses of uses and sign-ins are forgotten after 90 days.*until the account is closed\.$/)
    .waitFor()
  await names.fill('7')
  await save.click()
  await page.getByText('Give a whole number of days from 30 to 36500, or leave it empty.').waitFor()
  await names.fill('365')
  await page.getByText(/365 days after its end, a use forgets who it was/).waitFor()
  await page.getByText('the names in 3 uses of 1 person').waitFor()
  await save.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('1 address').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'hidden' })
  assert.is(await page.getByText(/^Saved\. What is older/).count(), 0)
  await addresses.fill('')
  await names.fill('730')
  await page.getByText('Nothing that is there now would be forgotten yet.').waitFor()
  await save.click()
  await page.getByText(/^Saved\. What is older/).waitFor()
  await names.fill('100')
  await save.click()
  await dialog.getByRole('button', { name: 'Save and forget' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByText(/^Saved\. What is older/).waitFor()
  await page.reload()
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('[name=nameDays]')?.value === '100')
  assert.is(await addresses.inputValue(), '')
  assert.equal(complaints, [])
  await context.close()
})

test('a node that is offline is not said to be well, and its numbers are those last heard', async () => {
  const { page, context } = await visit(browser)
  await page.route('**/api/v1/nodes?*', (route) => {
    const [well] = nodes
    return route.fulfill({ json: { items: [{ ...well, state: 'offline' }] } })
  })
  await page.goto(`${hub.url}/nodes`)
  await page.getByText(/^As last heard, .+:$/).waitFor()
  assert.is(await page.getByText('All is well.').count(), 0)
  await context.close()
})

test('a node is found by its name, by a bench of it and by what is wrong with it', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/nodes`)
  const headed = (name: string) => page.getByRole('heading', { name, exact: true, level: 2 })
  const [demo, second] = [headed('demo'), headed('physics-2')]
  await demo.waitFor()
  const field = page.getByRole('searchbox', { name: 'Find a node, a bench or a problem' })
  for (const text of ['PHYSICS', 'physics-2.diode', 'nearly full']) {
    await field.fill(text)
    await demo.waitFor({ state: 'detached' })
    await second.waitFor()
    await field.fill('')
    await demo.waitFor()
  }
  await field.fill('no such')
  await page.getByText('No node has this.').waitFor()
  assert.match(page.url(), /q=no/)
  assert.equal(complaints, [])
  await context.close()
})

test('a node that is gone for good is removed once its name is typed', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/nodes`)
  const remove = page.getByRole('button', { name: 'Remove: physics-2' })
  await remove.click()
  assert.is(await page.getByRole('button', { name: 'Remove: demo' }).count(), 0, 'it is online')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('With it go its benches: physics-2.diode-1.').waitFor()
  await dialog.getByText('2 runs wait for this alone and are cancelled.').waitFor()
  await dialog.getByText('One run that was on it stays, with its results.').waitFor()
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
  await dialog.getByText('Type the name as it is written above.').waitFor()
  await dialog.getByLabel('Type physics-2 to confirm').fill('physics-2')
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
  await remove.waitFor({ state: 'detached' })
  assert.equal(complaints, [])
  await context.close()
})

test.run()

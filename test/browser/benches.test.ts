import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('a bench driven by hand', { timeoutMs: 60_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const bench = 'demo.rc-1'
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

test('taking a bench raises no alarm, however long it takes', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  await page.getByRole('cell', { name: '3.3' }).first().waitFor()
  let done = () => {}
  hub.taking = new Promise((resolve) => {
    done = resolve
  })
  await button(page, 'Take the bench').click()
  await page.waitForTimeout(3000)
  assert.is(await page.getByRole('alert').count(), 0)
  done()
  await page.getByText(/You have this bench for/).waitFor()
  await page.getByRole('cell', { name: '3.3' }).first().waitFor()
  assert.is(await page.getByRole('alert').count(), 0)
  await context.close()
})

test('a bench that somebody else uses says so, without an alarm', async () => {
  const { page, context } = await visit(browser)
  hub.heldBy.set(bench, 'other')
  await page.goto(`${hub.url}/benches/${bench}`)
  await page.getByText('Somebody uses this bench now.').waitFor()
  assert.ok(await button(page, 'Take the bench').isDisabled())
  assert.is(await button(page, 'Give it back').count(), 0)
  assert.is(await page.getByRole('alert').count(), 0)
  await context.close()
})

test('who comes back to the page goes on with the bench, or gives it back', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  await button(page, 'Take the bench').click()
  await page.getByText(/You have this bench for/).waitFor()
  await page.reload()
  await page.getByText('You have this bench. Go on with it, or give it back.').waitFor()
  assert.is(await page.getByRole('alert').count(), 0)
  await button(page, 'Go on with it').click()
  await page.getByText(/You have this bench for/).waitFor()
  await page.reload()
  await button(page, 'Give it back').click()
  await page.getByText(/Take the bench to set values by hand/).waitFor()
  assert.ok(await button(page, 'Take the bench').isEnabled())
  await context.close()
})

test('texts are chosen from a list, and a refusal stands beside its signal', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  await button(page, 'Take the bench').click()
  const shape = page.getByRole('combobox', { name: 'Set: Shape' })
  assert.equal(await shape.locator('option').allTextContents(), ['sine', 'square', 'dc'])
  await shape.selectOption('square')
  await page
    .getByRole('row', { name: /^Shape/ })
    .getByRole('button', { name: 'Set' })
    .click()
  await page
    .getByRole('row', { name: /^Shape/ })
    .getByRole('cell', { name: 'square', exact: true })
    .waitFor()
  const current = page.getByRole('row', { name: /^Current limit/ })
  await current.getByRole('textbox').fill('0.4')
  await current.getByRole('button', { name: 'Set' }).click()
  await current.getByText('it takes 0.3 A').waitFor()
  assert.is(await page.getByRole('alert').count(), 0)
  await context.close()
})

test.run()

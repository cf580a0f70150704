/** The lab thermal-control as a visitor finds it: `npm start`, a browser, the panel, a board whose firmware controls. */
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { comes, openBrowser } from '../browser/support/browser.ts'
import { type RunningFernlab, startFernlab } from '../support/running-fernlab.ts'
import { suite } from '../support/suite.ts'
import { newPerson, type Person, signedIn } from './support/people.ts'

const test = suite('a hot block, from the page', { timeoutMs: 240_000, hookTimeoutMs: 240_000, fileTimeoutMs: 500_000 })

let lab: RunningFernlab
let browser: Browser
let ada: Person

test.before(async () => {
  lab = await startFernlab({ readyMs: 200_000 })
  browser = await openBrowser()
  ada = await newPerson(lab, 'Ada Fern')
})
test.after(async () => {
  await browser?.close()
  await lab?.cleanUp()
})

/** Waits until the gauge is between two temperatures. */
const gaugeIn = (page: Page, low: number, high: number) =>
  page.waitForFunction(
    ([from = 0, to = 0]) => {
      const now = Number(document.querySelector('[role=meter]')?.getAttribute('aria-valuenow') ?? Number.NaN)
      return now >= from && now <= to
    },
    [low, high],
    { timeout: 90_000 },
  )

test('the controller takes the block to the setpoint that the panel gives it, and a hand on the heater takes it back', async () => {
  const { page, context, complaints } = await signedIn(browser, lab, ada)
  await page.goto(`${lab.http}/labs/thermal-control`)
  await page.getByRole('button', { name: 'Drive it live', exact: true }).click()
  await page.waitForURL(/\/sessions\/[0-9a-z]{26}/)
  await page.getByText('You have the controls.').waitFor()
  await gaugeIn(page, 15, 27)

  const control = page.getByRole('switch', { name: 'Controller on' })
  await control.click()
  const setpoint = page.getByRole('slider', { name: 'Setpoint' })
  await setpoint.focus()
  await page.keyboard.press('End')
  await gaugeIn(page, 59.5, 60.5)
  await comes(() => control.isChecked(), true)

  await page.getByRole('slider', { name: /^Heater/ }).focus()
  await page.keyboard.press('Home')
  // The panel goes on saying what was asked for, and beside it what is.
  await page.waitForFunction(() => {
    const notes = document.querySelector('[role=switch]')?.getAttribute('aria-describedby') ?? ''
    return /is\s*off/.test(document.getElementById(notes)?.textContent ?? '')
  })
  await gaugeIn(page, 15, 50)
  assert.equal(complaints, [])
  await context.close()
})

test.run()

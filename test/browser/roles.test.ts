import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('each role is offered what it may do', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('only admins are offered to enrol and revoke nodes', async () => {
  for (const [role, offered] of [
    ['admin', 1],
    ['instructor', 0],
  ] as const) {
    hub.role = role
    const { page, context } = await visit(browser)
    await page.goto(`${hub.url}/nodes`)
    await page.getByRole('heading', { name: 'physics-2' }).waitFor()
    assert.is(await page.getByRole('button', { name: 'Enrol a node' }).count(), offered, role)
    assert.is((await page.getByRole('button', { name: 'Revoke' }).count()) > 0, offered === 1, role)
    await context.close()
  }
})

test('a student who types the address of a page for staff gets one notice and no buttons', async () => {
  hub.role = 'student'
  const { page, context } = await visit(browser)
  for (const path of ['/people', '/nodes', '/benches', '/benches/demo.rc-1', '/settings']) {
    await page.goto(`${hub.url}${path}`)
    await page.getByText('This page is for staff.').waitFor()
    assert.is(await page.getByRole('alert').count(), 1, path)
    const buttons = await page.locator('main').getByRole('button').allTextContents()
    assert.equal(buttons, ['forbidden'], path)
  }
  await context.close()
})

test('a lab builder looks at a bench and is not offered to drive it', async () => {
  hub.role = 'builder'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/benches/demo.rc-1`)
  await page.getByRole('heading', { name: /^psu/ }).waitFor()
  assert.is(await page.getByRole('button', { name: 'Take the bench' }).count(), 0)
  assert.is(await page.getByRole('alert').count(), 0)
  await context.close()
})

test('a guest reads why Run is not for guests', async () => {
  hub.role = 'guest'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await page.getByText('Guests look on; ask for an invitation as student.').waitFor()
  await comes(() => page.getByRole('button', { name: 'Run', exact: true }).isDisabled(), true)
  await context.close()
})

test('on a phone the bar at the bottom has five entries, and the last leads to the rest', async () => {
  hub.role = 'admin'
  const { page, context } = await visit(browser, { phone: true })
  await page.goto(`${hub.url}/labs`)
  const bar = page.getByRole('navigation', { name: 'Main' })
  await bar.getByRole('link', { name: 'Labs' }).waitFor()
  const shown = bar.locator('a:visible, button:visible')
  await comes(() => shown.allInnerTexts(), ['Labs', 'My runs', 'Calendar', 'Benches', 'More'])
  await bar.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Account' }).waitFor()
  const rest = await page.getByRole('menuitem').allInnerTexts()
  assert.equal(rest, ['Nodes', 'Services', 'People', 'Usage', 'Settings', 'Account'])
  await page.getByRole('menuitem', { name: 'People' }).click()
  await page.getByRole('heading', { name: 'People' }).first().waitFor()
  await bar.locator('button[aria-current]').waitFor()
  hub.role = 'student'
  await page.goto(`${hub.url}/labs`)
  await bar.getByRole('link', { name: 'Account' }).waitFor()
  await comes(() => bar.getByRole('button', { name: 'More' }).isVisible(), false)
  await context.close()
})

test('staff see every live session that is open, more than one answer of the hub holds', async () => {
  hub.role = 'instructor'
  for (let at = 0; at < 230; at++) hub.addSession({ person: { id: `s${at}`, name: `Student ${at}` } })
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/runs?whose=all`)
  await page.getByRole('heading', { name: 'Live sessions' }).waitFor()
  await comes(() => page.getByRole('link', { name: /^Watch: / }).count(), 230)
  await context.close()
})

test.run()

import type { Bench } from '@fernlab/shared/contracts/api'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, tabTo, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { benches } from './support/fake-staff.ts'
import { stage } from './support/stage.ts'

const test = suite('a bench driven by hand', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const bench = 'demo.rc-1'
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

/** Lets the page hear nothing new of benches until what it returns is called. */
async function holdUpBenches(page: Page): Promise<() => void> {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route('**/api/v1/benches?*', async (route) => {
    await released
    await route.fallback()
  })
  return () => release()
}

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

test('a bench stays one’s own when a renewal fails, until the hub says that it has ended', async () => {
  const { page, context } = await visit(browser)
  await page.clock.install()
  await page.goto(`${hub.url}/benches/${bench}`)
  await button(page, 'Take the bench').click()
  await page.getByText(/You have this bench for/).waitFor()
  let refusal: { status: number; code: string } | undefined = { status: 503, code: 'hub-starting' }
  let renewals = 0
  await page.route(`**/api/v1/benches/${bench}/lease`, async (route) => {
    if (route.request().postDataJSON()?.lease === undefined) return await route.fallback()
    renewals += 1
    if (refusal === undefined) return await route.fallback()
    const problem = { type: 'x', title: 'x', detail: 'it does not go', ...refusal }
    await route.fulfill({ status: refusal.status, contentType: 'application/problem+json', json: problem })
  })
  const renew = async (times: number) => {
    const answered = page.waitForResponse((response) => response.url().endsWith(`/benches/${bench}/lease`))
    await page.clock.runFor(31_000)
    await answered
    await comes(async () => renewals, times)
  }
  await renew(1)
  await renew(2)
  assert.is(await page.getByText(/no longer yours/).count(), 0)
  await page.getByText(/You have this bench for/).waitFor()
  refusal = undefined
  await renew(3)
  await page.getByText(/You have this bench for/).waitFor()
  refusal = { status: 409, code: 'lease-ended' }
  // What it was told of the bench before says still that it has it.
  const release = await holdUpBenches(page)
  await renew(4)
  await page.getByText(/It is no longer yours/).waitFor()
  assert.is(await page.getByText(/You have this bench/).count(), 0)
  assert.is(await button(page, 'Give it back').count(), 0)
  hub.heldBy.delete(bench)
  release()
  await page.getByText(/Take the bench to set values by hand/).waitFor()
  await page.getByText(/It is no longer yours/).waitFor()
  await context.close()
  hub.heldBy.delete(bench)
})

test('a bench that could not be kept while the hub was away is lost when its time is over, and taken again', async () => {
  const { page, context } = await visit(browser)
  await page.clock.install()
  await page.goto(`${hub.url}/benches/${bench}`)
  await button(page, 'Take the bench').click()
  await page.getByText(/You have this bench for/).waitFor()
  const away = '**/api/v1/**'
  await page.route(away, (route) => route.abort('connectionrefused'))
  // The clock goes on meanwhile: a slow machine has half a minute for it.
  await page.clock.runFor(90_000)
  await page.getByText(/You have this bench for/).waitFor()
  await page.clock.runFor(35_000)
  await page.getByText('It is no longer yours: its time is over, and the hub could not be asked in time').waitFor()
  assert.is(await page.getByText(/You have this bench/).count(), 0)
  assert.is(await button(page, 'Give it back').count(), 0)
  await page.unroute(away)
  await page.clock.runFor(31_000)
  await button(page, 'Go on with it').waitFor()
  assert.is(await page.getByText(/no longer yours/).count(), 0)
  await button(page, 'Go on with it').click()
  await page.getByText(/You have this bench for/).waitFor()
  await context.close()
  hub.heldBy.delete(bench)
})

test('a check that is on the bench gives way to who takes it', async () => {
  const checked = benches.find(({ id }) => id === bench)
  assert.ok(checked)
  checked.state = 'busy'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  await page.getByText('The check Time constant is on this bench.').waitFor()
  await button(page, 'Take the bench').click()
  await page.getByText('The check Time constant was ended for you; it is done again later.').waitFor()
  await page.getByText(/You have this bench for/).waitFor()
  checked.state = 'free'
  await context.close()
})

test('a bench that somebody else uses says so, without an alarm', async () => {
  const { page, context } = await visit(browser)
  hub.heldBy.set(bench, 'other')
  await page.goto(`${hub.url}/benches/${bench}`)
  await page.getByText('Bo Lindqvist uses this bench now.').waitFor()
  assert.is(await page.getByLabel('What for').count(), 0)
  assert.ok(await button(page, 'Take the bench').isDisabled())
  assert.is(await button(page, 'Give it back').count(), 0)
  assert.is(await page.getByRole('alert').count(), 0)
  await context.close()
})

test('the hold of another is ended while the history of the bench is still on its way', async () => {
  const { page, context } = await visit(browser)
  hub.heldBy.set(bench, 'other')
  let isHeldUp = true
  await page.route(/\/(outages|history)$/, async (route) => {
    while (isHeldUp) await page.waitForTimeout(50)
    await route.continue()
  })
  await page.goto(`${hub.url}/benches/${bench}`)
  await button(page, 'End their hold').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Why').fill('a practical begins')
  await dialog.getByRole('button', { name: 'End their hold' }).click()
  await dialog.waitFor({ state: 'detached' })
  assert.not.ok(hub.heldBy.has(bench))
  await page.getByText(/Take the bench to set values by hand/).waitFor()
  // The bench is known to be free by now, and may be asked for.
  await page.getByLabel('What for').waitFor()
  assert.is(await page.getByRole('region', { name: 'Health' }).count(), 0)
  const before = await button(page, 'Take the bench').boundingBox()
  isHeldUp = false
  await page.getByRole('region', { name: 'Health' }).waitFor()
  assert.equal(await button(page, 'Take the bench').boundingBox(), before)
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

test('who gives the bench back is not told to have it until the hub is heard of it', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  const told = page.waitForResponse(
    async (answer) => answer.url().includes('/api/v1/benches?') && (await answer.text()).includes('"mine":true'),
  )
  await button(page, 'Take the bench').click()
  await page.getByText(/You have this bench for/).waitFor()
  await told
  const release = await holdUpBenches(page)
  await button(page, 'Give it back').click()
  await page.getByText(/Take the bench to set values by hand/).waitFor()
  assert.is(await button(page, 'Go on with it').count(), 0)
  release()
  await button(page, 'Take the bench').click()
  await page.getByText(/You have this bench for/).waitFor()
  await context.close()
})

test('texts are chosen from a list, and a refusal stands beside its signal', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  await button(page, 'Take the bench').click()
  const shape = page.getByRole('combobox', { name: 'Set: Shape' })
  await comes(() => shape.locator('option').allTextContents(), ['sine', 'square', 'dc'])
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

test('a bench is put into maintenance with a reason, and back', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  await page.getByText('Nobody is in the building').waitFor()
  await button(page, 'Maintenance or closing hours').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Close the bench now' }).click()
  await dialog.getByText('Say why, so that those who wait know.').waitFor()
  await dialog.getByLabel('Reason').fill('New fuse')
  await dialog.getByLabel('Until').fill('2020-01-01T10:00')
  await dialog.getByRole('button', { name: 'Close the bench now' }).click()
  await dialog.getByText('The end must be after the beginning, and to come.').waitFor()
  await dialog.getByLabel('Until').fill('')
  await dialog.getByRole('button', { name: 'Close the bench now' }).click()
  await page.getByText(/^since .* until it is put back$/).waitFor()
  await button(page, 'Put it back: New fuse').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Put it back' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText('New fuse', { exact: true }).waitFor({ state: 'detached' })
  assert.equal(complaints, [])
  await context.close()
})

test('benches are found by their state, and several are closed and opened at once', async () => {
  const { page, context, complaints } = await visit(browser)
  hub.role = 'builder'
  await page.goto(`${hub.url}/benches`)
  await page.getByText('3 of 3 benches', { exact: true }).waitFor()
  await page.getByRole('combobox', { name: 'State' }).selectOption({ label: 'fault (1)' })
  await page.getByText('1 of 3 benches', { exact: true }).waitFor()
  await page.reload()
  await page.getByText('1 of 3 benches', { exact: true }).waitFor()
  await page.getByLabel('Search by name or reason').fill('nowhere')
  await button(page, 'Show all').click()
  await page.getByText('3 of 3 benches', { exact: true }).waitFor()
  await tabTo(page, page.getByLabel('Select: RC bench 1'))
  await page.keyboard.press('Space')
  await page.getByLabel('Select: Diode bench').check()
  await button(page, 'Maintenance of 2 benches').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('This is for Diode bench, RC bench 1.').waitFor()
  await dialog.getByLabel('Reason').fill('holidays')
  await dialog.getByRole('button', { name: 'Close 2 benches now' }).click()
  await page.getByText('2 benches are closed, or will be.').waitFor()
  await dialog.waitFor({ state: 'detached' })
  // Somebody else opens one of them.
  await page.evaluate(async (at) => {
    const { items } = await (await fetch(at)).json()
    await fetch(`${at}/${items.at(-1).id}`, { method: 'DELETE' })
  }, `/api/v1/benches/${bench}/outages`)
  await page.waitForFunction(() => document.activeElement?.textContent?.includes('2 benches are closed') === true)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText('That is taken back.').waitFor()
  await page.waitForFunction(() => document.activeElement?.textContent?.includes('That is taken back.') === true)
  assert.equal(complaints, [])
  await context.close()
})

test('those benches are closed that were asked about, whatever becomes of the list meanwhile', async () => {
  const { page, context } = await visit(browser)
  const broken = benches.find(({ state }) => state === 'fault')
  assert.ok(broken)
  await page.goto(`${hub.url}/benches?state=fault`)
  await page.getByLabel(`Select: ${broken.title}`).check()
  await button(page, 'Maintenance of 1 bench').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('holidays')
  broken.state = 'free'
  await page.getByText('0 of 3 benches', { exact: true }).waitFor()
  broken.state = 'fault'
  const [request] = await Promise.all([
    page.waitForRequest((one) => one.url().endsWith('/api/v1/outages')),
    dialog.getByRole('button', { name: 'Close the bench now' }).click(),
  ])
  assert.equal(request.postDataJSON().benches, [broken.id])
  await dialog.waitFor({ state: 'detached' })
  await context.close()
})

test('a bench is closed at the same hours of every week, by the keyboard too', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  await tabTo(page, button(page, 'Maintenance or closing hours'))
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').and(page.locator(':focus')).waitFor()
  await page.keyboard.type('Nights')
  await dialog.getByLabel('When', { exact: true }).selectOption('weekly')
  await dialog.getByLabel('Saturday').uncheck()
  await dialog.getByLabel('Monday').check()
  await dialog.getByLabel('From').fill('22:00')
  await dialog.getByLabel('Until').fill('07:00')
  await dialog.getByRole('button', { name: 'Close the bench then' }).click()
  await page.getByText(/^Mon, Sun 22:00–07:00 \(time of Europe\/Madrid\)/).waitFor()
  await context.close()
})

test('a bench in maintenance can be driven by those who maintain it', async () => {
  const { page, context } = await visit(browser)
  await page.route('**/api/v1/benches?*', async (route) => {
    const answer = await route.fetch()
    const { items } = (await answer.json()) as { items: Bench[] }
    const outage = { reason: 'new fuse', from: new Date().toISOString(), weekly: false }
    const reason = 'in maintenance: new fuse'
    const json = { items: items.map((one) => ({ ...one, state: 'maintenance', reason, outage })) }
    await route.fulfill({ response: answer, json })
  })
  await page.goto(`${hub.url}/benches/${bench}`)
  await page.getByText('in maintenance: new fuse').waitFor()
  assert.ok(await button(page, 'Take the bench').isEnabled())
  await context.close()
})

test('a bench that was not cleaned up is put back by staff, who are told why it is out', async () => {
  const { page, context, complaints } = await visit(browser)
  hub.unclean.add(bench)
  await page.goto(`${hub.url}/benches/${bench}`)
  await button(page, 'Put it back').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('the clean-up after session s1 was not done: the supply did not answer').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'detached' })
  assert.ok(hub.unclean.has(bench))
  await button(page, 'Put it back').click()
  await dialog.getByRole('button', { name: 'Put it back' }).click()
  await dialog.waitFor({ state: 'detached' })
  await button(page, 'Put it back').waitFor({ state: 'detached' })
  assert.not.ok(hub.unclean.has(bench))
  assert.equal(complaints, [])
  await context.close()
})

test('a lab builder puts a bench back that was not cleaned up', async () => {
  const { page, context } = await visit(browser)
  hub.role = 'builder'
  hub.unclean.add(bench)
  await page.goto(`${hub.url}/benches/${bench}`)
  await page.getByText('the clean-up after session s1 was not done: the supply did not answer').waitFor()
  await page.getByRole('link', { name: 'Who drove it by hand' }).waitFor()
  assert.is(await page.getByRole('link', { name: 'Who used it' }).count(), 0)
  await button(page, 'Put it back').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Put it back' }).click()
  await dialog.waitFor({ state: 'detached' })
  await button(page, 'Put it back').waitFor({ state: 'detached' })
  assert.not.ok(hub.unclean.has(bench))
  await context.close()
})

test('an interlock that has tripped is reset when it is over, by who looks after benches', async () => {
  const { page, context, complaints } = await visit(browser)
  hub.interlocked.set(bench, { holds: true })
  await page.goto(`${hub.url}/benches/${bench}`)
  const interlocks = page.getByRole('region', { name: 'Interlocks' })
  const hot = interlocks.getByRole('listitem').filter({ hasText: 'Too hot' })
  await hot.getByText('not over yet').waitFor()
  await interlocks.getByRole('listitem').filter({ hasText: 'door' }).getByText('clear').waitFor()
  assert.ok(await hot.getByRole('button', { name: 'Reset' }).isDisabled())
  hub.interlocked.set(bench, { holds: false })
  await page.reload()
  await hot.getByText('over: look at the bench, then reset it').waitFor()
  await hot.getByRole('button', { name: 'Reset' }).click()
  const dialog = page.getByRole('dialog', { name: 'Reset Too hot?' })
  await dialog.getByRole('button', { name: 'Reset' }).click()
  await dialog.waitFor({ state: 'detached' })
  await interlocks.waitFor({ state: 'detached' })
  assert.not.ok(hub.interlocked.has(bench))
  assert.equal(complaints, [])
  await context.close()
})

test('the page says by what the bench is calibrated, by whom, and until when', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  const calibrations = page.getByRole('region', { name: 'Calibrations' })
  const rows = calibrations.getByRole('listitem')
  await rows.first().waitFor()
  const texts = await rows.allInnerTexts()
  assert.is(texts.length, 2, 'those of its own instruments that are in force')
  assert.match(
    texts[0] ?? '',
    /good until 31 May 2099[\s\S]*supply\.voltage[\s\S]*linear[\s\S]*by Ada Lovelace, 28 May 2026[\s\S]*room 12/,
  )
  assert.match(texts[1] ?? '', /was good until 31 May 2026[\s\S]*meter\.voltage[\s\S]*polynomial/)
  assert.equal(complaints, [])
  await context.close()
})

test('the page says whether the bench is sound, and what became of it', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/benches/${bench}`)
  const health = page.getByRole('region', { name: 'Health' })
  await health.getByText('Lab network', { exact: true }).waitFor()
  await health.getByText('meter did not answer identify within 2000 ms').waitFor()
  const own = health.getByRole('listitem').filter({ hasText: 'Time constant' })
  await own.getByRole('link', { name: 'under way: 40%' }).waitFor()
  assert.match((await own.getByRole('link', { name: 'Its run' }).getAttribute('href')) ?? '', /\/runs\/check-1$/)
  await health.getByText('can not be done').waitFor()
  await health.getByText('benches.rc-1.checks.leak.config.protocol').waitFor()
  // Rounded down.
  await health.getByText('98.7%').waitFor()
  const strip = health.getByRole('img')
  assert.match(
    (await strip.getAttribute('aria-label')) ?? '',
    /^The last 30 days: up for 27 d.*planned.*out of use for 2 h 7 min$/,
  )
  const changes = health.getByRole('list', { name: 'What became of the bench, newest first' }).getByRole('listitem')
  await comes(() => changes.count(), 5)
  await button(page, 'Show all 7 changes').click()
  await comes(() => changes.count(), 7)
  await changes.getByText('new fuse, by Ada Lovelace').waitFor()
  await button(page, 'Check now').click()
  await comes(async () => hub.checked, 1)
  await page.waitForFunction(() => document.querySelector('[data-loading]') === null)
  assert.equal(complaints, [])
  await context.close()
})

test('letters about benches are turned on and off, with the keyboard too', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/benches`)
  const letters = page.getByRole('switch', { name: 'Mail me when a bench goes out of use, and when it is back' })
  await letters.focus()
  await page.keyboard.press('Space')
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('[role=switch]')?.checked === true)
  await page.reload()
  await comes(() => letters.isChecked(), true)
  assert.ok(hub.benchLetters)
  assert.equal(complaints, [])
  await context.close()
})

test.run()

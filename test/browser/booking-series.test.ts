import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('weekly series on the page', { timeoutMs: 120_000, fileTimeoutMs: 300_000 })
let hub: FakeHub
let browser: Browser
/** Thursday, 10:05 in Madrid. */
const now = Date.UTC(2026, 10, 26, 9, 5)

stage(test, (given) => {
  ;({ hub, browser } = given)
  hub.bookings.now = () => now
  hub.role = 'instructor'
})

async function calendar() {
  const visited = await visit(browser)
  await visited.page.clock.setFixedTime(now)
  await visited.page.goto(`${hub.url}/calendar?lab=rc-circuit`)
  return visited
}

const open = () => [...hub.bookings.all.values()].filter(({ state, series }) => state !== 'cancelled' && series)

test('a course is booked every week after a look; what is taken is left out, and the rest is cancelled at once', async () => {
  // The second Monday.
  hub.bookings.add(Date.UTC(2026, 11, 7, 13), { person: { id: 'p2', name: 'Bo Lindqvist' } })
  const { page, context, complaints } = await calendar()
  await page.getByRole('button', { name: 'Every week…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Every week: RC circuit' })
  await dialog.getByRole('button', { name: 'See what is free' }).click()
  await dialog.getByText('Choose at least one day').waitFor()
  await dialog.getByText('Choose a day, not before the first').waitFor()
  await dialog.getByLabel('Monday').check()
  await dialog.getByLabel('Last day').fill('2026-12-14')
  await dialog.getByLabel('For a group').selectOption('optics')
  await dialog.getByLabel('Note').fill('lab class')
  await dialog.getByRole('button', { name: 'See what is free' }).click()
  await dialog.getByText('1 of 3 times are taken.').waitFor()
  const times = dialog.getByRole('list', { name: 'The times' }).getByRole('listitem')
  await times
    .nth(1)
    .getByText(/14:00–15:00.*: taken$/)
    .waitFor()
  assert.is(await times.nth(1).getByRole('button').count(), 2)
  await times
    .nth(1)
    .getByRole('button', { name: /15:00–16:00/ })
    .click()
  await dialog.getByText('All 3 times are free.').waitFor()
  await times
    .nth(1)
    .getByText(/^instead of .*14:00–15:00/)
    .waitFor()
  await times
    .nth(1)
    .getByRole('button', { name: /^Put back/ })
    .click()
  await dialog.getByText('1 of 3 times are taken.').waitFor()
  await page.waitForFunction(() => document.activeElement?.textContent?.startsWith('1 of 3 times'))
  assert.equal(open(), [])
  await dialog.getByRole('button', { name: 'Back' }).click()
  assert.ok(await dialog.getByLabel('Monday').isChecked())
  await dialog.getByRole('button', { name: 'See what is free' }).click()
  await dialog.getByRole('button', { name: 'Book the 2 that are free' }).click()
  await page.getByText('2 times of RC circuit are booked.').waitFor()
  assert.equal(
    open().map(({ start, group, note }) => [start, group?.id, note]),
    [
      ['2026-11-30T13:00:00.000Z', 'optics', 'lab class'],
      ['2026-12-14T13:00:00.000Z', 'optics', 'lab class'],
    ],
  )
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
  await page.getByRole('button', { name: 'The week after' }).click()
  await page.getByRole('button', { name: /14:00–15:00/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the series' }).click()
  const sure = page.getByRole('dialog', { name: 'Cancel the whole series?' })
  await sure.getByRole('button', { name: 'Cancel the series' }).click()
  await sure.waitFor({ state: 'hidden' })
  assert.equal(open(), [])
  await page.getByText('2 bookings of the series of RC circuit are cancelled.').waitFor()
  hub.bookings.add(Date.UTC(2026, 10, 30, 13), { person: { id: 'p2', name: 'Bo Lindqvist' } })
  await page.getByRole('button', { name: 'Book them again' }).click()
  await page.getByText('1 booking of the series of RC circuit is there again. One time was taken since.').waitFor()
  assert.equal(
    open().map(({ start, group }) => [start, group?.id]),
    [['2026-12-14T13:00:00.000Z', 'optics']],
  )
  assert.equal(complaints, [])
  await context.close()
})

test('all times that are taken go to the nearest free ones with one press, and are booked there', async () => {
  const bo = { id: 'p2', name: 'Bo Lindqvist' }
  hub.bookings.add(Date.UTC(2026, 10, 30, 13), { person: bo })
  hub.bookings.add(Date.UTC(2026, 11, 7, 13), { person: bo, seconds: 5400 })
  const { page, context, complaints } = await calendar()
  await page.getByRole('button', { name: 'Every week…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Every week: RC circuit' })
  await dialog.getByLabel('Monday').check()
  await dialog.getByLabel('Last day').fill('2026-12-14')
  await dialog.getByRole('button', { name: 'See what is free' }).click()
  await dialog.getByRole('button', { name: 'Take the nearest free time for all 2' }).click()
  await dialog.getByText('All 3 times are free.').waitFor()
  await dialog.getByRole('button', { name: 'Book all 3' }).click()
  await page.getByText('3 times of RC circuit are booked.').waitFor()
  assert.equal(
    open().map(({ start }) => start),
    ['2026-11-30T14:00:00.000Z', '2026-12-07T12:00:00.000Z', '2026-12-14T13:00:00.000Z'],
  )
  assert.equal(complaints, [])
  await context.close()
})

test('staff book one time for a group; students are offered neither', async () => {
  const { page, context } = await calendar()
  await page.getByRole('button', { name: 'Book a time', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('For a group').selectOption('optics')
  await dialog.getByRole('button', { name: 'Book a time' }).click()
  await page.getByRole('dialog', { name: 'Booked' }).waitFor()
  assert.equal(
    [...hub.bookings.all.values()].map(({ group }) => group?.id),
    ['optics'],
  )
  hub.role = 'student'
  await page.reload()
  await page.getByRole('button', { name: 'Book a time', exact: true }).click()
  await dialog.getByLabel('Begins').waitFor()
  assert.is(await page.getByLabel('For a group').count(), 0)
  assert.is(await page.getByRole('button', { name: 'Every week…' }).count(), 0)
  await context.close()
})

test.run()

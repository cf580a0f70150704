import { usualTerms } from '@fernlab/shared/contracts/terms'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('bookings on the page', { timeoutMs: 60_000, fileTimeoutMs: 300_000 })
let hub: FakeHub
let browser: Browser
/** Thursday, 10:05 in Madrid. */
const now = Date.UTC(2026, 10, 26, 9, 5)
const hourMs = 3_600_000
/** At the hour of that day in Madrid. */
const at = (hour: number) => Date.UTC(2026, 10, 26, hour - 1)

stage(test, (given) => {
  ;({ hub, browser } = given)
  hub.bookings.now = () => now
  hub.role = 'student'
})

/** Somebody whose browser has the hub's time. */
async function visitor() {
  const visited = await visit(browser)
  await visited.page.clock.setFixedTime(now)
  return visited
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const bo = { id: 'p2', name: 'Bo Lindqvist' }
const starts = () =>
  [...hub.bookings.all.values()]
    .filter(({ person, state }) => person.id === 'p1' && state !== 'cancelled')
    .map(({ start }) => start)
const iso = (ms: number) => new Date(ms).toISOString()

test('from the lab’s page the first free time is one press away; the limits are said, and where it stands then', async () => {
  hub.bookings.add(at(10), { person: bo, seconds: 5400 })
  hub.bookings.add(at(14), { person: bo })
  const { page, context, complaints } = await visitor()
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await button(page, 'Book a time').click()
  const dialog = page.getByRole('dialog', { name: 'Book a time: RC circuit' })
  await dialog.getByText('You may book up to 14 d ahead. 3 bookings of 3 are left.').waitFor()
  await dialog.getByText(/11:30–12:30.*: free$/).waitFor()
  assert.is(await dialog.getByLabel('Begins').inputValue(), '2026-11-26T11:30')
  await dialog.getByText('Times are of Europe/Madrid.').waitFor()
  await dialog.getByLabel('For how long').selectOption('30')
  await dialog.getByLabel('Note').fill('for the report')
  await dialog.getByRole('button', { name: 'Book a time' }).click()
  await page
    .getByRole('dialog', { name: 'Booked' })
    .getByText(/11:30–12:00/)
    .waitFor()
  const file = page.getByRole('dialog').getByRole('link', { name: 'Calendar file' })
  assert.is(await file.getAttribute('href'), '/api/v1/bookings/calendar.ics')
  await page.getByRole('dialog').getByRole('link', { name: 'To my bookings' }).click()
  const row = page.getByRole('region', { name: 'To come' }).getByRole('listitem')
  await row.getByText(/11:30–12:00/).waitFor()
  await row.getByText('30 min · for the report').waitFor()
  await page.goto(`${hub.url}/labs`)
  await page.getByText('Your booking of RC circuit begins in 85 min').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('a time that is taken is answered with the nearest free ones, one press each', async () => {
  hub.bookings.add(at(14), { person: bo, seconds: 7200 })
  const { page, context } = await visitor()
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await button(page, 'Book a time').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Begins').fill('2026-11-26T15:00')
  await dialog.getByText(/15:00–16:00.*: taken$/).waitFor()
  await dialog.getByRole('button', { name: 'Book a time' }).click()
  const taken = dialog.getByRole('alert')
  await taken.getByText('This time is taken.').waitFor()
  assert.equal(await taken.getByRole('button').count(), 2)
  await taken.getByRole('button', { name: /16:00–17:00/ }).click()
  await page.getByRole('dialog', { name: 'Booked' }).waitFor()
  assert.equal(starts(), [iso(at(16))])
  await context.close()
})

test('a booking is moved into its own time, made longer, and cancelled after one was asked', async () => {
  hub.bookings.add(at(14), { note: 'first try' })
  const { page, context } = await visitor()
  await page.goto(`${hub.url}/calendar/bookings`)
  await page.getByRole('button', { name: /^Change: RC circuit/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/14:00–15:00.*: free$/).waitFor()
  await dialog.getByLabel('Begins').fill('2026-11-26T14:30')
  await dialog.getByLabel('For how long').selectOption({ label: 'Another length' })
  await dialog.getByLabel('Minutes').fill('0')
  await dialog.getByText('From 1 minute to 31 days').waitFor()
  await dialog.getByLabel('Minutes').fill('100')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText(/14:30–16:10/).waitFor()
  await page.getByRole('button', { name: /^Cancel the booking: RC circuit/ }).click()
  await dialog.getByRole('button', { name: 'Keep it' }).click()
  assert.equal(starts(), [iso(at(14) + hourMs / 2)])
  await page.getByRole('button', { name: /^Cancel the booking/ }).click()
  await dialog.getByRole('button', { name: 'Cancel the booking' }).click()
  await page.getByText('Nothing is booked yet').waitFor()
  assert.equal(starts(), [])
  await context.close()
})

test('what is on comes first, and the past is read when it is wanted, the latest first, page by page', async () => {
  const { id: session } = hub.addSession().session
  hub.bookings.add(at(10), { session })
  for (let days = 1; days <= 30; days++) hub.bookings.add(at(9) - days * 24 * hourMs, { note: `${days} before` })
  const { page, context } = await visitor()
  await page.goto(`${hub.url}/calendar/bookings`)
  await page.getByRole('region', { name: 'Now' }).getByText('now', { exact: true }).waitFor()
  const open = page.getByRole('link', { name: /^Open the session: RC circuit/ })
  assert.is(await open.getAttribute('href'), `/sessions/${session}`)
  await page.getByRole('button', { name: /^Change/ }).click()
  await page.getByText('It has begun: its length can change, its beginning can not.').waitFor()
  assert.ok(await page.getByLabel('Begins').isDisabled())
  await page.keyboard.press('Escape')
  await button(page, 'Show past bookings').click()
  const past = page.getByRole('region', { name: 'Past' })
  await past.getByText('60 min · 1 before').waitFor()
  await past.getByRole('button', { name: 'More' }).click()
  await past.getByText('60 min · 30 before').waitFor()
  assert.is(await past.getByRole('listitem').count(), 30)
  await context.close()
})

test('who may not book is told whom to ask; staff see the bookings of everybody, and book several benches', async () => {
  hub.permissions.may = { gives: { ...usualTerms, mayBook: false } }
  hub.bookings.add(at(14), { person: bo })
  const { page, context } = await visitor()
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await button(page, 'Book a time').click()
  await page.getByText('You may not book this lab. Ask Bo Lindqvist.').waitFor()
  assert.ok(await page.getByRole('dialog').getByRole('button', { name: 'Book a time' }).isDisabled())
  hub.role = 'instructor'
  await page.goto(`${hub.url}/calendar/bookings?whose=all`)
  await page.getByText('60 min · Bo Lindqvist').waitFor()
  await button(page, 'Book a time').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Benches at once').fill('0')
  await dialog.getByText('A whole number, at least 1').waitFor()
  await dialog.getByLabel('Benches at once').fill('1')
  await dialog.getByRole('button', { name: 'Book a time' }).click()
  await page.getByRole('dialog', { name: 'Booked' }).waitFor()
  hub.role = 'guest'
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await page.getByText('Guests look on').first().waitFor()
  assert.is(await button(page, 'Book a time').count(), 0)
  assert.is(await page.getByRole('link', { name: 'Calendar' }).count(), 0)
  await context.close()
})

test.run()

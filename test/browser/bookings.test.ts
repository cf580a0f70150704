import { usualTerms } from '@fernlab/shared/contracts/terms'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('bookings on the page', { timeoutMs: 120_000, fileTimeoutMs: 300_000 })
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
  await dialog
    .getByText('A booking lasts 60 min at most. You may book up to 14 d ahead. 3 bookings of 3 are left.')
    .waitFor()
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
  await dialog.waitFor({ state: 'detached' })
  assert.equal(starts(), [iso(at(14) + hourMs / 2)])
  await page.getByRole('button', { name: /^Cancel the booking/ }).click()
  await dialog.getByRole('button', { name: 'Cancel the booking' }).click()
  await page.getByText('Nothing is booked yet').waitFor()
  assert.equal(starts(), [])
  await page.getByText(/^RC circuit, .*14:30–16:10.*: cancelled\.$/).waitFor()
  await page.waitForFunction(() => document.activeElement?.textContent?.includes('cancelled'))
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText(/14:30–16:10.*: booked again\.$/).waitFor()
  assert.equal(starts(), [iso(at(14) + hourMs / 2)])
  // Somebody is quicker: another time is as long, and named.
  await page.getByRole('button', { name: /^Cancel the booking/ }).click()
  await dialog.getByRole('button', { name: 'Cancel the booking' }).click()
  await page.getByText('Nothing is booked yet').waitFor()
  const bo = { id: 'p2', name: 'Bo Lindqvist' }
  for (const bench of ['demo.rc-1', 'demo.rc-2']) {
    hub.bookings.add(at(14) + hourMs / 2, { seconds: 1800, person: bo, bench })
  }
  await page.getByRole('button', { name: 'Book it again' }).click()
  await page.getByRole('button', { name: /15:00–16:40/ }).click()
  await page.getByText(/15:00–16:40.*: booked again\.$/).waitFor()
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
  await page.getByRole('link', { name: 'Past', exact: true }).click()
  const past = page.getByRole('region', { name: 'Past' })
  await past.getByText('60 min · 1 before').waitFor()
  await page.getByRole('button', { name: 'More' }).click()
  await past.getByText('60 min · 30 before').waitFor()
  assert.is(await past.getByRole('listitem').count(), 30)
  await context.close()
})

test('what is past or was cancelled is booked again: the same, at the next free time at that time of day', async () => {
  const bench = 'demo.rc-1'
  hub.bookings.add(at(14) - 24 * hourMs, { seconds: 1800, bench, note: 'first try' })
  hub.bookings.add(at(16), { state: 'cancelled', note: 'not today' })
  hub.bookings.add(at(9), { state: 'missed', note: 'overslept' })
  // Today somebody else has the time.
  hub.bookings.add(at(14), { person: bo })
  const { page, context, complaints } = await visitor()
  await page.goto(`${hub.url}/calendar/bookings`)
  const show = (name: string) => page.getByRole('link', { name, exact: true }).click()
  await show('Missed')
  await page.getByRole('region', { name: 'Missed' }).getByText('60 min · overslept').waitFor()
  const which = page.getByRole('navigation', { name: 'Which bookings' })
  assert.equal(await which.locator('[aria-current]').allTextContents(), ['Missed'])
  await show('Cancelled')
  await page.getByRole('region', { name: 'Cancelled' }).getByText('60 min · not today').waitFor()
  await show('Past')
  await page.getByRole('button', { name: /^Book again: RC circuit/ }).click()
  const dialog = page.getByRole('dialog', { name: 'Book a time: RC circuit' })
  await dialog.getByText(/Fri.*27.*14:00–14:30.*: free$/).waitFor()
  assert.is(await dialog.getByLabel('Note').inputValue(), 'first try')
  await dialog.getByRole('button', { name: 'Book a time' }).click()
  await page.getByRole('dialog', { name: 'Booked' }).getByRole('button', { name: 'Close' }).last().click()
  const made = [...hub.bookings.all.values()].at(-1)
  assert.equal([made?.start, made?.seconds, made?.note], [iso(at(14) + 24 * hourMs), 1800, 'first try'])
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.startsWith('Book again'))
  assert.equal(complaints, [])
  await context.close()
})

test('what is offered leaves room for the clean-up: times, lengths and the line that says so', async () => {
  hub.bookings.needs = { prepareS: 120, cleanUpS: 900 }
  hub.bookings.add(at(12), { person: bo })
  hub.bookings.add(at(18))
  const { page, context } = await visitor()
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await button(page, 'Book a time').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/10:15–11:15.*: free$/).waitFor()
  const needs = 'Of this time, 2 min go into making the bench ready. After it the bench is cleaned up for 15 min.'
  await dialog.getByText(needs).waitFor()
  await dialog.getByRole('button', { name: '10:15–11:45' }).waitFor()
  await dialog.getByLabel('Begins').fill('2026-11-26T11:10')
  await dialog.getByText(/11:10–11:45.*: free$/).waitFor()
  assert.equal(await dialog.getByLabel('For how long').locator('option').allTextContents(), [
    '15 min',
    '30 min',
    '35 min',
    'Another length',
  ])
  await dialog.getByLabel('Begins').fill('2026-11-26T11:45')
  await dialog.getByText(/11:45–12:45.*: taken$/).waitFor()
  await dialog.getByLabel('Begins').fill('2026-11-26T18:30')
  await dialog.getByText(/18:30–19:30.*: you have another booking then$/).waitFor()
  // Over midnight.
  await dialog.getByLabel('Begins').fill('2026-11-26T23:30')
  await dialog.getByText(/23:30.*00:30.*: free$/).waitFor()
  await dialog.getByRole('button', { name: 'Book a time' }).click()
  await page.getByRole('dialog', { name: 'Booked' }).waitFor()
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

test('what a group has is among one’s own, with whose it is, for them to change', async () => {
  hub.bookings.add(at(11), { person: bo, group: { id: 'optics', name: 'Optics' }, places: 2 })
  hub.bookings.add(at(14))
  hub.bookings.add(at(15), { person: bo })
  const { page, context, complaints } = await visitor()
  await page.goto(`${hub.url}/calendar/bookings`)
  const rows = page.getByRole('region', { name: 'To come' }).getByRole('listitem')
  await rows.nth(1).waitFor()
  assert.is(await rows.count(), 2)
  await rows
    .nth(0)
    .getByText(/2 benches · Bo Lindqvist · Optics/)
    .waitFor()
  assert.is(await rows.nth(0).getByRole('button').count(), 0)
  assert.is(await rows.nth(1).getByRole('button').count(), 2)
  hub.bookings.now = () => at(11.5)
  await page.clock.setFixedTime(at(11.5))
  await page.reload()
  await page
    .getByRole('region', { name: 'Now' })
    .getByText(/Optics/)
    .waitFor()
  await page.goto(`${hub.url}/runs`)
  await page.getByRole('link', { name: 'Your booking of RC circuit is on' }).click()
  await page.waitForURL(`${hub.url}/labs/rc-circuit`)
  assert.equal(complaints, [])
  await context.close()
})

test('what staff and benches did is told until it is put away, with another time one press away', async () => {
  const [start, end] = [iso(at(14)), iso(at(15))]
  const about = { booking: 'b', lab: 'rc-circuit', labTitle: 'RC circuit', start, end, at: iso(now) }
  hub.bookings.notices.push(
    { id: 'n2', what: 'cancelled', by: 'Tess', ...about },
    { id: 'n3', what: 'not-permitted', ...about },
    { id: 'n1', what: 'moved', by: 'Tess', before: { start: iso(at(12)), end: iso(at(13)) }, ...about },
  )
  const { page, context, complaints } = await visitor()
  await page.goto(`${hub.url}/calendar/bookings`)
  const told = page.getByRole('region', { name: 'What has changed' })
  await told.getByText(/Tess moved RC circuit from .*12:00–13:00.* to .*14:00–15:00/).waitFor()
  await told.getByText(/RC circuit, .*: cancelled when it was to begin, since no permission/).waitFor()
  assert.is(await told.getByRole('link', { name: 'What I may there' }).getAttribute('href'), '/labs/rc-circuit')
  await told.getByRole('button', { name: 'Book another time' }).click()
  await page.getByRole('dialog', { name: 'Book a time: RC circuit' }).getByRole('button', { name: 'Cancel' }).click()
  await told
    .getByRole('button', { name: /^Put away/ })
    .first()
    .click()
  await told.getByText(/Tess cancelled/).waitFor({ state: 'detached' })
  await told
    .getByRole('button', { name: /^Put away/ })
    .first()
    .click()
  await told.getByText(/no permission/).waitFor({ state: 'detached' })
  await told.getByRole('button', { name: /^Put away/ }).click()
  await told.waitFor({ state: 'detached' })
  assert.is(hub.bookingLetters.timeZone, 'Europe/Madrid', 'letters are in the time zone of the page')
  assert.equal(complaints, [])
  await context.close()
})

test('the link of a letter opens the booking at its time, to be made or to be moved', async () => {
  const { id } = hub.bookings.add(at(14))
  const { page, context } = await visitor()
  await page.goto(`${hub.url}/calendar/bookings?lab=rc-circuit&minutes=90&at=${encodeURIComponent(iso(at(16)))}`)
  const dialog = page.getByRole('dialog', { name: 'Book a time: RC circuit' })
  await dialog.getByText(/16:00–17:30.*: free$/).waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'detached' })
  assert.is(new URL(page.url()).search, '')
  await page.goto(`${hub.url}/calendar/bookings?change=${id}&at=${encodeURIComponent(iso(at(18)))}`)
  const moving = page.getByRole('dialog', { name: 'Change the booking of RC circuit' })
  await moving.getByText(/18:00–19:00.*: free$/).waitFor()
  await moving.getByRole('button', { name: 'Save' }).click()
  await page
    .getByRole('listitem')
    .getByText(/18:00–19:00/)
    .waitFor()
  assert.equal(starts(), [iso(at(18))])
  await context.close()
})

test('no length that is longer than may be is offered; what is left of the bench time is said', async () => {
  hub.permissions.may = {
    booking: { may: true, longestS: 1500, aheadS: 604_800, most: null, left: null, dayLeftS: 3000, weekLeftS: 0 },
  }
  const { page, context, complaints } = await visitor()
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await button(page, 'Book a time').click()
  const dialog = page.getByRole('dialog', { name: 'Book a time: RC circuit' })
  const limits =
    'A booking lasts 25 min at most. You may book up to 7 d ahead. Bench time left today: 50 min. Bench time left this week: no time.'
  await dialog.getByText(limits).waitFor()
  const length = dialog.getByLabel('For how long')
  assert.is(await length.inputValue(), '25')
  assert.equal(await length.locator('option').allTextContents(), ['15 min', '25 min', 'Another length'])
  await length.selectOption('')
  await dialog.getByLabel('Minutes').fill('26')
  await dialog.getByText('A booking lasts 25 min at most.', { exact: true }).waitFor()
  hub.permissions.may = {}
  assert.equal(complaints, [])
  await context.close()
})

test.run()

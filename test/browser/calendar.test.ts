import { usualTerms } from '@fernlab/shared/contracts/terms'
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, tabTo, type VisitOptions, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('the calendar', { timeoutMs: 120_000, fileTimeoutMs: 300_000 })
let hub: FakeHub
let browser: Browser
/** Thursday, 10:05 in Madrid. */
const now = Date.UTC(2026, 10, 26, 9, 5)
/** At the hour of that day in Madrid. */
const at = (hour: number) => Date.UTC(2026, 10, 26, hour - 1)
const bo = { id: 'p2', name: 'Bo Lindqvist' }

stage(test, (given) => {
  ;({ hub, browser } = given)
  hub.bookings.now = () => now
  hub.role = 'student'
})

async function visitor(options: VisitOptions = {}, nowMs = now) {
  const visited = await visit(browser, options)
  await visited.page.clock.setFixedTime(nowMs)
  return visited
}

test('the week shows what is free, one’s own and not who has the rest; an hour is booked by keys', async () => {
  hub.bookings.add(at(12), { person: bo })
  hub.bookings.add(at(14))
  hub.bookings.add(at(16), { lab: 'membrane' })
  const { page, context, complaints } = await visitor()
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('link', { name: 'Calendar' }).click()
  await page.getByLabel('Lab', { exact: true }).selectOption('RC circuit')
  await page.getByRole('heading', { name: /23.+29 Nov 2026/ }).waitFor()
  const today = page.getByRole('region', { name: 'Thu 26' })
  await today.getByRole('button', { name: /12:00: taken$/ }).waitFor()
  await today.getByRole('button', { name: /09:00: over$/ }).waitFor()
  await today.getByRole('button', { name: /^Yours 14:00–15:00/ }).waitFor()
  await today.getByRole('button', { name: /^Nerve membrane 16:00–17:00/ }).waitFor()
  assert.is(await page.getByText('Bo Lindqvist').count(), 0)
  const hour = (name: RegExp) => today.getByRole('button', { name })
  await tabTo(page, hour(/10:00: free$/))
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Book a time: RC circuit' })
  assert.is(await dialog.getByLabel('Begins').inputValue(), '2026-11-26T11:00')
  await dialog.getByRole('button', { name: 'Book a time' }).click()
  await page.getByRole('dialog', { name: 'Booked' }).getByRole('button', { name: 'Close' }).last().click()
  await today.getByRole('button', { name: /^Yours 11:00–12:00/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the booking' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the booking' }).click()
  await hour(/11:00: free$/).waitFor()
  await page.getByText(/11:00–12:00.*: cancelled\.$/).waitFor()
  await page.getByRole('button', { name: 'Book it again' }).click()
  await today.getByRole('button', { name: /^Yours 11:00–12:00/ }).waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('keys lead over the last day to the next week and back, by the hour that the clocks show', async () => {
  const saturday = Date.UTC(2026, 9, 24, 8)
  hub.bookings.now = () => saturday
  const { page, context, complaints } = await visitor({}, saturday)
  await page.goto(`${hub.url}/calendar?lab=rc-circuit`)
  const focused = (name: string) =>
    page.waitForFunction((said) => document.activeElement?.getAttribute('aria-label')?.startsWith(said), name)
  await tabTo(page, page.getByRole('region', { name: 'Sat 24' }).getByRole('button', { name: /10:00: free$/ }))
  await page.keyboard.press('ArrowRight')
  await focused('Sunday 25 October at 10:00')
  await page.keyboard.press('ArrowRight')
  await focused('Monday 26 October at 10:00: free')
  await page.keyboard.press('ArrowLeft')
  await focused('Sunday 25 October at 10:00: free')
  await page.keyboard.press('PageDown')
  await focused('Sunday 1 November at 10:00: free')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').getByLabel('Begins').waitFor()
  await page.keyboard.press('Escape')
  await focused('Sunday 1 November at 10:00')
  assert.equal(complaints, [])
  await context.close()
})

test('a lab that one may not book, or that no bench can do, says so and offers nothing', async () => {
  hub.permissions.may = { gives: { ...usualTerms, mayBook: false } }
  const { page, context, complaints } = await visitor()
  await page.goto(`${hub.url}/calendar?lab=rc-circuit`)
  await page.getByText('You may not book this lab. Ask Bo Lindqvist.').waitFor()
  assert.is(await page.getByRole('button', { name: 'Book a time', exact: true }).count(), 0)
  const hour = page.getByRole('region', { name: 'Thu 26' }).getByRole('button', { name: /12:00: free$/ })
  await hour.click({ force: true })
  assert.is(await page.getByRole('dialog').count(), 0)
  hub.permissions.may = {}
  await page.goto(`${hub.url}/calendar?lab=without-bench`)
  await page.getByText('No bench can do this lab at present. Ask the staff.').waitFor()
  assert.is(await page.getByRole('button', { name: /: (free|taken)$/ }).count(), 0)
  assert.equal(complaints, [])
  await context.close()
})

test('staff see whose the bookings are, why a time is closed, and go from week to week', async () => {
  hub.role = 'instructor'
  hub.bookings.add(at(12), { person: bo, note: 'thesis' })
  hub.bookings.closed.push({ bench: 'demo.rc-1', start: iso(at(18)), end: iso(at(20)), reason: 'new fuse' })
  const { page, context } = await visitor()
  await page.goto(`${hub.url}/calendar?lab=rc-circuit`)
  await page.getByRole('button', { name: /^Bo Lindqvist 12:00–13:00/ }).waitFor()
  await page.getByRole('button', { name: /18:00: closed: new fuse$/ }).waitFor()
  await page.getByRole('button', { name: 'The week after' }).click()
  await page.getByRole('heading', { name: /30 Nov.+6 Dec 2026/ }).waitFor()
  await page.getByRole('button', { name: 'The week before' }).click()
  await page.getByRole('button', { name: 'The week before' }).click()
  await page.getByRole('heading', { name: /16.+22 Nov 2026/ }).waitFor()
  await page.getByRole('button', { name: 'Today' }).click()
  await page.getByRole('button', { name: /^Bo Lindqvist/ }).click()
  await page.getByRole('dialog').getByText('Bo Lindqvist').waitFor()
  await context.close()
})

test('a phone lists the days, each free time with its button, and shows one day hour by hour', async () => {
  hub.bookings.add(at(12), { person: bo })
  hub.bookings.add(at(14), { note: 'for the report' })
  const { page, context } = await visitor({ phone: true })
  await page.goto(`${hub.url}/calendar?lab=rc-circuit`)
  const today = page.getByRole('region', { name: 'Thursday 26 November' })
  await today.getByText('for the report').waitFor()
  await today.getByRole('button', { name: 'Book a time: 13:00–14:00' }).click()
  const begins = page.getByRole('dialog').getByLabel('Begins')
  await begins.waitFor()
  assert.is(await begins.inputValue(), '2026-11-26T13:00')
  await page.keyboard.press('Escape')
  await page.getByLabel('View').selectOption('Day')
  await page.getByRole('button', { name: /^Yours 14:00–15:00/ }).waitFor()
  await page.getByRole('button', { name: 'The day after' }).click()
  await page.getByRole('heading', { name: 'Fri 27' }).waitFor()
  await context.close()
})

test('the night in which the clocks go back has its hour twice, and both can be booked', async () => {
  const saturday = Date.UTC(2026, 9, 24, 8)
  hub.bookings.now = () => saturday
  const { page, context } = await visitor({}, saturday)
  await page.goto(`${hub.url}/calendar?lab=rc-circuit&day=2026-10-25`)
  const sunday = page.getByRole('region', { name: 'Sun 25' })
  const twos = sunday.getByRole('button', { name: /02:00: free$/ })
  await twos.first().waitFor()
  assert.is(await twos.count(), 2)
  assert.is(await sunday.getByRole('button', { name: /: free$/ }).count(), 25)
  await twos.nth(1).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/02:00.*CET: free$/).waitFor()
  await dialog.getByRole('button', { name: 'Book a time' }).click()
  await page.getByRole('dialog', { name: 'Booked' }).waitFor()
  assert.equal(
    [...hub.bookings.all.values()].map(({ start }) => start),
    ['2026-10-25T01:00:00.000Z'],
  )
  await context.close()
})

test('the night in which they go on has no such hour; a time in it is the moment at which they do', async () => {
  const saturday = Date.UTC(2026, 2, 28, 8)
  hub.bookings.now = () => saturday
  const { page, context } = await visitor({}, saturday)
  await page.goto(`${hub.url}/calendar?lab=rc-circuit&day=2026-03-29`)
  const sunday = page.getByRole('region', { name: 'Sun 29' })
  await sunday.getByRole('button', { name: /03:00: free$/ }).waitFor()
  assert.is(await sunday.getByRole('button', { name: /02:00/ }).count(), 0)
  assert.is(await sunday.getByRole('button', { name: /: free$/ }).count(), 23)
  await sunday.getByRole('button', { name: /01:00: free$/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/01:00–03:00.*: free$/).waitFor()
  await dialog.getByLabel('Begins').fill('2026-03-29T02:30')
  await dialog.getByText(/03:00–04:00.*CEST: free$/).waitFor()
  await dialog.getByRole('button', { name: 'Book a time' }).click()
  await page.getByRole('dialog', { name: 'Booked' }).waitFor()
  assert.equal(
    [...hub.bookings.all.values()].map(({ start }) => start),
    ['2026-03-29T01:00:00.000Z'],
  )
  await context.close()
})

test('by the clocks of a lab elsewhere both nights are there when they change there, not here', async () => {
  hub.timeZone = 'America/New_York'
  for (const [day, name, hours] of [
    ['2026-03-08', 'Sun 8', 23],
    ['2026-11-01', 'Sun 1', 25],
  ] as const) {
    const eve = Date.parse(day) - 20 * 3_600_000
    hub.bookings.now = () => eve
    const { page, context } = await visitor({}, eve)
    await page.goto(`${hub.url}/calendar?lab=rc-circuit&day=${day}`)
    const free = page.getByRole('region', { name, exact: true }).getByRole('button', { name: /: free$/ })
    await comes(() => free.count(), 24)
    const differs = page.getByText(/^All times are of Europe\/Madrid, .* the lab is in America\/New_York/)
    await differs.waitFor()
    await page.getByLabel('Time zone').selectOption('America/New_York')
    await differs.waitFor({ state: 'detached' })
    await comes(() => free.count(), hours)
    await context.close()
  }
})

test('where the lab is in another time zone, one chooses whose times are shown', async () => {
  hub.timeZone = 'America/New_York'
  hub.bookings.add(at(14))
  const { page, context } = await visitor()
  await page.goto(`${hub.url}/calendar?lab=rc-circuit`)
  await page.getByRole('button', { name: /^Yours 14:00–15:00/ }).waitFor()
  await page.getByLabel('Time zone').selectOption({ label: 'America/New_York (the lab’s)' })
  await page.getByRole('button', { name: /^Yours 08:00–09:00/ }).waitFor()
  await page.goto(`${hub.url}/calendar/bookings`)
  await page.getByText(/08:00–09:00 .*-5|08:00–09:00 EST/).waitFor()
  await context.close()
})

const iso = (ms: number) => new Date(ms).toISOString()

test.run()

import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, tabTo, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import type { FakeSession } from './support/fake-session.ts'
import { labPage } from './support/fake-sessions.ts'
import { stage } from './support/stage.ts'

const test = suite('a live session', { timeoutMs: 120_000, fileTimeoutMs: 400_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const bo = { id: 'p2', name: 'Bo Lindqvist' }
const ana = { id: 'p1', name: 'Ana Ruiz' }
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const start = 1_700_000_000

/** Somebody at the panel of an active session. */
async function driving(more: Parameters<FakeHub['addSession']>[0] = {}) {
  const session = hub.addSession(more)
  const visitor = await visit(browser)
  await visitor.page.goto(`${hub.url}/sessions/${session.session.id}`)
  await visitor.page.getByText('You have the controls.').waitFor()
  await session.listened()
  session.read(start, {
    'psu.voltage': 0,
    'psu.output': false,
    'dmm.voltage': 1.25,
    'fgen.output': false,
    'fgen.frequency': 50,
    'fgen.amplitude': 2,
  })
  await visitor.page.getByText('1.25').first().waitFor()
  return { session, ...visitor }
}

const lastSet = (session: FakeSession) =>
  session.heard.findLast(({ method }) => method === 'set')?.params.values as Record<string, unknown>

test('a switch shows what is asked for until the bench answers, and what is', async () => {
  const { session, page, context, complaints } = await driving()
  const supply = page.getByRole('switch', { name: 'Supply on' })
  let done = () => {}
  session.answering = new Promise((resolve) => {
    done = resolve
  })
  await supply.click()
  await page.getByText(/asking for on/).waitFor()
  assert.is(await supply.getAttribute('aria-checked'), 'true')
  done()
  await page.getByText(/asked for on/).waitFor()
  assert.equal(lastSet(session), { 'psu.output': true })
  await page.getByText('Supply on → on').waitFor()
  session.read(start + 1)
  await page.getByText(/is on/).waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('a switch that the instrument moves by itself shows what is', async () => {
  const { session, page, context } = await driving()
  const supply = page.getByRole('switch', { name: 'Supply on' })
  await supply.click()
  await page.getByText(/asked for on/).waitFor()
  session.read(start + 0.5)
  await page.getByText(/is on/).waitFor()
  const notes = page.locator(`[id="${await supply.getAttribute('aria-describedby')}"]`)
  assert.not.match((await notes.textContent()) ?? '', /asked/)
  session.read(start + 0.7, { 'psu.output': false })
  await notes.getByText(/is off/).waitFor()
  assert.is(await supply.getAttribute('aria-checked'), 'false')
  assert.not.match((await notes.textContent()) ?? '', /asked/)
  // Taken, and never done: the switch stands as it is, and what was asked for is still said.
  await supply.click()
  await page.getByText(/asked for on/).waitFor()
  session.read(start + 3, { 'psu.output': false })
  await page.waitForFunction(() => document.querySelector('[role=switch]')?.getAttribute('aria-checked') === 'false')
  assert.match((await notes.textContent()) ?? '', /asked for on.*is off/)
  await context.close()
})

test('a refused value stands beside its control with the reason, and the control goes back', async () => {
  const { session, page, context } = await driving()
  session.refused.set('psu.output', 'the supply is locked')
  const supply = page.getByRole('switch', { name: 'Supply on' })
  await supply.click()
  await page.getByRole('alert').getByText('the supply is locked').waitFor()
  assert.is(await supply.getAttribute('aria-checked'), 'false')
  const notes = await supply.getAttribute('aria-describedby')
  assert.match((await page.locator(`[id="${notes}"]`).textContent()) ?? '', /the supply is locked/)
  await page.getByText(/refused: the supply is locked/).waitFor()
  await context.close()
})

test('slider and knob move by keys, in their limits, and tell their value with its unit', async () => {
  const { session, page, context } = await driving()
  const slider = page.getByRole('slider', { name: 'Supply voltage' })
  await tabTo(page, slider)
  await page.keyboard.press('End')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowLeft')
  await session.until(() => lastSet(session)?.['psu.voltage'] === 9.9)
  assert.is(await slider.getAttribute('aria-valuetext'), '9.9\u202fV')
  const knob = page.getByRole('slider', { name: 'Generator amplitude' })
  await tabTo(page, knob)
  await page.keyboard.press('ArrowUp')
  await session.until(() => lastSet(session)?.['fgen.amplitude'] === 2.1)
  await page.keyboard.press('PageUp')
  await session.until(() => lastSet(session)?.['fgen.amplitude'] === 2.9)
  await page.keyboard.press('End')
  await session.until(() => lastSet(session)?.['fgen.amplitude'] === 8)
  assert.equal([await knob.getAttribute('aria-valuenow'), await knob.getAttribute('aria-valuemax')], ['8', '8'])
  await context.close()
})

test('a slider that is dragged sends few values and always the last', async () => {
  const { session, page, context } = await driving()
  let done = () => {}
  session.answering = new Promise((resolve) => {
    done = resolve
  })
  const slider = page.getByRole('slider', { name: 'Supply voltage' })
  await slider.focus()
  for (let i = 0; i < 30; i++) await page.keyboard.press('ArrowRight')
  await session.called('set')
  assert.is(session.heard.length, 1, 'one value at a time')
  done()
  await session.until(() => lastSet(session)?.['psu.voltage'] === 3)
  assert.is(session.heard.length, 2)
  await context.close()
})

test('a number is checked before it is sent, also in a unit of one’s own', async () => {
  const { session, page, context } = await driving()
  const field = page.getByRole('textbox', { name: 'Generator frequency' })
  await field.fill('2 kHz')
  await page.keyboard.press('Enter')
  await page.getByText(/The most is 1000\u202fHz/).waitFor()
  assert.is(await field.getAttribute('aria-invalid'), 'true')
  assert.equal(session.heard, [])
  await field.fill('0.5 kHz')
  await page.keyboard.press('Enter')
  await session.called('set')
  assert.equal(lastSet(session), { 'fgen.frequency': 500 })
  await context.close()
})

test('buttons set and call once a press; gauge and charts say what they show', async () => {
  const { session, page, context } = await driving()
  await button(page, 'Discharge').click()
  await page.getByText('Done.').waitFor()
  assert.equal(session.heard, [{ method: 'set', params: { values: { 'psu.voltage': 0, 'psu.output': true } } }])
  const gauge = page.getByRole('meter', { name: 'Across the capacitor' })
  assert.equal(
    [await gauge.getAttribute('aria-valuenow'), await gauge.getAttribute('aria-valuetext')],
    ['1.25', '1.25\u202fV'],
  )
  const chart = page.getByRole('img', { name: 'Voltages: the last 30 s' })
  await chart.locator('canvas').waitFor()
  await context.close()
})

test('while the connection is lost the controls rest; it comes back by itself and nothing is sent twice', async () => {
  const { session, page, context } = await driving()
  session.answering = new Promise(() => {})
  const supply = page.getByRole('switch', { name: 'Supply on' })
  await supply.click()
  await session.called('set')
  session.isDeaf = true
  session.cut()
  await page.getByText('The connection is lost; this page tries again by itself.').waitFor()
  await page.getByText(/it is given back 3\smin after the last command/).waitFor()
  await page.getByText(/lost before the bench answered/).waitFor()
  assert.ok(await supply.isDisabled())
  assert.is(await page.getByRole('slider', { name: 'Generator amplitude' }).getAttribute('aria-disabled'), 'true')
  session.isDeaf = false
  session.answering = Promise.resolve()
  await page.getByText('The connection is lost; this page tries again by itself.').waitFor({ state: 'detached' })
  assert.ok(await supply.isEnabled())
  assert.is(session.heard.length, 1)
  await context.close()
})

test('Stop ends the session at once; with the hub out of reach it goes out when the hub is back', async () => {
  const { session, page, context } = await driving()
  hub.down = true
  session.cut()
  await page.getByText('The connection is lost; this page tries again by itself.').waitFor()
  await button(page, 'Stop').click()
  await page.getByText(/Stop has not reached the hub yet/).waitFor()
  assert.is(session.session.state, 'active')
  hub.down = false
  await page.getByRole('heading', { name: 'What was recorded' }).waitFor()
  assert.is(session.session.state, 'closed')
  await page.getByText('1,200 rows').waitFor()
  await page.getByRole('link', { name: 'Chart, data and downloads' }).click()
  await page.waitForURL(/\/runs\//)
  await context.close()
})

test('finishing is asked about, and more time can be had', async () => {
  const { session, page, context } = await driving()
  await button(page, '5 min more').click()
  await session.until(() => session.session.seconds === 900)
  await page.getByText(/14:\d\d left|15:00 left/).waitFor()
  await button(page, 'Finish').click()
  const dialog = page.getByRole('dialog', { name: 'Give the bench back?' })
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'detached' })
  assert.is(session.session.state, 'active')
  await button(page, 'Finish').click()
  await dialog.getByRole('button', { name: 'Finish' }).click()
  await page.getByRole('heading', { name: 'What was recorded' }).waitFor()
  await context.close()
})

test('in the last minute the line turns amber and it is said', async () => {
  const { page, context } = await driving({ endsAt: new Date(Date.now() + 58_000).toISOString() })
  await page.getByRole('status').getByText('Less than a minute is left.').waitFor({ state: 'attached' })
  await comes(() => page.locator('[data-soon]').count(), 1)
  await context.close()
})

test('one hand is on the controls: given to a partner, the panel shows and does not move; the owner takes them back', async () => {
  const { session, page, context } = await driving({ partners: [bo] })
  session.tell('people', {
    people: [
      { ...ana, role: 'owner' },
      { ...bo, role: 'partner' },
      { id: 'p3', name: 'Ida Berg', role: 'observer' },
    ],
    control: ana,
  })
  await page.getByText('Also here: Bo Lindqvist, Ida Berg (watching)').waitFor()
  await button(page, 'Hand over').click()
  await page.getByRole('menuitem', { name: 'Bo Lindqvist' }).waitFor()
  assert.is(await page.getByRole('menuitem').count(), 1)
  await page.getByRole('menuitem', { name: 'Bo Lindqvist' }).click()
  await page.getByText('Bo Lindqvist has the controls.').waitFor()
  const supply = page.getByRole('switch', { name: 'Supply on' })
  assert.ok(await supply.isDisabled())
  const values = { 'psu.output': true }
  session.tell('command', { by: bo, command: { what: 'set', values }, outcome: 'done', at: new Date().toISOString() })
  await page.getByText(/asked for on/).waitFor()
  await button(page, 'Take the controls').click()
  await page.getByText('You have the controls.').waitFor()
  assert.ok(await supply.isEnabled())
  assert.equal(
    session.heard.map(({ method }) => method),
    ['control.give', 'control.take'],
  )
  await context.close()
})

test('a partner who has the controls may finish, after a question, and one who has not may not', async () => {
  hub.role = 'student'
  const { session, page, context } = await driving({ person: bo, partners: [ana], control: ana })
  session.tell('people', {
    people: [
      { ...bo, role: 'owner' },
      { ...ana, role: 'partner' },
    ],
    control: bo,
  })
  await page.getByText('Bo Lindqvist has the controls.').waitFor()
  await button(page, 'Finish').waitFor({ state: 'detached' })
  assert.is(await button(page, 'Stop').count(), 0)
  session.tell('people', {
    people: [
      { ...bo, role: 'owner' },
      { ...ana, role: 'partner' },
    ],
    control: ana,
  })
  await button(page, 'Finish').click()
  const dialog = page.getByRole('dialog', { name: 'Give the bench back?' })
  await dialog.getByText('The session of Bo Lindqvist ends for everybody in it').waitFor()
  await dialog.getByRole('button', { name: 'Finish' }).click()
  await page.getByRole('heading', { name: 'What was recorded' }).waitFor()
  await context.close()
})

test('lines of the chat come and go, and stay when the page loads again', async () => {
  const { session, page, context } = await driving()
  await page.getByRole('textbox', { name: 'Write a line' }).fill('Hello')
  await page.keyboard.press('Enter')
  const chat = page.getByRole('region', { name: 'Chat' })
  await chat.getByText('Hello').waitFor()
  session.say(bo, 'Try 3 volts')
  await chat.getByText('Try 3 volts').waitFor()
  await chat.getByText('Bo Lindqvist').waitFor()
  await page.reload()
  await chat.getByText('Try 3 volts').waitFor()
  session.cut()
  session.say(bo, 'Now 4')
  await chat.getByText('Now 4').waitFor()
  assert.is(await chat.getByRole('listitem').count(), 3, 'each once, in their order')
  await context.close()
})

test('from the queue to the panel by itself, with place, time and reason on the way', async () => {
  const session = hub.addSession({
    state: 'waiting',
    position: 3,
    estimatedStart: new Date(Date.now() + 385_000).toISOString(),
    waitReason: 'RC bench 1 is busy',
  })
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/sessions/${session.session.id}`)
  await page.getByText('Your turn comes in about 6').waitFor()
  await page.getByText('2 runs are before yours.').waitFor()
  await page.getByText('RC bench 1 is busy').waitFor()
  await page.getByText(/Keep a page of this hub open while you wait/).waitFor()
  const soon = { position: 1, estimatedStart: new Date(Date.now() + 145_000).toISOString() }
  session.session = { ...session.session, ...soon, waitReason: 'RC bench 1 is being cleaned up' }
  // It is told; nobody asks.
  const asked = `**/api/v1/sessions/${session.session.id}`
  await page.route(asked, (route) => route.abort())
  session.tell('wait', { ...soon, reason: 'RC bench 1 is being cleaned up' })
  await page.getByText('RC bench 1 is being cleaned up').waitFor()
  await page.unroute(asked)
  await page.getByText('Your turn comes in about 2').waitFor()
  assert.is(await page.getByText(/before yours/).count(), 0, 'nobody is before')
  session.become({ state: 'preparing', bench: 'demo.rc-1' })
  await page.getByText('The bench is being made ready for you').first().waitFor()
  session.become({ state: 'active', endsAt: new Date(Date.now() + 600_000).toISOString() })
  await page.getByRole('switch', { name: 'Supply on' }).waitFor()
  session.become({ state: 'finishing', reason: 'its time was over' })
  await page.getByText('The bench is being cleaned up for the next').waitFor()
  await page.getByText('its time was over').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('who is in the room of a bench that breaks down reads the apology, and is next', async () => {
  hub.role = 'student'
  const session = hub.addSession({ state: 'preparing', bench: 'demo.rc-1' })
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/sessions/${session.session.id}`)
  await page.getByText('The bench is being made ready for you').first().waitFor()
  session.become({
    state: 'waiting',
    bench: null,
    position: 1,
    reason:
      'we are sorry: the bench broke down (box was lost during the run: unplugged); you are back at the head of the queue',
    waitReason: 'no bench is up: unplugged',
  })
  await page.getByText(/^We are sorry: the bench broke down \(.*\); you are back at the head of the queue\.$/).waitFor()
  await page.getByText('no bench is up: unplugged').waitFor()
  assert.is(await page.getByText(/before yours/).count(), 0, 'nobody is before')
  assert.ok(await button(page, 'Leave the queue').isVisible())
  session.become({ state: 'preparing', bench: 'demo.rc-2' })
  await page.getByText('The bench is being made ready for you').first().waitFor()
  session.become({ state: 'active', endsAt: new Date(Date.now() + 600_000).toISOString() })
  await page.getByRole('switch', { name: 'Supply on' }).waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('leaving the queue is asked about', async () => {
  const session = hub.addSession({ state: 'waiting' })
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sessions/${session.session.id}`)
  await button(page, 'Leave the queue').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Leave the queue' }).click()
  await page.getByText('It ended before its turn came').waitFor()
  await context.close()
})

test('the lab’s page opens a session of the chosen length, and leads back to it, as every page does', async () => {
  hub.role = 'student'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await page.getByRole('combobox', { name: 'For how long' }).selectOption({ label: '5\u202fmin' })
  await button(page, 'Drive it live').click()
  await page.getByText('You have the controls.').waitFor()
  assert.is([...hub.sessions.values()][0]?.session.seconds, 300)
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('link', { name: 'It’s your turn' }).click()
  await page.getByText('You have the controls.').waitFor()
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await page.getByRole('link', { name: 'Back to your session' }).waitFor()
  assert.is(await button(page, 'Drive it live').count(), 0)
  await context.close()
})

test('driving it again has the same lab and length at hand', async () => {
  hub.role = 'student'
  const { session } = hub.addSession({ state: 'closed', seconds: 420 })
  const { page, context, complaints } = await visit(browser, { phone: true })
  await page.goto(`${hub.url}/sessions/${session.id}`)
  await page.getByRole('link', { name: 'Drive it again' }).click()
  await page.waitForURL(/\/labs\/rc-circuit\?/)
  const drive = button(page, 'Drive it live')
  await drive.and(page.locator(':focus')).waitFor()
  assert.is(await page.getByRole('combobox', { name: 'For how long' }).inputValue(), '420')
  await page.keyboard.press('Enter')
  await page.getByText('You have the controls.').waitFor()
  assert.is([...hub.sessions.values()].at(-1)?.session.seconds, 420)
  assert.is([...hub.sessions.values()].at(-1)?.session.wantedBench, undefined)
  assert.equal(complaints, [])
  await context.close()
})

test('driving it again is on the bench that was asked for', async () => {
  hub.role = 'student'
  const { session } = hub.addSession({ state: 'closed', wantedBench: 'demo.rc-1' })
  const { page, context, complaints } = await visit(browser)
  const same = page.getByRole('checkbox', { name: 'Only on RC bench 1, as before' })
  await page.goto(`${hub.url}/sessions/${session.id}`)
  await page.getByRole('link', { name: 'Drive it again' }).click()
  await same.waitFor()
  assert.ok(await same.isChecked())
  await same.uncheck()
  await same.check()
  await button(page, 'Drive it live').click()
  await page.getByText('You have the controls.').waitFor()
  assert.is([...hub.sessions.values()].at(-1)?.session.wantedBench, 'demo.rc-1')
  assert.equal(complaints, [])
  await context.close()
})

test('partners of a session that makes room for a booking are led to the rest of it', async () => {
  hub.role = 'student'
  const rest = hub.addSession({
    person: bo,
    partners: [{ id: 'ana', name: 'Ana Ruiz' }],
    state: 'waiting',
    position: 1,
  })
  const { session } = hub.addSession({ person: bo, state: 'closed', next: rest.session.id })
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/sessions/${session.id}`)
  await page.getByText(/The rest of the session of .* is next.*whoever took part does again/).waitFor()
  await page.getByRole('link', { name: 'To the rest of the session' }).click()
  await page.waitForURL(new RegExp(rest.session.id))
  assert.equal(complaints, [])
  await context.close()
})

test('guests are told why they cannot drive, and labs without sessions offer none', async () => {
  hub.role = 'guest'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  const drive = button(page, 'Drive it live')
  await comes(() => drive.isDisabled(), true)
  await context.close()
})

test('staff see which sessions are open, watch one without a hand on it, and may stop it', async () => {
  const session = hub.addSession({ person: bo, lab: 'diode-iv' })
  hub.addSession({ state: 'closed' })
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/benches`)
  await page.getByRole('heading', { name: 'Live sessions' }).waitFor()
  assert.is(await page.getByRole('link', { name: /^Watch/ }).count(), 1)
  // Instructors of a course find those of its people on its page.
  await page.goto(`${hub.url}/people/groups/optics`)
  await page.getByRole('heading', { name: 'Live sessions' }).waitFor()
  await page.getByRole('link', { name: 'Watch: Diode curve, Bo Lindqvist' }).click()
  await page.getByText('Bo Lindqvist has the controls.').waitFor()
  assert.ok(await page.getByRole('switch', { name: 'Supply on' }).isDisabled())
  assert.is(await button(page, 'Take the controls').count(), 0)
  await page.goto(`${hub.url}/runs?whose=all`)
  await page.getByRole('heading', { name: 'Live sessions' }).waitFor()
  await page.getByRole('link', { name: 'Diode curve: Live session' }).click()
  await button(page, 'Stop').click()
  await page.getByRole('heading', { name: 'What was recorded' }).waitFor()
  assert.is(session.session.state, 'closed')
  await context.close()
})

test('an address that leads to no session says so', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sessions/01s00000000000000000000099`)
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  await context.close()
})

test('a partner joins by the link that the owner made', async () => {
  const { page, context } = await driving()
  await button(page, 'Invite a partner').click()
  const link = await page.getByRole('dialog').locator('code').textContent()
  const other = await visit(browser)
  await other.page.goto(link ?? '')
  await button(other.page, 'Take part').click()
  await other.page.waitForURL(/\/sessions\/01s/)
  await other.page.goto(`${hub.url}/sessions/join`)
  await other.page.getByText(/a part of it is missing here/).waitFor()
  await other.context.close()
  await context.close()
})

test("a lab's own page opens in another tab, for those who take part", async () => {
  const { session } = hub.addSession({ ownServer: true })
  const { page, context, complaints } = await visit(browser)
  await context.route(labPage, (route) => route.fulfill({ contentType: 'text/html', body: '<h1>The robot</h1>' }))
  await page.goto(`${hub.url}/sessions/${session.id}`)
  const link = page.getByRole('link', { name: 'Open the lab’s own page' })
  const [tab] = await Promise.all([context.waitForEvent('page'), link.press('Enter')])
  await tab.getByRole('heading', { name: 'The robot' }).waitFor()
  assert.is(tab.url(), labPage)
  await tab.close()
  assert.equal(complaints, [])
  const { session: theirs } = hub.addSession({ ownServer: true, person: bo })
  await page.goto(`${hub.url}/sessions/${theirs.id}`)
  await page.getByText(/only those who take part can open/).waitFor()
  assert.is(await link.count(), 0)
  await context.close()
})

test("who waits for a lab's own page is brought there when it begins, once", async () => {
  const session = hub.addSession({ ownServer: true, panel: undefined, state: 'waiting' })
  const { page, context, complaints } = await visit(browser)
  await context.route(labPage, (route) => route.fulfill({ contentType: 'text/html', body: '<h1>The robot</h1>' }))
  const own = `${hub.url}/sessions/${session.session.id}`
  await page.goto(own)
  await page.getByText(/the lab’s own page comes in its place/).waitFor()
  session.become({ state: 'preparing', bench: 'demo.rc-1' })
  await page.getByText(/comes in place of this one by itself/).waitFor()
  session.become({ state: 'active', endsAt: new Date(Date.now() + 600_000).toISOString() })
  await page.waitForURL(labPage)
  await page.goBack()
  await page.getByRole('link', { name: 'Open the lab’s own page' }).waitFor()
  assert.is(page.url(), own)
  assert.equal(complaints, [])
  await context.close()

  // Where there is something to do on the page of the session, that stays.
  const withPanel = hub.addSession({ ownServer: true, state: 'preparing' })
  const other = await visit(browser)
  await other.page.goto(`${hub.url}/sessions/${withPanel.session.id}`)
  await other.page.getByText(/The controls come by themselves/).waitFor()
  withPanel.become({ state: 'active', endsAt: new Date(Date.now() + 600_000).toISOString() })
  await other.page.getByRole('switch', { name: 'Supply on' }).waitFor()
  await other.page.getByRole('link', { name: 'Open the lab’s own page' }).waitFor()
  assert.is(other.page.url(), `${hub.url}/sessions/${withPanel.session.id}`)
  await other.context.close()
})

test.run()

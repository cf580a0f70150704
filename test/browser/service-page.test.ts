/// <reference lib="dom" />
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import type { Browser, Page, Route } from 'playwright-core'
import * as assert from 'uvu/assert'
import type { TestHub } from '../integration/hub/hub-with-node.ts'
import { newPerson, type TestPerson } from '../integration/hub/session-people.ts'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { comes, tabTo } from './support/browser.ts'
import { visitAs } from './support/lab-page-stage.ts'
import { nameOf, openService, type ServiceStage, serviceStage, signalOf } from './support/service-stage.ts'

const test = suite('the page of a service', { timeoutMs: 120_000, hookTimeoutMs: 90_000, fileTimeoutMs: 300_000 })
let staged: ServiceStage
let lab: TestHub
let browser: Browser
let ada: TestPerson
let bo: TestPerson
let nameOfAda = ''
let nameOfBo = ''

serviceStage(test, (given) => {
  staged = given
  ;({ lab, browser, ada, bo } = given)
})
test.before(async () => {
  nameOfAda = await nameOf(ada)
  nameOfBo = await nameOf(bo)
})

const open = (service: string, person = ada, options = {}) => openService(staged, person, service, options)
/** In volts or amperes. */
const now = async (page: Page, title: string) => {
  const [number = '', unit = ''] = ((await signalOf(page, title).locator('b').textContent()) ?? '').split(' ')
  return Number(number.replace('\u2212', '-').replace(',', '.')) * ({ m: 1e-3, \u00b5: 1e-6 }[unit.slice(0, -1)] ?? 1)
}
const setVoltage = async (page: Page, volts: string) => {
  const set = page.getByRole('group', { name: 'Set Voltage, set' })
  await set.getByRole('textbox').fill(volts)
  await page.getByRole('button', { name: 'Set Voltage, set' }).click()
}
const log = (page: Page) => page.getByRole('region', { name: 'What this page has done' })

test('a bench is taken, set and read straight at its node, also while the hub is away', async () => {
  const { page, context, complaints } = await open('diode.psu')
  await page.getByText('Straight to the node, over a WebSocket.').waitFor()
  await comes(() => now(page, 'Voltage, set'), 0)
  assert.ok(await page.getByRole('switch').isDisabled())
  await page.getByLabel('What for').fill('a sweep')
  await page.getByRole('button', { name: 'Take its bench' }).click()
  await page.getByText('You have the bench pi.diode with all its parts').waitFor()
  const other = await open('diode.psu', bo)
  await other.page.getByText('“a sweep”').waitFor()
  await other.page.goto(`${lab.hub.httpUrl}/benches/pi.diode`)
  await other.page.getByText('a sweep', { exact: true }).waitFor()
  assert.equal(other.complaints, [])
  await other.context.close()
  await page.getByText(/it ends in (10|9) min/).waitFor()
  await page.getByRole('switch').click()
  await setVoltage(page, '9')
  await page.getByText('The most is 5').waitFor()
  await setVoltage(page, '1.5')
  await comes(async () => (await now(page, 'Voltage, measured')) > 1.4, true)
  const before = await now(page, 'Current, measured')
  assert.ok(before > 0, `${before} A`)
  await page.getByRole('img', { name: 'The last minute, A' }).locator('canvas').waitFor()
  assert.equal(await barriersOn(page), [])

  const port = Number(new URL(lab.hub.httpUrl).port)
  await lab.hub.close()
  await page.getByText('The hub is away. Calls go straight to the node, and go on.').waitFor()
  await page.getByText('as last heard').waitFor()
  await setVoltage(page, '2.5')
  await comes(async () => (await now(page, 'Current, measured')) > before, true)
  assert.match((await log(page).getByRole('listitem').first().textContent()) ?? '', /set Voltage, set to 2\.5.*done, /)

  await lab.restart({ config: { ...lab.config, port } })
  await page.getByText('The hub is away').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Let it go' }).click()
  await page.getByRole('button', { name: 'Take its bench' }).waitFor()
  await comes(() => now(page, 'Voltage, measured'), 0)
  assert.equal(
    complaints.filter((line) => !line.includes('WebSocket connection')),
    [],
  )
  await context.close()
})

/** What the service prints comes as it is printed, without its parameters, unless it is paused; a part of it is looked for. */
async function readsItsLog(page: Page, ring: (times: string) => Promise<void>): Promise<void> {
  const lines = page.getByRole('region', { name: 'Log of its daemon tools' }).getByRole('listitem')
  await page.getByText('Log of its daemon tools').click()
  await lines.filter({ hasText: 'rang 2 times' }).waitFor()
  await lines.filter({ hasText: /node\s*up$/ }).waitFor()
  await ring('3')
  await lines.filter({ hasText: '[a parameter] times' }).waitFor()
  await page.getByLabel('Lines with').fill('RANG')
  await comes(() => lines.count(), 1)
  assert.match((await lines.textContent()) ?? '', /^\d\d:\d\d:\d\drang 2 times$/)
  await page.getByRole('button', { name: 'Pause' }).click()
  await ring('4')
  await ring('5')
  assert.is(await lines.count(), 1)
  await page.getByRole('button', { name: 'Go on' }).click()
  await comes(() => lines.count(), 3)
  await page.getByLabel('Lines with').fill('nothing like it')
  await page.getByText('No line has that in it.').waitFor()
  assert.equal(await barriersOn(page), [])
}

test('actions have forms that say what is wrong; results, events and locks are shown', async () => {
  const { page, context, complaints } = await open('bell')
  await page.getByText('It can be set and called without being taken').waitFor()
  const ring = page.getByRole('listitem', { name: 'ring', exact: true })
  await ring.getByRole('group', { name: 'times' }).getByRole('textbox').fill('12')
  await ring.getByRole('textbox', { name: 'tune' }).fill('440, x')
  await ring.getByRole('button').click()
  await ring.getByText('The most is 9.').waitFor()
  await ring.getByText('Write numbers with commas between').waitFor()
  await ring.getByRole('group', { name: 'times' }).getByRole('textbox').fill('2')
  await ring.getByRole('textbox', { name: 'tune' }).fill('440, 880')
  await ring.getByRole('button').click()
  await ring.getByText(/Done in .*: ding ding 2/).waitFor()
  // What came of the call before is nothing of this one.
  await ring.getByRole('group', { name: 'times' }).getByRole('textbox').fill('20')
  await ring.getByRole('button').click()
  await ring.getByText('The most is 9.').waitFor()
  assert.is(await ring.getByText('Done in').count(), 0)
  await ring.getByRole('group', { name: 'times' }).getByRole('textbox').fill('2')
  await page.getByRole('region', { name: 'Events' }).getByText('rang').waitFor()
  await readsItsLog(page, async (times) => {
    await ring.getByRole('group', { name: 'times' }).getByRole('textbox').fill(times)
    await ring.getByRole('button').click()
    // Until then its button is to stop it.
    await ring.getByText(`: ${'ding '.repeat(Number(times))}2`).waitFor()
  })
  await page.getByLabel('What for').fill('a concert')
  await page.getByRole('button', { name: 'Take it' }).click()
  await page.getByText('You have it, for as long as this page is open.').waitFor()

  const other = await open('bell', bo)
  await other.page.getByText('“a concert”').waitFor()
  assert.ok(await other.page.getByRole('button', { name: 'Call ring' }).isDisabled())
  // A service that is of no bench: also without a reason.
  await other.page.getByRole('button', { name: 'End their hold' }).click()
  const dialog = other.page.getByRole('dialog', { name: `End the hold of ${nameOfAda}?` })
  await dialog.getByText('“a concert”').waitFor()
  await dialog.getByRole('button', { name: 'End their hold' }).click()
  await other.page.getByText('It can be set and called without being taken').waitFor()
  await other.page.getByText('Their hold has ended.').waitFor()
  // A node knows people by their ids: who it was is in the audit log.
  await page.getByText('It is no longer yours: The staff have ended your hold.').waitFor()
  assert.equal([...complaints, ...other.complaints], [])
  await context.close()
  await other.context.close()
})

test('who may maintain benches ends the hold of another, by the keyboard, with a reason', async () => {
  const holder = await open('diode.psu')
  await holder.page.getByLabel('What for').fill('a sweep over night')
  await holder.page.getByRole('button', { name: 'Take its bench' }).click()
  await holder.page.getByText('You have the bench pi.diode with all its parts').waitFor()

  const { page, context, complaints } = await open('diode.psu', bo)
  await tabTo(page, page.getByRole('button', { name: 'End their hold' }))
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: `End the hold of ${nameOfAda}?` })
  await dialog.getByText(new RegExp(`^${nameOfAda} took it .*“a sweep over night”$`)).waitFor()
  await dialog.getByText('The bench goes to its safe state').waitFor()
  assert.equal(await barriersOn(page), [])
  await tabTo(page, dialog.getByRole('button', { name: 'End their hold' }))
  await page.keyboard.press('Enter')
  await dialog.getByText('Say why, so that they know.').waitFor()
  const why = dialog.getByRole('textbox', { name: 'Why' })
  await comes(() => why.evaluate((field) => field === document.activeElement), true)
  // It can not be done meanwhile: why stands in the dialog, and nothing is ended.
  const path = '**/api/v1/benches/pi.diode/lease?*'
  await page.route(path, (route) =>
    route.fulfill({
      status: 503,
      json: { status: 503, code: 'node-silent', detail: 'no', hint: 'The node is silent.' },
    }),
  )
  await page.keyboard.type('left over night')
  await page.keyboard.press('Enter')
  await dialog.getByText('It was not ended: The node is silent.').waitFor()
  await holder.page.getByText('You have the bench pi.diode with all its parts').waitFor()
  await page.unroute(path)
  // Somebody else has it by then: it is asked again, of theirs, and not of hers.
  const meanwhile = async (route: Route) => {
    await holder.page.getByRole('button', { name: 'Let it go' }).click()
    await holder.page.getByText('Nobody has its bench.').waitFor()
    await holder.page.getByLabel('What for').fill('a second sweep')
    await holder.page.getByRole('button', { name: 'Take its bench' }).click()
    await holder.page.getByText('You have the bench pi.diode with all its parts').waitFor()
    await route.continue()
  }
  await page.route(path, meanwhile, { times: 1 })
  await page.keyboard.press('Enter')
  await dialog.getByText('Nothing was ended: by now somebody else has it.').waitFor()
  await dialog.getByText(new RegExp(`^${nameOfAda} took it .*“a second sweep”$`)).waitFor()
  await holder.page.getByText('You have the bench pi.diode with all its parts').waitFor()
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  const result = page.getByText('Their hold has ended.')
  await comes(() => result.evaluate((line) => line === document.activeElement), true)
  await page.getByText('Nobody has its bench.').waitFor()
  await holder.page.getByText('It is no longer yours: ').waitFor()
  await holder.page.getByText(`${nameOfBo} has ended your hold. “left over night”`).waitFor()
  const { items } = (await (await lab.call('/api/v1/audit?action=bench.released&limit=1')).json()) as {
    items: AuditEntry[]
  }
  const { lease: _lease, ...detail } = items[0]?.detail ?? {}
  assert.equal([items[0]?.person, detail], [bo.id, { holder: ada.id, reason: 'left over night' }])
  assert.equal([...complaints.filter((line) => !line.includes('503')), ...holder.complaints], [])
  await context.close()
  await holder.context.close()
})

test('on the page of the bench too, also by who builds labs', async () => {
  const holder = await visitAs(browser, lab, ada)
  await holder.page.goto(`${lab.hub.httpUrl}/benches/pi.diode`)
  await holder.page.getByLabel('What for').fill('a new diode')
  await holder.page.getByRole('button', { name: 'Take the bench' }).click()
  await holder.page.getByText(/You have this bench for/).waitFor()
  assert.is(await holder.page.getByRole('button', { name: 'End their hold' }).count(), 0)

  // Who builds labs drives no bench, and is not told whose it is.
  const cy = await newPerson(lab, 'builder')
  const nameOfBuilder = await nameOf(cy)
  const builder = await visitAs(browser, lab, cy)
  const { page } = builder
  await page.goto(`${lab.hub.httpUrl}/benches/pi.diode`)
  await page.getByRole('button', { name: 'End their hold' }).click()
  const dialog = page.getByRole('dialog', { name: 'End the hold of another?' })
  await dialog.getByText(/^Somebody took it /).waitFor()
  assert.equal(await barriersOn(page), [])
  await dialog.getByRole('textbox', { name: 'Why' }).fill('the supply smells')
  await dialog.getByRole('button', { name: 'End their hold' }).click()
  await page.getByText('Their hold has ended.').waitFor()
  await comes(() => page.getByRole('button', { name: 'End their hold' }).count(), 0)
  const lost = holder.page.getByRole('alert')
  await comes(
    () => lost.allTextContents(),
    [`It is no longer yours: ${nameOfBuilder} has ended your hold. “the supply smells”`],
  )
  await holder.page.getByRole('button', { name: 'Take the bench' }).click()
  await holder.page.getByText(/You have this bench for/).waitFor()
  assert.is(await lost.count(), 0)
  await holder.page.getByRole('button', { name: 'Give it back' }).click()
  await holder.page.getByText('Take the bench to set values by hand.').waitFor()
  assert.equal([...builder.complaints, ...holder.complaints], [])
  for (const { context } of [holder, builder]) await context.close()
})

test('where the node is not reached straight, the page goes by the hub and says so', async () => {
  const seen = await visitAs(browser, lab, ada, { phone: true, scheme: 'dark', language: 'es-ES' })
  const { page, context, complaints } = seen
  await page.routeWebSocket(/\/rpc$/, (socket) => void socket.close())
  await page.goto(`${lab.hub.httpUrl}/services/pi/diode.psu`)
  await page.getByText('A través del servidor.').waitFor()
  await page.getByText('services.listen.origins').waitFor()
  await comes(() => now(page, 'Voltage, set'), 0)
  // Numbers as they are written in Spanish; what is typed may have either mark.
  await comes(() => signalOf(page, 'Voltage, set').locator('b').textContent(), '0,000 V')
  await signalOf(page, 'Current limit').getByText('de 0 a 0,05').waitFor()
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${wide} px too wide`)
  assert.equal(await barriersOn(page), [])
  assert.is(await page.getByText(/Registro de su proceso|registro propio/).count(), 0)
  assert.equal(complaints, [])
  await context.close()
})

test.run()

import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { tabTo, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('calibrating on the page of a bench', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const bench = '/benches/demo.rc-1'
const rows = (page: Page) => page.getByRole('region', { name: 'Calibrations' }).getByRole('listitem')

test('a signal is calibrated by points that were pasted, by the keyboard too', async () => {
  const { page, context, complaints } = await visit(browser)
  hub.role = 'builder'
  await page.goto(hub.url + bench)
  await tabTo(page, page.getByRole('button', { name: 'Calibrate: meter.voltage' }))
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('In force now: polynomial of degree 1, by Ada Lovelace').waitFor()
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA')
  await page.keyboard.insertText('raw\tvalue\n0\t0,5\n1\t2,5\n2\t4,5\n')
  await dialog.getByText('Value = 2 · raw + 0.5. The points scatter about it by 0', { exact: false }).waitFor()
  await dialog.locator('canvas').nth(1).waitFor()
  const cells = await dialog.getByRole('region', { name: 'The points and the curve' }).getByRole('row').allInnerTexts()
  assert.is(cells.length, 4)
  assert.match(cells[2] ?? '', /1.V\s+2\.5.V\s+2\.5.V/)
  assert.is(
    await dialog.getByRole('button', { name: 'Take the present raw value' }).count(),
    0,
    'not by who drives none',
  )
  await dialog.getByLabel('Standard uncertainty').fill('20 mV')
  await dialog.getByLabel('Good until').fill('2099-03-02')
  await dialog.getByLabel('Note').fill('by the book')
  const [request] = await Promise.all([
    page.waitForRequest((one) => one.method() === 'POST' && one.url().endsWith('/nodes/demo/calibrations')),
    page.keyboard.press('Enter'),
  ])
  const { curve, ...rest } = request.postDataJSON()
  assert.equal(rest, { signal: 'meter.voltage', uncertainty: 0.02, validUntil: '2099-03-02', note: 'by the book' })
  assert.ok(curve.form === 'linear' && Math.abs(curve.gain - 2) < 1e-12 && Math.abs(curve.offset - 0.5) < 1e-12)
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('status').filter({ hasText: 'meter.voltage is calibrated.' }).waitFor()
  const row = rows(page).filter({ hasText: 'meter.voltage' })
  await row.filter({ hasText: /good until 2 Mar 2099[\s\S]*linear[\s\S]*by Ana/ }).waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('what is wrong stands at its field, and the node’s refusal too', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(hub.url + bench)
  await page.getByRole('button', { name: 'Calibrate: supply.voltage' }).click()
  const dialog = page.getByRole('dialog')
  const points = dialog.getByLabel('Points, in V')
  const send = () => dialog.getByRole('button', { name: 'Put in force' }).click()
  await send()
  await dialog.getByText('Give points: a raw value and the true one in each line.').waitFor()
  await points.fill('1 2\n2 4\n3')
  await dialog.getByText('Line 3: give the true value after the raw one.').waitFor()
  await points.fill('1 2\n2 4')
  await dialog.getByLabel('Curve', { exact: true }).selectOption('polynomial')
  await dialog.getByText('This curve takes 3 different raw values or more.').waitFor()
  await points.fill('1 2\n2 4\n3 5')
  await dialog.getByLabel('Good until').fill('2020-01-01')
  await dialog.getByText('That day is over.').waitFor()
  await dialog.getByLabel('Good until').fill('')
  await send()
  await dialog.getByText(/^voltage is set, but the polynomial does not rise or fall all the way/).waitFor()
  assert.is(await dialog.getByLabel('Curve', { exact: true }).getAttribute('aria-invalid'), 'true')
  assert.is(await dialog.getByRole('alert').count(), 0)
  assert.is(await points.inputValue(), '1 2\n2 4\n3 5')
  await dialog.getByLabel('Curve', { exact: true }).selectOption('table')
  await dialog.getByLabel(/^Draw the first and the last line on/).check()
  await send()
  await dialog.waitFor({ state: 'detached' })
  await rows(page)
    .filter({ hasText: 'supply.voltage' })
    .filter({ hasText: /in force[\s\S]*table/ })
    .waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('the present reading goes in as the raw value that it was made of', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(hub.url + bench)
  await page.getByRole('button', { name: 'Calibrate: supply.voltage' }).click()
  const dialog = page.getByRole('dialog')
  const points = dialog.getByLabel('Points, in V')
  await points.fill('1 1')
  await dialog.getByRole('button', { name: 'Take the present raw value' }).click()
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA')
  await page.keyboard.insertText('3.31')
  const raw = Number(((3.3012 + 0.013) / 1.0021).toPrecision(12))
  assert.is(await points.inputValue(), `1 1\n${raw} 3.31`)
  hub.heldBy.set('demo.rc-1', 'other')
  await dialog.getByRole('button', { name: 'Take the present raw value' }).click()
  await dialog.getByRole('alert').waitFor()
  assert.is(await points.inputValue(), `1 1\n${raw} 3.31`)
  assert.equal(complaints, [])
  await context.close()
})

test('a calibration is undone after a question that says what counts then', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(hub.url + bench)
  await page.getByRole('button', { name: 'Undo: supply.voltage' }).click()
  const dialog = page.getByRole('dialog', { name: 'Undo the calibration of supply.voltage?' })
  await dialog.getByText('The one before counts again at once: table of 2 points, by Ada Lovelace.').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Undo: supply.voltage' }).click()
  await dialog.getByRole('button', { name: 'Undo', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('status').filter({ hasText: 'The calibration of supply.voltage is undone.' }).waitFor()
  await rows(page).filter({ hasText: 'supply.voltage' }).filter({ hasText: 'table' }).waitFor()
  await page.getByRole('button', { name: 'Undo: supply.voltage' }).click()
  await dialog.getByText('There is none before it: raw values count again at once.').waitFor()
  await dialog.getByRole('button', { name: 'Undo', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await rows(page).nth(1).waitFor({ state: 'detached' })
  assert.is(await rows(page).count(), 1)
  assert.equal(complaints, [])
  await context.close()
})

test('what was cleared is said to be, and its calibration is put in force again', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(hub.url + bench)
  await page.getByRole('button', { name: 'Undo: supply.voltage' }).waitFor()
  const status = await page.evaluate(async (signal) => {
    const body = JSON.stringify({ signal, curve: null })
    const headers = { 'content-type': 'application/json' }
    return (await fetch('/api/v1/nodes/demo/calibrations', { method: 'POST', headers, body })).status
  }, 'supply.voltage')
  assert.is(status, 200)
  await page.reload()
  const row = rows(page).filter({ hasText: 'supply.voltage' })
  await row.filter({ hasText: 'cleared: raw values count' }).waitFor()
  assert.equal(await barriersOn(page), [])
  await page.getByRole('button', { name: 'Undo: supply.voltage' }).click()
  const dialog = page.getByRole('dialog', { name: 'Put the calibration of supply.voltage in force again?' })
  await dialog.getByText(/^The one before counts again at once: /).waitFor()
  await dialog.getByRole('button', { name: 'Undo', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('status').filter({ hasText: 'The calibration of supply.voltage is in force again.' }).waitFor()
  await row.filter({ hasText: 'cleared: raw values count' }).waitFor({ state: 'detached' })
  await row.filter({ hasText: 'linear' }).waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('in Spanish, also what the node refuses', async () => {
  const { page, context } = await visit(browser, { language: 'es-ES', phone: true, scheme: 'dark' })
  await page.goto(hub.url + bench)
  await page.getByRole('button', { name: 'Calibrar: supply.voltage' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Puntos, en V').fill('1 2\n2 4\n3 5')
  await dialog.getByLabel('Curva', { exact: true }).selectOption('polynomial')
  await dialog.getByRole('button', { name: 'Poner en vigor' }).click()
  await dialog.getByText(/^voltage se ajusta, pero el modelo «polinomio» no crece ni decrece/).waitFor()
  await context.close()
})

test.run()

import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, tabTo, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('the page of a node', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const group = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

test('what a node finds stands in groups, each with how it is and what to type', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/nodes`)
  await page.getByRole('heading', { name: 'demo', exact: true }).getByRole('link').click()
  await page.getByRole('heading', { level: 1, name: 'demo' }).waitFor()
  await page.getByText('pinctrl-bcm2711 (58 lines, base 512) by sysfs').waitFor()
  const machine = group(page, 'Machine')
  assert.match((await machine.getByRole('listitem').nth(1).textContent()) ?? '', /^broken\s*supply.*voltage is too low/)
  const permissions = group(page, 'Permissions')
  await permissions.getByText('sudo usermod -aG dialout,video fernlab').waitFor()
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await permissions.getByRole('button', { name: 'Copy' }).last().click()
  await comes(() => page.evaluate(() => navigator.clipboard.readText()), 'sudo usermod -aG dialout,video fernlab')
  assert.match((await group(page, 'Serial ports').textContent()) ?? '', /fine\s*Arduino Uno/)
  assert.match((await group(page, '1-wire').textContent()) ?? '', /off\s*bus is switched off/)
  assert.equal(complaints, [])
  await context.close()
})

test('buses are asked who is there by whoever wants it, by keyboard too, and not before', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/nodes/demo`)
  await group(page, 'I2C').getByText('bus 1', { exact: true }).waitFor()
  assert.is(hub.scanned, 0)
  const ask = page.getByRole('button', { name: 'Ask the I2C buses' })
  await tabTo(page, ask)
  await page.keyboard.press('Enter')
  await group(page, 'I2C').getByText('answers: bme280 or pca9685').waitFor()
  assert.is(hub.scanned, 1)
  assert.equal(complaints, [])
  await context.close()
})

test('a find becomes an instrument by its dialog, which says what is wrong first, and is taken back', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/nodes/demo`)
  await tabTo(page, page.getByRole('button', { name: 'Make it an instrument: Arduino Uno' }))
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await comes(() => dialog.getByLabel('What it is').inputValue(), 'board')
  await comes(() => dialog.getByLabel('Bits per second').inputValue(), '115200')
  await dialog.getByLabel('Name of the instrument').and(page.locator(':focus')).waitFor()
  await page.keyboard.press('Enter')
  await comes(() => dialog.getByLabel('Name of the instrument').getAttribute('aria-invalid'), 'true')
  await dialog.getByLabel('Name of the instrument').fill('heater')
  await dialog.getByLabel('What it is').selectOption('scpi')
  await dialog.getByText(/^heater:\s+driver: scpi\s+config: .*"baudRate":9600.*"model":"rigol-dp832"/s).waitFor()
  await dialog.getByRole('button', { name: 'Add the instrument' }).click()
  await dialog.waitFor({ state: 'detached' })
  const added = group(page, 'Added on this page')
  await added.getByText('heater', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Make it an instrument: Arduino Uno' }).click()
  await dialog.getByLabel('Name of the instrument').fill('heater')
  await dialog.getByRole('button', { name: 'Add the instrument' }).click()
  await dialog.getByRole('alert').getByText('there is an instrument of that name already').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await added.getByRole('button', { name: 'Remove the instrument: heater' }).click()
  await dialog.getByRole('button', { name: 'Remove the instrument', exact: true }).click()
  await added.waitFor({ state: 'detached' })
  assert.equal(complaints, [])
  await context.close()
})

test('what a bus answered stays when one of its finds was made an instrument, and when that was taken back', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/nodes/demo`)
  await page.getByRole('button', { name: 'Ask the I2C buses' }).click()
  const chips = group(page, 'I2C')
  await chips.getByText('answers: tmp102 or ads1115').waitFor()
  const equip = async (what: string, name: string) => {
    await page.getByRole('button', { name: `Make it an instrument: ${what}`, exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name of the instrument').fill(name)
    await dialog.getByRole('button', { name: 'Add the instrument' }).click()
    await dialog.waitFor({ state: 'detached' })
  }
  await equip('bus 1, 0x76', 'air')
  await chips.getByText('answers: bme280 or pca9685, used by air').waitFor()
  await equip('bus 1, 0x48', 'warmth')
  await chips.getByText('answers: tmp102 or ads1115, used by warmth').waitFor()
  await group(page, 'Added on this page').getByRole('button', { name: 'Remove the instrument: air' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove the instrument', exact: true }).click()
  await chips.getByText('answers: bme280 or pca9685', { exact: true }).waitFor()
  await chips.getByText('answers: tmp102 or ads1115, used by warmth').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('where the buses can not be asked again, the page looks at the rest', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/nodes/demo`)
  await page.getByRole('button', { name: 'Ask the I2C buses' }).click()
  await group(page, 'I2C').getByText('answers: tmp102 or ads1115').waitFor()
  await page.route('**/hardware/scan', (route) =>
    route.fulfill({
      status: 409,
      contentType: 'application/problem+json',
      json: { code: 'look-under-way', status: 409 },
    }),
  )
  await page.getByRole('button', { name: 'Make it an instrument: Arduino Uno' }).click()
  await page.getByRole('dialog').getByLabel('Name of the instrument').fill('heater')
  await page.getByRole('dialog').getByRole('button', { name: 'Add the instrument' }).click()
  await group(page, 'Added on this page').getByText('heater', { exact: true }).waitFor()
  await group(page, 'I2C').getByText('answers: tmp102 or ads1115').waitFor({ state: 'detached' })
  await context.close()
})

test('on a Spanish page a node speaks Spanish, and what to type stays as it is', async () => {
  const { page, context, complaints } = await visit(browser, { language: 'es' })
  await page.goto(`${hub.url}/nodes/demo`)
  await group(page, 'Máquina').getByText('alimentación').waitFor()
  await page
    .getByText('la tensión es demasiado baja: usa la fuente hecha para esta Pi y un cable corto y grueso')
    .waitFor()
  await page.getByText('está apagado. Para sensores DS18B20 en el pin 7 (GPIO4), escribe esto').waitFor()
  await page.getByText('sudo usermod -aG dialout,video fernlab').waitFor()
  await page.getByRole('button', { name: 'Hacer de ello un instrumento: Arduino Uno' }).click()
  const dialog = page.getByRole('dialog')
  await page.route('**/api/v1/nodes/*/instruments', (route) =>
    route.fulfill({
      status: 404,
      contentType: 'application/problem+json',
      json: {
        code: 'find-unknown',
        status: 404,
        detail: 'the node does not find serial:x now; look again',
        hint: 'Check the address. It may have been removed, or it may belong to somebody else.',
      },
    }),
  )
  await dialog.getByRole('textbox').first().fill('heater')
  await dialog.getByRole('button').last().click()
  await dialog.getByRole('alert').getByText('el nodo no encuentra ahora serial:x; mira otra vez').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('a refused look says why, and a node that is away is not asked', async () => {
  const { page, context } = await visit(browser)
  let asked = 0
  await page.route('**/api/v1/nodes/*/hardware', (route) => {
    asked++
    return route.fulfill({
      status: 409,
      contentType: 'application/problem+json',
      json: {
        type: 'urn:look-under-way',
        title: 'busy',
        status: 409,
        code: 'look-under-way',
        hint: 'Ask again in a moment.',
      },
    })
  })
  await page.goto(`${hub.url}/nodes/demo`)
  await page.getByRole('alert').getByText('Ask again in a moment.').waitFor()
  assert.is(asked, 1)
  await page.goto(`${hub.url}/nodes/physics-2`)
  await page.getByText('The node is not connected, so it can not say what is plugged in.').waitFor()
  assert.is(asked, 1)
  await page.goto(`${hub.url}/nodes/nowhere`)
  await page.getByText('There is no such node').waitFor()
  await context.close()
})

test('instructors see how a node is, and lab builders what is plugged in as well', async () => {
  for (const [role, seen] of [
    ['instructor', 0],
    ['builder', 1],
  ] as const) {
    hub.role = role
    const { page, context } = await visit(browser)
    await page.goto(`${hub.url}/nodes/demo`)
    await page.getByText('All is well.').waitFor()
    if (seen === 1) await group(page, 'Serial ports').waitFor()
    assert.is(await page.getByRole('heading', { name: 'On this machine' }).count(), seen, role)
    await context.close()
  }
})

test.run()

/// <reference lib="dom" />
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { comes } from './support/browser.ts'
import { openService, type ServiceStage, serviceStage, signalOf } from './support/service-stage.ts'

const test = suite('what the page of a service says of its values', {
  timeoutMs: 120_000,
  hookTimeoutMs: 90_000,
  fileTimeoutMs: 300_000,
})
let staged: ServiceStage

serviceStage(test, (given) => {
  staged = given
})

test('a whole number has no decimals, and its slider tells screen readers the value itself', async () => {
  const { page, context, complaints } = await openService(staged, staged.ada, 'bell')
  const volume = signalOf(page, 'Volume')
  await comes(async () => ((await volume.locator('b').textContent()) ?? '').trim(), '32')
  const slider = volume.getByRole('slider')
  const told = () =>
    Promise.all(['valuemin', 'valuenow', 'valuemax', 'valuetext'].map((one) => slider.getAttribute(`aria-${one}`)))
  await comes(told, ['1', '32', '1001', '32'])
  await slider.focus()
  await page.keyboard.press('ArrowRight')
  assert.is(await volume.getByRole('textbox').inputValue(), '33')
  await volume.getByRole('button', { name: 'Set Volume' }).click()
  await comes(async () => ((await volume.locator('b').textContent()) ?? '').trim(), '33')
  await comes(told, ['1', '33', '1001', '33'])
  assert.equal(complaints, [])
  await context.close()
})

test('what stands above the limit of its bench says so until it is set', async () => {
  const { page, context, complaints } = await openService(staged, staged.ada, 'diode.psu', {
    phone: true,
    scheme: 'dark',
    language: 'es-ES',
  })
  const limit = page.getByText(/^por encima de lo máximo que se puede ajustar aquí \(0,05\sA\)/)
  await limit.waitFor()
  await page.getByText('una clave tuya de la API').waitFor()
  assert.equal(await barriersOn(page), [])
  await page.getByRole('button', { name: 'Tomar su banco' }).click()
  await page.getByText('Tienes el banco pi.diode').waitFor()
  const set = page.getByRole('listitem', { name: 'Current limit', exact: true })
  await set.getByRole('textbox').fill('20 mA')
  await set.getByRole('button').click()
  await limit.waitFor({ state: 'detached' })

  // One's own bench is not somebody's who would be disturbed.
  const second = await openService(staged, staged.ada, 'diode.psu')
  await second.page.getByText('It is not read: you have its bench in another program or page').waitFor()
  assert.is(await second.page.getByText('somebody has the bench').count(), 0)
  await second.context.close()
  assert.equal([...complaints, ...second.complaints], [])
  await context.close()
})

test('a program is told where its token and its hub come from', async () => {
  const { page, context } = await openService(staged, staged.bo, 'bell')
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: 'Copy: Terminal' }).click()
  const copied = /^export FERNLAB_HUB='http:[\s\S]*FERNLAB_TOKEN=.* fernlab token create "my program" --scope run/
  await comes(async () => copied.test(await page.evaluate(() => navigator.clipboard.readText())), true)
  await page.getByText('The scope read is enough to read').waitFor()
  await context.close()
})

test.run()

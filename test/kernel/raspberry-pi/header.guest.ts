/** The header's own chip, as a Pi has it: found by its label, on a kernel whose numbers do not begin at 0. */
import { readdirSync, readFileSync } from 'node:fs'
import { createGpioDriver } from '@fernlab/edge/drivers/gpio/gpio'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { driverContract } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const context = {
  name: 'header-1',
  clock: systemClock,
  log: silentLog,
  configFolder: '.',
  openTransport: async () => {
    throw new LabError({ code: 'no-transport', kind: 'bug', message: 'pins need no transport' })
  },
}
const driver = createGpioDriver()
const config = { backend: 'sysfs', pins: { led: { pin: 17, direction: 'out' } } }
const sysfs = '/sys/class/gpio'
const read = (path: string) => readFileSync(`${sysfs}/${path}`, 'utf8').trim()

const test = suite('header of a Raspberry Pi', { timeoutMs: 60_000 })

test('its chip does not begin at 0, and is not the only one', () => {
  const chips = readdirSync(sysfs).filter((name) => name.startsWith('gpiochip'))
  assert.equal(
    chips.map((chip) => [read(`${chip}/label`), Number(read(`${chip}/base`))]),
    [
      ['raspberrypi-exp-gpio', 450],
      ['pinctrl-bcm2835', 458],
    ],
  )
  assert.match(readFileSync('/proc/device-tree/model', 'utf8'), /^Raspberry Pi Compute Module 3/)
})

test('a pin is that of the header, without a chip being named', async ({ signal }) => {
  const instrument = await driver.create(config, context)
  try {
    await instrument.open(signal)
    for (const on of [true, false, true]) {
      await instrument.set('led', on, signal)
      assert.is(read('gpio475/value'), on ? '1' : '0')
    }
    assert.is(read('gpio475/direction'), 'out')
  } finally {
    await instrument.close()
  }
  assert.is(read('gpio475/value'), '0', 'its safe level stays when the node has ended')
})

test.run()

driverContract('gpio on a Raspberry Pi', async () => ({
  driver,
  config,
  context,
  settable: { name: 'led', values: [true, false] as const },
  readable: ['led'],
  release: async () => {},
}))

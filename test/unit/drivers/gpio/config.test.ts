/** What is wrong with a gpio config, before any hardware is touched. */
import { createGpioDriver } from '@fernlab/edge/drivers/gpio/gpio'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('gpio: the config')
const driver = createGpioDriver()
const issues = (config: object) => driver.check(config).map(({ path, message }) => `${path}: ${message}`)
const keys = (config: object) => driver.claims?.(config).map(({ key }) => key)

test('refuses a pin twice, and a signal twice', () => {
  const [twice] = issues({ pins: { led: { pin: 17, direction: 'out' }, lamp: { pin: 17, direction: 'out' } } })
  assert.is(twice, 'pins.lamp.pin: pin 17 is pins.led already')
  const [name] = issues({
    pins: { door: { pin: 17, direction: 'in' }, door_edges: { pin: 18, direction: 'out' } },
  })
  assert.is(name, 'pins.door_edges: the signal door_edges is one of pins.door already')
})

test('refuses what is no pin of the header, as a number of sysfs is none', () => {
  for (const pin of [28, 40, 529]) {
    assert.match(issues({ pins: { led: { pin, direction: 'out' } } })[0] ?? '', /the header has GPIO0 to GPIO27/)
    assert.match(
      issues({ chip: 'pinctrl-rp1', pins: { led: { pin, direction: 'out' } } })[0] ?? '',
      /the header has GPIO0 to GPIO27/,
    )
    assert.equal(issues({ chip: 'gpio-mockup-A', pins: { led: { pin, direction: 'out' } } }), [])
  }
})

test('refuses a pull that sysfs can not set, and wires of pins that are not emulated', () => {
  const pins = { door: { pin: 27, direction: 'in', pull: 'up' } }
  assert.match(issues({ backend: 'sysfs', pins })[0] ?? '', /^pins.door.pull: sysfs can not set it.*gpio=27=pu/)
  assert.match(issues({ pins, emulated: {} })[0] ?? '', /^emulated: is for/)
})

test('refuses an empty list of pins, an unknown direction and a counter with a level of its own', () => {
  assert.match(issues({ pins: {} })[0] ?? '', /^pins: /)
  assert.match(issues({ pins: { led: { pin: 1, direction: 'output' } } })[0] ?? '', /^pins.led.direction: /)
  assert.match(issues({ pins: { flow: { pin: 1, direction: 'counter', safe: true } } })[0] ?? '', /safe/)
})

test('claims one line under one key, whether the label of the header is given or not', () => {
  const pins = { led: { pin: 17, direction: 'out' } }
  assert.equal(keys({ pins }), keys({ chip: 'pinctrl-bcm2711', pins }))
  assert.equal(keys({ pins }), keys({ chip: 'pinctrl-rp1', backend: 'sysfs', pins }))
  assert.equal(keys({ chip: 'gpio-mockup-A', pins }), ['gpio:gpio-mockup-A:17'])
  assert.is.not(keys({ backend: 'emulated', pins })?.[0], keys({ pins })?.[0])
})

test.run()

/** The driver on an emulated header, on a clock that the test moves. */
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createGpioDriver } from '@fernlab/edge/drivers/gpio/gpio'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('gpio: an emulated header')
const never = new AbortController().signal

/** One node's driver, on a clock that stands still. */
function node() {
  const clock = new ManualClock(1000)
  const driver = createGpioDriver()
  const context = {
    name: 'header-1',
    clock,
    log: silentLog,
    configFolder: '.',
    openTransport: async () => {
      throw new LabError({ code: 'no-transport', kind: 'bug', message: 'pins need no transport' })
    },
  }
  return {
    clock,
    make: (pins: object, emulated: object = {}) => driver.create({ backend: 'emulated', emulated, pins }, context),
  }
}

const value = async (instrument: Instrument, signal: string) => (await instrument.read([signal], never))[signal]?.value

test('an output is at its safe level until all pins are taken, then as it begins, and safe again at the end', async () => {
  const { clock, make } = node()
  const probe = await make({ seen: { pin: 5, direction: 'in' } }, { instant: true, jumpers: [[4, 5]] })
  const pump = await make({ pump: { pin: 4, direction: 'out', initial: true, safe: false, activeLow: true } })
  await probe.open(never)
  await pump.open(never)
  assert.is(await value(pump, 'pump'), true)
  assert.is(await value(probe, 'seen'), false)
  // Up to its safe level, which is high for what is active-low, and down as it begins.
  assert.is(await value(probe, 'seen_edges'), 2)
  await clock.advance(500)
  await pump.close()
  assert.is(await value(probe, 'seen'), true)
  assert.is(await value(probe, 'seen_since'), 1.5)
  await probe.close()
})

test('an opening that fails half-way leaves outputs safe and pins free', async () => {
  const { make } = node()
  const probe = await make({ seen: { pin: 5, direction: 'in' } }, { instant: true, jumpers: [[4, 5]] })
  await probe.open(never)
  const both = await make({
    heater: { pin: 4, direction: 'out', initial: true },
    other: { pin: 5, direction: 'out' },
  })
  const error = await rejection(both.open(never))
  assert.is(error.code, 'gpio-line-held')
  assert.match(error.message, /line 5 of pinctrl-bcm2711 is held by another instrument/)
  // Never more than safe: the heater was not begun.
  assert.is(await value(probe, 'seen_edges'), 0)
  await probe.close()
  await both.open(never)
  await both.close()
})

test('a switch that bounces moves as often as it is moved, and its bounces are seen without debouncing', async () => {
  const { clock, make } = node()
  const door = await make(
    { door: { pin: 5, direction: 'in', debounceMs: 20 }, raw: { pin: 6, direction: 'in' } },
    { switches: [{ pin: 5, everyS: 1, bounceMs: 5 }], jumpers: [[5, 6]] },
  )
  await door.open(never)
  await clock.advance(10_500)
  assert.is(await value(door, 'door_edges'), 10)
  assert.is(await value(door, 'door_since'), 11)
  assert.ok(Number(await value(door, 'raw_edges')) > 10)
  await door.close()
})

test('a counter counts the pulses of a source, all and with their times', async () => {
  const { clock, make } = node()
  const flow = await make(
    { flow: { pin: 22, direction: 'counter' }, both: { pin: 23, direction: 'counter', edge: 'both' } },
    { pulses: [{ pin: 22, frequencyHz: 333 }], jumpers: [[22, 23]] },
  )
  await flow.open(never)
  await clock.advance(10_000)
  const count = Number(await value(flow, 'flow'))
  assert.ok(Math.abs(count - 3330) <= 2, String(count))
  assert.ok(Math.abs(Number(await value(flow, 'both')) - 2 * count) <= 1)
  assert.ok(Math.abs(Number(await value(flow, 'flow_frequency')) - 333) < 0.5)
  await flow.call('reset_flow', {}, never)
  assert.is(await value(flow, 'flow'), 0)
  await flow.close()
})

test('PWM is that of the chip where the pin has it and software elsewhere, and says which', async () => {
  const { clock, make } = node()
  const fan = await make(
    {
      fan: { pin: 18, direction: 'pwm', frequencyHz: 250, initial: 30 },
      lamp: { pin: 4, direction: 'pwm', frequencyHz: 50 },
      tacho: { pin: 6, direction: 'counter' },
      blink: { pin: 7, direction: 'counter' },
    },
    {
      jumpers: [
        [18, 6],
        [4, 7],
      ],
    },
  )
  await fan.open(never)
  assert.is(await value(fan, 'fan'), 30)
  await fan.set('lamp', 40, never)
  await clock.advance(2000)
  assert.ok(Math.abs(Number(await value(fan, 'tacho_frequency')) - 250) < 1)
  assert.ok(Math.abs(Number(await value(fan, 'blink_frequency')) - 50) < 1)
  assert.match(await identity(fan), /emulated; fan: hardware PWM at 250 Hz.*; lamp: software PWM at 50 Hz/)
  await fan.close()
  const fast = await make({ lamp: { pin: 4, direction: 'pwm', frequencyHz: 5000 } })
  const error = await rejection(fast.open(never))
  assert.is(error.code, 'gpio-pwm-missing')
  assert.match(error.message, /software makes 100 Hz at most, not 5000 Hz/)
})

test('what is wired to nothing floats, unless it is pulled', async () => {
  const { make } = node()
  const pins = await make({ loose: { pin: 5, direction: 'in' }, up: { pin: 6, direction: 'in', pull: 'up' } })
  await pins.open(never)
  const seen = new Set<unknown>()
  for (let i = 0; i < 50; i++) {
    seen.add(await value(pins, 'loose'))
    assert.is(await value(pins, 'up'), true)
  }
  assert.is(seen.size, 2)
  await pins.close()
})

const identity = async (instrument: Instrument) => (await instrument.identify?.(never)) ?? ''

test.run()

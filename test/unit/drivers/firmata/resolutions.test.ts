import { type FirmataConfig, firmataConfigSchema } from '@fernlab/edge/drivers/firmata/config'
import { stateOf, valueOfState } from '@fernlab/edge/drivers/firmata/outputs'
import { planOf } from '@fernlab/edge/drivers/firmata/plan'
import type { Greeting } from '@fernlab/firmware-bridge/firmata/greeting'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('the resolutions that a board says its pins have')

const transport = { kind: 'serial', path: '/dev/ttyACM0' }
const config: FirmataConfig = firmataConfigSchema.parse({
  transport,
  pins: {
    fan: { direction: 'pwm', pin: 0 },
    level: { direction: 'analog', pin: 1 },
    flap: { direction: 'servo', pin: 2 },
  },
})
const [ANALOG, PWM, SERVO] = [2, 3, 4]
/** One pin for each of the three, and one more that can be all. */
const greeting = (pwm: number, analog: number, servo: number): Greeting => ({
  protocol: { major: 2, minor: 6 },
  firmware: { name: 'Any', major: 1, minor: 0 },
  pins: [
    new Map([[PWM, pwm]]),
    new Map([[ANALOG, analog]]),
    new Map([[SERVO, servo]]),
    new Map([
      [PWM, 8],
      [ANALOG, 10],
      [SERVO, 14],
    ]),
  ],
  channels: [undefined, 0, undefined, 1],
})

function issuesOf(board: Greeting): Record<string, string> {
  try {
    planOf('rig', config, board)
    return {}
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw thrown
    assert.is(thrown.code, 'firmata-pin-cannot')
    return Object.fromEntries(thrown.issues.map(({ path, message }) => [path, message]))
  }
}

test('that give no values are refused with the pin, the resolution, and where it would work', () => {
  assert.equal(issuesOf(greeting(8, 10, 14)), {})
  assert.equal(issuesOf(greeting(0, 0, 0)), {
    'pins.fan.pin':
      'this board says that pin 0 has a resolution of 0 bits as pwm; 1 to 21 can be used: look at its firmware. Pins that can be pwm: 3',
    'pins.level.pin':
      'this board says that pin 1 has a resolution of 0 bits as analog; 1 to 14 can be used: look at its firmware. Pins that can be analog: 3',
    'pins.flap.pin':
      'this board says that pin 2 has a resolution of 0 bits as servo; 8 to 21 can be used: look at its firmware. Pins that can be servo: 3',
  })
  assert.match(issuesOf(greeting(22, 10, 1))['pins.fan.pin'] ?? '', /22 bits/)
  assert.match(issuesOf(greeting(22, 10, 1))['pins.flap.pin'] ?? '', /resolution of 1 bit as servo/)
  assert.match(issuesOf(greeting(8, 15, 14))['pins.level.pin'] ?? '', /15 bits as analog; 1 to 14/)
})

test('are refused or give finite values, whatever a board says', () => {
  const bits = fc.oneof(fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 126 }))
  fc.assert(
    fc.property(bits, bits, bits, fc.double({ min: 0, max: 100, noNaN: true }), (pwm, analog, servo, percent) => {
      const board = greeting(pwm, analog, servo)
      const refused = issuesOf(board)
      if (Object.keys(refused).length > 0) {
        assert.is('pins.fan.pin' in refused, pwm < 1 || pwm > 21)
        assert.is('pins.level.pin' in refused, analog < 1 || analog > 14)
        assert.is('pins.flap.pin' in refused, servo < 8 || servo > 21)
        return
      }
      const [fan, level] = planOf('rig', config, board).pins
      if (fan === undefined || level === undefined) throw new Error('a pin is missing')
      const state = stateOf(fan, percent)
      assert.ok(Number.isInteger(state) && state >= 0 && state < 2 ** pwm, `${state} of ${pwm} bits`)
      assert.ok(Math.abs(Number(valueOfState(fan, state)) - percent) <= 50.001 / (fan.steps - 1))
      assert.is(level.steps, 2 ** analog)
    }),
    {
      numRuns: 2000,
      examples: [
        [8, 10, 14, 33],
        [1, 1, 8, 50],
        [21, 14, 21, 99.9],
      ],
    },
  )
})

test.run()

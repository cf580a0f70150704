import { inUnit } from 'fernlab/cli/in-unit'
import { Misspelt } from 'fernlab/cli/problem'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('values with units of their own, at a terminal')
const volts = { type: 'number', unit: 'V' }

test('a number with a unit is one in the unit of what takes it', () => {
  for (const [text, value] of [
    ['1500 mV', 1.5],
    ['1500mV', 1.5],
    ['2 V', 2],
    ['-3e3 mV', -3],
  ] as const)
    assert.is(inUnit(text, volts, 'voltage'), value)
  assert.is(inUnit('4.7 kΩ', { type: 'number', unit: 'Ohm' }, 'load'), 4700)
  assert.is(inUnit('2 s', { type: 'integer', unit: 'ms' }, 'wait'), 2000)
})

test('all else is as it was typed', () => {
  assert.is(inUnit(1.5, volts, 'v'), 1.5)
  assert.is(inUnit('on', { type: 'string' }, 'v'), 'on')
  assert.is(inUnit('1500 mV', { type: 'string' }, 'label'), '1500 mV')
  assert.equal(inUnit(['1 V'], { type: 'list' }, 'all'), ['1 V'])
})

test('a text where a number is to be is refused, as a command that was not understood', () => {
  for (const text of ['on', '5 parsecs of it', '']) {
    for (const takes of [volts, { type: 'integer' }]) {
      let refused: unknown
      try {
        inUnit(text, takes, 'voltage')
      } catch (thrown) {
        refused = thrown
      }
      assert.instance(refused, Misspelt)
      assert.is((refused as Misspelt).message, `voltage must be a number, not ${JSON.stringify(text)}`)
    }
  }
})

test('a unit that measures something else is refused by name, as a command that was not understood', () => {
  const refusal = (takes: { type: string; unit?: string }) => {
    try {
      return inUnit('5 mA', takes, 'voltage')
    } catch (thrown) {
      return thrown
    }
  }
  const ofVolts = refusal(volts) as Misspelt
  assert.instance(ofVolts, Misspelt)
  assert.equal([ofVolts.code, ofVolts.message], ['unit-mismatch', `voltage "5 mA" is in mA, which can't be given in V`])
  assert.instance(refusal({ type: 'number' }), Misspelt)
})

test.run()

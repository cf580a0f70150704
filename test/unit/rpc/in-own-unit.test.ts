import { inOwnUnit } from '@fernlab/shared/rpc/contract/in-own-unit'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('values that name their unit')
const volts = { dtype: 'number', unit: 'V' } as const

test('are converted to the unit of the signal, written as text or by name', () => {
  for (const [given, value] of [
    ['1500 mV', 1.5],
    ['1500mV', 1.5],
    [' -2.5e3 uV ', -0.0025],
    ['.5 V', 0.5],
    ['0.1 kV', 100],
    [{ value: 1500, unit: 'mV' }, 1.5],
    [{ value: 3, unit: 'V' }, 3],
  ] as const)
    assert.equal(inOwnUnit(volts, given), { value }, JSON.stringify(given))
  assert.equal(inOwnUnit({ dtype: 'number', unit: 'Cel' }, '300 K'), { value: 26.85 })
  assert.equal(inOwnUnit({ dtype: 'integer', unit: 'ms' }, '2 s'), { value: 2000 })
  // As people write them.
  assert.equal(inOwnUnit({ dtype: 'number', unit: 'K' }, '26.85 °C'), { value: 300 })
  assert.equal(inOwnUnit({ dtype: 'number', unit: 'Ohm' }, '4.7 kΩ'), { value: 4700 })
  assert.equal(inOwnUnit(volts, '−5 V'), { value: -5 })
})

test('are refused with both units where these do not go together, or one is unknown', () => {
  assert.equal(inOwnUnit(volts, '3 s'), { issue: "is in s, which can't be given in V" })
  assert.equal(inOwnUnit(volts, { value: 3, unit: 'A' }), { issue: "is in A, which can't be given in V" })
  const unknown = (unit: string, written: string) => {
    const said = inOwnUnit({ dtype: 'number', unit }, `3 ${written}`)
    const start = `is in ${written}, which is no unit that is known: `
    assert.ok('issue' in said && said.issue.startsWith(start), JSON.stringify(said))
    return said.issue.slice(start.length)
  }
  assert.is(unknown('V', 'volts'), 'write V')
  assert.is(unknown('Cel', 'degC'), 'write °C or Cel')
  assert.is(unknown('K', 'Celsius'), 'write °C or Cel')
  assert.is(unknown('Ohm', 'ohms'), 'write Ω or Ohm')
  assert.is(unknown('Cel', 'volts'), 'it is given in °C or Cel')
  assert.is(unknown('V', 'constructor'), 'it is given in V')
  assert.is(unknown('1', 'furlongs'), 'it has no unit')
})

test('what names no unit stays as it is, for the contract to check', () => {
  for (const given of [
    1.5,
    '1.5',
    '5e3',
    'V',
    '',
    'NaN V',
    '1,5 V',
    true,
    null,
    [1],
    { value: 1 },
    { value: '1', unit: 'mV' },
  ])
    assert.equal(inOwnUnit(volts, given), { value: given })
  const more = { value: 1, unit: 'mV', more: 1 }
  assert.is((inOwnUnit(volts, more) as { value: unknown }).value, more)
  assert.equal(inOwnUnit({ dtype: 'string', unit: '1' }, '1500 mV'), { value: '1500 mV' })
})

test.run()

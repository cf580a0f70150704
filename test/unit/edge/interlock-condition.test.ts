import { compileCondition, unfitCondition } from '@fernlab/edge/interlocks/condition'
import type { Scalar, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { InterlockEntry } from '@fernlab/shared/contracts/interlocks'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('conditions of interlocks')

const signal = (name: string, more: Partial<SignalSpec> = {}): SignalSpec => ({
  name,
  unit: '1',
  dtype: 'number',
  shape: [],
  kind: 'reading',
  access: 'read',
  ...more,
})
const signals: Record<string, SignalSpec> = {
  'oven.temperature': signal('temperature', { unit: 'Cel' }),
  'oven.power': signal('power', { unit: 'W', access: 'set' }),
  'oven.curve': signal('curve', { dtype: 'array', shape: [3] }),
  'box.closed': signal('closed', { dtype: 'boolean' }),
  'box.key': signal('key', { dtype: 'string' }),
}
const specOf = (key: string) => signals[key]
const messages = (when: InterlockEntry['when']) =>
  unfitCondition(when, specOf).map(({ path, message }) => `${path.join('.')}: ${message}`)

const unfit: readonly [InterlockEntry['when'], RegExp][] = [
  ['oven.pressure > 3', /^when: there is no signal oven\.pressure on this bench$/],
  ['oven.power > 3', /^when: oven\.power can only be set, and an interlock has to read it$/],
  ['oven.curve > 3', /^when: oven\.curve holds a list/],
  ['oven.temperature', /^when: .* is 0\.5, not true or false/],
  ['box.closed > 1', /^when: .*(true|false) where a number is wanted/],
  ['box.closed && oven.temperature', /^when: .* where true or false is wanted/],
  [{ signal: 'oven.pressure', above: 3 }, /^when\.signal: there is no signal/],
  [{ signal: 'box.closed', above: 3 }, /^when\.above: box\.closed is of type boolean, not a number$/],
  [{ signal: 'oven.temperature', is: true }, /^when\.is: oven\.temperature is of type number, not boolean$/],
  [{ signal: 'oven.temperature', above: { value: 3, unit: 'V' } }, /^when\.above\.unit: V is .*, not .*\(Cel\)$/],
]
for (const [when, expected] of unfit) {
  test(`refuses ${JSON.stringify(when)}`, () => {
    const found = messages(when)
    assert.is(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', expected)
  })
}

const holds: readonly [InterlockEntry['when'], Record<string, Scalar>, boolean][] = [
  ['oven.temperature > 90 || !box.closed', { 'oven.temperature': 91, 'box.closed': true }, true],
  ['oven.temperature > 90 || !box.closed', { 'oven.temperature': 20, 'box.closed': false }, true],
  ['oven.temperature > 90 || !box.closed', { 'oven.temperature': 90, 'box.closed': true }, false],
  ['1 / oven.temperature > 3', { 'oven.temperature': 0.1 }, true],
  ["box.key == 'in'", { 'box.key': 'in' }, true],
  [{ signal: 'oven.temperature', above: { value: 363.15, unit: 'K' } }, { 'oven.temperature': 90.1 }, true],
  [{ signal: 'oven.temperature', above: { value: 363.15, unit: 'K' } }, { 'oven.temperature': 89.9 }, false],
  [{ signal: 'oven.temperature', above: 90, below: 5 }, { 'oven.temperature': 4 }, true],
  [{ signal: 'oven.temperature', above: 90, below: 5 }, { 'oven.temperature': 5 }, false],
  [{ signal: 'box.closed', is: false }, { 'box.closed': false }, true],
]
for (const [when, values, expected] of holds) {
  test(`${JSON.stringify(when)} ${expected ? 'holds' : 'does not hold'} with ${JSON.stringify(values)}`, () => {
    assert.equal(messages(when), [])
    assert.is(
      compileCondition(when, specOf).holds((key) => values[key]),
      expected,
    )
  })
}

test('says so where it can not be told', () => {
  const failing: readonly [InterlockEntry['when'], Record<string, Scalar>][] = [
    ['1 / oven.temperature > 3', { 'oven.temperature': 0 }],
    ['oven.temperature > 3', { 'oven.temperature': Number.NaN }],
    [{ signal: 'oven.temperature', above: 90 }, { 'oven.temperature': Number.NaN }],
    [{ signal: 'box.closed', is: false }, {}],
  ]
  for (const [when, values] of failing) {
    const condition = compileCondition(when, specOf)
    assert.throws(
      () => condition.holds((key) => values[key]),
      (error: unknown) => error instanceof LabError,
      JSON.stringify(when),
    )
  }
})

test('reads well', () => {
  assert.is(
    compileCondition({ signal: 'oven.temperature', above: { value: 363.15, unit: 'K' }, below: 5 }, specOf).text,
    'oven.temperature > 90 Cel or oven.temperature < 5 Cel',
  )
  assert.is(compileCondition({ signal: 'box.closed', is: false }, specOf).text, 'box.closed is false')
})

test.run()

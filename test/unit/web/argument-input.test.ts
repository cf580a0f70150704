import type { ValueSpec } from '@fernlab/shared/rpc/contract/value-spec'
import * as assert from 'uvu/assert'
import { firstInput, parameterOfSignal, readArgument, valueText } from '../../../hub/web/src/services/argument-input.ts'
import { suite } from '../../support/suite.ts'

const test = suite('what is typed for an argument')

const t = ((key: string) => key) as unknown as Parameters<typeof readArgument>[3]
const read = (spec: ValueSpec, input: string | boolean) => readArgument('x', spec, input, t)

test('numbers, choices, switches and texts are read as a form of a lab reads them', () => {
  assert.equal(read({ type: 'number', unit: 'V', maximum: 5 }, '200 mV'), { value: 0.2 })
  assert.match(JSON.stringify(read({ type: 'number', maximum: 5 }, '6')), 'field.high')
  assert.equal(read({ type: 'string', enum: ['sine', 'square'] }, 'square'), { value: 'square' })
  assert.equal(read({ type: 'boolean' }, true), { value: true })
})

test('arrays are numbers with anything between, of a kind that holds them', () => {
  assert.equal(read({ type: 'array', of: 'float64' }, '[1, 2.5;-3\n4]'), { value: Float64Array.of(1, 2.5, -3, 4) })
  assert.equal(read({ type: 'array', of: 'float32' }, '0.1'), { value: Float32Array.of(0.1) })
  assert.equal(read({ type: 'array', of: 'uint8' }, '1, 256'), { error: 'service.form.whole' })
  assert.equal(read({ type: 'array', of: 'float64' }, '1, two'), { error: 'service.form.numbers' })
  assert.equal(read({ type: 'array', of: 'float64' }, ' '), { error: 'service.form.numbers' })
})

test('lists and objects are JSON; a list needs no brackets', () => {
  const list = { type: 'list', items: { type: 'number' } } as const
  assert.equal(read(list, '1, 2'), { value: [1, 2] })
  assert.equal(read(list, '["a"]'), { value: ['a'] })
  assert.equal(read(list, 'a'), { error: 'service.form.list' })
  const object = { type: 'object', members: {} } as const
  assert.equal(read(object, '{"from": 1}'), { value: { from: 1 } })
  for (const wrong of ['[1]', 'null', '{from: 1}']) assert.equal(read(object, wrong), { error: 'service.form.object' })
  assert.equal(read(object, ''), { error: 'field.required' })
  assert.equal(read({ type: 'any' }, ''), { value: null })
})

test('a field begins with the default, else the first choice', () => {
  assert.is(firstInput({ type: 'number', default: 0 }), '0')
  assert.is(firstInput({ type: 'string', enum: ['a', 'b'] }), 'a')
  assert.is(firstInput({ type: 'boolean', default: true }), true)
  assert.is(firstInput({ type: 'array', of: 'uint8' }), '')
})

test('a signal is set within its limits or choices; an array is not', () => {
  const signal = { unit: 'V', dtype: 'number', shape: [] as number[], kind: 'reading', access: 'read-set' } as const
  assert.equal(parameterOfSignal('u', { ...signal, limits: { low: 0, high: 5 } }), {
    name: 'u',
    type: 'number',
    unit: 'V',
    minimum: 0,
    maximum: 5,
  })
  assert.equal(parameterOfSignal('m', { ...signal, dtype: 'string', values: ['dc', 'ac'] })?.enum, ['dc', 'ac'])
  assert.is(parameterOfSignal('w', { ...signal, dtype: 'array' }), undefined)
})

test('what came back is short, also when it is a waveform', () => {
  assert.is(valueText(Float64Array.from({ length: 5000 }, (_, i) => i / 3)).length < 120, true)
  assert.match(valueText(Int16Array.of(1, 2)), /^2 × int16: 1, 2$/)
  assert.match(valueText({ y: Float64Array.of(1) }), '1 × float64: 1')
  assert.ok(valueText('x'.repeat(1e6)).length < 3000)
  assert.is(valueText(undefined), '')
})

test.run()

import type { ParameterSpec } from '@fernlab/shared/capabilities/signals'
import { formatIssues } from '@fernlab/shared/primitives/lab-error'
import { checkValues } from '@fernlab/shared/protocol/parameter-values'
import { checkParameters, parameterSchema } from '@fernlab/shared/protocol/parameters'
import { matchesPattern, patternProblem } from '@fernlab/shared/protocol/patterns'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cpuMs } from '../../support/cpu-time.ts'
import { suite } from '../../support/suite.ts'

const test = suite('parameters')

const parameters: Record<string, ParameterSpec> = {
  voltage: { type: 'number', unit: 'V', minimum: 0, maximum: 5, default: 5 },
  settle: { type: 'number', unit: 'ms', exclusiveMinimum: 0, default: 200, title: { en: 'Settling', es: 'Espera' } },
  points: { type: 'integer', minimum: 1, maximum: 100 },
  step: { type: 'number', multipleOf: 0.1, default: 0.3 },
  wave: { type: 'string', enum: ['sine', 'square'], default: 'sine' },
  name: { type: 'string', pattern: '^[a-z]+$', default: 'x' },
  on: { type: 'boolean', default: false },
  free: { type: 'number', default: 0 },
}
const protocol = { parameters }

const check = (input: unknown) => checkParameters(protocol, input)
const refusal = (input: Record<string, unknown>) => {
  const { issues } = check({ points: 1, ...input })
  assert.is(issues.length, 1, formatIssues(issues))
  return formatIssues(issues)
}

test('fills in defaults and converts units', () => {
  assert.equal(check({ points: 3, voltage: { value: 4700, unit: 'mV' }, settle: { value: 0.2, unit: 's' } }), {
    values: { voltage: 4.7, settle: 200, points: 3, step: 0.3, wave: 'sine', name: 'x', on: false, free: 0 },
    issues: [],
  })
})

test('a converted value at the limit is within it', () => {
  for (const value of [5000, 4999.999999]) assert.equal(check({ points: 1, voltage: { value, unit: 'mV' } }).issues, [])
  assert.equal(check({ points: 1, voltage: { value: 0.005, unit: 'kV' } }).values.voltage, 5)
})

test('limits name value, limit and unit', () => {
  assert.is(refusal({ voltage: 12 }), 'parameters.voltage: 12 V is above the limit of 5 V')
  assert.is(refusal({ voltage: { value: 12_000, unit: 'mV' } }), 'parameters.voltage: 12 V is above the limit of 5 V')
  assert.is(refusal({ voltage: -1 }), 'parameters.voltage: -1 V is below the limit of 0 V')
  assert.is(refusal({ settle: 0 }), 'parameters.settle: 0 ms is not above the limit of 0 ms')
  assert.match(refusal({ points: 101 }), /parameters.points: 101 is above the limit of 100/)
  assert.match(refusal({ step: 0.25 }), /0.25 is not a multiple of 0.1/)
  assert.equal(check({ points: 1, step: 0.7 }).issues, [])
})

test('wrong dimension, unknown unit, missing, extra', () => {
  assert.match(refusal({ voltage: { value: 1, unit: 's' } }), /parameters.voltage: s is a time, V is a voltage/)
  assert.match(refusal({ voltage: { value: 1, unit: 'volts' } }), /"volts" is not a known unit/)
  assert.match(refusal({ points: { value: 1, unit: 'V' } }), /V is a voltage, 1 is a plain number/)
  assert.is(formatIssues(check({}).issues), 'parameters.points: is missing and has no default')
  assert.match(refusal({ voltag: 1 }), /parameters.voltag: there is no parameter "voltag"; did you mean "voltage"/)
  assert.match(refusal({ constructor: 1 }), /there is no parameter "constructor"/)
  assert.match(refusal({ ['__proto__']: 1, ...JSON.parse('{"__proto__": 1}') }), /there is no parameter "__proto__"/)
})

test('NaN, infinite, huge and other types are refused', () => {
  for (const voltage of [Number.NaN, Number.POSITIVE_INFINITY])
    assert.match(refusal({ voltage }), /must be a finite number/)
  assert.match(refusal({ free: 1e300 }), /too large/)
  assert.match(refusal({ free: { value: 1e300, unit: '1' } }), /too large/)
  for (const voltage of [
    '5',
    '5 V',
    null,
    true,
    [5],
    { value: '5', unit: 'V' },
    { value: 5 },
    { value: 5, unit: 'V', x: 1 },
  ]) {
    assert.match(refusal({ voltage }), /parameters.voltage: must be a number/)
  }
  assert.match(refusal({ points: 1.5 }), /must be a whole number/)
  assert.match(refusal({ on: 1 }), /must be true or false/)
  assert.match(refusal({ name: 1 }), /must be text/)
  assert.match(refusal({ name: 'x'.repeat(2000) }), /longer than 1000/)
  assert.match(refusal({ wave: 'saw' }), /"saw" is not one of "sine", "square"/)
  for (const input of [5, 'x', [1]]) assert.match(formatIssues(check(input).issues), /^parameters: must be an object/)
})

test('a pattern that backtracks elsewhere takes linear time here', () => {
  const evil = { parameters: { text: { type: 'string', pattern: '^(a+)+$' } } } as const
  checkParameters(evil, { text: 'aa' })
  const start = cpuMs()
  const { issues } = checkParameters(evil, { text: `${'a'.repeat(900)}!` })
  const took = cpuMs() - start
  assert.match(formatIssues(issues), /does not match the pattern/)
  assert.ok(took < 500, `took ${took} ms`)
  assert.equal(checkParameters(evil, { text: 'a'.repeat(900) }).issues, [])
})

test('a pattern that is large in itself is refused', () => {
  for (const pattern of ['(a?){500}a{500}', '((a{100}){100}){100}', '(a', '(?=a)', '(a)\\1']) {
    const start = cpuMs()
    assert.type(patternProblem(pattern), 'string', pattern)
    assert.not(matchesPattern(pattern, 'a'.repeat(1000)))
    assert.ok(cpuMs() - start < 2000, pattern)
  }
  assert.is(patternProblem('^[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,64}$'), undefined)
})

test('without a matcher, as in the page, patterns are left to the hub', () => {
  assert.equal(checkValues(parameters, { points: 1, name: 'A1' }, { root: 'parameters' }).issues, [])
  assert.match(refusal({ name: 'A1' }), /does not match/)
})

test('the JSON Schema is valid, says the units, and agrees with the check', () => {
  const schema = parameterSchema(protocol)
  const ajv = new Ajv2020({ strict: false })
  const validate = ajv.compile(schema)
  assert.is((schema.properties as Record<string, { unit?: string }>).voltage?.unit, 'V')
  assert.is((schema.properties as Record<string, { title?: string }>).settle?.title, 'Settling')
  fc.assert(
    fc.property(
      fc.record(
        {
          voltage: fc.oneof(fc.double({ min: -1, max: 7, noNaN: true }), fc.constant('5')),
          points: fc.oneof(fc.integer({ min: -5, max: 120 }), fc.constant(1.5)),
          wave: fc.constantFrom('sine', 'saw', 3),
          name: fc.constantFrom('abc', 'A1', ''),
          on: fc.constantFrom(true, 0),
          other: fc.constant(1),
        },
        { requiredKeys: [] },
      ),
      (input) => {
        assert.is(check(input).issues.length === 0, validate(input), JSON.stringify(input))
      },
    ),
  )
})

test.run()

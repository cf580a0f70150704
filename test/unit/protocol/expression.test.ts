import { LabError } from '@fernlab/shared/primitives/lab-error'
import { compileExpression, type Scope } from '@fernlab/shared/protocol/expression'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cpuMs } from '../../support/cpu-time.ts'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('expressions')

const scope: Scope = {
  variable: (name) => ({ a: 2, f: 10, on: true, wave: 'sine', zero: 0 })[name],
  reading: (key) => ({ 'meter.voltage': 3 })[key],
  statistic: (kind, key, frequency) =>
    key === 'meter.voltage' ? { mean: 7, amplitude: frequency ?? 1 }[kind as 'mean' | 'amplitude'] : undefined,
}

const value = (text: string) => compileExpression(text).evaluate(scope)

function refusal(act: () => unknown): LabError {
  try {
    act()
  } catch (error) {
    if (error instanceof LabError) return error
    throw error
  }
  return assert.unreachable('nothing was refused') as never
}

test('computes with variables, readings, statistics and functions', () => {
  assert.is(value('a * meter.voltage ** 2'), 18)
  assert.is(value('2 ** 3 ** 2'), 512)
  assert.is(value('-a + 10 % 4'), 0)
  assert.is(value('mean(meter.voltage) / a'), 3.5)
  assert.is(value('amplitude(meter.voltage, f)'), 10)
  assert.is(value('max(a, f, 3)'), 10)
  assert.is(value('sqrt(hypot(9, 12) + 1)'), 4)
  assert.is(value('meter.voltage >= 3 && !(a == 3) ? pi : e'), Math.PI)
  assert.is(value('on || zero > 1'), true)
  assert.is(value('wave == "sine"'), true)
  assert.is(value('1e-3 + .5'), 0.501)
})

test('names what it uses', () => {
  const { names, signals, recorded } = compileExpression('a + pi * meter.voltage + std(supply.voltage) + b')
  assert.equal([...names], ['a', 'b'])
  assert.equal([...signals], ['meter.voltage'])
  assert.equal([...recorded], ['supply.voltage'])
})

test('a result must be finite, and the error names expression and values', () => {
  const error = refusal(() => value('a / zero'))
  assert.is(error.code, 'expression-failed')
  assert.match(error.message, '"a / zero" is not a finite number (a = 2, zero = 0)')
  assert.match(refusal(() => value('log(-a)')).message, /not a finite number \(a = 2\)/)
  assert.match(refusal(() => value('1 / zero > 3')).message, /compares something that is not a finite number/)
})

test('a missing value is named', () => {
  assert.match(refusal(() => value('a + b')).message, /needs b, which has no value \(a = 2\)/)
  assert.match(refusal(() => value('supply.voltage')).message, /needs supply.voltage, which has not been read yet/)
  assert.match(refusal(() => value('std(supply.voltage)')).message, /needs a record of supply.voltage/)
})

test('types do not mix', () => {
  assert.match(refusal(() => value('wave + 1')).message, /a text where a number is wanted/)
  assert.match(refusal(() => value('a && on')).message, /2 where true or false is wanted/)
  assert.match(refusal(() => compileExpression('on').number(scope)).message, /is true, not a number/)
  assert.match(refusal(() => compileExpression('a').condition(scope)).message, /is 2, not true or false/)
})

test('nothing outside the language compiles', () => {
  const outside = [
    'a = 3',
    'a; f',
    'a, f',
    'a f',
    '[1, 2]',
    'this',
    'null',
    'a.b.c',
    'meter["voltage"]',
    'meter?.voltage',
    'a.constructor("x")()',
    'constructor.constructor("return 1")()',
    'eval("1")',
    'toString()',
    '(() => 1)()',
    'function () {}',
    'new Date()',
    'while (true) {}',
    '`x`',
    'a++',
    '~a',
    'a & 1',
    'a << 2',
    'a ^ 2',
    '-a ** 2',
    'min(a)',
    'mean(a)',
    'sqrt()',
    '',
    '   ',
    '#{a}',
  ]
  for (const text of outside) assert.is(refusal(() => compileExpression(text)).code, 'expression-invalid', text)
  assert.match(refusal(() => compileExpression('a ^ 2')).message, /a power is written \*\*/)
})

test('length and depth are limited, and refusal is quick', () => {
  const start = cpuMs()
  for (const text of [
    '('.repeat(999),
    `${'('.repeat(200)}1${')'.repeat(200)}+-`,
    '-'.repeat(500),
    '1+'.repeat(100_000),
    `${'-'.repeat(60)}1`,
    `${'sin('.repeat(60)}1${')'.repeat(60)}`,
  ]) {
    assert.is(refusal(() => compileExpression(text)).code, 'expression-invalid', text.slice(0, 20))
  }
  assert.ok(cpuMs() - start < 500)
})

test('property: arithmetic agrees with the platform', () => {
  const number = fc.integer({ min: -99, max: 99 })
  const tree: fc.Memo<string> = fc.memo((n) =>
    n <= 1
      ? number.map((v) => `(${v})`)
      : fc
          .tuple(tree(n - 1), fc.constantFrom('+', '-', '*', '<', '>='), tree(n - 1))
          .map(([a, op, b]) => `(${a} ${op} ${b})`),
  )
  fc.assert(
    fc.property(tree(4), (text) => {
      let mine: unknown
      try {
        mine = compileExpression(text).evaluate(scope)
      } catch (error) {
        assert.instance(error, LabError)
        assert.match(text, /[<>]/)
        return
      }
      assert.is(mine, new Function(`return ${text}`)())
    }),
  )
})

test('property: any text compiles or is refused with a LabError', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      try {
        compileExpression(text).evaluate(scope)
      } catch (error) {
        assert.instance(error, LabError)
      }
    }),
    { numRuns: cases(1000) },
  )
})

test.run()

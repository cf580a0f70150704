import { LabError } from '@fernlab/shared/primitives/lab-error'
import {
  convert,
  convertStep,
  dimensionName,
  formatQuantity,
  formatUnit,
  parseQuantity,
  parseUnit,
  sameDimension,
} from '@fernlab/shared/primitives/units'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('units')

const near = (actual: number, expected: number, relative = 1e-12) =>
  assert.ok(
    Math.abs(actual - expected) <= relative * Math.max(Math.abs(expected), 1e-300),
    `${actual} is not ${expected}`,
  )

test('converts between prefixes, powers and quotients', () => {
  near(convert(200, 'ms', 's'), 0.2)
  near(convert(4.7, 'kOhm', 'Ohm'), 4700)
  near(convert(1, 'uA/cm2', 'A/m2'), 0.01)
  near(convert(1, 'V.A', 'mW'), 1000)
  near(convert(1, 'm/s2', 'cm.s-2'), 100)
  near(convert(1, '/min', 'Hz'), 1 / 60)
  near(convert(50, '%', '1'), 0.5)
  near(convert(1, 'kg.m2.s-3.A-1', 'V'), 1)
  near(convert(1, 'mmol/L', 'mol/m3'), 1)
  near(convert(180, 'deg', 'rad'), Math.PI)
  near(convert(1, 'V/(m.s)', 'mV/(mm.s)'), 1)
  near(convert(20, 'dB', 'B'), 2)
})

test('converts temperatures with their zero, and steps without', () => {
  near(convert(25, 'Cel', 'K'), 298.15)
  near(convert(212, '[degF]', 'Cel'), 100, 1e-12)
  near(convert(-40, 'Cel', '[degF]'), -40, 1e-12)
  near(convertStep(1, 'Cel', '[degF]'), 1.8)
  near(convert(1, 'Cel/s', 'K/s'), 1)
})

test('refuses another dimension and names both', () => {
  const refused = thrown(() => convert(5, 'V', 's'))
  assert.is(refused.code, 'unit-mismatch')
  assert.match(refused.message, /V is a voltage, s is a time/)
  assert.is(dimensionName('kg.m5'), 'a quantity in m5.kg')
})

test('refuses what is not a unit', () => {
  for (const text of ['', 'volts', 'kmin', 'V/', 'V..A', '(V', 'V)', '0', 'constructor', '__proto__', 'm1000', 'V A']) {
    assert.is(thrown(() => parseUnit(text)).code, 'unknown-unit', text)
  }
  assert.is(thrown(() => parseUnit('('.repeat(60))).code, 'unknown-unit')
  assert.is(thrown(() => parseUnit('m.'.repeat(1e6))).code, 'unknown-unit')
})

test('reads quantities as people write them', () => {
  assert.equal(parseQuantity('200 ms'), { value: 200, unit: 'ms' })
  assert.equal(parseQuantity('4.7kΩ'), { value: 4.7, unit: 'kOhm' })
  assert.equal(parseQuantity('-1.5e-3 µA/cm²'), { value: -1.5e-3, unit: 'uA/cm2' })
  assert.equal(parseQuantity('21 °C'), { value: 21, unit: 'Cel' })
  assert.equal(parseQuantity('3 1/s'), { value: 3, unit: '1/s' })
  for (const text of ['5', '1/2', '2 * voltage', '5 apples', 'ms', '', '2 - s', `${'9'.repeat(400)} V`]) {
    assert.is(parseQuantity(text), undefined, text)
  }
})

test('writes quantities as people write them', () => {
  assert.is(formatQuantity(1.0023, 's', { uncertainty: 0.0041 }), '1.002 ± 0.004\u202fs')
  assert.is(formatQuantity(1.00234, 's', { uncertainty: 0.0012 }), '1.0023 ± 0.0012\u202fs')
  assert.is(formatQuantity(5, 'V'), '5\u202fV')
  assert.is(formatQuantity(47_000, 'Ohm'), '47\u202fkΩ')
  assert.is(formatQuantity(2.5e-9, 'A', { uncertainty: 3e-10 }), '2.5 ± 0.3\u202fnA')
  assert.is(formatQuantity(-12.3456, 'Cel'), '−12.35\u202f°C')
  assert.is(formatQuantity(90, 'deg'), '90°')
  assert.is(formatQuantity(1.05, '1'), '1.05')
  assert.is(formatQuantity(1234.5, 'uA/cm2', { precision: 3 }), '1230\u202fµA/cm²')
  assert.is(formatQuantity(1.2e-7, 'mol/L'), '1.2 × 10⁻⁷\u202fmol/L')
  assert.is(formatQuantity(86_400, 's'), '86400\u202fs')
  assert.is(formatQuantity(Number.NaN, 's'), '—')
  assert.is(formatUnit('mS/cm2'), 'mS/cm²')
  assert.is(formatUnit('m.s-2'), 'm·s⁻²')
})

const unitArbitrary = fc.constantFrom('V', 'mV', 'kV', 'uV', 'GV')
test('property: converting there and back gives the value', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }),
      unitArbitrary,
      unitArbitrary,
      (value, a, b) => {
        // Below, the value in another unit has fewer digits than a double otherwise has.
        fc.pre(value === 0 || Math.abs(value) > 1e-280)
        near(convert(convert(value, a, b), b, a), value, 1e-12)
      },
    ),
  )
})

test('property: a product has the product of the factors, whatever the spelling', () => {
  const atom = fc.constantFrom('m', 'mV', 'kg', 'us', 'Ohm', 'Cel', 'nA', '%')
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          atom,
          fc.integer({ min: -3, max: 3 }).filter((n) => n !== 0),
        ),
        { minLength: 1, maxLength: 5 },
      ),
      (terms) => {
        const product = terms.map(([name, exponent]) => `${name}${exponent}`).join('.')
        const quotient = terms
          .map(([name, exponent]) => (exponent < 0 ? `/${name}${-exponent}` : `.${name}${exponent}`))
          .join('')
          .replace(/^\./, '')
        assert.ok(sameDimension(product, quotient), `${product} ${quotient}`)
        near(parseUnit(product).factor, parseUnit(quotient).factor, 1e-9)
      },
    ),
  )
})

test('property: nothing that is typed hangs or throws anything but a LabError', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      try {
        parseUnit(text)
      } catch (error) {
        assert.instance(error, LabError)
      }
      parseQuantity(text)
      formatUnit(text)
    }),
    { numRuns: cases(500) },
  )
})

function thrown(act: () => unknown): LabError {
  try {
    act()
  } catch (error) {
    assert.instance(error, LabError)
    return error as LabError
  }
  throw new assert.Assertion({
    message: 'nothing was thrown',
    details: '',
    generated: true,
    operator: 'throws',
    expects: '',
    actual: '',
  })
}

test.run()

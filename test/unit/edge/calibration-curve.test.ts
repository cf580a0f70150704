import { calibratedValue, fit } from '@fernlab/edge/calibration/fit'
import { curveAt, imageOf, isMonotonic, rawOf, slopesOf } from '@fernlab/shared/calibration/curve'
import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import { type Curve, calibrationHistoriesSchema } from '@fernlab/shared/contracts/calibrations'
import { isExpired } from '@fernlab/shared/contracts/calibrations-in-force'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('curves of calibrations')

const linear = (gain: number, offset: number): Curve => ({ form: 'linear', gain, offset })
const polynomial = (...coefficients: number[]): Curve => ({ form: 'polynomial', coefficients })
const table = (points: [number, number][], extrapolate?: true): Curve => ({
  form: 'table',
  points,
  ...(extrapolate === undefined ? {} : { extrapolate }),
})
const signal = (more: Partial<SignalSpec> = {}): SignalSpec => ({
  name: 'voltage',
  unit: 'V',
  dtype: 'number',
  shape: [],
  kind: 'reading',
  access: 'read-set',
  limits: { low: 0, high: 10 },
  ...more,
})
const message = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return error instanceof LabError ? `${error.code}: ${error.message}` : String(error)
  }
  return 'none'
}
const near = (a: number | undefined, b: number, by = 1e-9) =>
  assert.ok(Math.abs((a ?? Number.NaN) - b) <= by, `${a} is not ${b}`)

test('values are those of the formula, and between the points of a table on a line', () => {
  assert.is(curveAt(linear(2, -1), 3), 5)
  assert.is(curveAt(polynomial(1, 0, 2), 3), 19)
  const steps = table([
    [0, 10],
    [1, 20],
    [3, 0],
  ])
  assert.equal(
    [0, 0.5, 1, 2, 3].map((raw) => curveAt(steps, raw)),
    [10, 15, 20, 10, 0],
  )
  assert.equal(
    [-0.1, 3.1].map((raw) => curveAt(steps, raw)),
    [Number.NaN, Number.NaN],
  )
  near(
    curveAt(
      table(
        [
          [0, 10],
          [1, 20],
          [3, 0],
        ],
        true,
      ),
      4,
    ),
    -10,
  )
  near(
    curveAt(
      table(
        [
          [0, 10],
          [1, 20],
          [3, 0],
        ],
        true,
      ),
      -1,
    ),
    0,
  )
})

test('a value that was set comes back as it was, whatever the curve', () => {
  const range = { low: -5, high: 20 }
  const curves = fc.oneof(
    fc
      .tuple(fc.double({ min: 0.1, max: 10, noNaN: true }), fc.double({ min: -5, max: 5, noNaN: true }), fc.boolean())
      .map(([gain, offset, falls]) => linear(falls ? -gain : gain, offset)),
    // Its slope is at least 1 - 2·0.02·20 + ..., above 0 all the way.
    fc
      .tuple(fc.double({ min: -0.02, max: 0.02, noNaN: true }), fc.double({ min: 0, max: 0.001, noNaN: true }))
      .map(([square, cube]) => polynomial(0.3, 1, square, cube)),
    fc.array(fc.double({ min: 0.1, max: 3, noNaN: true }), { minLength: 26, maxLength: 26 }).map((steps) => {
      let sum = 0
      return table(
        steps.map((step, i): [number, number] => {
          sum += step
          return [i - 5, sum]
        }),
      )
    }),
  )
  fc.assert(
    fc.property(curves, fc.double({ min: -5, max: 20, noNaN: true }), (curve, raw) => {
      assert.ok(isMonotonic(curve, range), JSON.stringify(curve))
      near(rawOf(curve, curveAt(curve, raw), range), raw, 1e-6)
    }),
  )
})

test('what turns within the range is found, and only there', () => {
  const parabola = polynomial(0, 1, -0.1)
  assert.is(isMonotonic(parabola, { low: 0, high: 5 }), true)
  assert.is(isMonotonic(parabola, { low: 0, high: 5.01 }), false)
  assert.equal(imageOf(parabola, { low: 0, high: 10 }), { low: 0, high: 2.5 })
  // Level at one raw value, and rising on both sides of it.
  assert.is(isMonotonic(polynomial(0, 0, 0, 1), { low: -1, high: 1 }), true)
  // A narrow dip between two far ends: x³ - 0.01·x.
  assert.is(isMonotonic(polynomial(0, -0.01, 0, 1), { low: -100, high: 100 }), false)
  const { low, high } = slopesOf(polynomial(0, 1, 0, 1), { low: -1, high: 2 })
  near(low, 1)
  near(high, 13)
  assert.is(
    isMonotonic(
      table([
        [0, 1],
        [1, 1],
        [2, 2],
      ]),
      { low: 0, high: 2 },
    ),
    false,
  )
  assert.is(
    isMonotonic(
      table([
        [0, 1],
        [1, 1],
        [2, 2],
      ]),
      { low: 1, high: 2 },
    ),
    true,
  )
})

test('limits of a signal that is set are those that the instrument reaches, and those said of it', () => {
  assert.equal(fit(signal(), linear(0.5, 1), {}).spec.limits, { low: 1, high: 6 })
  assert.equal(fit(signal(), linear(2, 0), {}).spec.limits, { low: 0, high: 10 })
  assert.equal(fit(signal({ limits: { low: -10, high: 10 } }), linear(-0.5, 0), {}).spec.limits, { low: -5, high: 5 })
  assert.equal(fit(signal({ access: 'read' }), linear(2, 1), {}).spec.limits, { low: 1, high: 21 })
  const within = table([
    [2, 2.5],
    [8, 7],
  ])
  const fitted = fit(signal(), within, {})
  assert.equal(fitted.spec.limits, { low: 2.5, high: 7 })
  assert.equal([fitted.toRaw(0), fitted.toRaw(2.5), fitted.toRaw(9)], [2, 2, 8])
})

test('uncertainties add up as squares, along the slope', () => {
  const { spec } = fit(signal({ uncertainty: { absolute: 0.3, relative: 0.01 } }), linear(-10, 0.1), { uncertainty: 4 })
  assert.equal(spec.uncertainty, { absolute: 5, relative: 0.01 })
  assert.equal(fit(signal(), linear(1, 0), { uncertainty: 0.2 }).spec.uncertainty, { absolute: 0.2 })
  assert.is(fit(signal(), linear(1, 0), {}).spec.uncertainty, undefined)
})

test('what does not do is refused with the reason', () => {
  const parabola = polynomial(0, 1, -0.1)
  assert.match(
    message(() => fit(signal(), parabola, {})),
    /^calibration-unfit: voltage is set, but the polynomial does not rise or fall all the way over 0 V to 10 V/,
  )
  assert.is(
    message(() => fit(signal({ access: 'read' }), parabola, {})),
    'none',
  )
  assert.match(
    message(() => fit(signal({ dtype: 'boolean' }), linear(1, 0), {})),
    /is of type boolean: only numbers/,
  )
  assert.match(
    message(() =>
      fit(
        signal(),
        table([
          [20, 1],
          [30, 2],
        ]),
        {},
      ),
    ),
    /no raw value within the limits/,
  )
  assert.match(
    message(() => fit(signal(), linear(1, 50), {})),
    /is outside of its limits/,
  )
  const { limits: _, ...open } = signal()
  assert.match(
    message(() => fit(open, polynomial(0, 1, 0, 1), {})),
    /has no limits/,
  )
  assert.is(
    message(() => fit(open, linear(2, 0), {})),
    'none',
  )
  const reading = fit(
    signal({ access: 'read' }),
    table([
      [0, 0],
      [5, 6],
    ]),
    {},
  )
  assert.match(
    message(() => calibratedValue(reading, 5.1)),
    /^calibration-out-of-range: .*raw value 5\.1 V/,
  )
})

test('what a person writes is checked with its place, and the last day counts', () => {
  const by = { by: 'ada', at: '2026-05-01T10:00:00Z' }
  const place = (record: object) =>
    calibrationHistoriesSchema.safeParse({ 'psu.voltage': [record] }).error?.issues.map(({ path }) => path.join('.'))
  assert.is(place({ curve: linear(1.01, 0), validUntil: '2027-05-01', ...by }), undefined)
  assert.is(place({ curve: null, ...by }), undefined)
  assert.equal(place({ curve: linear(0, 0), ...by }), ['psu.voltage.0.curve.gain'])
  assert.equal(
    place({
      curve: table([
        [1, 0],
        [1, 2],
      ]),
      ...by,
    }),
    ['psu.voltage.0.curve.points'],
  )
  assert.equal(place({ curve: { form: 'cubic' }, ...by }), ['psu.voltage.0.curve.form'])
  assert.equal(place({ curve: linear(1, 0), validUntil: 'May', ...by }), ['psu.voltage.0.validUntil'])
  assert.is(isExpired({ validUntil: '2026-05-01' }, Date.parse('2026-05-01T23:59:59Z')), false)
  assert.is(isExpired({ validUntil: '2026-05-01' }, Date.parse('2026-05-02T00:00:00Z')), true)
  assert.is(isExpired({}, 9e15 / 2), false)
})

test.run()

import { curveAt, isMonotonic, type Range } from '@fernlab/shared/calibration/curve'
import { inverseOf } from '@fernlab/shared/calibration/inverse'
import type { Curve } from '@fernlab/shared/contracts/calibrations'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('raw values of calibrated ones')

const everything: Range = { low: -Infinity, high: Infinity }
const polynomial = (...coefficients: number[]): Curve => ({ form: 'polynomial', coefficients })
const table = (points: [number, number][], extrapolate?: true): Curve => ({
  form: 'table',
  points,
  ...(extrapolate === undefined ? {} : { extrapolate }),
})
const near = (found: number | undefined, wanted: number, within = 1e-9) =>
  assert.ok(Math.abs((found ?? Number.NaN) - wanted) <= within, `${found} is not ${wanted}`)
const none = (found: number | undefined) => assert.ok(Number.isNaN(found), `${found} is a raw value`)

const double = (min: number, max: number) => fc.double({ min, max, noNaN: true })

test('what was calibrated comes back, whatever the curve', () => {
  const curves = fc.oneof(
    fc
      .tuple(double(0.1, 10), double(-5, 5), fc.boolean())
      .map(([gain, offset, falls]): Curve => ({ form: 'linear', gain: falls ? -gain : gain, offset })),
    // The slope is above 0 from -5 to 20, and a square alone turns beyond.
    double(-0.02, 0.02).map((square) => polynomial(0.3, 1, square)),
    fc.tuple(fc.array(double(0.1, 3), { minLength: 26, maxLength: 26 }), fc.boolean()).map(([steps, falls]) => {
      let sum = 0
      return table(
        steps.map((step, i): [number, number] => {
          sum += falls ? -step : step
          return [i - 5, sum]
        }),
      )
    }),
  )
  fc.assert(
    fc.property(curves, double(-5, 20), (curve, raw) => {
      near(inverseOf(curve, { low: -5, high: 20 })?.(curveAt(curve, raw)), raw, 1e-6)
    }),
  )
})

test('a coefficient that is nearly 0 is answered like one that is 0', () => {
  const curve = polynomial(0.3, 1, 5e-324)
  assert.is(isMonotonic(curve, { low: -5, high: 20 }), true)
  near(inverseOf(curve, { low: -5, high: 20 })?.(1.3), 1)
})

test('there is none where the curve turns within what the signal can be, or is level there', () => {
  const parabola = polynomial(0, 1, -0.1)
  assert.is(inverseOf(parabola, everything), undefined)
  assert.is(inverseOf(parabola, { low: 0, high: 5.1 }), undefined)
  near(inverseOf(parabola, { low: 0, high: 5 })?.(0.9), 1)
  near(inverseOf(parabola, { low: 6, high: 9 })?.(0.9), 9)
  assert.is(inverseOf(polynomial(3, 0), { low: 0, high: 1 }), undefined)
  const hill = table([
    [0, 0],
    [1, 5],
    [2, 3],
    [3, 3],
  ])
  assert.is(inverseOf(hill, everything), undefined)
  assert.is(inverseOf(hill, { low: 2.2, high: 2.8 }), undefined)
  assert.is(inverseOf(hill, { low: 0.2, high: 0.8 })?.(2.5), 0.5)
  assert.is(inverseOf(hill, { low: 1.2, high: 1.8 })?.(4), 1.5)
})

test('a value a little beyond the limits comes back, and one that the curve never has does not', () => {
  const parabola = inverseOf(polynomial(0, 1, -0.1), { low: 0, high: 4 })
  near(parabola?.(curveAt(polynomial(0, 1, -0.1), 4.5)), 4.5)
  near(parabola?.(-1.1), -1)
  near(parabola?.(2.5), 5, 1e-3)
  none(parabola?.(2.6))
  none(parabola?.(Number.NaN))
  // x³ + x, without limits: rises all the way.
  near(inverseOf(polynomial(0, 1, 0, 1), everything)?.(10), 2)
  near(inverseOf(polynomial(0, 1, 0, 1), everything)?.(1e15 + 1e5), 1e5, 1e-3)
  const points: [number, number][] = [
    [0, 10],
    [1, 8],
    [3, 0],
  ]
  none(inverseOf(table(points), everything)?.(11))
  assert.is(inverseOf(table(points, true), everything)?.(12), -1)
  assert.is(inverseOf(table(points, true), everything)?.(-4), 4)
  for (const [raw, value] of points) assert.is(inverseOf(table(points), everything)?.(value), raw)
})

test.run()

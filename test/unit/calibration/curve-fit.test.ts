import { curveAt } from '@fernlab/shared/calibration/curve'
import { type CurveKind, type FittedCurve, fitCurve, type Unfittable } from '@fernlab/shared/calibration/curve-fit'
import { curveSchema } from '@fernlab/shared/contracts/calibrations'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('curves of calibrations through points')

const linear: CurveKind = { form: 'linear' }
const polynomial = (degree: number): CurveKind => ({ form: 'polynomial', degree })
const table: CurveKind = { form: 'table', extrapolate: false }
const pointsOf = (...pairs: readonly (readonly [number, number])[]) => pairs.map(([raw, value]) => ({ raw, value }))
const done = (found: FittedCurve | Unfittable): FittedCurve => {
  assert.ok(!('refused' in found), JSON.stringify(found))
  assert.ok(curveSchema.safeParse(found.curve).success, 'a node takes it')
  return found
}
const near = (found: number | undefined, wanted: number, part = 1e-12) =>
  assert.ok(
    Math.abs((found ?? Number.NaN) - wanted) <= part * Math.max(1e-300, Math.abs(wanted)),
    `${found} is not ${wanted}`,
  )

/** Certified values of NIST's Statistical Reference Datasets, linear regression, data set Norris. */
const norris = pointsOf(
  ...([
    [0.2, 0.1],
    [337.4, 338.8],
    [118.2, 118.1],
    [884.6, 888.0],
    [10.1, 9.2],
    [226.5, 228.1],
    [666.3, 668.5],
    [996.3, 998.5],
    [448.6, 449.1],
    [777.0, 778.9],
    [558.2, 559.2],
    [0.4, 0.3],
    [0.6, 0.1],
    [775.5, 778.1],
    [666.9, 668.8],
    [338.0, 339.3],
    [447.5, 448.9],
    [11.6, 10.8],
    [556.0, 557.7],
    [228.1, 228.3],
    [995.8, 998.0],
    [887.6, 888.8],
    [120.2, 119.6],
    [0.3, 0.3],
    [0.3, 0.6],
    [556.8, 557.6],
    [339.1, 339.3],
    [887.2, 888.0],
    [999.0, 998.5],
    [779.0, 778.9],
    [11.1, 10.2],
    [118.3, 117.6],
    [229.2, 228.9],
    [669.1, 668.4],
    [448.9, 449.2],
    [0.5, 0.2],
  ] as const),
)

test('the line is that of NIST’s certified data set Norris, with its scatter', () => {
  const { curve, scatter } = done(fitCurve(norris, linear))
  assert.ok(curve.form === 'linear')
  near(curve.offset, -0.262323073774029, 1e-10)
  near(curve.gain, 1.00211681802045)
  near(scatter, 0.884796396144373, 1e-10)
})

test('the polynomial of fifth degree is that of NIST’s certified data set Wampler1, over six decades', () => {
  const wampler = Array.from({ length: 21 }, (_, x) => ({
    raw: x,
    value: 1 + x + x ** 2 + x ** 3 + x ** 4 + x ** 5,
  }))
  const { curve, scatter = Number.NaN } = done(fitCurve(wampler, polynomial(5)))
  assert.ok(curve.form === 'polynomial')
  for (const each of curve.coefficients) near(each, 1, 1e-7)
  assert.ok(scatter < 1e-7, `${scatter}`)
})

test('raw values far from 0 cost a line no digits', () => {
  const points = Array.from({ length: 11 }, (_, i) => ({ raw: 1e6 + i / 10, value: 3 * (1e6 + i / 10) - 7 }))
  const { curve, residuals } = done(fitCurve(points, linear))
  assert.ok(curve.form === 'linear')
  near(curve.gain, 3, 1e-9)
  assert.ok(Math.max(...residuals.map(Math.abs)) < 2e-9, `${residuals}`)
})

test('no other line is nearer to the points', () => {
  const value = fc.double({ min: -100, max: 100, noNaN: true })
  const many = fc.uniqueArray(fc.tuple(value, value), {
    minLength: 3,
    maxLength: 30,
    selector: ([raw]) => Math.round(raw),
  })
  const squares = (points: readonly { raw: number; value: number }[], gain: number, offset: number) =>
    points.reduce((sum, { raw, value }) => sum + (value - gain * raw - offset) ** 2, 0)
  fc.assert(
    fc.property(many, fc.double({ min: -0.1, max: 0.1, noNaN: true }), value, (pairs, tilt, lift) => {
      const points = pointsOf(...pairs)
      const found = fitCurve(points, linear)
      fc.pre(!('refused' in found))
      const { curve, residuals } = done(found)
      assert.ok(curve.form === 'linear')
      const best = squares(points, curve.gain, curve.offset)
      near(residuals.reduce((sum, each) => sum + each * each, 0) + 1, best + 1, 1e-9)
      assert.ok(best <= squares(points, curve.gain + tilt, curve.offset + lift) + 1e-6)
    }),
  )
})

test('a curve of as many points as it needs meets them all, and has no scatter to tell', () => {
  const points = pointsOf([0, 1], [1, 0], [2, 5], [4, 3])
  const { curve, scatter, residuals } = done(fitCurve(points, polynomial(3)))
  for (const { raw, value } of points) assert.ok(Math.abs(curveAt(curve, raw) - value) < 1e-12)
  assert.is(scatter, undefined)
  assert.is(residuals.length, 4)
})

test('a table has the points in order, and the mean of those of one raw value', () => {
  const { curve, residuals, scatter } = done(
    fitCurve(pointsOf([5, 6], [0, 0.1], [5, 6.5], [2, 2]), { form: 'table', extrapolate: true }),
  )
  assert.equal(curve, {
    form: 'table',
    points: [
      [0, 0.1],
      [2, 2],
      [5, 6.25],
    ],
    extrapolate: true,
  })
  assert.equal(residuals, [-0.25, 0, 0.25, 0])
  near(scatter, Math.hypot(0.25, 0.25))
  assert.not.ok('extrapolate' in done(fitCurve(pointsOf([0, 0], [1, 1]), table)).curve)
})

test('without a curve it says why', () => {
  assert.equal(fitCurve([], linear), { refused: 'few', needed: 2 })
  assert.equal(fitCurve(pointsOf([1, 2], [1, 3]), linear), { refused: 'few', needed: 2 })
  assert.equal(fitCurve(pointsOf([1, 2], [1, 3]), table), { refused: 'few', needed: 2 })
  assert.equal(fitCurve(pointsOf([1, 2], [2, 3], [3, 9]), polynomial(3)), { refused: 'few', needed: 4 })
  assert.equal(fitCurve(pointsOf([1, 0.1], [2, 0.1], [7, 0.1]), linear), { refused: 'level' })
  assert.equal(fitCurve(pointsOf([1, 0], [2, 0], [7, 0]), polynomial(2)), { refused: 'level' })
})

test('a polynomial whose coefficients would lose what was measured is refused', () => {
  const points = Array.from({ length: 12 }, (_, i) => ({ raw: 1e5 + i, value: Math.sin(i) }))
  assert.equal(fitCurve(points, polynomial(7)), { refused: 'inexact' })
  done(fitCurve(points, polynomial(1)))
})

test.run()

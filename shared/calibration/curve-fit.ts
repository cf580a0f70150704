/**
 * Curves of calibrations through measured points, by least squares. Polynomials are fitted as sums of polynomials that are
 * orthogonal over the points (G. E. Forsythe, J. Soc. Indust. Appl. Math. 5 (1957) 74), over raw values scaled to −1 … 1,
 * so that no normal equations lose digits.
 */
import type { Curve } from '../contracts/calibrations.ts'
import { curveAt } from './curve.ts'

/** A raw value of an instrument, and what the value truly was, in the same unit. */
export interface CalibrationPoint {
  readonly raw: number
  readonly value: number
}

export type CurveKind =
  | { readonly form: 'linear' }
  /** From 1 to 9, as far as a calibration goes. */
  | { readonly form: 'polynomial'; readonly degree: number }
  | { readonly form: 'table'; readonly extrapolate: boolean }

export interface FittedCurve {
  readonly curve: Curve
  /** By point: its true value less that of the curve. */
  readonly residuals: readonly number[]
  /** Standard deviation of the points about the curve; undefined where there are no more points than the curve needs. */
  readonly scatter?: number
}

/**
 * Why there is no curve: fewer different raw values than `needed`, one value for all raw values, or coefficients of raw
 * values whose rounding alone would be seen.
 */
export type Unfittable =
  | { readonly refused: 'few'; readonly needed: number }
  | { readonly refused: 'level' | 'inexact' }

/** Of what the values are, the largest part by which rounding may move a curve. */
const EXACT = 1e-7
const LEVEL = 1e-13

/** The curve of that kind that is nearest to the points; points of one raw value count by their mean in a table. */
export function fitCurve(points: readonly CalibrationPoint[], kind: CurveKind): FittedCurve | Unfittable {
  const different = new Set(points.map(({ raw }) => raw)).size
  const needed = kind.form === 'polynomial' ? kind.degree + 1 : 2
  if (different < needed) return { refused: 'few', needed }
  if (kind.form === 'table') return fitted(points, tableOf(points, kind.extrapolate), different)
  const { coefficients, values } = leastSquares(points, needed - 1)
  const [offset = 0, gain = 0] = coefficients
  const curve: Curve =
    kind.form === 'linear' ? { form: 'linear', gain, offset } : { form: 'polynomial', coefficients: [...coefficients] }
  const size = Math.max(...points.map(({ value }) => Math.abs(value)))
  // What is left of a slope by rounding is none.
  if (Math.max(...values) - Math.min(...values) <= LEVEL * size) return { refused: 'level' }
  const isExact = points.every(({ raw }, i) => Math.abs(curveAt(curve, raw) - (values[i] ?? 0)) <= EXACT * size)
  return isExact ? fitted(points, curve, needed) : { refused: 'inexact' }
}

function fitted(points: readonly CalibrationPoint[], curve: Curve, used: number): FittedCurve {
  const residuals = points.map(({ raw, value }) => value - curveAt(curve, raw))
  const free = points.length - used
  return { curve, residuals, ...(free > 0 ? { scatter: Math.hypot(...residuals) / Math.sqrt(free) } : {}) }
}

function tableOf(points: readonly CalibrationPoint[], extrapolate: boolean): Curve {
  const byRaw = new Map<number, number[]>()
  for (const { raw, value } of points) byRaw.set(raw, [...(byRaw.get(raw) ?? []), value])
  const pairs = [...byRaw].map(([raw, same]): [number, number] => [
    raw,
    same.reduce((sum, value) => sum + value / same.length, 0),
  ])
  pairs.sort(([a], [b]) => a - b)
  return { form: 'table', points: pairs, ...(extrapolate ? { extrapolate } : {}) }
}

/** Coefficients of powers of the raw value, ascending, and the values at the points before those were rounded. */
function leastSquares(points: readonly CalibrationPoint[], degree: number) {
  const raws = points.map(({ raw }) => raw)
  const low = Math.min(...raws)
  const high = Math.max(...raws)
  const middle = low / 2 + high / 2
  const half = high / 2 - low / 2
  const scaled = raws.map((raw) => (raw - middle) / half)
  let residuals = points.map(({ value }) => value)
  const values = points.map(() => 0)
  let sum: number[] = []
  // Each has its values at the points, and its coefficients of powers of the scaled raw value.
  let before = { at: points.map(() => 0), powers: [] as number[], square: 1 }
  let now = { at: points.map(() => 1), powers: [1], square: points.length }
  for (let k = 0; k <= degree; k++) {
    const part = dot(residuals, now.at) / now.square
    sum = plus(sum, now.powers, part)
    for (const [i, at] of now.at.entries()) values[i] = (values[i] ?? 0) + part * at
    residuals = residuals.map((each, i) => each - part * (now.at[i] ?? 0))
    const shift =
      dot(
        scaled,
        now.at.map((at) => at * at),
      ) / now.square
    const back = k === 0 ? 0 : now.square / before.square
    const at = scaled.map((x, i) => (x - shift) * (now.at[i] ?? 0) - back * (before.at[i] ?? 0))
    const powers = plus(plus([0, ...now.powers], now.powers, -shift), before.powers, -back)
    before = now
    now = { at, powers, square: dot(at, at) }
  }
  // Horner's scheme on polynomials: the powers of the raw value out of those of the scaled one.
  let coefficients: number[] = []
  for (let k = degree; k >= 0; k--) {
    coefficients = plus([0, ...coefficients.map((c) => c / half)], coefficients, -middle / half)
    coefficients[0] = (coefficients[0] ?? 0) + (sum[k] ?? 0)
  }
  return { coefficients: coefficients.slice(0, degree + 1), values }
}

function plus(a: readonly number[], b: readonly number[], times: number): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + times * (b[i] ?? 0))
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, each, i) => sum + each * (b[i] ?? 0), 0)
}

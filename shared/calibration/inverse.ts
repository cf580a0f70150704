/** The way back from values to the raw values of which a calibration made them. */
import type { Curve } from '../contracts/calibrations.ts'
import { bisect, curveAt, derivative, isMonotonic, type Range, rootsWithin } from './curve.ts'

/** The raw value of a value; NaN where the curve has none, or more than one. */
export type Inverse = (value: number) => number

const everywhere: Range = { low: -Infinity, high: Infinity }
/** Beyond where a curve turns by this part of a value is still there: what was computed has been rounded. */
const ROUNDING = 1e-9

/**
 * The inverse of the curve where it rises or falls all the way over `limits`, the raw values that the signal can have, and
 * as far beyond as it goes on so; undefined where it turns within them, or is level.
 */
export function inverseOf(curve: Curve, limits: Range): Inverse | undefined {
  switch (curve.form) {
    case 'linear':
      return (value) => (value - curve.offset) / curve.gain
    case 'polynomial':
      return polynomialInverse(curve.coefficients, limits)
    case 'table':
      return tableInverse(curve, limits)
  }
}

function polynomialInverse(coefficients: readonly number[], limits: Range): Inverse | undefined {
  const degree = coefficients.findLastIndex((c) => c !== 0)
  const curve: Curve = { form: 'polynomial', coefficients: [...coefficients] }
  if (degree < 1 || !isMonotonic(curve, limits)) return undefined
  const { low, high } = stretchAround(limits, rootsWithin(derivative(coefficients), everywhere))
  const top = Math.abs(coefficients[degree] ?? 1)
  const greatest = Math.max(0, ...coefficients.slice(1, degree).map(Math.abs))
  return (value) => {
    if (!Number.isFinite(value)) return Number.NaN
    // All raw values of the value lie within Cauchy's bound, and within twice that after rounding.
    const bound = 2 + (2 * Math.max(greatest, Math.abs((coefficients[0] ?? 0) - value))) / top
    const range = { low: Math.max(low, -bound), high: Math.min(high, bound) }
    if (range.low > range.high) return Number.NaN
    const sign = curveAt(curve, range.high) >= curveAt(curve, range.low) ? 1 : -1
    const raw = bisect((x) => sign * (curveAt(curve, x) - value), range)
    return Math.abs(curveAt(curve, raw) - value) <= ROUNDING * Math.max(1, Math.abs(value)) ? raw : Number.NaN
  }
}

/** Between two turns, that which has most of `limits`: a turn at one of their ends may have been rounded to within them. */
function stretchAround(limits: Range, turns: readonly number[]): Range {
  const stretches = [-Infinity, ...turns].map((low, i) => ({ low, high: turns[i] ?? Infinity }))
  const shared = ({ low, high }: Range) => Math.min(high, limits.high) - Math.max(low, limits.low)
  return stretches.reduce((best, each) => (shared(each) > shared(best) ? each : best))
}

function tableInverse({ points, extrapolate = false }: Curve & { form: 'table' }, limits: Range): Inverse | undefined {
  const slopes = points.slice(1).map(([, y], i) => Math.sign(y - (points[i]?.[1] ?? y)))
  const last = slopes.length - 1
  const within = slopes.flatMap((_, i) => {
    const isBelow = i < last && (points[i + 1]?.[0] ?? 0) <= limits.low
    const isAbove = i > 0 && (points[i]?.[0] ?? 0) >= limits.high
    return isBelow || isAbove ? [] : [i]
  })
  let from = within[0] ?? 0
  let to = within.at(-1) ?? last
  const slope = slopes[from]
  if (slope === 0 || slopes.slice(from, to + 1).some((each) => each !== slope)) return undefined
  while (from > 0 && slopes[from - 1] === slope) from--
  while (to < last && slopes[to + 1] === slope) to++
  const swapped = points.slice(from, to + 2).map(([raw, value]): [number, number] => [value, raw])
  const drawnOn = [extrapolate && from === 0, extrapolate && to === last]
  if (slope === -1) {
    swapped.reverse()
    drawnOn.reverse()
  }
  const back: Curve = { form: 'table', points: swapped, extrapolate: true }
  const [lowest, highest] = [swapped[0]?.[0] ?? 0, swapped.at(-1)?.[0] ?? 0]
  const [below, above] = drawnOn
  return (value) =>
    (value < lowest && below !== true) || (value > highest && above !== true) ? Number.NaN : curveAt(back, value)
}

/** The arithmetic of calibrations: values of curves, where they turn, how steep they are, and their inverse. */
import type { Curve } from '../contracts/calibrations.ts'

export interface Range {
  readonly low: number
  readonly high: number
}

/** The value for a raw value; NaN outside a table that does not extrapolate. */
export function curveAt(curve: Curve, raw: number): number {
  switch (curve.form) {
    case 'linear':
      return curve.gain * raw + curve.offset
    case 'polynomial':
      return horner(curve.coefficients, raw)
    case 'table': {
      const { points } = curve
      const [first, last] = ends(points)
      if (!curve.extrapolate && (raw < first[0] || raw > last[0])) return Number.NaN
      let low = 0
      let high = points.length - 2
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if (raw >= (points[middle]?.[0] ?? 0)) low = middle
        else high = middle - 1
      }
      const [x0, y0] = points[low] ?? first
      const [x1, y1] = points[low + 1] ?? last
      const part = (raw - x0) / (x1 - x0)
      // So that each point of the table is met to the last digit.
      return part === 1 ? y1 : y0 + part * (y1 - y0)
    }
  }
}

/** The raw values for which a curve is good within `range`; undefined when there are none. */
export function domainOf(curve: Curve, range: Range): Range | undefined {
  if (curve.form !== 'table' || curve.extrapolate) return range
  const [first, last] = ends(curve.points)
  const low = Math.max(range.low, first[0])
  const high = Math.min(range.high, last[0])
  return low < high ? { low, high } : undefined
}

/** The least and the greatest slope within `range`, whose ends may be infinite. */
export function slopesOf(curve: Curve, range: Range): Range {
  switch (curve.form) {
    case 'linear':
      return { low: curve.gain, high: curve.gain }
    case 'polynomial': {
      const slope = derivative(curve.coefficients)
      const turns = rootsWithin(derivative(slope), range)
      const slopes = [range.low, ...turns, range.high].map((raw) => horner(slope, raw))
      return { low: Math.min(...slopes), high: Math.max(...slopes) }
    }
    case 'table': {
      const slopes: number[] = []
      for (const [i, [x1, y1]] of curve.points.entries()) {
        const before = curve.points[i - 1]
        if (before === undefined) continue
        const beyond = (i > 1 && before[0] >= range.high) || (i < curve.points.length - 1 && x1 <= range.low)
        if (!beyond) slopes.push((y1 - before[1]) / (x1 - before[0]))
      }
      return { low: Math.min(...slopes), high: Math.max(...slopes) }
    }
  }
}

/** True when no two raw values within `range` have one value. */
export function isMonotonic(curve: Curve, range: Range): boolean {
  const { low, high } = slopesOf(curve, range)
  // A polynomial may be level at single raw values; a table is level between two.
  return curve.form === 'polynomial' ? (low >= 0 && high > 0) || (high <= 0 && low < 0) : low > 0 || high < 0
}

/** The least and the greatest value within `range`. */
export function imageOf(curve: Curve, range: Range): Range {
  const inside =
    curve.form === 'polynomial'
      ? rootsWithin(derivative(curve.coefficients), range)
      : curve.form === 'table'
        ? curve.points.map(([raw]) => raw).filter((raw) => raw > range.low && raw < range.high)
        : []
  const values = [range.low, ...inside, range.high].map((raw) => curveAt(curve, raw))
  return { low: Math.min(...values), high: Math.max(...values) }
}

/** The raw value within `range` whose value is nearest; the curve is monotonic there. */
export function rawOf(curve: Curve, value: number, range: Range): number {
  if (curve.form === 'linear') return Math.min(range.high, Math.max(range.low, (value - curve.offset) / curve.gain))
  const sign = curveAt(curve, range.high) >= curveAt(curve, range.low) ? 1 : -1
  return bisect((raw) => sign * (curveAt(curve, raw) - value), range)
}

function ends(points: readonly [number, number][]): readonly [[number, number], [number, number]] {
  const first = points[0] ?? [0, 0]
  return [first, points[points.length - 1] ?? first]
}

function horner(coefficients: readonly number[], x: number): number {
  // An infinite `x` times a coefficient of 0 is not 0.
  const top = coefficients.findLastIndex((c) => c !== 0)
  let sum = 0
  for (let i = top; i >= 0; i--) sum = i === top ? (coefficients[i] ?? 0) : sum * x + (coefficients[i] ?? 0)
  return sum
}

/** The coefficients of its slope. */
export function derivative(coefficients: readonly number[]): number[] {
  return coefficients.slice(1).map((c, i) => c * (i + 1))
}

/** Where a polynomial changes its sign strictly within `range`, ascending. */
export function rootsWithin(coefficients: readonly number[], range: Range): number[] {
  const degree = coefficients.findLastIndex((c) => c !== 0)
  if (degree < 1) return []
  // All roots lie within Cauchy's bound; twice that, or rounding has the farthest on it.
  const top = Math.abs(coefficients[degree] ?? 1)
  const bound = 2 + 2 * Math.max(...coefficients.slice(0, degree).map((c) => Math.abs(c) / top))
  const low = Math.max(range.low, -bound)
  const high = Math.min(range.high, bound)
  if (!(low < high)) return []
  // Between its turning points it crosses 0 once at most.
  const stops = [low, ...rootsWithin(derivative(coefficients), { low, high }), high]
  const roots: number[] = []
  for (const [i, from] of stops.entries()) {
    const to = stops[i + 1]
    if (to === undefined) break
    const start = horner(coefficients, from)
    if (start !== 0 && Math.sign(start) !== Math.sign(horner(coefficients, to)))
      roots.push(bisect((x) => -Math.sign(start) * horner(coefficients, x), { low: from, high: to }))
  }
  return roots
}

/** Where an ascending function comes nearest to 0, to the last digit. */
export function bisect(f: (x: number) => number, { low, high }: Range): number {
  // Halves of what is finite: of a coefficient that is nearly 0 bounds are infinite, and their middle is no number.
  let from = Math.max(low, -Number.MAX_VALUE)
  let to = Math.min(high, Number.MAX_VALUE)
  if (f(from) >= 0) return from
  if (f(to) <= 0) return to
  for (;;) {
    const middle = from / 2 + to / 2
    if (middle <= from || middle >= to) return Math.abs(f(from)) < Math.abs(f(to)) ? from : to
    if (f(middle) < 0) from = middle
    else to = middle
  }
}

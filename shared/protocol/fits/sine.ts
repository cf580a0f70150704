/**
 * y = offset + amplitude·sin(2π·frequency·x + phase). The frequency comes from the strongest peaks of a least-squares
 * periodogram (Lomb 1976), the rest from a four-coefficient fit (IEEE Std 1057-2017) that starts at each of them.
 */
import { largest, ROUNDING, transform } from './exponential.ts'
import {
  type Breathing,
  type FitResult,
  leastSquares,
  type Model,
  type Points,
  type Solution,
  solve,
} from './least-squares.ts'
import { mean } from './linear.ts'

const SEARCH_POINTS = 2048
/** Frequencies looked at per width of a spectral line. */
const OVERSAMPLING = 4
const CANDIDATES = 3
const LEAST_PERIODS = 0.4

/** Offset, amplitude, frequency (per unit of x), phase at x = 0 (rad). */
export function* sineFit(points: Points): Breathing<FitResult> {
  const n = points.x.length
  if (n < 6) return { missing: `a sine needs at least 6 points, and there are ${n}` }
  const span = (points.x[n - 1] as number) - (points.x[0] as number)
  if (!(span > 0)) return { missing: 'all points have the same x' }
  const best = yield* bestSine(points)
  if (best === undefined) return { missing: 'the fit did not converge' }
  const { solution, centre } = best
  const [offset = 0, a = 0, b = 0, frequency = 0] = solution.coefficients
  const amplitude = Math.hypot(a, b)
  const covariance = transform(solution.covariance, [
    [1, 0, 0, 0],
    [0, a / amplitude, b / amplitude, 0],
    [0, 0, 0, 1],
    [0, -b / amplitude ** 2, a / amplitude ** 2, -2 * Math.PI * centre],
  ])
  const sigma = Math.sqrt(covariance[1]?.[1] ?? Number.NaN)
  // Noise alone has a peak somewhere: the chance that one of n/2 frequencies gives this amplitude is below 1 in 1000.
  if (!(amplitude > sigma * Math.sqrt(2 * Math.log(n * 500))))
    return { missing: 'the points show no sine above their scatter' }
  if (!(frequency * span >= LEAST_PERIODS)) return { missing: 'the points cover too little of a period' }
  if (amplitude <= ROUNDING * largest(points.y)) return { missing: 'the points show no sine above their rounding' }
  const phase = wrap(Math.atan2(b, a) - 2 * Math.PI * frequency * centre)
  const coefficients = [offset, amplitude, frequency, phase]
  if (![...coefficients, ...covariance.flat()].every(Number.isFinite)) return { missing: 'the fit did not converge' }
  return { coefficients, covariance }
}

/** An angle between −π and π. */
export const wrap = (angle: number): number => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI))

const model: Model = (x, [offset = 0, a = 0, b = 0, frequency = 0], gradient) => {
  const angle = 2 * Math.PI * frequency * x
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  gradient[0] = 1
  gradient[1] = sin
  gradient[2] = cos
  gradient[3] = 2 * Math.PI * x * (a * cos - b * sin)
  return offset + a * sin + b * cos
}

/** A fit whose phase counts from `centre`, the middle of its points: far from it phase and frequency are one. */
interface Local {
  readonly solution: Solution
  readonly centre: number
}

interface Start {
  readonly coefficients: readonly number[]
  readonly centre: number
}

function* localFit({ x, y }: Points, { coefficients, centre: from }: Start): Breathing<Local | undefined> {
  const centre = mean(x)
  const [offset = 0, a = 0, b = 0, frequency = 0] = coefficients
  const turn = 2 * Math.PI * frequency * (centre - from)
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)]
  const start = [offset, a * cos - b * sin, a * sin + b * cos, frequency]
  const solution = yield* leastSquares({ x: x.map((value) => value - centre), y }, model, start)
  return solution === undefined ? undefined : { solution, centre }
}

const startOf = ({ solution, centre }: Local): Start => ({ coefficients: solution.coefficients, centre })

function* bestSine(points: Points): Breathing<Local | undefined> {
  if (points.x.length <= SEARCH_POINTS) return yield* searchSine(points)
  // Fast oscillations show in the first points, slow ones in averages over all.
  const fast = yield* searchSine({ x: points.x.slice(0, SEARCH_POINTS), y: points.y.slice(0, SEARCH_POINTS) })
  const slow = yield* searchSine(average(points, SEARCH_POINTS))
  const found = slow === undefined ? undefined : yield* localFit(points, startOf(slow))
  const locked = yield* lock(points, fast)
  if (found === undefined || locked === undefined) return found ?? locked
  return found.solution.sumOfSquares <= locked.solution.sumOfSquares ? found : locked
}

/** Fits longer and longer stretches, each near enough to the last for the frequency to lock. */
function* lock(points: Points, start: Local | undefined): Breathing<Local | undefined> {
  const n = points.x.length
  let found = start
  for (let length = SEARCH_POINTS * 4; found !== undefined && length < n * 4; length *= 4) {
    const part = length >= n ? points : { x: points.x.slice(0, length), y: points.y.slice(0, length) }
    found = yield* localFit(part, startOf(found))
  }
  return found
}

function* searchSine(points: Points): Breathing<Local | undefined> {
  const n = points.x.length
  const span = (points.x[n - 1] as number) - (points.x[0] as number)
  const highest = n / 2 / span
  const centre = mean(points.x)
  const centred: Points = { x: points.x.map((value) => value - centre), y: points.y }
  const candidates = [...(yield* peaks(centred, span)), 0.5 / span, 0.75 / span]
  let best: Local | undefined
  for (const frequency of candidates) {
    const linear = sineAt(centred, frequency)
    if (linear === undefined) continue
    const found = yield* localFit(points, { coefficients: [linear.offset, linear.a, linear.b, frequency], centre })
    const fitted = found?.solution.coefficients[3] ?? -1
    if (found === undefined || !(fitted > 0 && fitted <= highest)) continue
    if (best === undefined || found.solution.sumOfSquares < best.solution.sumOfSquares) best = found
    yield
  }
  return best
}

/** The frequencies of the strongest peaks of the periodogram. */
function* peaks({ x, y }: Points, span: number): Breathing<number[]> {
  const n = x.length
  const step = 1 / (OVERSAMPLING * span)
  const count = Math.ceil((OVERSAMPLING * n) / 2)
  const middle = mean(y)
  const power = new Float64Array(count + 2)
  // One phasor per point, turned on from frequency to frequency.
  const turnCos = Float64Array.from(x, (value) => Math.cos(2 * Math.PI * step * value))
  const turnSin = Float64Array.from(x, (value) => Math.sin(2 * Math.PI * step * value))
  const cos = new Float64Array(n).fill(1)
  const sin = new Float64Array(n)
  for (let k = 1; k <= count; k++) {
    let real = 0
    let imaginary = 0
    for (let i = 0; i < n; i++) {
      const c = (cos[i] as number) * (turnCos[i] as number) - (sin[i] as number) * (turnSin[i] as number)
      const s = (sin[i] as number) * (turnCos[i] as number) + (cos[i] as number) * (turnSin[i] as number)
      cos[i] = c
      sin[i] = s
      const value = (y[i] as number) - middle
      real += value * c
      imaginary += value * s
    }
    power[k] = real * real + imaginary * imaginary
    if (k % 64 === 0) yield
  }
  const tops: number[] = []
  for (let k = 1; k <= count; k++) {
    const here = power[k] as number
    if (here > 0 && here >= (power[k - 1] as number) && here >= (power[k + 1] as number)) tops.push(k)
  }
  tops.sort((a, b) => (power[b] as number) - (power[a] as number))
  return tops.slice(0, CANDIDATES).map((k) => k * step)
}

/** The sine of a known frequency (IEEE Std 1057, three coefficients): y = offset + a·sin + b·cos. */
export function sineAt(
  { x, y }: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> },
  frequency: number,
): { offset: number; a: number; b: number } | undefined {
  const rows = [0, 1, 2].map(() => [0, 0, 0])
  const vector = [0, 0, 0]
  for (let k = 0; k < x.length; k++) {
    const angle = 2 * Math.PI * frequency * (x[k] as number)
    const terms = [1, Math.sin(angle), Math.cos(angle)]
    for (let i = 0; i < 3; i++) {
      const row = rows[i] as number[]
      for (let j = 0; j < 3; j++) row[j] = (row[j] as number) + (terms[i] as number) * (terms[j] as number)
      vector[i] = (vector[i] as number) + (terms[i] as number) * (y[k] as number)
    }
  }
  const solution = solve(rows, vector)
  if (solution === undefined) return undefined
  const [offset = 0, a = 0, b = 0] = solution
  return { offset, a, b }
}

/** Averages over stretches of equal count. */
function average({ x, y }: Points, count: number): Points {
  const size = Math.ceil(x.length / count)
  const length = Math.floor(x.length / size)
  const pick = (values: Float64Array) =>
    Float64Array.from({ length }, (_, i) => mean(values.subarray(i * size, (i + 1) * size)))
  return { x: pick(x), y: pick(y) }
}

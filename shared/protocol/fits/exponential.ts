import { type Breathing, type FitResult, leastSquares, type Model, type Points, solve } from './least-squares.ts'

const MAX_SEARCH_POINTS = 2000
const SEARCH_STEPS = 60
/** Points within the first two time constants. */
const LEAST_DECAY_POINTS = 3

/** y = offset + amplitude·exp(−x/tau) with tau > 0: offset, amplitude, tau. */
export function* exponentialFit(points: Points): Breathing<FitResult> {
  const { x } = points
  const n = x.length
  if (n < 5) return { missing: `an exponential needs at least 5 points, and there are ${n}` }
  const origin = x[0] as number
  const span = (x[n - 1] as number) - origin
  if (!(span > 0)) return { missing: 'all points have the same x' }
  const shifted: Points = { x: x.map((value) => value - origin), y: points.y }
  const start = search(thin(shifted, MAX_SEARCH_POINTS), span)
  if (start === undefined) return { missing: 'the points show no exponential' }
  yield
  const solution = yield* leastSquares(shifted, model, start)
  if (solution === undefined) return { missing: 'the fit did not converge' }
  const [offset = 0, amplitude = 0, tau = 0] = solution.coefficients
  const sigma = solution.covariance.map((row, i) => Math.sqrt(row[i] ?? Number.NaN))
  const [, amplitudeSigma = Number.NaN, tauSigma = Number.NaN] = sigma
  if (!(tau > 0) || !(tauSigma < tau) || !(amplitudeSigma * 3 < Math.abs(amplitude))) {
    return { missing: 'the points do not determine an exponential: too much scatter, or too short a time' }
  }
  // Where the decay is over between two samples, noise alone decides on tau.
  if (!((shifted.x[LEAST_DECAY_POINTS - 1] ?? Infinity) <= 2 * tau))
    return { missing: 'too few points lie in the decay' }
  if (Math.abs(amplitude) <= ROUNDING * largest(points.y)) return { missing: 'the points show no exponential' }
  // From the amplitude at the first point to the one at x = 0.
  const lift = Math.exp(origin / tau)
  const back = [
    [1, 0, 0],
    [0, lift, (-amplitude * lift * origin) / (tau * tau)],
    [0, 0, 1],
  ]
  const covariance = transform(solution.covariance, back)
  const coefficients = [offset, amplitude * lift, tau]
  if (![...coefficients, ...covariance.flat()].every(Number.isFinite)) {
    return { missing: 'the first point is too many time constants from x = 0' }
  }
  return { coefficients, covariance }
}

const model: Model = (x, [offset = 0, amplitude = 0, tau = 1], gradient) => {
  const decay = Math.exp(-x / tau)
  gradient[0] = 1
  gradient[1] = decay
  gradient[2] = (amplitude * decay * x) / (tau * tau)
  return offset + amplitude * decay
}

/** For each of many time constants the best line over exp(−x/tau); the best of all is where the fit starts. */
function search(points: Points, span: number): number[] | undefined {
  let best: number[] | undefined
  let least = Number.POSITIVE_INFINITY
  const [shortest, longest] = [span / points.x.length / 2, span * 20]
  for (let k = 0; k < SEARCH_STEPS; k++) {
    const tau = shortest * (longest / shortest) ** (k / (SEARCH_STEPS - 1))
    const found = lineOver(points, tau)
    if (found === undefined || found.squares >= least) continue
    least = found.squares
    best = [found.offset, found.amplitude, tau]
  }
  return best
}

function lineOver({ x, y }: Points, tau: number): { offset: number; amplitude: number; squares: number } | undefined {
  let [s, se, see, sy, sey] = [0, 0, 0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    const decay = Math.exp(-(x[i] as number) / tau)
    s += 1
    se += decay
    see += decay * decay
    sy += y[i] as number
    sey += decay * (y[i] as number)
  }
  const solution = solve(
    [
      [s, se],
      [se, see],
    ],
    [sy, sey],
  )
  if (solution === undefined) return undefined
  const [offset = 0, amplitude = 0] = solution
  let squares = 0
  for (let i = 0; i < x.length; i++) {
    squares += ((y[i] as number) - offset - amplitude * Math.exp(-(x[i] as number) / tau)) ** 2
  }
  return { offset, amplitude, squares }
}

/** What is smaller than this share of the values may be their rounding. */
export const ROUNDING = 1e-12

/** The largest magnitude. */
export const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

/** Every n-th point, so that at most `most` are left. */
export function thin({ x, y }: Points, most: number): Points {
  const stride = Math.ceil(x.length / most)
  if (stride <= 1) return { x, y }
  const length = Math.ceil(x.length / stride)
  const pick = (values: Float64Array) => Float64Array.from({ length }, (_, i) => values[i * stride] as number)
  return { x: pick(x), y: pick(y) }
}

/** The covariance of linear functions of the coefficients: J·C·Jᵀ. */
export function transform(
  covariance: readonly (readonly number[])[],
  jacobian: readonly (readonly number[])[],
): number[][] {
  return jacobian.map((a) =>
    jacobian.map((b) =>
      covariance.reduce(
        (sum, row, i) => sum + row.reduce((inner, value, j) => inner + (a[i] ?? 0) * value * (b[j] ?? 0), 0),
        0,
      ),
    ),
  )
}

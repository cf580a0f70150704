/**
 * Nonlinear least squares for up to four coefficients (Levenberg 1944, Marquardt 1963). Ours instead of a library:
 * it runs on the node beside safety loops, so it stops to breathe, allocates nothing per point, never keeps a worse
 * step, and says when it did not converge.
 */

/** The model at `x`, and its derivatives by the coefficients into `gradient`. */
export type Model = (x: number, coefficients: readonly number[], gradient: Float64Array) => number

export interface Points {
  readonly x: Float64Array
  readonly y: Float64Array
}

export interface Solution {
  readonly coefficients: number[]
  /** Scaled by the scatter of the residuals. */
  readonly covariance: number[][]
  readonly sumOfSquares: number
}

/** Coefficients in the order of FIT_COEFFICIENTS with their covariance, or why there is no fit. */
export type FitResult =
  | { readonly coefficients: readonly number[]; readonly covariance: readonly (readonly number[])[] }
  | { readonly missing: string }

/** A computation that yields now and then so that its driver can let others run. */
export type Breathing<T> = Generator<void, T, void>

const MAX_ITERATIONS = 100
const POINTS_PER_BREATH = 20_000

/** Runs to the end, giving way to the event loop at each breath; ends there with the signal's reason when it aborts. */
export async function breathe<T>(work: Breathing<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    signal?.throwIfAborted()
    const step = work.next()
    if (step.done) return step.value
    await new Promise<void>((resolve) => setTimeout(resolve, 0))
  }
}

interface Normal {
  readonly sumOfSquares: number
  readonly matrix: number[][]
  readonly vector: number[]
}

/** The best coefficients near `start`; undefined when it does not converge or the data do not determine them. */
export function* leastSquares(points: Points, model: Model, start: readonly number[]): Breathing<Solution | undefined> {
  const count = start.length
  let coefficients = [...start]
  let here = yield* normalEquations(points, model, coefficients)
  if (!Number.isFinite(here.sumOfSquares)) return undefined
  let damping = 1e-3
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const step = solve(damped(here.matrix, damping), here.vector)
    if (step === undefined) return undefined
    // What this step could still gain, by the linear model, against what the scatter makes of the sum.
    const promised = step.reduce((sum, value, i) => sum + value * (here.vector[i] ?? 0), 0)
    if (promised <= 1e-9 * here.sumOfSquares) return finish(points, coefficients, here, count)
    const trial = coefficients.map((value, i) => value + (step[i] ?? 0))
    const there = yield* normalEquations(points, model, trial)
    if (there.sumOfSquares < here.sumOfSquares) {
      coefficients = trial
      here = there
      damping = Math.max(damping / 9, 1e-12)
    } else {
      damping *= 11
      // No step downhill is left: the minimum, to the precision of the numbers.
      if (damping > 1e9) return finish(points, coefficients, here, count)
    }
  }
  return undefined
}

function finish(
  points: Points,
  coefficients: number[],
  { matrix, sumOfSquares }: Normal,
  count: number,
): Solution | undefined {
  const inverse = invert(matrix)
  if (inverse === undefined) return undefined
  const variance = sumOfSquares / Math.max(1, points.x.length - count)
  return { coefficients, sumOfSquares, covariance: inverse.map((row) => row.map((value) => value * variance)) }
}

function* normalEquations({ x, y }: Points, model: Model, coefficients: readonly number[]): Breathing<Normal> {
  const count = coefficients.length
  const gradient = new Float64Array(count)
  const matrix = Array.from({ length: count }, () => new Array<number>(count).fill(0))
  const vector = new Array<number>(count).fill(0)
  let sumOfSquares = 0
  for (let from = 0; from < x.length; from += POINTS_PER_BREATH) {
    const to = Math.min(x.length, from + POINTS_PER_BREATH)
    for (let k = from; k < to; k++) {
      const residual = (y[k] as number) - model(x[k] as number, coefficients, gradient)
      sumOfSquares += residual * residual
      for (let i = 0; i < count; i++) {
        const slope = gradient[i] as number
        const row = matrix[i] as number[]
        vector[i] = (vector[i] as number) + slope * residual
        for (let j = 0; j <= i; j++) row[j] = (row[j] as number) + slope * (gradient[j] as number)
      }
    }
    if (to < x.length) yield
  }
  for (let i = 0; i < count; i++)
    for (let j = 0; j < i; j++) (matrix[j] as number[])[i] = (matrix[i] as number[])[j] as number
  return { sumOfSquares, matrix, vector }
}

function damped(matrix: readonly number[][], damping: number): number[][] {
  return matrix.map((row, i) => row.map((value, j) => (i === j ? value * (1 + damping) : value)))
}

/** Solves a small symmetric system, scaled to a unit diagonal; undefined when it is singular. */
export function solve(matrix: readonly (readonly number[])[], vector: readonly number[]): number[] | undefined {
  const inverse = invert(matrix)
  return inverse?.map((row) => row.reduce((sum, value, j) => sum + value * (vector[j] ?? 0), 0))
}

/** The inverse of a small symmetric matrix (Gauss-Jordan with pivots); undefined when it is singular. */
export function invert(matrix: readonly (readonly number[])[]): number[][] | undefined {
  const n = matrix.length
  const scale = matrix.map((row, i) => Math.sqrt(Math.abs(row[i] ?? 0)))
  if (scale.some((s) => !(s > 0) || !Number.isFinite(s))) return undefined
  const at = (values: readonly number[], i: number) => values[i] as number
  const rows = matrix.map((row, i) => [
    ...row.map((value, j) => value / (at(scale, i) * at(scale, j))),
    ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)),
  ])
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let r = column + 1; r < n; r++) {
      if (Math.abs(at(rows[r] as number[], column)) > Math.abs(at(rows[pivot] as number[], column))) pivot = r
    }
    const chosen = rows[pivot] as number[]
    const size = at(chosen, column)
    if (!(Math.abs(size) > 1e-14)) return undefined
    rows[pivot] = rows[column] as number[]
    rows[column] = chosen.map((value) => value / size)
    for (let r = 0; r < n; r++) {
      if (r === column) continue
      const factor = at(rows[r] as number[], column)
      rows[r] = (rows[r] as number[]).map((value, j) => value - factor * at(rows[column] as number[], j))
    }
  }
  return rows.map((row, i) => row.slice(n).map((value, j) => value / (at(scale, i) * at(scale, j))))
}

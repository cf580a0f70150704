import type { FitResult, Points } from './least-squares.ts'

/** A straight line: slope, intercept. */
export function linearFit({ x, y }: Points): FitResult {
  const n = x.length
  if (n < 3) return { missing: `a line needs at least 3 points, and there are ${n}` }
  const [xMean, yMean] = [mean(x), mean(y)]
  let sxx = 0
  let sxy = 0
  for (let i = 0; i < n; i++) {
    const dx = (x[i] as number) - xMean
    sxx += dx * dx
    sxy += dx * ((y[i] as number) - yMean)
  }
  if (!(sxx > 0)) return { missing: 'all points have the same x' }
  const slope = sxy / sxx
  let squares = 0
  for (let i = 0; i < n; i++) squares += ((y[i] as number) - yMean - slope * ((x[i] as number) - xMean)) ** 2
  const variance = squares / (n - 2)
  const mixed = (-xMean * variance) / sxx
  return {
    coefficients: [slope, yMean - slope * xMean],
    covariance: [
      [variance / sxx, mixed],
      [mixed, variance * (1 / n + (xMean * xMean) / sxx)],
    ],
  }
}

/** The arithmetic mean, summed around the first value. */
export function mean(values: Float64Array): number {
  const first = values[0] ?? 0
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) - first
  return first + sum / Math.max(1, values.length)
}

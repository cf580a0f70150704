import { asLabError } from '../primitives/lab-error.ts'
import type { Scope } from './expression.ts'
import { fit } from './fits/fit.ts'
import { breathe } from './fits/least-squares.ts'
import type { Collected, Collector, CollectorContext } from './output-collector.ts'
import { conditionReader, numberReader } from './output-statistic.ts'
import { FIT_COEFFICIENTS, type FitOutput } from './protocol.ts'
import { createThinned } from './thinned.ts'

/** The most points that a fit keeps; beyond, every second, fourth … row in order. */
const MAX_FIT_POINTS = 200_000

/** Keeps the points of a fit, and fits them at the end; the uncertainty is that of the coefficients, propagated. */
export function createFitCollector(from: FitOutput, context: CollectorContext): Collector {
  const x = numberReader(from.x, context)
  const y = numberReader(from.y, context)
  const where = conditionReader(from.where, context)
  const points = createThinned(MAX_FIT_POINTS, 2)
  const value = context.compile(from.value)
  return {
    row: (reader) => {
      if (where(reader)) points.add(x(reader), y(reader))
    },
    finish: async () => {
      const [xs, ys] = points.columns()
      const result = await breathe(fit(from.model, { x: xs as Float64Array, y: ys as Float64Array }))
      if ('missing' in result) return result
      const names = FIT_COEFFICIENTS[from.model]
      const scope = (coefficients: readonly number[]): Scope => ({
        variable: (name) => {
          const index = names.indexOf(name)
          return index < 0 ? context.options.parameters[name] : coefficients[index]
        },
        reading: () => undefined,
        statistic: () => undefined,
      })
      return propagate(result, (coefficients) => value.number(scope(coefficients)))
    },
  }
}

/** The value and its standard uncertainty to first order, with derivatives over a hundredth of each uncertainty. */
function propagate(
  result: { coefficients: readonly number[]; covariance: readonly (readonly number[])[] },
  compute: (coefficients: readonly number[]) => number,
): Collected {
  const { coefficients, covariance } = result
  let value: number
  try {
    value = compute(coefficients)
  } catch (error) {
    return { missing: asLabError(error).message }
  }
  try {
    const slopes = coefficients.map((_, i) => {
      const step = Math.sqrt(covariance[i]?.[i] ?? 0) / 100
      if (!(step > 0)) return 0
      const moved = (by: number) => compute(coefficients.map((c, j) => (i === j ? c + by : c)))
      return (moved(step) - moved(-step)) / (2 * step)
    })
    const variance = slopes.reduce(
      (sum, a, i) => sum + slopes.reduce((inner, b, j) => inner + a * b * (covariance[i]?.[j] ?? 0), 0),
      0,
    )
    return { value, uncertainty: Math.sqrt(Math.max(0, variance)) }
  } catch {
    // The value holds; so near to the edge of the expression's domain its uncertainty cannot be told.
    return { value }
  }
}

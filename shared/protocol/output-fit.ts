import { asLabError } from '../primitives/lab-error.ts'
import type { ColumnReader } from './column-reader.ts'
import type { Scope } from './expression.ts'
import { fit } from './fits/fit.ts'
import { breathe, type FitResult } from './fits/least-squares.ts'
import type { Collected, Collector, CollectorContext } from './output-collector.ts'
import { conditionReader, numberReader, uncertaintyOf, withScatter } from './output-statistic.ts'
import { isInUnitOfY } from './output-units.ts'
import { FIT_COEFFICIENTS, type FitOutput } from './protocol.ts'
import { createThinned } from './thinned.ts'

/** The most points that a fit keeps; beyond, every second, fourth … row in order. */
const MAX_FIT_POINTS = 200_000

/** Points that several outputs may want fitted; the fit is made once. */
interface SharedFit {
  row(reader: ColumnReader): void
  result(): Promise<FitResult>
}

/** Makes collectors; those that ask for another coefficient of the same fit share its points. */
export function createFitCollectors(context: CollectorContext): (from: FitOutput) => Collector {
  const known = new Map<string, SharedFit>()
  return (from) => {
    const { model, stream, x, y, where } = from
    const key = JSON.stringify([model, stream, x, y, where])
    const found = known.get(key)
    const shared = found ?? createSharedFit(from, context)
    known.set(key, shared)
    const value = context.compile(from.value)
    const declared = isInUnitOfY(from) ? uncertaintyOf(from.y, context) : undefined
    return {
      // The first collector fills the points for all.
      row: found === undefined ? shared.row : () => {},
      finish: async () => {
        const result = await shared.result()
        if ('missing' in result) return result
        const found = propagate(result, (coefficients) => value.number(coefficientScope(from, coefficients, context)))
        if (declared === undefined || 'missing' in found) return found
        return withScatter(found.value, found.uncertainty, declared)
      },
    }
  }
}

function createSharedFit(from: FitOutput, context: CollectorContext): SharedFit {
  const x = numberReader(from.x, context)
  const y = numberReader(from.y, context)
  const where = conditionReader(from.where, context)
  const points = createThinned(MAX_FIT_POINTS, 2)
  let result: Promise<FitResult> | undefined
  return {
    row: (reader) => {
      if (where(reader)) points.add(x(reader), y(reader))
    },
    result: () => {
      const [xs, ys] = points.columns()
      result ??= breathe(fit(from.model, { x: xs as Float64Array, y: ys as Float64Array }))
      return result
    },
  }
}

function coefficientScope(from: FitOutput, coefficients: readonly number[], context: CollectorContext): Scope {
  const names = FIT_COEFFICIENTS[from.model]
  return {
    variable: (name) => {
      const index = names.indexOf(name)
      return index < 0 ? context.options.parameters[name] : coefficients[index]
    },
    reading: () => undefined,
    statistic: () => undefined,
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

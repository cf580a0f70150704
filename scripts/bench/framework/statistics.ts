/** Median and range of one figure over the rounds. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly values: readonly number[]
}

/** The value below which the fraction `q` (0 to 1) of the values lies, interpolated; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = q * (sorted.length - 1)
  const below = sorted[Math.floor(place)]
  const above = sorted[Math.ceil(place)]
  if (below === undefined || above === undefined) return Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Median, least and greatest; NaN of nothing. */
export function summarise(values: readonly number[]): Summary {
  return {
    median: median(values),
    min: values.length === 0 ? Number.NaN : Math.min(...values),
    max: values.length === 0 ? Number.NaN : Math.max(...values),
    values,
  }
}

/** Quantiles of many times in ms, as raw output keeps them. */
export function spread(timesMs: readonly number[]): Record<'p50' | 'p90' | 'p99' | 'max' | 'count', number> {
  return {
    p50: quantile(timesMs, 0.5),
    p90: quantile(timesMs, 0.9),
    p99: quantile(timesMs, 0.99),
    max: quantile(timesMs, 1),
    count: timesMs.length,
  }
}

/** A signal as a chart draws it. */
export interface ChartSeries {
  readonly key: string
  readonly title: string
  /** UCUM. */
  readonly unit: string
  /** 1 to 8: the same signal has the same colour on every chart of a page. */
  readonly colour: number
  readonly values: readonly (number | null)[]
}

export interface ChartAxis {
  readonly title: string
  readonly unit: string
  readonly values: readonly number[]
  readonly scale: 'linear' | 'log'
}

export interface ChartCurve {
  readonly x: readonly number[]
  readonly y: readonly (number | null)[]
}

/** Everything that one chart shows. */
export interface ChartContent {
  readonly title: string
  readonly kind: 'line' | 'scatter'
  readonly x: ChartAxis
  readonly yScale: 'linear' | 'log'
  readonly series: readonly ChartSeries[]
  /** A fitted curve over the first series. */
  readonly fit?: ChartCurve
  /** Rows behind the drawn ones, where they are fewer. */
  readonly reducedFrom?: number
}

/** The number of the colour that a fitted curve has: one that no series of the chart has. */
export function fitColour({ series }: Pick<ChartContent, 'series'>): number {
  const taken = new Set(series.map(({ colour }) => colour))
  return [2, 3, 1, 4, 5, 6, 7].find((colour) => !taken.has(colour)) ?? 8
}

/** The content with its rows in the order of x, which the drawing needs; as it is where it is in order already. */
export function inOrder(content: ChartContent): ChartContent {
  const { values } = content.x
  let sorted = true
  for (let i = 1; i < values.length && sorted; i++) sorted = (values[i] ?? 0) >= (values[i - 1] ?? 0)
  if (sorted) return content
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
  return {
    ...content,
    x: { ...content.x, values: order.map((i) => values[i] ?? 0) },
    series: content.series.map((one) => ({ ...one, values: order.map((i) => one.values[i] ?? null) })),
  }
}

/** Lowest, highest and last value of a signal; undefined when it has none. */
export function spanOf(values: readonly (number | null)[]): { low: number; high: number; last: number } | undefined {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let last: number | undefined
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue
    if (value < low) low = value
    if (value > high) high = value
    last = value
  }
  return last === undefined ? undefined : { low, high, last }
}

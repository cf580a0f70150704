import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Run } from '@fernlab/shared/contracts/api'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type ColumnReader, createColumnReader } from '@fernlab/shared/protocol/column-reader'
import { createCompiler } from '@fernlab/shared/protocol/expression'
import type { Collector } from '@fernlab/shared/protocol/output-collector'
import { createFitCollectors } from '@fernlab/shared/protocol/output-fit'
import type { FitModel, FitOutput, PlotSpec, Protocol } from '@fernlab/shared/protocol/protocol'
import type { ChartCurve } from '../chart/series.ts'
import { columnName, type StreamData } from './run-data.ts'

interface Options {
  readonly run: Run
  readonly plot: PlotSpec
  readonly data: StreamData
  readonly definition: unknown
  readonly parts: Readonly<Record<string, unknown>>
}

type Coefficients = Readonly<Record<string, number>>

const models: Readonly<Record<FitModel, { names: readonly string[]; at: (c: Coefficients, x: number) => number }>> = {
  linear: { names: ['slope', 'intercept'], at: (c, x) => get(c, 'slope') * x + get(c, 'intercept') },
  exponential: {
    names: ['offset', 'amplitude', 'tau'],
    at: (c, x) => get(c, 'offset') + get(c, 'amplitude') * Math.exp(-x / get(c, 'tau')),
  },
  sine: {
    names: ['offset', 'amplitude', 'frequency', 'phase'],
    at: (c, x) =>
      get(c, 'offset') + get(c, 'amplitude') * Math.sin(2 * Math.PI * get(c, 'frequency') * x + get(c, 'phase')),
  },
}

const get = (coefficients: Coefficients, name: string): number => coefficients[name] ?? Number.NaN

/**
 * The curve of the fit that a plot names, computed from the rows by the code that computed the output. Undefined where
 * the fit is over other axes than the plot's (a fit of `log(y)` is drawn over `y`).
 */
export async function fitCurve({ run, plot, data, definition, parts }: Options): Promise<ChartCurve | undefined> {
  const protocol = definition as Protocol
  const output = plot.fit === undefined ? undefined : protocol.outputs[plot.fit]
  if (output === undefined || output.from.kind !== 'fit' || output.from.stream !== plot.stream) return undefined
  const fit = output.from
  const y = plot.y[0]
  if (y === undefined || fit.x !== plot.x) return undefined
  const logarithmic = fit.y.replaceAll(' ', '') === `log(${y})`
  if (fit.y !== y && !logarithmic) return undefined
  const coefficients = await coefficientsOf(protocol, fit, { run, data, parts })
  if (coefficients === undefined) return undefined
  const start = data.time[0] ?? 0
  const column = plot.x === 'time' ? undefined : columnName(data, plot.x)
  const values =
    column === undefined
      ? data.time.map((time) => time - start)
      : (data.columns[column] ?? []).filter((value): value is number => typeof value === 'number')
  const x = spread(Math.min(...values), Math.max(...values), plot.xScale === 'log')
  const model = models[fit.model]
  return { x, y: x.map((at) => (logarithmic ? Math.exp(model.at(coefficients, at)) : model.at(coefficients, at))) }
}

async function coefficientsOf(
  protocol: Protocol,
  fit: FitOutput,
  { run, data, parts }: Pick<Options, 'run' | 'data' | 'parts'>,
): Promise<Coefficients | undefined> {
  const { names } = models[fit.model]
  const options = { parameters: run.parameters, parts: parts as Readonly<Record<string, InstrumentSpec>> }
  const collectorFor = createFitCollectors({ compile: createCompiler(), options, columns: [] })
  const collectors = names.map((name) => collectorFor({ ...fit, value: name }))
  const reader = createColumnReader(run.parameters)
  const columns = Object.fromEntries(
    Object.entries(data.columns).map(([key, values]) => [sourceName(key, protocol), values]),
  )
  reader.open(data.time, columns, data.time[0] ?? 0)
  for (let row = 0; row < data.time.length; row++) {
    reader.index = row
    for (const collector of collectors) takeRow(collector, reader)
  }
  reader.close()
  const values: Record<string, number> = {}
  for (const [index, name] of names.entries()) {
    const result = await collectors[index]?.finish()
    if (result === undefined || 'missing' in result) return undefined
    values[name] = result.value
  }
  return values
}

/** A row that has no value for the fit is left out, as it was for the output. */
function takeRow(collector: Collector, reader: ColumnReader): void {
  try {
    collector.row(reader)
  } catch (error) {
    if (!(error instanceof LabError)) throw error
  }
}

/** `part_signal` of the API is `part.signal` in the protocol: the names that the protocol uses tell which. */
function sourceName(key: string, protocol: Protocol): string {
  const used = JSON.stringify(protocol.steps).match(/[A-Za-z]\w*\.[A-Za-z]\w*/g) ?? []
  return used.find((name) => name.replace('.', '_') === key) ?? key
}

function spread(low: number, high: number, logarithmic: boolean): number[] {
  const count = 200
  return Array.from({ length: count }, (_, i) => {
    const share = i / (count - 1)
    return logarithmic ? low * (high / low) ** share : low + (high - low) * share
  })
}

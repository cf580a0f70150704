import type { Uncertainty } from '../capabilities/signals.ts'
import { LabError } from '../primitives/lab-error.ts'
import type { ColumnReader } from './column-reader.ts'
import { createCrossings } from './crossings.ts'
import type { Collected, Collector, CollectorContext } from './output-collector.ts'
import { unitOfColumn } from './output-units.ts'
import type { ReadingOutput, StatisticOutput } from './protocol.ts'
import { amountIn } from './quantities.ts'

/** The first or last value of a column, with the uncertainty that its signal declares. */
export function createReadingCollector(from: ReadingOutput, context: CollectorContext): Collector {
  let found: number | undefined
  return {
    row: (reader) => {
      if (from.which === 'first' && found !== undefined) return
      const value = reader.number(from.signal)
      if (Number.isNaN(value)) throw noNumber(from.signal)
      found = value
    },
    finish: async () => withUncertainty(found ?? Number.NaN, uncertaintyOf(from.signal, context)),
  }
}

/** A statistic of a column or an expression; memory does not grow with the rows. */
export function createStatisticCollector(from: StatisticOutput, context: CollectorContext): Collector {
  const value = numberReader(from.signal, context)
  const where = conditionReader(from.where, context)
  const declared = uncertaintyOf(from.signal, context)
  if (from.statistic === 'crossing-rate') return crossingCollector(from, context, value, where)
  let [count, first, shift, squares, least, most, last] = [0, 0, 0, 0, Infinity, -Infinity, Number.NaN]
  return {
    row: (reader) => {
      if (!where(reader)) return
      const next = value(reader)
      count += 1
      // Welford (1962) from the first value on: no loss where the mean is large and the scatter small.
      if (count === 1) first = next
      const delta = next - first - shift
      shift += delta / count
      squares += delta * (next - first - shift)
      least = Math.min(least, next)
      most = Math.max(most, next)
      last = next
    },
    finish: async (): Promise<Collected> => {
      if (from.statistic === 'count') return { value: count, uncertainty: 0 }
      if (count === 0) return { missing: `no row satisfied ${from.where}` }
      const mean = first + shift
      const sum = count * first + count * shift
      const std = count > 1 ? Math.sqrt(squares / (count - 1)) : undefined
      switch (from.statistic) {
        case 'mean':
          return withScatter(mean, std && std / Math.sqrt(count), declared)
        case 'std':
          if (std === undefined) return { missing: 'a standard deviation needs two rows' }
          return { value: std, uncertainty: std / Math.sqrt(2 * (count - 1)) }
        case 'sum':
          return withScatter(sum, std && std * Math.sqrt(count), declared, count)
        case 'min':
          return withUncertainty(least, declared)
        case 'max':
          return withUncertainty(most, declared)
        case 'last':
        case 'crossing-rate':
          return withUncertainty(last, declared)
      }
    },
  }
}

function crossingCollector(
  from: StatisticOutput,
  { compile, options, columns }: CollectorContext,
  value: (reader: ColumnReader) => number,
  where: (reader: ColumnReader) => boolean,
): Collector {
  const constants = {
    variable: (name: string) => options.parameters[name],
    reading: () => undefined,
    statistic: () => undefined,
  }
  const threshold = amountIn(from.threshold ?? 0, unitOfColumn(columns, from.signal), constants, compile)
  const crossings = createCrossings(threshold)
  return {
    row: (reader) => {
      if (where(reader)) crossings.add(reader.time(), value(reader))
    },
    finish: async () => crossings.rate(),
  }
}

/** Reads a column by name where the text is one, an expression otherwise. */
export function numberReader(text: string, { compile, columns }: CollectorContext): (reader: ColumnReader) => number {
  const name = text.trim()
  if (name === 'time' || columns.some(({ key }) => key === name)) {
    return (reader) => {
      const value = reader.number(name)
      if (Number.isFinite(value)) return value
      throw noNumber(name)
    }
  }
  const expression = compile(text)
  return (reader) => expression.number(reader)
}

/** Reads a condition; without a text every row will do. */
export function conditionReader(
  text: string | undefined,
  { compile }: CollectorContext,
): (reader: ColumnReader) => boolean {
  if (text === undefined) return () => true
  const expression = compile(text)
  return (reader) => expression.condition(reader)
}

function noNumber(column: string): LabError {
  return new LabError({ code: 'no-number', kind: 'instrument', message: `${column} has no number in this row` })
}

/** What the signal of a column declares; undefined for an expression, for which nobody declares anything. */
export function uncertaintyOf(text: string, { columns, options }: CollectorContext): Uncertainty | undefined {
  const column = columns.find(({ key }) => key === text.trim())
  if (column?.part === undefined) return undefined
  return options.parts[column.part]?.signals.find(({ name }) => name === column.signal)?.uncertainty
}

function withUncertainty(value: number, declared: Uncertainty | undefined): Collected {
  return withScatter(value, undefined, declared)
}

/**
 * The value with its scatter and what the instrument declares. That is taken for an error which all readings share (a
 * calibration, not noise): no number of them makes it smaller, and a sum over `readings` has it as often.
 */
export function withScatter(
  value: number,
  scatter: number | undefined,
  declared: Uncertainty | undefined,
  readings = 1,
): Collected {
  if (declared === undefined) return scatter === undefined ? { value } : { value, uncertainty: scatter }
  const { absolute = 0, relative = 0 } = declared
  return { value, uncertainty: Math.hypot(scatter ?? 0, readings * absolute, relative * value) }
}

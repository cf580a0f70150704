import type { RecordStatistic, RecordStatistics } from './environment.ts'
import { fit } from './fits/fit.ts'
import { breathe } from './fits/least-squares.ts'
import { sineAt } from './fits/sine.ts'
import type { SignalKey } from './protocol.ts'

/** Collects the samples of one record for the statistics functions; memory is bounded. */
export interface RecordStatisticsCollector extends RecordStatistics {
  /** `count` samples; arrays may be longer and are never kept. */
  page(count: number, timeS: ArrayLike<number>, columns: Readonly<Record<string, ArrayLike<number>>>): void
  /**
   * Looks for the strongest oscillation of these signals, so that `amplitude` and `phase` without a frequency are known:
   * a search too long for an expression, made once and giving way to the event loop.
   */
  findOscillations(signals: Iterable<SignalKey>, abort: AbortSignal): Promise<void>
}

/** Samples that amplitude and phase look at: the first ones of the record, which keep its rate. */
const MAX_SAMPLES = 16_384

interface Column {
  count: number
  mean: number
  squares: number
  least: number
  most: number
  readonly time: number[]
  readonly value: number[]
  /** The strongest, once it was looked for and found. */
  oscillation: Oscillation | undefined
  /** The last that was asked for by its frequency: a row often has both its amplitude and its phase. */
  asked: { readonly frequencyHz: number; readonly oscillation: Oscillation | undefined } | undefined
}

interface Oscillation {
  readonly amplitude: number
  readonly phase: number
}

/** A collector that has seen nothing; give it to `environment.observeRecord` when the record is finished. */
export function createRecordStatistics(): RecordStatisticsCollector {
  const columns = new Map<string, Column>()
  let first: number | undefined
  return {
    page: (count, timeS, values) => {
      for (const [key, samples] of Object.entries(values)) {
        const column = columns.get(key) ?? emptyColumn()
        columns.set(key, column)
        column.asked = undefined
        for (let i = 0; i < count; i++) {
          const time = timeS[i] as number
          first ??= time
          const value = samples[i]
          if (typeof value === 'number' && Number.isFinite(value)) addSample(column, time - first, value)
        }
      }
    },
    findOscillations: async (signals, abort) => {
      for (const signal of signals) {
        const column = columns.get(signal)
        if (column === undefined) continue
        const points = { x: Float64Array.from(column.time), y: Float64Array.from(column.value) }
        const found = await breathe(fit('sine', points), abort)
        if ('missing' in found) continue
        const [, amplitude = Number.NaN, , phase = Number.NaN] = found.coefficients
        column.oscillation = { amplitude, phase }
      }
    },
    statistic: (kind, signal, frequencyHz) => {
      const column = columns.get(signal)
      return column === undefined ? undefined : statisticOf(column, kind, frequencyHz)
    },
  }
}

const emptyColumn = (): Column => ({
  count: 0,
  mean: 0,
  squares: 0,
  least: Number.POSITIVE_INFINITY,
  most: Number.NEGATIVE_INFINITY,
  time: [],
  value: [],
  oscillation: undefined,
  asked: undefined,
})

function addSample(column: Column, time: number, value: number): void {
  column.count += 1
  const delta = value - column.mean
  column.mean += delta / column.count
  column.squares += delta * (value - column.mean)
  column.least = Math.min(column.least, value)
  column.most = Math.max(column.most, value)
  if (column.value.length < MAX_SAMPLES) {
    column.time.push(time)
    column.value.push(value)
  }
}

function statisticOf(column: Column, kind: RecordStatistic, frequencyHz: number | undefined): number | undefined {
  if (kind === 'count') return column.count
  if (column.count === 0) return undefined
  switch (kind) {
    case 'mean':
      return column.mean
    case 'std':
      return column.count > 1 ? Math.sqrt(column.squares / (column.count - 1)) : 0
    case 'min':
      return column.least
    case 'max':
      return column.most
    case 'amplitude':
    case 'phase':
      return (frequencyHz === undefined ? column.oscillation : oscillationAt(column, frequencyHz))?.[kind]
  }
}

function oscillationAt(column: Column, frequencyHz: number): Oscillation | undefined {
  if (column.asked?.frequencyHz === frequencyHz) return column.asked.oscillation
  const sine = sineAt({ x: column.time, y: column.value }, frequencyHz)
  const oscillation =
    sine === undefined ? undefined : { amplitude: Math.hypot(sine.a, sine.b), phase: Math.atan2(sine.b, sine.a) }
  column.asked = { frequencyHz, oscillation }
  return oscillation
}

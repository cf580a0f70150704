import type { Scalar } from '../capabilities/signals.ts'
import type { SignalKey } from './protocol.ts'

/** What the statistics functions of the expression language can ask of a record. */
export type RecordStatistic = 'mean' | 'std' | 'min' | 'max' | 'amplitude' | 'phase' | 'count'

/** The statistics of one finished record; `createRecordStatistics` makes one from samples. */
export interface RecordStatistics {
  /**
   * Undefined for a signal that was not recorded. `amplitude` and `phase` (rad, of a sine since the record's first
   * sample) are those at `frequencyHz`, or of the strongest frequency where none is given and it was looked for.
   */
  statistic(kind: RecordStatistic, signal: SignalKey, frequencyHz?: number): number | undefined
}

/** What expressions can see of the bench: the latest reading of each signal, the latest finished record. */
export interface Environment {
  /** Notes a value that was read (or set, where the bench reports what it was set to). */
  observe(signal: SignalKey, value: Scalar, timeS: number): void
  /** Notes a finished record. */
  observeRecord(statistics: RecordStatistics): void
  reading(signal: SignalKey): Scalar | undefined
  statistic(kind: RecordStatistic, signal: SignalKey, frequencyHz?: number): number | undefined
}

/** An environment in which nothing has been observed. */
export function createEnvironment(): Environment {
  const readings = new Map<SignalKey, Scalar>()
  let record: RecordStatistics | undefined
  return {
    observe: (signal, value) => {
      readings.set(signal, value)
    },
    observeRecord: (statistics) => {
      record = statistics
    },
    reading: (signal) => readings.get(signal),
    statistic: (kind, signal, frequencyHz) => record?.statistic(kind, signal, frequencyHz),
  }
}

import type { RecordStatistics } from './environment.ts'

/** Collects the samples of one record for the statistics functions; memory is bounded. */
export interface RecordStatisticsCollector extends RecordStatistics {
  /** `count` samples; arrays may be longer and are never kept. */
  page(count: number, timeS: ArrayLike<number>, columns: Readonly<Record<string, ArrayLike<number>>>): void
}

/** A collector that has seen nothing; give it to `environment.observeRecord` when the record is finished. */
export function createRecordStatistics(): RecordStatisticsCollector {
  return { page: () => {}, statistic: () => undefined }
}

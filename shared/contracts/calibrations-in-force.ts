/** Which calibration counts, and for how long; apart from the schemas, which pages do not load. */
import type { Calibration, CalibrationRecord } from './calibrations.ts'

/** The newest that was not undone, also when it says that there is none. */
export function lastGood(history: readonly CalibrationRecord[]): CalibrationRecord | undefined {
  return history.findLast(({ undone }) => undone === undefined)
}

/** True once the last day is over. */
export function isExpired({ validUntil }: Pick<Calibration, 'validUntil'>, nowMs: number): boolean {
  return validUntil !== undefined && new Date(nowMs).toISOString().slice(0, 10) > validUntil
}

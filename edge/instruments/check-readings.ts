import { scalarIssue } from '@fernlab/shared/capabilities/scalar-value'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Reading } from '../drivers/driver.ts'

/** What a date can be made of, in seconds. */
const LAST_TIME_S = 8.64e12

/** True for epoch seconds that can be written as a date. */
export const isTime = (timeS: number): boolean => Math.abs(timeS) <= LAST_TIME_S

/** The readings asked for, each present, with a time and of its signal's type; throws `instrument-garbage` otherwise. */
export function checkReadings(
  spec: InstrumentSpec,
  signals: readonly string[],
  readings: Readonly<Record<string, Reading>>,
): Record<string, Reading> {
  const good: Record<string, Reading> = {}
  for (const name of signals) {
    const reading = readings[name]
    if (reading === undefined) throw garbage(`${name} is missing from the answer`)
    const dtype = spec.signals.find((signal) => signal.name === name)?.dtype
    const { value } = reading
    // A driver gives no arrays.
    const issue = scalarIssue(dtype === undefined || dtype === 'array' ? 'number' : dtype, value)
    if (issue !== undefined || (typeof value === 'number' && !Number.isFinite(value)))
      throw garbage(`${name} is ${JSON.stringify(value)}, not a ${dtype ?? 'number'}`)
    if (!isTime(reading.time)) throw garbage(`the time of ${name} is ${reading.time}`)
    good[name] = reading
  }
  return good
}

function garbage(message: string): LabError {
  return new LabError({ code: 'instrument-garbage', kind: 'instrument', retry: 'later', message })
}

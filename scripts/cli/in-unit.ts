import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { convertTrimmed, parseQuantity } from '@fernlab/shared/primitives/units'
import { misspelt } from './problem.ts'

/** What takes a number, as a contract has it. */
interface Takes {
  readonly type: string
  readonly unit?: string | undefined
}

/**
 * The value in the unit of what takes it: `1500 mV` is 1.5 for volts. What takes no number, or is given no number with a
 * unit, gets it as it is. Throws for a unit that measures something else, naming `path`.
 */
export function inUnit(value: unknown, { type, unit = '1' }: Takes, path: string): unknown {
  if (typeof value !== 'string' || (type !== 'number' && type !== 'integer')) return value
  const given = parseQuantity(value)
  if (given === undefined) return value
  try {
    return convertTrimmed(given.value, given.unit, unit === '' ? '1' : unit)
  } catch (thrown) {
    const { code, message } = asLabError(thrown)
    throw misspelt(code, `${path} "${value}": ${message}`)
  }
}

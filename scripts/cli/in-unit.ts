import { inOwnUnit } from '@fernlab/shared/rpc/contract/in-own-unit'
import { misspelt } from './problem.ts'

/** What takes a value, as a contract has it. */
interface Takes {
  readonly type: string
  readonly unit?: string | undefined
}

/**
 * The value in the unit of what takes it: `1500 mV` is 1.5 for volts. What takes no number, or is given no number with a
 * unit, gets it as it is. Throws for a unit that measures something else, or is none, and for a text where a number is to be,
 * naming `path`.
 */
export function inUnit(value: unknown, { type, unit = '' }: Takes, path: string): unknown {
  if (typeof value !== 'string') return value
  const own = inOwnUnit({ dtype: type, unit: unit === '' ? '1' : unit }, value)
  if ('issue' in own) throw misspelt('unit-mismatch', `${path} "${value}" ${own.issue}`)
  if (typeof own.value === 'string' && (type === 'number' || type === 'integer'))
    throw misspelt('value-invalid', `${path} must be a number, not ${JSON.stringify(value)}`)
  return own.value
}

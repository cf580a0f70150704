import type { SignalDtype } from './signals.ts'

/**
 * What keeps a value from being a reading of that type; undefined where nothing does. One of an integer may be any number:
 * scales and calibrations make 2.0000001 of 2.
 */
export function scalarIssue(dtype: Exclude<SignalDtype, 'array'>, value: unknown): string | undefined {
  switch (dtype) {
    case 'number':
    case 'integer':
      return typeof value === 'number' ? undefined : 'must be a number'
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false'
    case 'string':
      return typeof value === 'string' ? undefined : 'must be text'
  }
}

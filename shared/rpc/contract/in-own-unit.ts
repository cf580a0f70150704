/** A value that names its unit, in the unit of the signal that it is for. Pure. */
import type { SignalSpec } from '../../capabilities/signals.ts'
import { convertTrimmed, sameDimension, tryParseUnit } from '../../primitives/units.ts'
import { isRecord } from '../errors.ts'

/** A number, and what stands behind it. */
const AMOUNT = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\s\d.+-]\S{0,63})\s*$/
const units: ReadonlySet<string> = new Set(['value', 'unit'])

/** `'1500 mV'` and `{ value: 1500, unit: 'mV' }` as 1.5 of a signal in V, or why not; what names no unit stays as it is. */
export function inOwnUnit(
  { dtype, unit }: Pick<SignalSpec, 'dtype' | 'unit'>,
  given: unknown,
): { readonly value: unknown } | { readonly issue: string } {
  const amount = dtype === 'number' || dtype === 'integer' ? amountOf(given) : undefined
  if (amount === undefined) return { value: given }
  if (tryParseUnit(amount.unit) === undefined) return { issue: `is in ${amount.unit}, which is no unit that is known` }
  if (amount.unit !== unit && !sameDimension(amount.unit, unit))
    return { issue: `is in ${amount.unit}, which can't be given in ${unit}` }
  return { value: convertTrimmed(amount.value, amount.unit, unit) }
}

function amountOf(given: unknown): { readonly value: number; readonly unit: string } | undefined {
  if (typeof given === 'string') {
    // A number alone is none that is written as text.
    const [, digits, unit] = Number.isNaN(Number(given)) ? (AMOUNT.exec(given) ?? []) : []
    return digits === undefined || unit === undefined ? undefined : { value: Number(digits), unit }
  }
  if (!isRecord(given) || ArrayBuffer.isView(given)) return undefined
  const { value, unit } = given
  const isAmount =
    typeof value === 'number' && typeof unit === 'string' && Object.keys(given).every((key) => units.has(key))
  return isAmount ? { value, unit } : undefined
}

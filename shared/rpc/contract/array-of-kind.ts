/** Numbers as the typed array that a contract wants. Pure. */
import type { TypedArray } from '../typed-arrays.ts'
import type { ArrayKind } from './value-spec.ts'

const classes = {
  uint8: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const satisfies Record<ArrayKind, unknown>

/**
 * The array, or the index of the first number that its kind can't hold: floats are rounded, but not to infinity; a whole
 * number that does not fit would silently be another.
 */
export function arrayOfKind(
  kind: ArrayKind,
  numbers: readonly number[],
): { readonly array: TypedArray } | { readonly unfit: number } {
  const array = classes[kind].from(numbers)
  const isUnfit = kind.startsWith('float')
    ? (number: number, i: number) => Number.isFinite(number) && !Number.isFinite(array[i])
    : (number: number, i: number) => array[i] !== number
  const unfit = numbers.findIndex(isUnfit)
  return unfit >= 0 ? { unfit } : { array }
}

/** Typed arrays by the names that JSON messages call them; their bytes are little-endian, as on every machine that runs this. */
import { fromBase64, toBase64 } from './base64.ts'

export type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array

export interface TypedArrayClass {
  new (buffer: ArrayBuffer): TypedArray
  readonly name: string
  readonly BYTES_PER_ELEMENT: number
}

const kinds: readonly (readonly [name: string, kind: TypedArrayClass])[] = [
  ['uint8', Uint8Array],
  ['int8', Int8Array],
  ['uint16', Uint16Array],
  ['int16', Int16Array],
  ['uint32', Uint32Array],
  ['int32', Int32Array],
  ['uint64', BigUint64Array],
  ['int64', BigInt64Array],
  ['float32', Float32Array],
  ['float64', Float64Array],
]
const classes = new Map<string, TypedArrayClass>(kinds)
const names = new Map(kinds.map(([name, kind]) => [kind.name, name]))

/** Tags of RFC 8746 for little-endian arrays of more than one byte each; those of single bytes have no order. */
export const arrayTags: readonly (readonly [tag: number, kind: TypedArrayClass])[] = [
  [69, Uint16Array],
  [70, Uint32Array],
  [71, BigUint64Array],
  [72, Int8Array],
  [77, Int16Array],
  [78, Int32Array],
  [79, BigInt64Array],
  [85, Float32Array],
  [86, Float64Array],
]

/** The name of its kind; undefined for a view that no message carries, as a DataView. */
export function typeOfArray(view: ArrayBufferView): string | undefined {
  const tag = (view as { [Symbol.toStringTag]?: string })[Symbol.toStringTag]
  return tag === undefined ? undefined : names.get(tag)
}

export function arrayToBase64(view: ArrayBufferView): string {
  return toBase64(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
}

/** Undefined for an unknown kind, for no base64, and for bytes that are no whole number of elements. */
export function arrayFromBase64(type: string, base64: string): TypedArray | undefined {
  const made = classes.get(type)
  const bytes = made === undefined ? undefined : fromBase64(base64)
  if (made === undefined || bytes === undefined || bytes.byteLength % made.BYTES_PER_ELEMENT !== 0) return undefined
  return new made(bytes.buffer as ArrayBuffer)
}

/**
 * Many values that are alike, as they are written in a batch: arguments by name in one column each, numbers in one typed
 * array. What each call has is the same as if it had been written alone.
 *
 * INVARIANTS: what comes is looked through before a row is made of it; no row has a member `__proto__`.
 */
import { isRecord } from '../errors.ts'
import { typeOfArray } from '../typed-arrays.ts'

/** Arguments of many calls: value n of each column is of call n. */
export interface Table {
  readonly names: readonly string[]
  readonly columns: readonly Column[]
}

export type Column = readonly unknown[] | NumberColumn
type NumberColumn = Uint8Array | Int16Array | Int32Array | Float64Array

const packedTypes = new Set(['uint8', 'int16', 'int32', 'float64'])
/** Fewer are not worth it. */
const LEAST = 8
const MOST_NAMES = 64

/** Arguments that all have the same names, as a table; other ones as they are. */
export function tableOf(params: readonly unknown[], numbers: 'packed' | 'listed'): readonly unknown[] | Table {
  const [first] = params
  if (params.length < LEAST || !isPlain(first)) return params
  const names = Object.keys(first)
  if (names.length === 0 || names.length > MOST_NAMES || names.includes('__proto__')) return params
  const columns: unknown[][] = names.map(() => [])
  for (const row of params) if (!putRow(row, names, columns)) return params
  return { names, columns: numbers === 'packed' ? columns.map(packed) : columns }
}

function putRow(row: unknown, names: readonly string[], columns: readonly unknown[][]): boolean {
  if (!isPlain(row)) return false
  let n = 0
  for (const name in row) {
    const value = row[name]
    // A member without a value is none.
    if (name !== names[n] || value === undefined) return false
    columns[n++]?.push(value)
  }
  return n === names.length
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Numbers as the smallest array that holds them; other values as they are. */
export function packed(values: readonly unknown[]): Column {
  if (values.length < LEAST) return values
  let low = 0
  let high = 0
  let isWhole = true
  for (const value of values) {
    if (typeof value !== 'number') return values
    // A zero with a minus is none of whole numbers.
    if ((value | 0) !== value || (value === 0 && Object.is(value, -0))) isWhole = false
    else if (value < low) low = value
    else if (value > high) high = value
  }
  const numbers = values as readonly number[]
  if (!isWhole) return Float64Array.from(numbers)
  if (low >= 0 && high <= 0xff) return Uint8Array.from(numbers)
  if (low >= -0x8000 && high <= 0x7fff) return Int16Array.from(numbers)
  return Int32Array.from(numbers)
}

/** Whether it is a list, or numbers in an array, of so many. */
export const isColumn = (value: unknown, length: number): value is Column =>
  (Array.isArray(value) || isNumbers(value)) && value.length === length

const isNumbers = (value: unknown): value is NumberColumn =>
  ArrayBuffer.isView(value) && packedTypes.has(typeOfArray(value) ?? '')

/** Whether arguments of so many calls are a table, each row of which can be made. */
export function isTable(value: unknown, length: number): value is Table {
  if (!isRecord(value) || !Array.isArray(value.names) || !Array.isArray(value.columns)) return false
  const names: readonly unknown[] = value.names
  if (names.length > MOST_NAMES || names.length !== value.columns.length || new Set(names).size !== names.length)
    return false
  if (!names.every((name) => typeof name === 'string' && name !== '__proto__')) return false
  return value.columns.every((column) => isColumn(column, length))
}

/** The arguments of call n; those of a table are an object of its own each time. */
export function rowOf(params: readonly unknown[] | Table, n: number): unknown {
  if (!('names' in params)) return params[n]
  const { names, columns } = params
  const row: Record<string, unknown> = {}
  for (let i = 0; i < names.length; i++) row[names[i] as string] = columns[i]?.[n]
  return row
}

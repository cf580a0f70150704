import type { Column } from '@fernlab/shared/contracts/documents'
import type { SignalValue } from '../drivers/driver.ts'

/** Rows of one stream that are not yet a document; numbers as Float64Array that grow, the rest as lists. */
export interface Page {
  readonly count: number
  row(timeS: number, values: Readonly<Record<string, SignalValue>>): void
  /** Copies rows `from` to `to` of a block of numbers. */
  block(
    time: Float64Array,
    columns: Readonly<Record<string, Float64Array>>,
    from: number,
    to: number,
    constants: Readonly<Record<string, number>>,
  ): void
  /** The rows so far, in memory of their own; the page is empty afterwards. */
  take(): { count: number; time: Float64Array<ArrayBuffer>; columns: Record<string, Column> }
}

const FIRST_CAPACITY = 16

/** An empty page; `numeric` names the columns that hold numbers, `other` those that hold text or booleans. */
export function createPage(numeric: readonly string[], other: readonly string[], mostRows: number): Page {
  let count = 0
  let capacity = 0
  let time = new Float64Array(0)
  let numbers: Float64Array<ArrayBuffer>[] = []
  let lists: (string | boolean | null)[][] = []

  const clear = () => {
    count = 0
    capacity = 0
    time = new Float64Array(0)
    numbers = numeric.map(() => new Float64Array(0))
    lists = other.map(() => [])
  }
  clear()

  const reserve = (rows: number) => {
    if (rows <= capacity) return
    capacity = Math.min(mostRows, Math.max(rows, capacity * 2, FIRST_CAPACITY))
    const grow = (old: Float64Array) => {
      const larger = new Float64Array(capacity)
      larger.set(old.subarray(0, count))
      return larger
    }
    time = grow(time)
    numbers = numbers.map(grow)
  }

  return {
    get count() {
      return count
    },
    row: (timeS, values) => {
      reserve(count + 1)
      time[count] = timeS
      for (let i = 0; i < numeric.length; i++) {
        const value = values[numeric[i] ?? '']
        const column = numbers[i]
        if (column !== undefined) column[count] = typeof value === 'number' ? value : Number.NaN
      }
      for (let i = 0; i < other.length; i++) {
        const value = values[other[i] ?? '']
        lists[i]?.push(value === undefined || typeof value === 'number' ? null : value)
      }
      count++
    },
    block: (times, columns, from, to, constants) => {
      const rows = to - from
      reserve(count + rows)
      time.set(times.subarray(from, to), count)
      for (let i = 0; i < numeric.length; i++) {
        const name = numeric[i] ?? ''
        const source = columns[name]
        if (source === undefined) numbers[i]?.fill(constants[name] ?? Number.NaN, count, count + rows)
        else numbers[i]?.set(source.subarray(from, to), count)
      }
      for (const list of lists) for (let row = 0; row < rows; row++) list.push(null)
      count += rows
    },
    take: () => {
      const own = (column: Float64Array<ArrayBuffer>) => (column.length === count ? column : column.slice(0, count))
      const columns: Record<string, Column> = {}
      numeric.forEach((name, i) => {
        columns[name] = own(numbers[i] ?? new Float64Array(0))
      })
      other.forEach((name, i) => {
        columns[name] = lists[i] ?? []
      })
      const taken = { count, time: own(time), columns }
      clear()
      return taken
    },
  }
}

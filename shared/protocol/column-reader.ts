import type { Scalar } from '../capabilities/signals.ts'
import type { Scope } from './expression.ts'
import type { ParameterValues } from './protocol.ts'

/** A scope over the columns of a page: `part.signal`, variables, derived values, `time` and the parameters. */
export interface ColumnReader extends Scope {
  /** The row that the scope shows. */
  index: number
  /** Seconds since the stream's first row. */
  time(): number
  /** The value of a column, true as 1 and false as 0; NaN where there is none. */
  number(key: string): number
  open(timeS: ArrayLike<number>, columns: Readonly<Record<string, ArrayLike<Scalar | null>>>, firstS: number): void
  /** Lets go of the page. */
  close(): void
}

/** A reader that stands on no page. */
export function createColumnReader(parameters: ParameterValues): ColumnReader {
  let times: ArrayLike<number> = []
  let page: Readonly<Record<string, ArrayLike<Scalar | null>>> = {}
  let first = 0
  const at = (key: string): Scalar | undefined => {
    const value = Object.hasOwn(page, key) ? page[key]?.[reader.index] : undefined
    return value === null || Number.isNaN(value) ? undefined : value
  }
  const reader: ColumnReader = {
    index: 0,
    time: () => (times[reader.index] as number) - first,
    number: (key) => {
      const value = key === 'time' ? reader.time() : at(key)
      return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : Number.NaN
    },
    variable: (name) => {
      if (name === 'time') return reader.time()
      return at(name) ?? (Object.hasOwn(parameters, name) ? parameters[name] : undefined)
    },
    reading: at,
    statistic: () => undefined,
    open: (timeS, columns, firstS) => {
      times = timeS
      page = columns
      first = firstS
    },
    close: () => {
      times = []
      page = {}
    },
  }
  return reader
}

import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import type { Converter, ConverterSpec } from './converters.ts'
import { cut, slices } from './cut.ts'
import { type Hdf5Dataset, type Hdf5Type, hdf5Size } from './hdf5-format.ts'
import type { StreamColumn } from './keys.ts'

/** The dataset of a column, with `unit`, `source` and `title` as attributes; of the times, epoch seconds, where there is none. */
export function datasetOf(column: StreamColumn | undefined): Hdf5Dataset {
  if (column === undefined) {
    return { name: 'time', type: 'float64', attributes: { unit: 's', title: 'Time (UTC, seconds since 1970)' } }
  }
  const { unit, source, title } = column.dataKey
  return {
    name: column.key,
    type: typeOf(column),
    attributes: { unit, source, ...(title === undefined ? {} : { title }) },
  }
}

/** Text is UTF-8 of at most 64 bytes a value; a truth is 1, 0, or -1 where there was none. */
function typeOf({ dataKey }: StreamColumn): Hdf5Type {
  if (dataKey.dtype === 'boolean') return 'int8'
  return dataKey.dtype === 'string' ? 'text64' : 'float64'
}

/** The values of one column (or the times) as HDF5 holds them: one after the other, little-endian. */
export function createHdf5Column({ column, window }: Extract<ConverterSpec, { format: 'hdf5-column' }>): Converter {
  return {
    page: function* (whole) {
      for (const page of slices(cut(whole, window))) yield bytesOf(column, page)
    },
    finish: () => ({ bytes: new Uint8Array(0) }),
    abort: () => {},
  }
}

function bytesOf(column: StreamColumn | undefined, { time, columns, count }: EventPageDoc): Uint8Array {
  const values = column === undefined ? time : columns[column.source]
  switch (datasetOf(column).type) {
    case 'float64': {
      const numbers = values instanceof Float64Array ? values : new Float64Array(count).fill(Number.NaN)
      return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength).slice()
    }
    case 'int8': {
      const truths = Int8Array.from({ length: count }, (_, i) => {
        const value = values?.[i] ?? null
        return value === null ? -1 : value ? 1 : 0
      })
      return new Uint8Array(truths.buffer)
    }
    case 'text64': {
      const size = hdf5Size.text64
      const bytes = new Uint8Array(count * size)
      const encoder = new TextEncoder()
      for (let i = 0; i < count; i++) {
        encoder.encodeInto(String(values?.[i] ?? ''), bytes.subarray(i * size, (i + 1) * size))
      }
      return bytes
    }
  }
}

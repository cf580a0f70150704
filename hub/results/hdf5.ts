import { rmSync } from 'node:fs'
import h5wasm, { type Dataset } from 'h5wasm/node'
import type { Converter, ConverterSpec } from './converters.ts'
import { cut } from './cut.ts'
import type { StreamColumn } from './keys.ts'

const mostChunkRows = 16_384

/**
 * HDF5 into the file at `path`: one dataset for each column, with `unit`, `source` and `title` as attributes; `time` is
 * epoch seconds. Text is written as UTF-8 of at most 64 bytes a value.
 */
export async function createHdf5(spec: Extract<ConverterSpec, { format: 'hdf5' }>): Promise<Converter> {
  const { columns, window, metadata, path } = spec
  const chunkRows = Math.max(16, Math.min(mostChunkRows, spec.reduce?.points ?? spec.rows))
  await h5wasm.ready
  const file = new h5wasm.File(path, 'w')
  for (const [name, value] of Object.entries(metadata)) file.create_attribute(name, value)
  const make = (name: string, dtype: string, attributes: Readonly<Record<string, string>>) => {
    const data = dtype === '<d' ? new Float64Array(0) : dtype === '<b' ? new Int8Array(0) : []
    const dataset = file.create_dataset({ name, data, shape: [0], maxshape: [null], chunks: [chunkRows], dtype })
    for (const [key, value] of Object.entries(attributes)) dataset.create_attribute(key, value)
    return dataset
  }
  const time = make('time', '<d', { unit: 's', title: 'Time (UTC, seconds since 1970)' })
  const datasets = columns.map((column) => make(column.key, dtypeOf(column), attributesOf(column)))
  let rows = 0
  const append = (dataset: Dataset, values: unknown, count: number) => {
    dataset.resize([rows + count])
    dataset.write_slice([[rows, rows + count]], values)
  }
  return {
    page: (whole) => {
      const page = cut(whole, window)
      if (page.count > 0) {
        append(time, Float64Array.from(page.time), page.count)
        for (const [c, column] of columns.entries()) {
          const dataset = datasets[c]
          if (dataset !== undefined)
            append(dataset, dataOf(column, page.columns[column.source], page.count), page.count)
        }
        rows += page.count
      }
      return []
    },
    finish: () => {
      file.flush()
      file.close()
      return { bytes: new Uint8Array(0) }
    },
    abort: () => {
      file.close()
      rmSync(path, { force: true })
    },
  }
}

function dtypeOf({ dataKey }: StreamColumn): string {
  if (dataKey.dtype === 'boolean') return '<b'
  return dataKey.dtype === 'string' ? 'S64' : '<d'
}

function attributesOf({ dataKey }: StreamColumn): Record<string, string> {
  return {
    unit: dataKey.unit,
    source: dataKey.source,
    ...(dataKey.title === undefined ? {} : { title: dataKey.title }),
  }
}

function dataOf({ dataKey }: StreamColumn, column: Float64Array | readonly unknown[] | undefined, count: number) {
  if (column instanceof Float64Array) return Float64Array.from(column)
  const values = column ?? Array.from({ length: count }, () => null)
  if (dataKey.dtype === 'boolean') return Int8Array.from(values, (value) => (value === null ? -1 : value ? 1 : 0))
  if (dataKey.dtype === 'string') return values.map((value) => (value === null ? '' : String(value)))
  return new Float64Array(count).fill(Number.NaN)
}

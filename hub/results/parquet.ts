import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Converter, ConverterSpec } from './converters.ts'
import { cut } from './cut.ts'
import type { StreamColumn } from './keys.ts'

/**
 * Parquet: a row group for each page, written as it comes. `time` is epoch seconds (DOUBLE); units are in the file's
 * key-value metadata as `unit.<column>`.
 */
export function createParquet(spec: Extract<ConverterSpec, { format: 'parquet' }>): Converter {
  const { columns, window, metadata } = spec
  const units = columns.map(({ key, dataKey }) => ({ key: `unit.${key}`, value: dataKey.unit }))
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [
      { name: 'root', num_children: columns.length + 1 },
      { name: 'time', type: 'DOUBLE', repetition_type: 'REQUIRED' },
      ...columns.map(schemaOf),
    ],
    statistics: true,
    kvMetadata: [
      { key: 'unit.time', value: 's' },
      ...units,
      ...Object.entries(metadata).map(([key, value]) => ({ key, value })),
    ],
    createdBy: 'fernlab',
  })
  const take = () => {
    const written = new Uint8Array(bytes.getBytes())
    bytes.index = 0
    return written
  }
  return {
    page: (whole) => {
      const page = cut(whole, window)
      if (page.count > 0) {
        const data = columns.map((column) => ({
          name: column.key,
          data: dataOf(column, page.columns[column.source], page.count),
          ...(schemaOf(column).type === 'DOUBLE' ? { encoding: 'PLAIN' as const } : {}),
        }))
        const time = { name: 'time', data: Float64Array.from(page.time), encoding: 'PLAIN' as const }
        writer.write({ columnData: [time, ...data], rowGroupSize: page.count })
      }
      return [take()]
    },
    finish: () => {
      writer.finish()
      return { bytes: take() }
    },
    abort: () => {},
  }
}

function schemaOf({ key, dataKey }: StreamColumn) {
  const name = key
  if (dataKey.dtype === 'boolean') return { name, type: 'BOOLEAN' as const, repetition_type: 'OPTIONAL' as const }
  if (dataKey.dtype === 'string') {
    return { name, type: 'BYTE_ARRAY' as const, converted_type: 'UTF8' as const, repetition_type: 'OPTIONAL' as const }
  }
  return { name, type: 'DOUBLE' as const, repetition_type: 'REQUIRED' as const }
}

function dataOf({ dataKey }: StreamColumn, column: Float64Array | readonly unknown[] | undefined, count: number) {
  if (column instanceof Float64Array) return Float64Array.from(column)
  if (dataKey.dtype === 'boolean' || dataKey.dtype === 'string') {
    return column === undefined ? Array.from({ length: count }, () => null) : [...column]
  }
  return new Float64Array(count).fill(Number.NaN)
}

/** The forms in which results leave the hub, made in a worker thread page by page; each is a small pure machine. */
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import { joinedBytes } from '@fernlab/shared/primitives/joined-bytes'
import { createCsv } from './csv.ts'
import { cut, slices } from './cut.ts'
import { eventModelPages } from './event-model.ts'
import { createHdf5Column } from './hdf5.ts'
import type { StreamColumn } from './keys.ts'
import { rawFirst } from './raw-values.ts'
import { type ReducedRows, type ReduceOptions, Reducer, type TimeWindow } from './reduce.ts'

interface Common {
  readonly columns: readonly StreamColumn[]
  readonly window: TimeWindow
  /** Only a chart's worth of the `rows` that will come: at most `points`. */
  readonly reduce?: { readonly rows: number; readonly points: number }
}

export type TimeColumn = 'relative' | 'epoch' | 'iso'

/** What to make of a stream's pages. */
export type ConverterSpec =
  | (Common & { readonly format: 'csv'; readonly startTime: number; readonly time: TimeColumn })
  | (Common & { readonly format: 'reduced'; readonly rows: number; readonly points: number })
  /** The comma-separated values of one column (its source, or undefined for the times) as JSON. */
  | (Common & { readonly format: 'json-column'; readonly source: string | undefined })
  | (Common & { readonly format: 'event-model'; readonly descriptorUid: string })
  | (Common & { readonly format: 'parquet'; readonly metadata: Readonly<Record<string, string>> })
  /** The values of one column, or the times, as an HDF5 file holds them. */
  | (Common & { readonly format: 'hdf5-column'; readonly column: StreamColumn | undefined })

export interface Converter {
  /** What the page adds to the output, piece by piece: a piece is made when it is asked for. */
  page(page: EventPageDoc): Iterable<Uint8Array>
  /** The rest of the output, and what was computed. */
  finish(): { readonly bytes: Uint8Array; readonly reduced?: ReducedRows }
  /** Gives up; leaves nothing behind. */
  abort(): void
}

const nothing = new Uint8Array(0)
const text = new TextEncoder()

/** A converter for the spec; the larger libraries are loaded only when asked for. */
export async function createConverter(spec: ConverterSpec): Promise<Converter> {
  const converter = await converterOf(spec)
  return rawFirst(spec, spec.reduce === undefined ? converter : reducedFirst({ ...spec, ...spec.reduce }, converter))
}

async function converterOf(spec: ConverterSpec): Promise<Converter> {
  switch (spec.format) {
    case 'csv':
      return createCsv(spec)
    case 'reduced':
      return reduced(spec)
    case 'json-column':
      return jsonColumn(spec)
    case 'event-model':
      return eventModel(spec)
    case 'parquet':
      return (await import('./parquet.ts')).createParquet(spec)
    case 'hdf5-column':
      return createHdf5Column(spec)
  }
}

function reduced({ columns, rows, points, window }: Extract<ConverterSpec, { format: 'reduced' }>): Converter {
  const reducer = new Reducer({ columns, rows, points, window })
  return {
    page: (page) => {
      reducer.add(page)
      return []
    },
    finish: () => ({ bytes: nothing, reduced: reducer.finish() }),
    abort: () => {},
  }
}

/** Lets the rows that a chart keeps through to another form, as one page at the end. */
function reducedFirst(options: ReduceOptions, converter: Converter): Converter {
  const reducer = new Reducer(options)
  return {
    page: (page) => {
      reducer.add(page)
      return []
    },
    finish: () => {
      const kept = reducer.finish()
      const columns = options.columns.map(({ key, source, dataKey }) => {
        const cells = kept.columns[key] ?? []
        const words = dataKey.dtype === 'string' || dataKey.dtype === 'boolean'
        const column = words
          ? cells.map((value) => (typeof value === 'number' ? null : value))
          : Float64Array.from(cells, (value) => (typeof value === 'number' ? value : Number.NaN))
        return [source, column] as const
      })
      const page: EventPageDoc = {
        stream: '',
        first: 0,
        count: kept.time.length,
        time: Float64Array.from(kept.time),
        columns: Object.fromEntries(columns),
      }
      const pieces = [...converter.page(page)]
      return { bytes: joinedBytes([...pieces, converter.finish().bytes]) }
    },
    abort: converter.abort,
  }
}

function jsonColumn({ source, window }: Extract<ConverterSpec, { format: 'json-column' }>): Converter {
  let separator = ''
  return {
    page: function* (whole) {
      for (const page of slices(cut(whole, window))) {
        const values = source === undefined ? page.time : page.columns[source]
        const list = values === undefined ? Array.from({ length: page.count }, () => null) : Array.from<unknown>(values)
        const out = `${separator}${JSON.stringify(list).slice(1, -1)}`
        separator = ','
        yield text.encode(out)
      }
    },
    finish: () => ({ bytes: nothing }),
    abort: () => {},
  }
}

function eventModel({ columns, descriptorUid }: Extract<ConverterSpec, { format: 'event-model' }>): Converter {
  return {
    page: function* (page) {
      for (const document of eventModelPages(page, descriptorUid, columns)) {
        yield text.encode(`${JSON.stringify(document)}\n`)
      }
    },
    finish: () => ({ bytes: nothing }),
    abort: () => {},
  }
}

/**
 * What runs have measured: as event-model documents, tables, charts and files. Reads the tables `document` and
 * `run_event`, writes nothing.
 *
 * INVARIANTS: memory does not grow with the length of a run: a few pages are read, turned and given on at the reader's
 * pace; turning them happens in a thread of its own.
 */
import type { Data, Run, RunStreams } from '@fernlab/shared/contracts/api'
import { isPictureStream, pictureStream, readPictureFile } from '@fernlab/shared/contracts/pictures'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { joinedBytes } from '@fernlab/shared/primitives/joined-bytes'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Store } from '../store/store.ts'
import { type Conversion, createConverterThread } from './converter-thread.ts'
import type { ConverterSpec, TimeColumn } from './converters.ts'
import { type DocumentLinesOptions, streamDocuments } from './document-lines.ts'
import { datasetOf } from './hdf5.ts'
import { hdf5Head, hdf5Size, hdf5Stride } from './hdf5-format.ts'
import { type StreamColumn, streamColumns } from './keys.ts'
import {
  countInWindow,
  countRows,
  latestAttempt,
  pageBodies,
  pictureIn,
  rowsOf,
  type Stream,
  startOf,
  streamsOf,
} from './pages.ts'
import { withCalibrations } from './raw-values.ts'
import type { TimeWindow } from './reduce.ts'

export type Bytes = AsyncGenerator<Uint8Array, void, void>

export interface DataRequest extends TimeWindow {
  /** `primary`, or where there is none the stream with the most rows, unless named. */
  readonly stream?: string
  readonly attempt?: number
  /** API keys; all unless given. */
  readonly columns?: readonly string[]
  /** At most so many rows, as a chart keeps them. */
  readonly points?: number
  /** As the instruments gave them, before their calibrations. */
  readonly values?: 'raw'
}

export interface Results {
  /** Event-model documents as JSON lines. */
  documents(run: Run, attempt?: number, how?: Pick<DocumentLinesOptions, 'skip' | 'more' | 'look'>): Promise<Bytes>
  /** A chart's worth of rows. */
  reduced(run: Run, request: DataRequest & { readonly points: number }): Promise<Data>
  /** All rows, in the form of `Data`, as it is read. */
  json(run: Run, request: DataRequest): Promise<Bytes>
  csv(run: Run, request: DataRequest & { readonly time: TimeColumn }): Promise<Bytes>
  parquet(run: Run, request: DataRequest): Promise<Bytes>
  hdf5(run: Run, request: DataRequest): Promise<Bytes>
  /** A picture of the run by the name of its file, as JPEG; throws `picture-unknown`. */
  picture(run: Run, file: string, attempt?: number): Promise<Uint8Array>
  /** The streams of an attempt with the rows that each has. */
  streams(run: Run, attempt?: number): Promise<RunStreams>
  /** The attempt that is meant where none is named: the last that has documents. */
  attemptOf(run: Run): Promise<number>
  close(): Promise<void>
}

export interface ResultsOptions {
  readonly store: Store
  readonly site: string
  readonly clock: Clock
}

interface Selection {
  readonly key: { readonly runId: string; readonly attempt: number; readonly stream: string }
  readonly stream: Stream
  readonly columns: readonly StreamColumn[]
  readonly window: TimeWindow
  /** Rows as of the request: what comes later is in none of the answer's columns. */
  readonly rows: number
  readonly reduce?: { readonly rows: number; readonly points: number }
  readonly values?: 'raw'
}

/** Opens results on the store; the thread starts with the first download. */
export function createResults({ store, site, clock }: ResultsOptions): Results {
  const converters = createConverterThread({ clock })

  const attemptOf = async (run: Run) => (await latestAttempt(store, run.id)) ?? run.attempt
  const select = async (run: Run, request: DataRequest): Promise<Selection> => {
    const attempt = request.attempt ?? (await attemptOf(run))
    const streams = await streamsOf(store, run.id, attempt)
    const wanted =
      request.stream ??
      mainStream(
        streams.map(({ name }) => name),
        run.rows,
      )
    const stream = streams.find(({ name }) => name === wanted)
    if (stream === undefined) throw noStream(run, request.stream, streams)
    const { from, to, points } = request
    const key = { runId: run.id, attempt, stream: stream.name }
    const window = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
    const chosen = choose(streamColumns(stream.descriptor), request.columns)
    const isRaw = request.values === 'raw'
    const columns = isRaw ? withCalibrations(chosen, stream.descriptor) : chosen
    const rows = await countRows(store, key)
    const selection = { key, stream, columns, window, rows, ...saysRaw(request) }
    if (points === undefined) return selection
    return { ...selection, reduce: { rows: await countInWindow(store, key, rows, window), points } }
  }
  /** What every form of the selection needs to know. */
  const common = ({ columns, window, reduce }: Selection) => ({
    columns,
    window,
    ...(reduce === undefined ? {} : { reduce }),
  })
  const pagesOf = ({ key, rows, window }: Selection) => pageBodies(store, key, rows, window)

  async function* convert(selection: Selection, spec: ConverterSpec): Bytes {
    const conversion = await converters.open(spec)
    try {
      for await (const bodies of pagesOf(selection)) {
        yield* conversion.pages(bodies)
      }
      const { bytes } = await conversion.finish()
      if (bytes.byteLength > 0) yield bytes
    } finally {
      conversion.abort()
    }
  }

  async function* wholeJson(selection: Selection): Bytes {
    const { key, columns, window, rows } = selection
    const text = new TextEncoder()
    const head = {
      stream: key.stream,
      attempt: key.attempt,
      rows,
      reduced: false,
      ...saysRaw(selection),
      keys: describeKeys(columns),
    }
    yield text.encode(`${JSON.stringify(head).slice(0, -1)},"time":[`)
    yield* convert(selection, { format: 'json-column', columns, window, source: undefined })
    yield text.encode('],"columns":{')
    for (const [at, { key: name, source }] of columns.entries()) {
      yield text.encode(`${at === 0 ? '' : ','}${JSON.stringify(name)}:[`)
      yield* convert(selection, { format: 'json-column', columns, window, source })
      yield text.encode(']')
    }
    yield text.encode('}}')
  }

  /** Column after column: the head needs their length, and so that of the reduced times is found first. */
  async function* wholeHdf5(selection: Selection, metadata: Readonly<Record<string, string>>): Bytes {
    const { key, window, reduce, columns } = selection
    const valuesOf = (column: StreamColumn | undefined) =>
      convert(selection, { format: 'hdf5-column', ...common(selection), column })
    const all = [undefined, ...columns]
    const datasets = all.map(datasetOf)
    const times = reduce === undefined ? undefined : await collected(valuesOf(undefined))
    const rows =
      times === undefined
        ? await countInWindow(store, key, selection.rows, window)
        : times.byteLength / hdf5Size.float64
    yield hdf5Head(datasets, rows, metadata)
    for (const [at, { name, type }] of datasets.entries()) {
      let sent = 0
      for await (const bytes of valuesOf(all[at])) {
        sent += bytes.byteLength
        yield bytes
      }
      // The file would hold something else where the next column is said to begin.
      if (sent !== rows * hdf5Size[type]) {
        const message = `${name} has ${sent / hdf5Size[type]} rows, not ${rows}: they were removed meanwhile`
        throw new LabError({ code: 'conversion-failed', kind: 'bug', message })
      }
      const gap = hdf5Stride(type, rows) - sent
      if (gap > 0) yield new Uint8Array(gap)
    }
  }

  return {
    documents: async (run, attempt, how = {}) =>
      streamDocuments({
        ...how,
        store,
        converters,
        runId: run.id,
        attempt: attempt ?? (await attemptOf(run)),
        facts: { id: run.id, labVersion: run.labVersion, site, ...(run.note === undefined ? {} : { note: run.note }) },
      }),
    reduced: async (run, request) => {
      const selection = await select(run, request)
      const { key, columns, window, rows, reduce = { rows, points: request.points } } = selection
      const conversion = await converters.open({ format: 'reduced', columns, window, ...reduce })
      try {
        for await (const bodies of pagesOf(selection)) await takeIn(conversion, bodies)
        const { reduced } = await conversion.finish()
        return {
          stream: key.stream,
          attempt: key.attempt,
          rows,
          reduced: reduced?.reduced ?? false,
          ...saysRaw(selection),
          keys: describeKeys(columns),
          time: [...(reduced?.time ?? [])],
          columns: (reduced?.columns ?? {}) as Data['columns'],
        }
      } finally {
        conversion.abort()
      }
    },
    json: async (run, request) => wholeJson(await select(run, request)),
    csv: async (run, request) => {
      const selection = await select(run, request)
      const start = await startOf(store, run.id, selection.key.attempt)
      const startTime = start?.time ?? selection.stream.descriptor.time
      return convert(selection, { format: 'csv', ...common(selection), startTime, time: request.time })
    },
    parquet: async (run, request) => {
      const selection = await select(run, request)
      return convert(selection, { format: 'parquet', ...common(selection), metadata: describeRun(run, selection) })
    },
    hdf5: async (run, request) => {
      const selection = await select(run, request)
      return wholeHdf5(selection, describeRun(run, selection))
    },
    picture: async (run, file, wanted) => {
      const attempt = wanted ?? (await attemptOf(run))
      const picture = readPictureFile(file)
      const found =
        picture === undefined
          ? undefined
          : await pictureIn(store, { runId: run.id, attempt, stream: pictureStream(picture.part) }, picture.number)
      if (found !== undefined) return found
      const message = `attempt ${attempt} of run ${run.id} has no picture ${JSON.stringify(file)}`
      throw new LabError({ code: 'picture-unknown', kind: 'caller', message })
    },
    streams: async (run, wanted) => {
      const attempt = wanted ?? (await attemptOf(run))
      return { attempt, rows: await rowsOf(store, run.id, attempt) }
    },
    attemptOf,
    close: converters.close,
  }
}

/** The stream that is meant where none is named: `primary`, else the one with the most rows. */
export function mainStream(names: readonly string[], rows: Run['rows']): string | undefined {
  if (names.includes('primary')) return 'primary'
  // Names of pictures are the main thing only where there is nothing else.
  const measured = names.filter((name) => !isPictureStream(name))
  return (measured.length > 0 ? measured : names).reduce<string | undefined>(
    (best, name) => (best === undefined || (rows[name] ?? 0) > (rows[best] ?? 0) ? name : best),
    undefined,
  )
}

function choose(all: readonly StreamColumn[], wanted: readonly string[] | undefined): readonly StreamColumn[] {
  if (wanted === undefined) return all
  return wanted.map((name) => {
    const column = all.find(({ key, source }) => key === name || source === name)
    if (column !== undefined) return column
    throw new LabError({
      code: 'column-unknown',
      kind: 'caller',
      message: `there is no column ${JSON.stringify(name)}; there are ${all.map(({ key }) => key).join(', ')}`,
      issues: [{ path: 'query.columns', message: `unknown column ${name}` }],
    })
  })
}

function noStream(run: Run, wanted: string | undefined, streams: readonly Stream[]): LabError {
  const known = streams.map(({ name }) => name).join(', ')
  const message =
    streams.length === 0
      ? `run ${run.id} has no data${run.dataRemovedAt === undefined ? ' yet' : ' any more'}`
      : `run ${run.id} has no stream ${JSON.stringify(wanted)}; it has ${known}`
  return new LabError({ code: 'stream-unknown', kind: 'caller', message })
}

function saysRaw({ values }: { readonly values?: 'raw' }): { values?: 'raw' } {
  return values === undefined ? {} : { values }
}

/** What a page needs to label a stream's columns. */
export function describeKeys(columns: readonly StreamColumn[]): Data['keys'] {
  return Object.fromEntries(
    columns.map(({ key, dataKey: { unit, dtype, title, source, external } }) => [
      key,
      {
        unit,
        dtype,
        source,
        ...(title === undefined ? {} : { title }),
        ...(external === undefined ? {} : { external }),
      },
    ]),
  )
}

function describeRun(run: Run, selection: Selection): Record<string, string> {
  const { key } = selection
  return {
    ...saysRaw(selection),
    run: run.id,
    attempt: String(key.attempt),
    stream: key.stream,
    lab: run.lab,
    protocol: run.protocol,
    bench: run.bench ?? '',
    parameters: JSON.stringify(run.parameters),
    outputs: JSON.stringify(run.outputs),
  }
}

async function collected(source: Bytes): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return joinedBytes(pieces)
}

/** For forms that give nothing out before their end. */
async function takeIn(conversion: Conversion, bodies: readonly Uint8Array[]): Promise<void> {
  for await (const piece of conversion.pages(bodies)) {
    throw new LabError({ code: 'conversion-failed', kind: 'bug', message: `${piece.byteLength} bytes came too early` })
  }
}

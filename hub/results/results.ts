/**
 * What runs have measured: as event-model documents, tables, charts and files. Reads the tables `document` and
 * `run_event`, writes nothing.
 *
 * INVARIANTS: memory does not grow with the length of a run: a few pages are read, turned and given on at the reader's
 * pace; turning them happens in a thread of its own.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Data, Run } from '@fernlab/shared/contracts/api'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Store } from '../store/store.ts'
import { type Conversion, createConverterThread } from './converter-thread.ts'
import type { ConverterSpec, TimeColumn } from './converters.ts'
import { streamDocuments } from './document-lines.ts'
import { type StreamColumn, streamColumns } from './keys.ts'
import { countRows, latestAttempt, pageBodies, type Stream, startOf, streamsOf } from './pages.ts'
import type { TimeWindow } from './reduce.ts'

export type Bytes = AsyncGenerator<Uint8Array, void, void>

export interface DataRequest extends TimeWindow {
  /** `primary`, or where there is none the stream with the most rows, unless named. */
  readonly stream?: string
  readonly attempt?: number
  /** API keys; all unless given. */
  readonly columns?: readonly string[]
}

export interface Results {
  /** Event-model documents as JSON lines. */
  documents(run: Run, attempt?: number): Promise<Bytes>
  /** A chart's worth of rows: at most `points`. */
  reduced(run: Run, request: DataRequest & { readonly points: number }): Promise<Data>
  /** All rows, in the form of `Data`, as it is read. */
  json(run: Run, request: DataRequest): Promise<Bytes>
  csv(run: Run, request: DataRequest & { readonly time: TimeColumn }): Promise<Bytes>
  parquet(run: Run, request: DataRequest): Promise<Bytes>
  hdf5(run: Run, request: DataRequest): Promise<Bytes>
  close(): Promise<void>
}

export interface ResultsOptions {
  readonly store: Store
  readonly site: string
  readonly clock: Clock
  /** Where a file is made before it is sent; the system's temporary folder unless given. */
  readonly temporaryFolder?: string
}

interface Selection {
  readonly key: { readonly runId: string; readonly attempt: number; readonly stream: string }
  readonly stream: Stream
  readonly columns: readonly StreamColumn[]
  readonly window: TimeWindow
}

/** Opens results on the store; the thread starts with the first download. */
export function createResults({ store, site, clock, temporaryFolder = tmpdir() }: ResultsOptions): Results {
  const converters = createConverterThread({ clock })

  const select = async (run: Run, request: DataRequest): Promise<Selection> => {
    const attempt = request.attempt ?? (await latestAttempt(store, run.id)) ?? run.attempt
    const streams = await streamsOf(store, run.id, attempt)
    const wanted = request.stream ?? mainStream(streams, run.rows)
    const stream = streams.find(({ name }) => name === wanted)
    if (stream === undefined) throw noStream(run, request.stream, streams)
    const { from, to } = request
    return {
      key: { runId: run.id, attempt, stream: stream.name },
      stream,
      columns: choose(streamColumns(stream.descriptor), request.columns),
      window: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
    }
  }

  async function* convert({ key, window }: Selection, spec: ConverterSpec): Bytes {
    const conversion = await converters.open(spec)
    try {
      for await (const bodies of pageBodies(store, key, window)) {
        yield* conversion.pages(bodies)
      }
      const { bytes } = await conversion.finish()
      if (bytes.byteLength > 0) yield bytes
    } finally {
      conversion.abort()
    }
  }

  async function* wholeJson(selection: Selection): Bytes {
    const { key, columns, window } = selection
    const text = new TextEncoder()
    const head = { stream: key.stream, attempt: key.attempt, ...(await count(selection)), reduced: false }
    yield text.encode(`${JSON.stringify({ ...head, keys: describeKeys(columns) }).slice(0, -1)},"time":[`)
    yield* convert(selection, { format: 'json-column', columns, window, source: undefined })
    yield text.encode('],"columns":{')
    for (const [at, { key: name, source }] of columns.entries()) {
      yield text.encode(`${at === 0 ? '' : ','}${JSON.stringify(name)}:[`)
      yield* convert(selection, { format: 'json-column', columns, window, source })
      yield text.encode(']')
    }
    yield text.encode('}}')
  }

  const count = async ({ key }: Selection) => ({ rows: (await countRows(store, key)).total })

  async function* viaFile(selection: Selection, metadata: Record<string, string>): Bytes {
    const folder = await mkdtemp(join(temporaryFolder, 'fernlab-results-'))
    try {
      const path = join(folder, 'data.h5')
      const { columns, window } = selection
      // A thread of its own: the library's memory goes with it.
      const own = createConverterThread({ clock })
      try {
        const { inWindow: rows } = await countRows(store, selection.key, window)
        const conversion = await own.open({ format: 'hdf5', columns, window, path, metadata, rows })
        for await (const bodies of pageBodies(store, selection.key, window)) await takeIn(conversion, bodies)
        await conversion.finish()
      } finally {
        await own.close()
      }
      yield* createReadStream(path, { highWaterMark: 262_144 }) as AsyncIterable<Uint8Array>
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  return {
    documents: async (run, attempt) =>
      streamDocuments({
        store,
        converters,
        runId: run.id,
        attempt: attempt ?? (await latestAttempt(store, run.id)) ?? run.attempt,
        facts: { id: run.id, labVersion: run.labVersion, site, ...(run.note === undefined ? {} : { note: run.note }) },
      }),
    reduced: async (run, request) => {
      const selection = await select(run, request)
      const { key, columns, window } = selection
      const { total, inWindow } = await countRows(store, key, window)
      const { points } = request
      const conversion = await converters.open({ format: 'reduced', columns, window, rows: inWindow, points })
      try {
        for await (const bodies of pageBodies(store, key, window)) await takeIn(conversion, bodies)
        const { reduced } = await conversion.finish()
        return {
          stream: key.stream,
          attempt: key.attempt,
          rows: total,
          reduced: reduced?.reduced ?? false,
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
      const { columns, window, key, stream } = selection
      const start = await startOf(store, run.id, key.attempt)
      const startTime = start?.time ?? stream.descriptor.time
      return convert(selection, { format: 'csv', columns, window, startTime, time: request.time })
    },
    parquet: async (run, request) => {
      const selection = await select(run, request)
      const { columns, window } = selection
      return convert(selection, { format: 'parquet', columns, window, metadata: describeRun(run, selection) })
    },
    hdf5: async (run, request) => {
      const selection = await select(run, request)
      return viaFile(selection, describeRun(run, selection))
    },
    close: converters.close,
  }
}

/** For forms that give nothing out before their end. */
async function takeIn(conversion: Conversion, bodies: readonly Uint8Array[]): Promise<void> {
  for await (const piece of conversion.pages(bodies)) {
    throw new LabError({ code: 'conversion-failed', kind: 'bug', message: `${piece.byteLength} bytes came too early` })
  }
}

function mainStream(streams: readonly Stream[], rows: Run['rows']): string | undefined {
  const names = streams.map(({ name }) => name)
  if (names.includes('primary')) return 'primary'
  return names.reduce<string | undefined>(
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

/** What a page needs to label a stream's columns. */
export function describeKeys(columns: readonly StreamColumn[]): Data['keys'] {
  return Object.fromEntries(
    columns.map(({ key, dataKey: { unit, dtype, title, source } }) => [
      key,
      { unit, dtype, source, ...(title === undefined ? {} : { title }) },
    ]),
  )
}

function describeRun(run: Run, { key }: Selection): Record<string, string> {
  return {
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

/**
 * Turns the rows of one attempt into documents.
 *
 * INVARIANTS: documents leave in order: start, descriptors and pages, stop, with `seq` given by the outbox; a stream's
 * descriptor goes before its first page; a page closes when it is `PAGE_MS` old, or has `PAGE_ROWS` rows or
 * `PAGE_BYTES` bytes; row counts are those of the pages that left; no object is made per sample of a block.
 */
import type { DataKey, DescriptorDoc, StartDoc, StopDoc } from '@fernlab/shared/contracts/documents'
import {
  MOST_STILL_BYTES,
  MOST_STILLS,
  MOST_STILLS_BYTES,
  pictureColumn,
  pictureFile,
  pictureStream,
} from '@fernlab/shared/contracts/pictures'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { StreamDescription } from '@fernlab/shared/protocol/streams'
import type { Lease } from '../benches/lease.ts'
import type { Picture, SignalValue } from '../drivers/driver.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'
import type { AttemptOutbox, DocumentBody } from '../outbox/outbox.ts'
import { createPage, type Page } from './page.ts'

export interface Recorder {
  /** Sends the start document; resolves when it is on disk. */
  start(doc: StartDoc): Promise<void>
  /** Prepares a stream: reads the configuration of its instruments and describes it. Once per stream; later calls do nothing. */
  open(stream: string, abort: AbortSignal): Promise<void>
  row(stream: string, timeS: number, values: Readonly<Record<string, SignalValue>>): void
  /** Rows `0..count` of a driver's block, constants as further columns. Wait for `ready` before the next. */
  block(
    stream: string,
    count: number,
    time: Float64Array,
    columns: Readonly<Record<string, Float64Array>>,
    constants: Readonly<Record<string, number>>,
  ): void
  /**
   * Takes a picture of the part's camera into the run, in its stream; resolves when it is on disk. Throws
   * `picture-too-large`, `pictures-too-many`.
   */
  picture(part: string, picture: Picture): Promise<void>
  /** Resolves when the outbox takes more samples; asked before each of them, or a disk that hangs fills the memory. */
  ready(abort: AbortSignal): Promise<void>
  /** Rows per stream so far. */
  rows(): Record<string, number>
  /** Closes all pages. */
  flush(): void
  /** Closes all pages and sends the stop document, with the start document in the same commit when that was not yet sent. */
  stop(doc: Omit<StopDoc, 'rows' | 'documents'>, start: StartDoc): Promise<void>
}

export const PAGE_MS = 250
export const PAGE_ROWS = 65_536
const PAGE_BYTES = 768 * 1024
const WAITING_BYTES = 32 * 1024 * 1024

export interface CreateRecorderOptions {
  readonly streams: Readonly<Record<string, StreamDescription>>
  readonly outbox: AttemptOutbox
  readonly lease: Lease
  readonly clock: Clock
}

interface Stream {
  readonly page: Page
  readonly mostRows: number
  rows: number
  cancelTimer: (() => void) | undefined
}

export function createRecorder({ streams, outbox, lease, clock }: CreateRecorderOptions): Recorder {
  const open = new Map<string, Stream>()
  const opening = new Map<string, Promise<void>>()
  let started = false
  const pictures = { count: 0, bytes: 0 }

  const send = (document: DocumentBody) => {
    // It fails only when the node closes before the disk took it; then the attempt is found unfinished at the next start.
    outbox.append('page', [document]).catch(() => {})
  }

  const close = (name: string, stream: Stream) => {
    stream.cancelTimer?.()
    stream.cancelTimer = undefined
    if (stream.page.count === 0) return
    const first = stream.rows
    const { count, time, columns } = stream.page.take()
    stream.rows += count
    outbox.rows[name] = stream.rows
    outbox.moved = lease.moved
    send({ name: 'event_page', doc: { stream: name, first, count, time, columns } })
  }

  const streamOf = (name: string): Stream => {
    const stream = open.get(name)
    if (stream === undefined) {
      throw new LabError({ code: 'stream-not-open', kind: 'bug', message: `stream ${name} was not opened` })
    }
    return stream
  }

  const touch = (name: string, stream: Stream) => {
    if (stream.page.count >= stream.mostRows) close(name, stream)
    else stream.cancelTimer ??= clock.after(PAGE_MS, () => close(name, stream))
  }

  const describe = async (name: string, abort: AbortSignal): Promise<void> => {
    const columns = streams[name]?.columns ?? []
    const dataKeys: Record<string, DataKey> = {}
    const instruments = new Set<string>()
    for (const column of columns) {
      const spec =
        column.part !== undefined && column.signal !== undefined ? lease.signal(column.part, column.signal) : undefined
      if (column.part !== undefined) instruments.add(column.part)
      dataKeys[column.key] = {
        dtype: column.dtype,
        shape: [...column.shape],
        unit: column.unit,
        source:
          column.part === undefined
            ? column.kind
            : `${lease.instrument(column.part).name}.${column.signal ?? column.kind}`,
        ...(spec?.title === undefined ? {} : { title: spec.title }),
        ...(column.precision === undefined ? {} : { precision: column.precision }),
        ...(column.external === undefined ? {} : { external: column.external }),
        ...(spec?.limits === undefined ? {} : { limits: { ...spec.limits } }),
        ...(spec?.uncertainty === undefined ? {} : { uncertainty: { ...spec.uncertainty } }),
      }
    }
    const configuration: DescriptorDoc['configuration'] = {}
    await Promise.all(
      [...instruments].map(async (part) => {
        const handle = lease.instrument(part)
        const signals = handle.spec.signals.filter(
          (signal) => signal.kind === 'configuration' && signal.access !== 'set',
        )
        const calibrations = handle.calibrator.inForce
        const calibrated = Object.keys(calibrations).length > 0
        if (signals.length === 0 && !calibrated) return
        const wanted = signals.map((signal) => ({ part, signal: signal.name }))
        const readings = wanted.length === 0 ? {} : await lease.read(wanted, abort)
        configuration[handle.name] = {
          data: Object.fromEntries(signals.map(({ name: key }) => [key, readings[`${part}.${key}`]?.value ?? 0])),
          units: Object.fromEntries(signals.map(({ name: key, unit }) => [key, unit])),
          time: clock.now() / 1000,
          ...(calibrated ? { calibrations: { ...calibrations }, rawLimits: rawLimitsOf(handle) } : {}),
        }
      }),
    )
    const isText = (dtype: string) => dtype === 'string' || dtype === 'boolean'
    const numeric = columns.filter(({ dtype }) => !isText(dtype)).map(({ key }) => key)
    const other = columns.filter(({ dtype }) => isText(dtype)).map(({ key }) => key)
    const mostRows = Math.min(PAGE_ROWS, Math.floor(PAGE_BYTES / (8 * (columns.length + 1))))
    send({ name: 'descriptor', doc: { time: clock.now() / 1000, stream: name, dataKeys, configuration } })
    open.set(name, { page: createPage(numeric, other, mostRows), mostRows, rows: 0, cancelTimer: undefined })
  }

  return {
    start: (doc) => {
      started = true
      return outbox.append('start', [{ name: 'start', doc }])
    },
    open: (name, abort) => {
      let known = opening.get(name)
      if (known === undefined) {
        known = describe(name, abort)
        opening.set(name, known)
        // A reader that was aborted must not spoil the stream for another branch that goes on.
        known.catch(() => opening.delete(name))
      }
      return known
    },
    row: (name, timeS, values) => {
      const stream = streamOf(name)
      stream.page.row(timeS, values)
      touch(name, stream)
    },
    block: (name, count, time, columns, constants) => {
      const stream = streamOf(name)
      for (let from = 0; from < count; ) {
        const to = Math.min(count, from + stream.mostRows - stream.page.count)
        stream.page.block(time, columns, from, to, constants)
        touch(name, stream)
        from = to
      }
    },
    picture: async (part, { time, jpeg }) => {
      const name = pictureStream(part)
      streamOf(name)
      const bytes = jpeg.byteLength
      if (bytes > MOST_STILL_BYTES) {
        throw refused('picture-too-large', `a picture of ${part} has ${bytes} bytes, more than ${MOST_STILL_BYTES}`)
      }
      if (pictures.count >= MOST_STILLS || pictures.bytes + bytes > MOST_STILLS_BYTES) {
        throw refused('pictures-too-many', `the run has ${pictures.count} pictures of ${pictures.bytes} bytes already`)
      }
      pictures.count++
      pictures.bytes += bytes
      const number = outbox.rows[name] ?? 0
      outbox.rows[name] = number + 1
      outbox.moved = lease.moved
      const columns = { [pictureColumn(part)]: [pictureFile(part, number)] }
      const page = { stream: name, first: number, count: 1, time: Float64Array.of(time), columns }
      await outbox.append('picture', [
        { name: 'picture', doc: { stream: name, number, time, jpeg } },
        { name: 'event_page', doc: page },
      ])
    },
    ready: (abort) => outbox.below(WAITING_BYTES, abort),
    rows: () => ({ ...outbox.rows }),
    flush: () => {
      for (const [name, stream] of open) close(name, stream)
    },
    stop: (doc, start) => {
      for (const [name, stream] of open) close(name, stream)
      const before = started ? [] : ([{ name: 'start', doc: start }] as const)
      const documents = outbox.nextSeq + before.length
      return outbox.append('stop', [...before, { name: 'stop', doc: { ...doc, rows: { ...outbox.rows }, documents } }])
    },
  }
}

function refused(code: string, message: string): LabError {
  return new LabError({ code, kind: 'caller', message })
}

function rawLimitsOf({ rawSpec, calibrator }: InstrumentHandle) {
  return Object.fromEntries(
    rawSpec.signals.flatMap(({ name, limits }) =>
      limits === undefined || calibrator.inForce[name] === undefined ? [] : [[name, { ...limits }]],
    ),
  )
}

import type { InstrumentSpec, SignalDtype } from '../capabilities/signals.ts'
import { IN_FILES, pictureColumn, pictureStream } from '../contracts/pictures.ts'
import type { Protocol } from './protocol.ts'
import { splitKey } from './quantities.ts'
import { type ColumnSource, streamColumns } from './stream-columns.ts'

/** One column of a stream. */
export interface StreamColumn {
  /** `part.signal`, or the name of a variable or derived value. */
  readonly key: string
  readonly unit: string
  readonly dtype: SignalDtype
  readonly part?: string
  readonly signal?: string
  readonly kind: 'signal' | 'variable' | 'derived' | 'text' | 'picture'
  readonly shape: readonly number[]
  readonly precision?: number
  /** The values are names of files. */
  readonly external?: typeof IN_FILES
}

export interface StreamDescription {
  readonly columns: readonly StreamColumn[]
}

/**
 * The streams that a run of the protocol can fill, and their columns in order of first appearance; signals that no
 * instrument has are left out (`checkProtocol` names them).
 */
export function describeStreams(
  protocol: Protocol,
  parts: Readonly<Record<string, InstrumentSpec>>,
): Record<string, StreamDescription> {
  return Object.fromEntries(
    [...streamColumns(protocol)].map(([stream, columns]) => [
      stream,
      { columns: columns.flatMap((column) => describe(column, parts)) },
    ]),
  )
}

/** The streams that pictures of a bench's cameras go to, taken by a step or by a person. */
export function describePictureStreams(
  parts: Readonly<Record<string, InstrumentSpec>>,
): Record<string, StreamDescription> {
  const streams: Record<string, StreamDescription> = {}
  for (const [part, { camera }] of Object.entries(parts)) {
    if (camera === undefined) continue
    const shape = [camera.height, camera.width, 3]
    const column = { key: pictureColumn(part), kind: 'picture', part, unit: '1', dtype: 'string', shape } as const
    streams[pictureStream(part)] = { columns: [{ ...column, external: IN_FILES }] }
  }
  return streams
}

function describe(column: ColumnSource, parts: Readonly<Record<string, InstrumentSpec>>): StreamColumn[] {
  const { kind, key } = column
  switch (kind) {
    case 'variable':
      return [{ key, kind, unit: column.unit, dtype: column.integer ? 'integer' : 'number', shape: [] }]
    case 'derived':
      return [{ key, kind, unit: column.unit, dtype: 'number', shape: [] }]
    case 'text':
      return [{ key, kind, unit: '1', dtype: 'string', shape: [] }]
    case 'signal': {
      const { part, signal } = splitKey(key)
      const spec = Object.hasOwn(parts, part) ? parts[part]?.signals.find(({ name }) => name === signal) : undefined
      if (spec === undefined) return []
      const { unit, dtype, shape, precision } = spec
      return [{ key, kind, part, signal, unit, dtype, shape, ...(precision === undefined ? {} : { precision }) }]
    }
  }
}

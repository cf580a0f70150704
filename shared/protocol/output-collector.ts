import type { InstrumentSpec } from '../capabilities/signals.ts'
import type { ColumnReader } from './column-reader.ts'
import type { ParameterValues } from './protocol.ts'
import type { Compile } from './quantities.ts'
import type { StreamColumn } from './streams.ts'

export interface OutputOptions {
  readonly parameters: ParameterValues
  /** Instruments by part: units and uncertainties of readings. */
  readonly parts: Readonly<Record<string, InstrumentSpec>>
}

/** What one output has made of its rows, in the unit of its columns. */
export type Collected = { readonly value: number; readonly uncertainty?: number } | { readonly missing: string }

/** Collects for one output. */
export interface Collector {
  /** The reader stands on the row. Throws a LabError where the row cannot be used. */
  row(reader: ColumnReader): void
  finish(): Promise<Collected>
}

/** What collectors are made with. */
export interface CollectorContext {
  readonly compile: Compile
  readonly options: OutputOptions
  readonly columns: readonly StreamColumn[]
}

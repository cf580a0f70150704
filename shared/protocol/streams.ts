import type { InstrumentSpec, SignalDtype } from '../capabilities/signals.ts'
import type { Protocol } from './protocol.ts'

/** One column of a stream. */
export interface StreamColumn {
  /** `part.signal`, or the name of a variable or derived value. */
  readonly key: string
  readonly unit: string
  readonly dtype: SignalDtype
  readonly part?: string
  readonly signal?: string
  readonly kind: 'signal' | 'variable' | 'derived'
  readonly shape: readonly number[]
  readonly precision?: number
}

export interface StreamDescription {
  readonly columns: readonly StreamColumn[]
}

/** The streams that a run of the protocol can fill, and their columns in order of first appearance. */
export function describeStreams(
  protocol: Protocol,
  parts: Readonly<Record<string, InstrumentSpec>>,
): Record<string, StreamDescription> {
  return protocol && parts && {}
}

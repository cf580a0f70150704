import type { InstrumentSpec, Limits } from '../capabilities/signals.ts'
import type { Issue } from '../primitives/lab-error.ts'
import type { ParameterValues, Protocol, SignalKey } from './protocol.ts'

export interface CheckContext {
  /** The instrument that serves each part. */
  readonly parts: Readonly<Record<string, InstrumentSpec>>
  /** Hard limits of lab and bench, in the signal's unit; the signal's own hold besides. */
  readonly limits?: Readonly<Record<SignalKey, Limits>>
  /** Values as `checkParameters` returns them; without, the defaults. */
  readonly parameters?: ParameterValues
}

/** Everything that would keep the protocol from running on these instruments; empty when it may run. */
export function checkProtocol(protocol: Protocol, context: CheckContext): Issue[] {
  return [{ path: '', message: `${protocol} ${context}` }]
}

import {
  type InstrumentSpec,
  type Limits,
  narrowest,
  type PartRequirement,
  type SignalSpec,
} from '../capabilities/signals.ts'
import type { ParameterValues, Protocol, SignalKey } from './protocol.ts'
import { splitKey } from './quantities.ts'

export interface CheckContext {
  /** The instrument that serves each part. */
  readonly parts: Readonly<Record<string, InstrumentSpec>>
  /** Hard limits of lab and bench, in the signal's unit; the signal's own hold besides. */
  readonly limits?: Readonly<Record<SignalKey, Limits>>
  /** Values as `checkParameters` returns them; those missing take their defaults. */
  readonly parameters?: ParameterValues
  /** The parts are a lab's requirements (`outlineParts`), not instruments: arguments of actions are not known. */
  readonly outline?: true
}

/** What the checks know of the bench. */
export interface BenchView {
  readonly parameters: ParameterValues
  readonly outline: boolean
  signal(key: SignalKey): SignalSpec | undefined
  instrument(part: string): InstrumentSpec | undefined
  /** The narrowest of all limits. */
  limits(key: SignalKey): Limits
}

/** The bench with the narrowest limits and the parameters with their defaults. */
export function createBenchView(protocol: Protocol, context: CheckContext): BenchView {
  const instrument = (part: string) => (Object.hasOwn(context.parts, part) ? context.parts[part] : undefined)
  const signal = (key: SignalKey) => {
    const { part, signal: name } = splitKey(key)
    return instrument(part)?.signals.find((candidate) => candidate.name === name)
  }
  const defaults = Object.entries(protocol.parameters).flatMap(([name, spec]) =>
    spec.default === undefined ? [] : [[name, spec.default] as const],
  )
  return {
    parameters: { ...Object.fromEntries(defaults), ...context.parameters },
    outline: context.outline === true,
    signal,
    instrument,
    limits: (key) => narrowest([signal(key)?.limits, context.limits?.[key]]),
  }
}

/** Instruments as a lab requires them, to check its protocols before any bench is known. */
export function outlineParts(parts: Readonly<Record<string, PartRequirement>>): Record<string, InstrumentSpec> {
  return Object.fromEntries(
    Object.entries(parts).map(([part, { signals, actions = [], labServer }]) => [
      part,
      {
        name: part,
        driver: 'required',
        signals: Object.entries(signals).map(([name, { unit, access, dtype = 'number' }]) => ({
          name,
          unit,
          access,
          dtype,
          shape: [],
          kind: 'reading',
        })),
        actions: actions.map((name) => ({ name, arguments: {} })),
        ...(labServer === true ? { labServer } : {}),
      },
    ]),
  )
}

/** What a part of a bench can do there: its instrument's description, within the limits that the bench keeps. */
import { type InstrumentSpec, type Limits, narrowest } from '@fernlab/shared/capabilities/signals'

/**
 * The description with each signal's limits as narrow as the bench's, which are by `part.signal`; the same object where
 * the bench has none for it. Limits that leave nothing in common stay the instrument's, as nothing fits both.
 */
export function partSpec(
  spec: InstrumentSpec,
  part: string,
  benchLimits: Readonly<Record<string, Limits>>,
): InstrumentSpec {
  const narrower = (signal: InstrumentSpec['signals'][number]) => {
    const own = benchLimits[`${part}.${signal.name}`]
    if (own === undefined) return signal
    const limits = narrowest([signal.limits, own])
    const isEmpty = limits.low !== undefined && limits.high !== undefined && limits.low > limits.high
    return isEmpty ? signal : { ...signal, limits }
  }
  const signals = spec.signals.map(narrower)
  return signals.every((signal, index) => signal === spec.signals[index]) ? spec : { ...spec, signals }
}

/** The same, made once for each description. */
export function partSpecs(
  part: string,
  benchLimits: Readonly<Record<string, Limits>>,
): (spec: InstrumentSpec) => InstrumentSpec {
  const made = new WeakMap<InstrumentSpec, InstrumentSpec>()
  return (spec) => {
    const known = made.get(spec) ?? partSpec(spec, part, benchLimits)
    made.set(spec, known)
    return known
  }
}

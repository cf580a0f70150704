/** What a calibration makes of a signal: its limits and its uncertainty as people have them, and the way there and back. */
import { curveAt, domainOf, imageOf, isMonotonic, type Range, rawOf, slopesOf } from '@fernlab/shared/calibration/curve'
import { narrowest, type SignalSpec, type Uncertainty } from '@fernlab/shared/capabilities/signals'
import type { Calibration, Curve } from '@fernlab/shared/contracts/calibrations'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface Fit {
  /** As it is announced, and held to. */
  readonly spec: SignalSpec
  readonly curve: Curve
  /** The nearest that the instrument can be set to. */
  toRaw(value: number): number
}

/**
 * The calibration on the signal; throws a caller-kind `calibration-unfit` where it has none: no number, no raw value in
 * common, or one that is set while two raw values would give one value.
 *
 * Limits of a signal that is set are the narrower of what the instrument takes, calibrated, and of what is said of it.
 */
export function fit(spec: SignalSpec, curve: Curve, { uncertainty }: Pick<Calibration, 'uncertainty'>): Fit {
  if (spec.dtype !== 'number') {
    throw unfit(`${spec.name} is of type ${spec.dtype}: only numbers (type number) are calibrated`)
  }
  const whole: Range = { low: spec.limits?.low ?? -Infinity, high: spec.limits?.high ?? Infinity }
  const domain = domainOf(curve, whole)
  if (domain === undefined) {
    throw unfit(`the table has no raw value within the limits of ${spec.name}, ${text(whole, spec.unit)}`)
  }
  const isSet = spec.access !== 'read'
  if (isSet && !isMonotonic(curve, domain)) {
    throw unfit(
      `${spec.name} is set, but the ${curve.form} does not rise or fall all the way over ${text(domain, spec.unit)}: a value would have two raw values`,
    )
  }
  if (isSet && curve.form === 'polynomial' && !(Number.isFinite(domain.low) && Number.isFinite(domain.high))) {
    throw unfit(`${spec.name} is set and has no limits: give it some, or a linear calibration`)
  }
  const image = imageOf(curve, domain)
  const limits = narrowest(isSet ? [image, spec.limits] : [image])
  if (limits.low !== undefined && limits.high !== undefined && limits.low >= limits.high) {
    throw unfit(
      `what ${spec.name} can be set to, ${text(image, spec.unit)}, is outside of its limits, ${text(whole, spec.unit)}`,
    )
  }
  const slopes = slopesOf(curve, domain)
  const steepest = Math.max(Math.abs(slopes.low), Math.abs(slopes.high))
  const { limits: _, uncertainty: raw, ...rest } = spec
  const both = combined(raw, uncertainty, Number.isFinite(steepest) ? steepest : 1)
  return {
    curve,
    spec: {
      ...rest,
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
      ...(both === undefined ? {} : { uncertainty: both }),
    },
    toRaw: (value) => rawOf(curve, value, domain),
  }
}

/** The value for a raw value; throws `calibration-out-of-range` where the calibration says nothing. */
export function calibratedValue({ curve, spec }: Pick<Fit, 'curve' | 'spec'>, raw: number): number {
  const value = curveAt(curve, raw)
  if (Number.isFinite(value)) return value
  throw new LabError({
    code: 'calibration-out-of-range',
    kind: 'instrument',
    retry: 'later',
    message: `${spec.name}: the raw value ${raw} ${spec.unit} is outside of its calibration; extend the table, or let it extrapolate`,
    details: { signal: spec.name, raw },
  })
}

/** Where the slope varies the steepest counts; what is relative stays so. */
function combined(raw: Uncertainty | undefined, own: number | undefined, slope: number): Uncertainty | undefined {
  if (raw === undefined && own === undefined) return undefined
  const absolute = Math.hypot(own ?? 0, slope * (raw?.absolute ?? 0))
  return {
    ...(absolute === 0 ? {} : { absolute }),
    ...(raw?.relative === undefined ? {} : { relative: raw.relative }),
  }
}

function text({ low, high }: Range, unit: string): string {
  const side = (bound: number) => (Number.isFinite(bound) ? `${Number(bound.toPrecision(6))} ${unit}` : 'open')
  return `${side(low)} to ${side(high)}`
}

function unfit(message: string): LabError {
  return new LabError({ code: 'calibration-unfit', kind: 'caller', message })
}

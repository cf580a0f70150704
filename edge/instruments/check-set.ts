import type { Limits, SignalSpec } from '@fernlab/shared/capabilities/signals'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { convertTrimmed } from '@fernlab/shared/primitives/units'
import type { SignalValue } from '../drivers/driver.ts'

export interface SetRequest {
  /** As people know it: `supply.voltage`. */
  readonly label: string
  readonly spec: SignalSpec
  readonly value: SignalValue
  /** The unit the value is in; undefined: the signal's own. */
  readonly unit?: string | undefined
  /** Whose limits hold besides the signal's own, in the signal's unit. */
  readonly limits: readonly { readonly of: string; readonly limits: Limits | undefined }[]
}

/** The value in the signal's own unit; throws a caller-kind LabError for what the signal, the bench or the lab does not allow. */
export function checkSet({ label, spec, value, unit, limits }: SetRequest): SignalValue {
  if (spec.access === 'read') throw refuse('signal-not-settable', `${label} can only be read`)
  switch (spec.dtype) {
    case 'string':
      if (typeof value !== 'string') throw refuse('value-of-wrong-type', `${label} takes text, not ${show(value)}`)
      return value
    case 'boolean':
      if (typeof value === 'boolean') return value
      if (value === 0 || value === 1) return value === 1
      throw refuse('value-of-wrong-type', `${label} takes true or false, not ${show(value)}`)
    case 'array':
      throw refuse('signal-not-settable', `${label} is an array; arrays can only be read`)
    case 'number':
    case 'integer':
      break
  }
  if (typeof value !== 'number') throw refuse('value-of-wrong-type', `${label} takes a number, not ${show(value)}`)
  if (!Number.isFinite(value)) throw refuse('value-not-finite', `${label} can not be set to ${value}`)
  const own = unit === undefined ? value : convertTrimmed(value, unit, spec.unit)
  if (spec.dtype === 'integer' && !Number.isInteger(own)) {
    throw refuse('value-of-wrong-type', `${label} takes a whole number, not ${own}`)
  }
  for (const { of, limits: bounds } of [{ of: 'instrument', limits: spec.limits }, ...limits]) {
    if (bounds?.low !== undefined && own < bounds.low) {
      throw refuse(
        'value-out-of-limits',
        `${label}: ${own} ${spec.unit} is below the ${of}'s limit of ${bounds.low} ${spec.unit}`,
      )
    }
    if (bounds?.high !== undefined && own > bounds.high) {
      throw refuse(
        'value-out-of-limits',
        `${label}: ${own} ${spec.unit} is above the ${of}'s limit of ${bounds.high} ${spec.unit}`,
      )
    }
  }
  return own
}

function show(value: SignalValue): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value)
}

function refuse(code: string, message: string): LabError {
  return new LabError({ code, kind: 'caller', message })
}

import type { BoardDescription, BoardQuantity, BoardSignal } from '@fernlab/firmware-bridge/link/description'
import type { ActionSpec, InstrumentSpec, ParameterSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'

/** What an instrument on that board announces. */
export function specOf(name: string, { firmware, signals, actions }: BoardDescription): InstrumentSpec {
  return {
    name,
    driver: 'board',
    model: firmware.name,
    signals: signals.map(signalOf),
    actions: actions.map(
      (action): ActionSpec => ({
        name: action.name,
        arguments: Object.fromEntries(action.arguments.map((each) => [each.name, parameterOf(each)])),
      }),
    ),
  }
}

/** Of what is counted in whole steps of one there are only whole numbers. */
function dtypeOf({ type, step }: BoardQuantity): 'number' | 'integer' | 'boolean' {
  if (type === 'bool') return 'boolean'
  return type !== 'f32' && Number.isInteger(step) ? 'integer' : 'number'
}

function signalOf(signal: BoardSignal): SignalSpec {
  const { name, unit, access, low, high, digits, shortestUs } = signal
  const dtype = dtypeOf(signal)
  return {
    name,
    unit: dtype === 'boolean' ? '1' : unit,
    dtype,
    shape: [],
    kind: access === 'set' ? 'configuration' : 'reading',
    access,
    ...(dtype === 'boolean' || access === 'read' ? {} : { limits: { low, high } }),
    ...(dtype === 'number' ? { precision: digits } : {}),
    ...(shortestUs > 0 ? { maxRateHz: 1e6 / shortestUs } : {}),
  }
}

function parameterOf(argument: BoardQuantity): ParameterSpec {
  const type = dtypeOf(argument)
  if (type === 'boolean') return { type }
  return { type, unit: argument.unit, minimum: argument.low, maximum: argument.high }
}

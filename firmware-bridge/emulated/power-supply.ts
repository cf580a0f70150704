/** An emulated bench supply, 0–30 V and 0–3 A: DAC steps, calibration error, readback noise. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Circuit, SupplyDrive } from './circuits/circuit.ts'
import { booleanArgument, numberArgument } from './command-table.ts'
import { createNoise } from './noise.ts'
import { ScpiDevice } from './scpi-device.ts'

export interface EmulatedInstrumentOptions {
  readonly name: string
  /** Decides tolerances and noise. */
  readonly seed: string
  readonly clock: Clock
  readonly circuit: Circuit
  /** Time to take a message. */
  readonly latencyMs: number
  /** Measures without taking time, for tests on a clock that stands still. */
  readonly instant: boolean
}

const MAX_VOLTS = 30
const MAX_AMPS = 3
const STEP_VOLTS = 0.001
const STEP_AMPS = 0.001
const READBACK_STEP_VOLTS = 0.001
const READBACK_STEP_AMPS = 0.0001

/** A supply on the wire; `VOLTage`, `CURRent`, `OUTPut`, `MEASure:VOLTage?`, `MEASure:CURRent?`. */
export function createPowerSupply(options: EmulatedInstrumentOptions): ScpiDevice {
  const { circuit, clock } = options
  const noise = createNoise(options.seed)
  const gain = 1 + 1e-4 * (2 * noise.uniform() - 1)
  const offsetV = 5e-4 * (2 * noise.uniform() - 1)
  let volts = 0
  let amps = 0.1
  let on = false
  const apply = () => {
    const drive: SupplyDrive = { on, volts: volts === 0 ? 0 : Math.max(0, volts * gain + offsetV), limitAmps: amps }
    circuit.setSupply(drive)
    return undefined
  }
  const nowS = () => clock.monotonic() / 1000
  return new ScpiDevice({
    name: options.name,
    identity: `Fernlab,FPS-3003,${options.seed},1.0`,
    clock,
    latencyMs: options.latencyMs,
    instant: options.instant,
    reset: () => {
      volts = 0
      amps = 0.1
      on = false
      apply()
    },
    commands: {
      '[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]': (message) => {
        volts = quantise(numberArgument(message, 0, MAX_VOLTS), STEP_VOLTS)
        return apply()
      },
      '[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]?': () => volts.toFixed(3),
      '[SOURce:]CURRent[:LEVel][:IMMediate][:AMPLitude]': (message) => {
        amps = quantise(numberArgument(message, 0, MAX_AMPS), STEP_AMPS)
        return apply()
      },
      '[SOURce:]CURRent[:LEVel][:IMMediate][:AMPLitude]?': () => amps.toFixed(3),
      'OUTPut[:STATe]': (message) => {
        on = booleanArgument(message)
        return apply()
      },
      'OUTPut[:STATe]?': () => (on ? '1' : '0'),
      'MEASure[:SCALar]:VOLTage[:DC]?': () =>
        quantise(circuit.supplyVolts(nowS()) + 3e-4 * noise.normal(), READBACK_STEP_VOLTS).toFixed(3),
      'MEASure[:SCALar]:CURRent[:DC]?': () =>
        quantise(circuit.supplyAmps(nowS()) + 5e-5 * noise.normal(), READBACK_STEP_AMPS).toFixed(4),
    },
  })
}

/** The nearest multiple of `step`. */
export const quantise = (value: number, step: number): number => Math.round(value / step) * step

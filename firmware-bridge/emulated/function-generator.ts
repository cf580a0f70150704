/** An emulated function generator: sine, square or direct voltage, 1 mHz to 100 kHz, at most ±10 V. */
import type { GeneratorDrive } from './circuits/circuit.ts'
import { booleanArgument, numberArgument, ScpiFault, wordArgument } from './command-table.ts'
import { createNoise } from './noise.ts'
import { type EmulatedInstrumentOptions, quantise } from './power-supply.ts'
import { ScpiDevice } from './scpi-device.ts'

const SHAPES = { SINusoid: 'sine', SQUare: 'square', DC: 'dc' } as const
const MAX_VOLTS = 10
/** 14 bits over the whole range. */
const STEP_VOLTS = 20 / 2 ** 14

/** A generator on the wire; `FUNCtion`, `FREQuency`, `VOLTage` (peak to peak), `VOLTage:OFFSet`, `OUTPut`. */
export function createFunctionGenerator(options: EmulatedInstrumentOptions): ScpiDevice {
  const noise = createNoise(options.seed)
  const gain = 1 + 1e-3 * (2 * noise.uniform() - 1)
  const offsetErrorV = 1e-3 * (2 * noise.uniform() - 1)
  // A quartz is some parts in a million off.
  const timebase = 1 + 2e-6 * (2 * noise.uniform() - 1)
  let word: keyof typeof SHAPES = 'SINusoid'
  let frequencyHz = 1000
  let peakToPeakV = 0.1
  let offsetV = 0
  let on = false
  const apply = () => {
    const drive: GeneratorDrive = {
      on,
      shape: SHAPES[word],
      frequencyHz: frequencyHz * timebase,
      amplitudeV: quantise(peakToPeakV / 2, STEP_VOLTS) * gain,
      offsetV: quantise(offsetV, STEP_VOLTS) * gain + offsetErrorV,
    }
    options.circuit.setGenerator(drive)
    return undefined
  }
  const fits = (newPeakToPeakV: number, newOffsetV: number) => {
    if (Math.abs(newOffsetV) + newPeakToPeakV / 2 > MAX_VOLTS) throw new ScpiFault(-221, 'Settings conflict')
  }
  return new ScpiDevice({
    name: options.name,
    identity: `Fernlab,FFG-1010,${options.seed},1.0`,
    clock: options.clock,
    latencyMs: options.latencyMs,
    instant: options.instant,
    reset: () => {
      word = 'SINusoid'
      frequencyHz = 1000
      peakToPeakV = 0.1
      offsetV = 0
      on = false
      apply()
    },
    commands: {
      '[SOURce:]FUNCtion[:SHAPe]': (message) => {
        word = wordArgument(message, ['SINusoid', 'SQUare', 'DC'])
        return apply()
      },
      '[SOURce:]FUNCtion[:SHAPe]?': () => word.replace(/[a-z]/g, ''),
      '[SOURce:]FREQuency[:FIXed]': (message) => {
        frequencyHz = Math.max(quantise(numberArgument(message, 1e-3, 1e5), 1e-6), 1e-3)
        return apply()
      },
      '[SOURce:]FREQuency[:FIXed]?': () => scientific(frequencyHz),
      '[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]': (message) => {
        const wanted = numberArgument(message, 0.002, 2 * MAX_VOLTS)
        fits(wanted, offsetV)
        peakToPeakV = wanted
        return apply()
      },
      '[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]?': () => scientific(peakToPeakV),
      '[SOURce:]VOLTage[:LEVel][:IMMediate]:OFFSet': (message) => {
        const wanted = numberArgument(message, -MAX_VOLTS, MAX_VOLTS)
        fits(peakToPeakV, wanted)
        offsetV = wanted
        return apply()
      },
      '[SOURce:]VOLTage[:LEVel][:IMMediate]:OFFSet?': () => scientific(offsetV),
      'OUTPut[:STATe]': (message) => {
        on = booleanArgument(message)
        return apply()
      },
      'OUTPut[:STATe]?': () => (on ? '1' : '0'),
    },
  })
}

/** NR3 as bench instruments write it: `+1.00000000E+03`. */
export const scientific = (value: number): string => {
  const [mantissa = '0', exponent = '0'] = value.toExponential(8).split('e')
  const power = Number(exponent)
  return `${value < 0 ? '' : '+'}${mantissa}E${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

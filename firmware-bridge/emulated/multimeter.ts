/**
 * An emulated 5½-digit multimeter: direct voltage and current averaged over an aperture in power-line cycles (50 Hz),
 * alternating voltage as the true root mean square about the mean over a window; ranges, overload, noise, calibration.
 */
import { booleanArgument, type Message, numberArgument } from './command-table.ts'
import { scientific } from './function-generator.ts'
import { createNoise } from './noise.ts'
import { type EmulatedInstrumentOptions, quantise } from './power-supply.ts'
import { ScpiDevice } from './scpi-device.ts'

const VOLT_RANGES = [0.2, 2, 20, 200]
const AMP_RANGES = [2e-5, 2e-4, 2e-3, 2e-2, 0.2, 2]
const COUNTS = 200_000
const OVERRANGE = 1.05
const LINE_PERIOD_S = 0.02
const OVERLOAD = '+9.90000000E+37'

type Mode = 'VOLT' | 'CURR' | 'VOLT:AC'

export interface MultimeterOptions extends EmulatedInstrumentOptions {
  /** What its terminals are connected to; the other quantity reads zero. */
  readonly measures: 'volts' | 'amps'
}

/** A meter on the wire; `CONFigure`, `READ?`, `MEASure:…?`, `VOLTage:DC:NPLCycles`, `VOLTage:AC:WINDow` (s). */
export function createMultimeter(options: MultimeterOptions): ScpiDevice {
  const { clock, circuit, measures } = options
  const noise = createNoise(options.seed)
  const gain = 1 + 3e-5 * (2 * noise.uniform() - 1)
  const offsetCounts = 2 * noise.uniform() - 1
  let mode: Mode = 'VOLT'
  let cycles = 1
  let windowS = 1
  let ranges: { volts: number | undefined; amps: number | undefined } = { volts: undefined, amps: undefined }

  const at = (quantity: 'volts' | 'amps', timeS: number) =>
    quantity !== measures ? 0 : quantity === 'volts' ? circuit.volts(timeS) : circuit.amps(timeS)
  /** Waits while the converter integrates; the end of that time, in seconds. */
  const integrate = async (message: Message, durationS: number) => (await message.spend(durationS * 1000)) / 1000
  const present = (value: number, quantity: 'volts' | 'amps', apertureS: number): string => {
    const steps = quantity === 'volts' ? VOLT_RANGES : AMP_RANGES
    const auto = steps.find((range) => Math.abs(value) <= range * OVERRANGE)
    const range = ranges[quantity] ?? auto
    if (range === undefined || Math.abs(value) > range * OVERRANGE) return OVERLOAD
    const step = range / COUNTS
    const rms = 0.7 * step * Math.sqrt(LINE_PERIOD_S / Math.max(apertureS, 2e-4))
    return scientific(quantise(value * gain + offsetCounts * step + rms * noise.normal(), step))
  }
  const direct = async (message: Message, quantity: 'volts' | 'amps'): Promise<string> => {
    const apertureS = cycles * LINE_PERIOD_S
    const endS = await integrate(message, apertureS)
    return present(
      meanOver(endS - apertureS, endS, 9, (timeS) => at(quantity, timeS)),
      quantity,
      apertureS,
    )
  }
  const alternating = async (message: Message): Promise<string> => {
    const endS = await integrate(message, windowS)
    const points = 2001
    const volts = (timeS: number) => at('volts', timeS)
    const mean = meanOver(endS - windowS, endS, points, volts)
    const square = meanOver(endS - windowS, endS, points, (timeS) => (volts(timeS) - mean) ** 2)
    return present(Math.sqrt(square), 'volts', windowS)
  }
  const measure = (message: Message) =>
    mode === 'VOLT:AC' ? alternating(message) : direct(message, mode === 'VOLT' ? 'volts' : 'amps')
  const configure = (to: Mode) => () => {
    mode = to
    return undefined
  }
  const setCycles = (message: Message) => {
    cycles = numberArgument(message, 0.02, 100)
    return undefined
  }
  const rangeCommands = (header: string, quantity: 'volts' | 'amps', steps: readonly number[]) => ({
    [`${header}:RANGe[:UPPer]`]: (message: Message) => {
      const wanted = numberArgument(message, 0, steps[steps.length - 1] ?? 0)
      ranges = { ...ranges, [quantity]: steps.find((range) => range >= wanted) }
      return undefined
    },
    [`${header}:RANGe:AUTO`]: (message: Message) => {
      if (booleanArgument(message)) ranges = { ...ranges, [quantity]: undefined }
      return undefined
    },
    [`${header}:NPLCycles`]: setCycles,
    [`${header}:NPLCycles?`]: () => scientific(cycles),
  })
  return new ScpiDevice({
    name: options.name,
    identity: `Fernlab,FDM-5500,${options.seed},1.0`,
    clock,
    latencyMs: options.latencyMs,
    instant: options.instant,
    reset: () => {
      mode = 'VOLT'
      cycles = 1
      windowS = 1
      ranges = { volts: undefined, amps: undefined }
    },
    commands: {
      'CONFigure:VOLTage[:DC]': configure('VOLT'),
      'CONFigure:CURRent[:DC]': configure('CURR'),
      'CONFigure:VOLTage:AC': configure('VOLT:AC'),
      'CONFigure?': () => `"${mode}"`,
      'READ?': measure,
      'MEASure:VOLTage[:DC]?': (message) => {
        mode = 'VOLT'
        return measure(message)
      },
      'MEASure:CURRent[:DC]?': (message) => {
        mode = 'CURR'
        return measure(message)
      },
      ...rangeCommands('[SENSe:]VOLTage[:DC]', 'volts', VOLT_RANGES),
      ...rangeCommands('[SENSe:]CURRent[:DC]', 'amps', AMP_RANGES),
      '[SENSe:]VOLTage:AC:WINDow': (message) => {
        windowS = numberArgument(message, 0.02, 30)
        return undefined
      },
      '[SENSe:]VOLTage:AC:WINDow?': () => scientific(windowS),
    },
  })
}

/** The mean of a function over a stretch, by Simpson's rule on an odd number of points. */
function meanOver(fromS: number, toS: number, points: number, value: (timeS: number) => number): number {
  const last = points - 1
  let sum = 0
  for (let i = 0; i <= last; i++) {
    const weight = i === 0 || i === last ? 1 : i % 2 === 1 ? 4 : 2
    sum += weight * value(fromS + ((toS - fromS) * i) / last)
  }
  return sum / (3 * last)
}

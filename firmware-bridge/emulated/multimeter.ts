/**
 * An emulated 5½-digit multimeter: direct voltage and current averaged over an aperture in power-line cycles (50 Hz),
 * alternating voltage as the true root mean square about the mean over a window; ranges, overload, noise, calibration.
 */
import { booleanArgument, numberArgument } from './command-table.ts'
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
  const { clock, circuit, measures, instant } = options
  const noise = createNoise(options.seed)
  const gain = 1 + 3e-5 * (2 * noise.uniform() - 1)
  const offsetCounts = 2 * noise.uniform() - 1
  let mode: Mode = 'VOLT'
  let cycles = 1
  let windowS = 1
  let ranges: { volts: number | undefined; amps: number | undefined } = { volts: undefined, amps: undefined }

  const at = (quantity: 'volts' | 'amps', timeS: number) =>
    quantity !== measures ? 0 : quantity === 'volts' ? circuit.volts(timeS) : circuit.amps(timeS)
  /** Waits while the converter integrates, then looks back over that time. */
  const integrate = async (durationS: number): Promise<number> => {
    if (!instant) await clock.sleep(durationS * 1000)
    return clock.monotonic() / 1000
  }
  const present = (value: number, quantity: 'volts' | 'amps', apertureS: number): string => {
    const steps = quantity === 'volts' ? VOLT_RANGES : AMP_RANGES
    const auto = steps.find((range) => Math.abs(value) <= range * OVERRANGE)
    const range = ranges[quantity] ?? auto
    if (range === undefined || Math.abs(value) > range * OVERRANGE) return OVERLOAD
    const step = range / COUNTS
    const rms = 0.7 * step * Math.sqrt(LINE_PERIOD_S / Math.max(apertureS, 2e-4))
    return scientific(quantise(value * gain + offsetCounts * step + rms * noise.normal(), step))
  }
  const direct = async (quantity: 'volts' | 'amps'): Promise<string> => {
    const apertureS = cycles * LINE_PERIOD_S
    const endS = await integrate(apertureS)
    return present(
      meanOver(endS - apertureS, endS, 9, (timeS) => at(quantity, timeS)),
      quantity,
      apertureS,
    )
  }
  const alternating = async (): Promise<string> => {
    const endS = await integrate(windowS)
    const points = 2001
    const volts = (timeS: number) => at('volts', timeS)
    const mean = meanOver(endS - windowS, endS, points, volts)
    const square = meanOver(endS - windowS, endS, points, (timeS) => (volts(timeS) - mean) ** 2)
    return present(Math.sqrt(square), 'volts', windowS)
  }
  const measure = () => (mode === 'VOLT:AC' ? alternating() : direct(mode === 'VOLT' ? 'volts' : 'amps'))
  const configure = (to: Mode) => () => {
    mode = to
    return undefined
  }
  const setCycles = (message: { args: readonly string[] }) => {
    cycles = numberArgument(message, 0.02, 100)
    return undefined
  }
  const rangeCommands = (header: string, quantity: 'volts' | 'amps', steps: readonly number[]) => ({
    [`${header}:RANGe[:UPPer]`]: (message: { args: readonly string[] }) => {
      const wanted = numberArgument(message, 0, steps[steps.length - 1] ?? 0)
      ranges = { ...ranges, [quantity]: steps.find((range) => range >= wanted) }
      return undefined
    },
    [`${header}:RANGe:AUTO`]: (message: { args: readonly string[] }) => {
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
      'MEASure:VOLTage[:DC]?': () => {
        mode = 'VOLT'
        return measure()
      },
      'MEASure:CURRent[:DC]?': () => {
        mode = 'CURR'
        return measure()
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

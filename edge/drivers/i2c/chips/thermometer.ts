/** What TMP102, TMP105 and LM75 have in common: temperature at pointer 0, configuration at 1, high byte first. */
import type { I2cWire } from '@fernlab/firmware-bridge/i2c/adapter'
import { boundedBy, reading } from '../../reading.ts'
import { type Chip, type ChipPort, chipReset, wrongChip } from '../chip.ts'

export const TEMPERATURE = 0x00
export const CONFIGURATION = 0x01

export interface ThermometerParts {
  /** As people write it: TMP102. */
  readonly name: string
  /** Degrees Celsius in a word of the temperature register. */
  readonly celsiusOf: (word: number) => number
  /** In °C. */
  readonly step: number
  /** The largest error by the datasheet over the whole range, in °C: a reading does not say which part of it holds. */
  readonly boundCel: number
  readonly lowCel: number
  readonly highCel: number
  /** The longest that a conversion may take. */
  readonly conversionMs: number
  readonly rateHz: number
  readonly writeConfiguration: (wire: I2cWire) => Promise<void>
  /** True when the configuration register holds what was written. */
  readonly isConfigured: (wire: I2cWire) => Promise<boolean>
}

/** None of them has a register that says what it is: that it keeps its configuration is all that can be checked. */
export function thermometer(parts: ThermometerParts): Chip {
  const { name, celsiusOf, step, boundCel, lowCel, highCel } = parts
  const configured = (port: ChipPort) => port.use(parts.isConfigured)
  return {
    signals: [
      reading('temperature', 'Cel', {
        limits: { low: lowCel, high: highCel },
        precision: Math.min(3, Math.ceil(-Math.log10(step))),
        readS: 0.0006,
        maxRateHz: parts.rateHz,
        uncertainty: boundedBy(boundCel, step),
      }),
    ],
    initialise: async (port) => {
      await port.use(parts.writeConfiguration)
      if (!(await configured(port))) throw wrongChip(`what answers does not keep the configuration of a ${name}`)
      // Until the first conversion after its power came on the register holds 0 °C, which is no reading.
      await port.wait(parts.conversionMs)
    },
    verify: async (port) => {
      if (!(await configured(port))) throw chipReset(name)
    },
    identify: async (port) => {
      if (!(await configured(port))) throw chipReset(name)
      return name
    },
    read: async (_names, port) => ({ temperature: celsiusOf(await port.use((wire) => wire.readWord(TEMPERATURE))) }),
  }
}

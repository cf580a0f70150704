/**
 * TMP102 (TI SBOS397H), TMP105 (TI SLLS648D) and LM75 (TI SNOS808P; with 11 bits: NXP LM75B, rev. 6.1) at their registers.
 * All read 0 °C from power-on until their first conversion is done.
 */
import { type ChipOptions, type EmulatedChip, registerChip } from './chip.ts'

export interface ThermometerOptions extends ChipOptions {
  /** Of the place where the chip is, in °C. */
  readonly temperatureCel: () => number
}

interface Kind {
  /** Bytes of the configuration register, and what it holds after power-on. */
  readonly configBytes: 1 | 2
  readonly powerOnConfig: number
  /** Bits that can be written. */
  readonly writable: number
  readonly isExtended: (config: number) => boolean
  readonly bits: (config: number) => number
  readonly conversionS: (config: number) => number
  /** From one conversion to the next. */
  readonly periodS: (config: number) => number
  /** Standard deviation of one chip's error, in °C. */
  readonly errorCel: number
}

const TMP102: Kind = {
  configBytes: 2,
  powerOnConfig: 0x60a0,
  writable: 0x9fd0,
  isExtended: (config) => (config & 0x10) !== 0,
  bits: (config) => ((config & 0x10) === 0 ? 12 : 13),
  conversionS: () => 0.026,
  periodS: (config) => [4, 1, 0.25, 0.125][(config >> 6) & 3] ?? 0.25,
  errorCel: 0.25,
}
const TMP105: Kind = {
  configBytes: 1,
  powerOnConfig: 0,
  writable: 0x7f,
  isExtended: () => false,
  bits: (config) => 9 + ((config >> 5) & 3),
  conversionS: (config) => 0.0275 * 2 ** ((config >> 5) & 3),
  periodS: (config) => 0.0275 * 2 ** ((config >> 5) & 3),
  errorCel: 0.5,
}
const lm75 = (bits: number): Kind => ({
  configBytes: 1,
  powerOnConfig: 0,
  writable: 0x1f,
  isExtended: () => false,
  bits: () => bits,
  conversionS: () => 0.1,
  periodS: () => 0.1,
  errorCel: 0.7,
})

export const emulateTmp102 = (options: ThermometerOptions): EmulatedChip => thermometer(TMP102, options)
export const emulateTmp105 = (options: ThermometerOptions): EmulatedChip => thermometer(TMP105, options)
/** With as many bits as its maker gave it: 9 or 11. */
export const emulateLm75 = (options: ThermometerOptions & { readonly bits?: number }): EmulatedChip =>
  thermometer(lm75(options.bits ?? 9), options)

const READING_NOISE_CEL = 0.03

function thermometer(kind: Kind, { nowS, noise, instant, temperatureCel }: ThermometerOptions): EmulatedChip {
  const offsetCel = instant ? 0 : kind.errorCel * noise.normal()
  let config = kind.powerOnConfig
  let limits = [0x4b00, 0x5000]
  let startedS = nowS()
  let converted = -1
  let word = 0

  const convert = () => {
    const sinceS = nowS() - startedS
    const done = instant ? sinceS : Math.floor((sinceS - kind.conversionS(config)) / kind.periodS(config))
    if (done < 0 || (!instant && done === converted)) return
    converted = done
    const cel = temperatureCel() + (instant ? 0 : offsetCel + READING_NOISE_CEL * noise.normal())
    word = temperatureWord(cel, kind.bits(config), kind.isExtended(config))
  }
  const registers = () => {
    convert()
    return [word, config, ...limits]
  }
  const powerOn = () => {
    config = kind.powerOnConfig
    limits = [0x4b00, 0x5000]
    startedS = nowS()
    converted = -1
    word = 0
  }
  const store = (pointer: number, bytes: Uint8Array) => {
    const register = pointer & 3
    const [high = 0, low = 0] = bytes
    if (register === 1) {
      const given = kind.configBytes === 2 ? (high << 8) | low : high
      config = (config & ~kind.writable) | (given & kind.writable)
    } else if (register >= 2) {
      limits[register - 2] = (high << 8) | low
    }
    return true
  }
  const bytesAt = (pointer: number, length: number) => {
    const register = pointer & 3
    const value = registers()[register] ?? 0
    const isByte = register === 1 && kind.configBytes === 1
    const bytes = isByte ? [value] : [value >> 8, value & 0xff]
    return Uint8Array.from({ length }, (_, i) => bytes[i % bytes.length] ?? 0)
  }
  return registerChip({ bytesAt, store, powerOn })
}

/** Left-justified two's complement of 1/16 °C for 12 bits, 1/2 °C for 9; with 13 bits twice the range, and bit 0 set. */
function temperatureWord(cel: number, bits: number, isExtended: boolean): number {
  const step = isExtended ? 1 / 16 : 2 ** (8 - bits)
  const most = 2 ** (bits - 1)
  const counts = Math.max(-most, Math.min(most - 1, Math.round(cel / step)))
  return ((counts << (16 - bits)) & 0xffff) | (isExtended ? 1 : 0)
}

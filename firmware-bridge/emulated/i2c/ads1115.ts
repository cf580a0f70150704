/** ADS1115 at its registers: TI SBAS444D: multiplexer, gain, rate, single conversions; saturates at both ends. */
import { type ChipOptions, type EmulatedChip, registerChip } from './chip.ts'

export interface Ads1115Options extends ChipOptions {
  /** Volts at AIN0 to AIN3 against ground. */
  readonly volts: () => readonly [number, number, number, number]
}

const POWER_ON_CONFIG = 0x8583
const PAIRS = [
  [0, 1],
  [0, 3],
  [1, 3],
  [2, 3],
] as const
const RANGES_V = [6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256]
const RATES_HZ = [8, 16, 32, 64, 128, 250, 475, 860]

export function emulateAds1115({ nowS, noise, instant, volts }: Ads1115Options): EmulatedChip {
  const gain = instant ? 1 : 1 + 0.0004 * noise.normal()
  const offsetLsb = instant ? 0 : 1.5 * noise.normal()
  let config = POWER_ON_CONFIG
  let thresholds = [0x8000, 0x7fff]
  let conversion = 0
  let next: number | undefined
  let readyS = 0

  const convert = () => {
    const mux = (config >> 12) & 7
    const at = volts()
    const [plus, minus] = mux < 4 ? (PAIRS[mux] ?? [0, 1]) : [mux - 4, undefined]
    const input = (at[plus] ?? 0) - (minus === undefined ? 0 : (at[minus] ?? 0))
    const lsb = (RANGES_V[(config >> 9) & 7] ?? 2.048) / 32768
    const scatter = instant ? 0 : offsetLsb + noise.normal()
    const counts = Math.max(-32768, Math.min(32767, Math.round((input * gain) / lsb + scatter)))
    next = counts & 0xffff
  }
  const isBusy = () => {
    if (next !== undefined && (instant || nowS() >= readyS)) {
      conversion = next
      next = undefined
    }
    return next !== undefined
  }
  const registers = () => {
    const state = isBusy() ? config & 0x7fff : config | 0x8000
    return [conversion, state, ...thresholds]
  }
  return registerChip({
    bytesAt: (pointer, length) => {
      const word = registers()[pointer & 3] ?? 0
      return Uint8Array.from({ length }, (_, i) => (i % 2 === 0 ? word >> 8 : word & 0xff))
    },
    store: (pointer, [high = 0, low = 0]) => {
      const word = (high << 8) | low
      const register = pointer & 3
      if (register >= 2) thresholds[register - 2] = word
      if (register !== 1) return true
      config = word
      if ((word & 0x8000) !== 0 && !isBusy()) {
        convert()
        readyS = nowS() + 1 / (RATES_HZ[(word >> 5) & 7] ?? 128)
      }
      return true
    },
    powerOn: () => {
      config = POWER_ON_CONFIG
      thresholds = [0x8000, 0x7fff]
      conversion = 0
      next = undefined
    },
  })
}

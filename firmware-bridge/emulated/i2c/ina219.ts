/** INA219 at its registers: TI SBOS448G: gain, averaging, calibration, current and power computed as the chip does. */
import { type ChipOptions, type EmulatedChip, registerChip } from './chip.ts'

export interface Ina219Options extends ChipOptions {
  readonly shuntOhm: number
  /** In the line, now. */
  readonly amps: () => number
  readonly volts: () => number
}

const POWER_ON_CONFIG = 0x399f
const CONVERSION_S = 0.000532

/** Words of the registers 1 to 4, of whole steps of shunt and bus voltage. */
export function ina219Registers(shunt: number, bus: number, calibration: number): [number, number, number, number] {
  const current = Math.trunc((shunt * calibration) / 4096)
  const isOver = Math.abs(current) > 0x7fff
  const power = Math.min(0xffff, Math.trunc((Math.abs(current) * bus) / 5000))
  return [shunt & 0xffff, (bus << 3) | 2 | (isOver ? 1 : 0), power, current & 0xffff]
}

export function emulateIna219({ nowS, noise, instant, shuntOhm, amps, volts }: Ina219Options): EmulatedChip {
  const gain = instant ? 1 : 1 + 0.002 * noise.normal()
  const offsetSteps = instant ? 0 : 2 * noise.normal()
  let config = POWER_ON_CONFIG
  let calibration = 0
  let startedS = 0
  let converted = -1
  let measured = [0, 0] as [number, number]

  const periodS = () => {
    const code = (config >> 3) & 0x0f
    return 2 * CONVERSION_S * ((code & 8) === 0 ? 1 : 2 ** (code & 7))
  }
  const measure = () => {
    const done = Math.floor((nowS() - startedS) / periodS())
    if (!instant && (done < 1 || done === converted)) return
    converted = done
    const scatter = instant ? 0 : offsetSteps + noise.normal()
    const most = 4000 * 2 ** ((config >> 11) & 3)
    const shunt = Math.round((amps() * shuntOhm * gain) / 10e-6 + scatter)
    measured = [Math.max(-most, Math.min(most, shunt)), Math.max(0, Math.min(8000, Math.round(volts() / 4e-3)))]
  }
  const powerOn = () => {
    config = POWER_ON_CONFIG
    calibration = 0
    startedS = nowS()
    converted = -1
    measured = [0, 0]
  }
  return registerChip({
    bytesAt: (pointer, length) => {
      measure()
      const word = [config, ...ina219Registers(...measured, calibration), calibration][pointer] ?? 0
      return Uint8Array.from({ length }, (_, i) => (i % 2 === 0 ? word >> 8 : word & 0xff))
    },
    store: (pointer, [high = 0, low = 0]) => {
      const word = (high << 8) | low
      if (pointer === 5) calibration = word & 0xfffe
      if (pointer !== 0) return true
      if ((word & 0x8000) !== 0) powerOn()
      else config = word
      startedS = nowS()
      converted = -1
      return true
    },
    powerOn,
  })
}

/** SHT31-DIS at its commands: Sensirion "Datasheet SHT3x-DIS", version 5: single shot, heater, status, checksum. */
import type { ChipOptions, EmulatedChip } from './chip.ts'

export interface Sht31Options extends ChipOptions {
  readonly temperatureCel: () => number
  readonly humidityPercent: () => number
}

const MEASUREMENT: Readonly<Record<number, { readonly s: number; readonly scatterCel: number }>> = {
  9216: { s: 0.0125, scatterCel: 0.04 },
  9227: { s: 0.0045, scatterCel: 0.08 },
  9238: { s: 0.0025, scatterCel: 0.15 },
}
/** By how much its own heater warms it, in still air. */
const HEATER_CEL = 4

export function emulateSht31({ nowS, noise, instant, temperatureCel, humidityPercent }: Sht31Options): EmulatedChip {
  const offset = instant ? { cel: 0, percent: 0 } : { cel: 0.1 * noise.normal(), percent: noise.normal() }
  let status = 0x8010
  let answer: { readonly bytes: Uint8Array; readonly fromS: number } | undefined

  const measure = (scatterCel: number): Uint8Array => {
    const warmer = (status & 0x2000) === 0 ? 0 : HEATER_CEL
    const scatter = instant ? 0 : scatterCel * noise.normal()
    const cel = temperatureCel() + warmer + offset.cel + scatter
    // Warm air of the same water content is relatively drier, by about 6 % of the value for each °C.
    const percent = humidityPercent() * 0.94 ** warmer + offset.percent + (instant ? 0 : 0.1 * noise.normal())
    return checked(Math.round(((cel + 45) / 175) * 65535), Math.round((percent / 100) * 65535))
  }
  const command = (code: number): boolean => {
    const measurement = MEASUREMENT[code]
    if (measurement !== undefined) {
      answer = { bytes: measure(measurement.scatterCel), fromS: instant ? 0 : nowS() + measurement.s }
      return true
    }
    answer = undefined
    if (code === 0xf32d) answer = { bytes: checked(status), fromS: 0 }
    else if (code === 0x306d) status |= 0x2000
    else if (code === 0x3066) status &= ~0x2000
    else if (code === 0x3041) status &= ~0x8c10
    else return false
    return true
  }
  return {
    write: (bytes) => bytes.length === 2 && command(((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)),
    read: (length) => {
      if (answer === undefined || nowS() < answer.fromS) return undefined
      const bytes = Uint8Array.from({ length }, (_, i) => answer?.bytes[i] ?? 0xff)
      answer = undefined
      return bytes
    },
    powerOn: () => {
      status = 0x8010
      answer = undefined
    },
  }
}

/** Words, each with its checksum behind it: x^8 + x^5 + x^4 + 1 from 0xFF on. */
function checked(...words: number[]): Uint8Array {
  return Uint8Array.from(
    words.flatMap((word) => {
      const clipped = Math.max(0, Math.min(0xffff, word))
      let register = 0xff
      for (let i = 15; i >= 0; i--) {
        const top = (register >> 7) ^ ((clipped >> i) & 1)
        register = (register << 1) & 0xff
        if (top === 1) register ^= 0x31
      }
      return [clipped >> 8, clipped & 0xff, register]
    }),
  )
}

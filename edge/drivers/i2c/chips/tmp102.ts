/**
 * TMP102: TI datasheet SBOS397H, December 2018: "Temperature Register" with "12-Bit" and "13-Bit Temperature Data
 * Format"; "Configuration Register" (extended mode, conversion rate, read-only resolution bits); "Serial Bus Address".
 */
import * as z from 'zod'
import { chipModel, range, signed } from '../chip.ts'
import { CONFIGURATION, thermometer } from './thermometer.ts'

const RATES_HZ = [0.25, 1, 4, 8]
/** R1 and R0, which always read 1; the resolution is what EM says. */
const READ_ONLY_ONES = 0x6000
const EXTENDED = 0x0010
/** All but OS (one-shot, reads as "done") and AL (the state of the alert). */
const KEPT = 0x7fd0

const settingsSchema = z.strictObject({
  bits: z
    .union([z.literal(12), z.literal(13)])
    .default(12)
    .describe('12 up to 128 °C, or 13 up to 150 °C, in steps of 0.0625 °C alike. Default: 12.'),
  rateHz: z
    .union([z.literal(0.25), z.literal(1), z.literal(4), z.literal(8)])
    .default(4)
    .describe('How often it measures: 0.25, 1, 4 or 8 times a second. Default: 4.'),
})

/** Degrees Celsius; bit 0 of the word says which of the two formats it is in. */
export function tmp102Celsius(word: number): number {
  return (word & 1) === 0 ? signed(word >> 4, 12) / 16 : signed(word >> 3, 13) / 16
}

export const tmp102 = chipModel({
  name: 'tmp102',
  title: 'TMP102: temperature, -40 to 125 °C, within 2 °C up to 85 °C, within 3 °C beyond.',
  addresses: range(0x48, 0x4b),
  settingsSchema,
  create: ({ bits, rateHz }) => {
    const wanted = READ_ONLY_ONES | (RATES_HZ.indexOf(rateHz) << 6) | (bits === 13 ? EXTENDED : 0)
    return thermometer({
      name: 'TMP102',
      celsiusOf: tmp102Celsius,
      step: 0.0625,
      // "Electrical Characteristics": from -40 to 125 °C; 2 °C from -25 to 85 °C.
      boundCel: 3,
      lowCel: -40,
      highCel: 125,
      conversionMs: 35,
      rateHz,
      writeConfiguration: (wire) => wire.writeWord(CONFIGURATION, wanted),
      isConfigured: async (wire) => ((await wire.readWord(CONFIGURATION)) & KEPT) === wanted,
    })
  },
})

/**
 * TMP105: TI datasheet SLLS648D, September 2011: "Temperature Register" with table 5; "Configuration Register" with
 * "Resolution of the TMP105" and its conversion times; "Serial Bus Address".
 */
import * as z from 'zod'
import { chipModel, signed } from '../chip.ts'
import { CONFIGURATION, thermometer } from './thermometer.ts'

const settingsSchema = z.strictObject({
  bits: z
    .union([z.literal(9), z.literal(10), z.literal(11), z.literal(12)])
    .default(12)
    .describe('9, 10, 11 or 12: steps of 0.5, 0.25, 0.125 or 0.0625 °C; each bit doubles the time. Default: 12.'),
})

/** The longest conversion with 9 bits; each bit more takes twice as long. */
const CONVERSION_9_BITS_MS = 37.5
/** All but OS, which reads 0. */
const KEPT = 0x7f

/** Degrees Celsius; with fewer bits the lowest ones are 0. */
export const tmp105Celsius = (word: number): number => signed(word >> 4, 12) / 16

export const tmp105 = chipModel({
  name: 'tmp105',
  title: 'TMP105: temperature, -40 to 125 °C, within 2 °C up to 85 °C, within 3 °C beyond.',
  addresses: [0x48, 0x49],
  settingsSchema,
  create: ({ bits }) => {
    const wanted = (bits - 9) << 5
    const conversionMs = CONVERSION_9_BITS_MS * 2 ** (bits - 9)
    return thermometer({
      name: 'TMP105',
      celsiusOf: tmp105Celsius,
      step: 2 ** (8 - bits),
      // "Electrical Characteristics": from -40 to 125 °C; 2 °C from -25 to 85 °C.
      boundCel: 3,
      lowCel: -40,
      highCel: 125,
      conversionMs,
      rateHz: 1000 / conversionMs,
      writeConfiguration: (wire) => wire.writeByte(CONFIGURATION, wanted),
      isConfigured: async (wire) => ((await wire.readByte(CONFIGURATION)) & KEPT) === wanted,
    })
  },
})

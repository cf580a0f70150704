/**
 * LM75: TI (National) datasheet SNOS808P, "Temperature Data Format", "Configuration Register", for 9 bits. NXP datasheet
 * LM75B, rev. 6.1, "Temperature register", for 11 bits in the same place; relatives have 10.
 */
import * as z from 'zod'
import { chipModel, range, signed } from '../chip.ts'
import { CONFIGURATION, thermometer } from './thermometer.ts'

const settingsSchema = z.strictObject({
  bits: z
    .union([z.literal(9), z.literal(10), z.literal(11)])
    .default(9)
    .describe("How many bits the maker's chip has: 9 (LM75, LM75C), 10, or 11 (LM75A and LM75B of NXP). Default: 9."),
})

/** Comparator mode, measuring all the time: as after power-on. */
const NORMAL = 0x00
const CONFIGURATION_BITS = 0x1f

/** Degrees Celsius of a word with so many bits; the others are not defined by all makers. */
export const lm75Celsius = (word: number, bits: number): number => signed(word >> (16 - bits), bits) * 2 ** (8 - bits)

export const lm75 = chipModel({
  name: 'lm75',
  title: 'LM75: temperature, -55 to 125 °C, within 2 °C up to 100 °C, within 3 °C beyond.',
  addresses: range(0x48, 0x4f),
  settingsSchema,
  create: ({ bits }) =>
    thermometer({
      name: 'LM75',
      celsiusOf: (word) => lm75Celsius(word, bits),
      step: 2 ** (8 - bits),
      // "Temperature-to-Digital Converter Characteristics": from -55 to 125 °C; 2 °C from -25 to 100 °C.
      boundCel: 3,
      lowCel: -55,
      highCel: 125,
      // The slowest of the family, by SNOS808P.
      conversionMs: 300,
      rateHz: 10,
      writeConfiguration: (wire) => wire.writeByte(CONFIGURATION, NORMAL),
      isConfigured: async (wire) => ((await wire.readByte(CONFIGURATION)) & CONFIGURATION_BITS) === NORMAL,
    }),
})

/**
 * ADS1115: TI SBAS444D. Registers: "Register Map", conversion and config register (multiplexer, gain, rate, OS bit); data
 * format: "Data Format"; data rate within 10 %, gain error 0.15 %, offset error 3 LSB: "Electrical Characteristics".
 */
import { identifierSchema } from '@fernlab/shared/capabilities/signals'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import type { SignalValue } from '../../driver.ts'
import { reading } from '../../reading.ts'
import { type Chip, type ChipPort, chipModel, chipReset, range, signed, wrongChip } from '../chip.ts'

const CONVERSION = 0x00
const CONFIG = 0x01
/** Written 1 it begins a conversion; read 1 there is none under way. */
const START = 0x8000
const SINGLE_SHOT = 0x0100
const NO_COMPARATOR = 0x0003
/** All but START. */
const KEPT = 0x7fff

/** In the order of the multiplexer's codes. */
const PINS = ['A0-A1', 'A0-A3', 'A1-A3', 'A2-A3', 'A0', 'A1', 'A2', 'A3'] as const
/** In the order of the amplifier's codes: the voltage at the end of the scale. */
const RANGES_V = [6.144, 4.096, 2.048, 1.024, 0.512, 0.256] as const
const RATES_HZ = [8, 16, 32, 64, 128, 250, 475, 860] as const

const oneOf = (values: readonly number[]) =>
  z.number().refine((value) => values.includes(value), { error: `must be one of ${values.join(', ')}` })

const inputSchema = z.strictObject({
  pin: z.enum(PINS).describe('A0 to A3 against ground, or A0-A1, A0-A3, A1-A3 or A2-A3 against each other.'),
  rangeV: oneOf(RANGES_V)
    .default(2.048)
    .describe('The end of the scale in V: 6.144, 4.096, 2.048 (default), 1.024, 0.512 or 0.256.'),
})

const settingsSchema = z.strictObject({
  rateHz: oneOf(RATES_HZ)
    .default(128)
    .describe('Conversions a second: 8, 16, 32, 64, 128 (default), 250, 475 or 860; slower ones are less noisy.'),
  inputs: z
    .record(identifierSchema, inputSchema)
    .refine((inputs) => Object.keys(inputs).length > 0, { error: 'has no inputs' })
    .default({
      a0: { pin: 'A0', rangeV: 4.096 },
      a1: { pin: 'A1', rangeV: 4.096 },
      a2: { pin: 'A2', rangeV: 4.096 },
      a3: { pin: 'A3', rangeV: 4.096 },
    })
    .describe('The signals by name. Default: a0 to a3, each against ground, up to 4.096 V.'),
})
type Input = z.infer<typeof inputSchema>

/** Volts of a conversion; throws `reading-overload` at either end of the scale. */
export function ads1115Volts(word: number, rangeV: number, name: string): number {
  const counts = signed(word, 16)
  if (counts < 0x7fff && counts > -0x8000) return (counts / 32768) * rangeV
  throw new LabError({
    code: 'reading-overload',
    kind: 'instrument',
    retry: 'later',
    message: `${name}: the voltage is at or beyond the end of its range of ${rangeV} V`,
    studentMessage: 'A voltage is beyond the range of its input.',
  })
}

/** The config register that begins a conversion. */
export const ads1115Config = ({ pin, rangeV }: Input, rateHz: number): number =>
  START |
  (PINS.indexOf(pin) << 12) |
  (RANGES_V.indexOf(rangeV as (typeof RANGES_V)[number]) << 9) |
  SINGLE_SHOT |
  (RATES_HZ.indexOf(rateHz as (typeof RATES_HZ)[number]) << 5) |
  NO_COMPARATOR

export const ads1115 = chipModel({
  name: 'ads1115',
  title: 'ADS1115: four voltages with 16 bits.',
  addresses: range(0x48, 0x4b),
  settingsSchema,
  create: ({ rateHz, inputs }): Chip => {
    const entries = Object.entries(inputs)
    // 10 % slower than it says, and 30 µs to wake up.
    const conversionMs = 1100 / rateHz + 0.03
    const idle = ads1115Config((entries[0] as [string, Input])[1], rateHz)
    const check = async (port: ChipPort) => {
      const kept = await port.use((wire) => wire.readWord(CONFIG))
      // The bits that are alike for all inputs. Each conversion writes all of them, so a loss of power spoils nothing.
      if ((kept & 0x01ff) !== (idle & 0x01ff)) throw wrongChip('what answers does not keep the settings of an ADS1115')
    }
    const convert = async (name: string, input: Input, port: ChipPort) => {
      const config = ads1115Config(input, rateHz)
      await port.use((wire) => wire.writeWord(CONFIG, config))
      await port.wait(conversionMs)
      return await port.use(async (wire) => {
        const kept = await wire.readWord(CONFIG)
        if ((kept & KEPT) !== (config & KEPT)) throw chipReset('ADS1115')
        if ((kept & START) === 0) throw notReady()
        return ads1115Volts(await wire.readWord(CONVERSION), input.rangeV, name)
      })
    }
    return {
      signals: entries.map(([name, { pin, rangeV }]) =>
        reading(name, 'V', {
          title: `${name} (${pin})`,
          limits: { low: pin.length > 2 ? -rangeV : 0, high: rangeV },
          precision: 5,
          readS: (conversionMs + 1) / 1000,
          maxRateHz: Math.max(1, Math.floor(1000 / (conversionMs + 1))),
          uncertainty: { absolute: (3 * rangeV) / 32768 / Math.sqrt(3), relative: 0.0015 / Math.sqrt(3) },
        }),
      ),
      initialise: async (port) => {
        await port.use((wire) => wire.writeWord(CONFIG, idle & KEPT))
        await check(port)
      },
      verify: check,
      identify: async (port) => {
        await check(port)
        return 'ADS1115'
      },
      read: async (names, port) => {
        const values: Record<string, SignalValue> = {}
        for (const name of names) values[name] = await convert(name, inputs[name] as Input, port)
        return values
      },
    }
  },
})

function notReady(): LabError {
  return new LabError({
    code: 'i2c-not-ready',
    kind: 'instrument',
    retry: 'now',
    message: 'the ADS1115 has not finished its conversion in the time that it may take',
  })
}

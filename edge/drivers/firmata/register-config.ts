/** What node.yaml says of registers of I2C chips at the board, and what can be wrong with it. */
import { identifierSchema, limitsSchema, numberSchemas, unitSchema } from '@fernlab/shared/capabilities/signals'
import type { Finding } from '@fernlab/shared/contracts/yaml-file'
import * as z from 'zod'
import { limitsOf, settableNumbers } from './registers.ts'

const { precision, resolution, minSetIntervalS, settlingS, uncertainty } = numberSchemas

const registerSchema = z.strictObject({
  title: z.string().min(1).max(80).describe('What people call it.').exactOptional(),
  precision,
  resolution,
  uncertainty,
  unit: unitSchema.default('1').describe('In UCUM spelling: Cel, hPa, mV; without, a plain number.'),
  address: z.int().min(0x08).max(0x77).describe("The chip's address, of 7 bits."),
  register: z.int().min(0).max(255).describe('The register, or the command, that comes before the bytes.'),
  type: z
    .enum(['int8', 'uint8', 'int16', 'uint16', 'int24', 'uint24', 'int32', 'uint32'])
    .describe('How the number is written.'),
  bytes: z.enum(['high-first', 'low-first']).default('high-first').describe('Which byte comes first.'),
  access: z
    .enum(['read', 'read-set', 'set'])
    .default('read')
    .describe('`read-set`: what was set is read back from the chip; `set`: one that cannot be read so.'),
  mask: z
    .int()
    .positive()
    .describe('Bits that count, before scale and offset; of one that is only read.')
    .exactOptional(),
  scale: z
    .number()
    .refine((scale) => scale !== 0, 'must not be 0')
    .default(1)
    .describe('The value is the number times this.'),
  offset: z.number().default(0).describe('Added to that.'),
  limits: limitsSchema.describe('Values outside are never written. Default: what the type can hold.').exactOptional(),
  initial: z.number().describe('Written once the board is connected. Default: as `safe`, or nothing.').exactOptional(),
  safe: z.number().describe('Written as the node ends. Default: nothing.').exactOptional(),
  minSetIntervalS,
  settlingS,
})

export const i2cSchema = z.strictObject({
  delayUs: z
    .int()
    .min(0)
    .max(16_383)
    .default(0)
    .describe("Between a register's address and its bytes, for chips that need it."),
  restart: z.boolean().default(false).describe('Without a stop between them. Firmata 2.5 or later.'),
  registers: z
    .record(identifierSchema.max(40), registerSchema)
    .refine((registers) => Object.keys(registers).length > 0, 'must name at least one')
    .describe('Registers of chips, by the names of their signals.'),
})

export type RegisterConfig = z.infer<typeof registerSchema>

const FOR_SETTING = ['limits', 'initial', 'safe', 'minSetIntervalS', 'settlingS'] as const

/** What the schema can not say of registers that are set. */
export function registerFindings(registers: Readonly<Record<string, RegisterConfig>>): Finding[] {
  return Object.entries(registers).flatMap(([name, config]) => {
    const at = (key: string, message: string): Finding => ({ path: ['i2c', 'registers', name, key], message })
    if (config.access === 'read') {
      return FOR_SETTING.filter((key) => config[key] !== undefined).map((key) =>
        at(key, 'is for a register that is set: access'),
      )
    }
    if (config.mask !== undefined) return [at('mask', 'is for one that is only read: bits beside it would be lost')]
    if (settableNumbers(config) === undefined) return [at('limits', 'leave no value that the register can hold')]
    const { low, high } = limitsOf(config)
    return (['initial', 'safe'] as const).flatMap((key) => {
      const value = config[key]
      return value === undefined || (value >= low && value <= high) ? [] : [at(key, `is outside ${low} to ${high}`)]
    })
  })
}

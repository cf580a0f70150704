/**
 * PCA9685: NXP datasheet rev. 4, April 2015. Addresses: 7.1; MODE1: table 5; outputs, full on and full off: 7.3.3 and tables
 * 6 and 7; all outputs at once: table 8; prescaler: 7.3.5.
 */
import type { I2cWire } from '@fernlab/firmware-bridge/i2c/adapter'
import { identifierSchema, type SignalSpec } from '@fernlab/shared/capabilities/signals'
import * as z from 'zod'
import type { SignalValue } from '../../driver.ts'
import { reading } from '../../reading.ts'
import { type Chip, type ChipPort, chipModel, chipReset, range, wrongChip } from '../chip.ts'

const MODE1 = 0x00
const MODE2 = 0x01
const FIRST_OUTPUT = 0x06
const ALL_OFF_HIGH = 0xfd
const PRESCALE = 0xfe

const SLEEP = 0x10
/** Reads 1 after a sleep that outputs were running at; says nothing of the settings. */
const RESTART = 0x80
/** The register's number goes up with each byte, and the chip does not answer to the address of all. */
const AUTO_INCREMENT = 0x20
const INVERTED = 0x10
const TOTEM_POLE = 0x04
const FULL = 0x10
const STEPS = 4096
const OSCILLATOR_HZ = 25e6
const OSCILLATOR_MS = 1
/** The address to which all of them answer after power-on. */
const ALL_CALL = 0x70

const settingsSchema = z.strictObject({
  frequencyHz: z
    .number()
    .min(24)
    .max(1526)
    .default(200)
    .describe('Of all outputs, in Hz: 24 to 1526. 50 for servos. Default: 200.'),
  inverted: z.boolean().default(false).describe('Whether the outputs are low while they are on. Default: false.'),
  openDrain: z.boolean().default(false).describe('Whether the outputs only pull to ground. Default: false.'),
  channels: z
    .record(identifierSchema, z.int().min(0).max(15))
    .refine((channels) => Object.keys(channels).length > 0, { error: 'has no channels' })
    .refine((channels) => !Object.hasOwn(channels, 'frequency'), { error: 'frequency is a signal of the chip itself' })
    .refine((channels) => new Set(Object.values(channels)).size === Object.keys(channels).length, {
      error: 'has a channel twice',
    })
    .default(Object.fromEntries(range(0, 15).map((channel) => [`pwm${channel}`, channel])))
    .describe('The signals by name, each with its channel 0 to 15. Default: pwm0 to pwm15.'),
})
type Settings = z.infer<typeof settingsSchema>

/** What the prescaler's register holds for a frequency (7.3.5, equation 1). */
export const pca9685Prescale = (frequencyHz: number): number =>
  Math.min(255, Math.max(3, Math.round(OSCILLATOR_HZ / (STEPS * frequencyHz)) - 1))

/** The four registers of an output that is on for so many of its 4096 steps. */
export function pca9685Registers(steps: number): Uint8Array {
  if (steps <= 0) return Uint8Array.of(0, 0, 0, FULL)
  if (steps >= STEPS) return Uint8Array.of(0, FULL, 0, 0)
  return Uint8Array.of(0, 0, steps & 0xff, steps >> 8)
}

/** For how many of its steps an output is on. */
export function pca9685Steps([onLow = 0, onHigh = 0, offLow = 0, offHigh = 0]: Uint8Array): number {
  if ((offHigh & FULL) !== 0) return 0
  if ((onHigh & FULL) !== 0) return STEPS
  return ((((offHigh & 0x0f) << 8) | offLow) - (((onHigh & 0x0f) << 8) | onLow) + STEPS) % STEPS
}

export const pca9685 = chipModel({
  name: 'pca9685',
  title: 'PCA9685: 16 outputs with pulse widths of 12 bits.',
  addresses: range(0x40, 0x77).filter((address) => address !== ALL_CALL),
  settingsSchema,
  create: (settings) => createPca9685(settings),
})

function createPca9685({ frequencyHz, inverted, openDrain, channels }: Settings): Chip {
  const prescale = pca9685Prescale(frequencyHz)
  const actualHz = OSCILLATOR_HZ / (STEPS * (prescale + 1))
  const mode2 = (inverted ? INVERTED : 0) | (openDrain ? 0 : TOTEM_POLE)

  const isConfigured = (port: ChipPort) =>
    port.use(
      async (wire) =>
        (await runs(wire)) && (await wire.readByte(MODE2)) === mode2 && (await wire.readByte(PRESCALE)) === prescale,
    )
  // In the transaction of each reading and setting: after a loss of power it sleeps, and drives nothing.
  const requireRunning = async (wire: I2cWire) => {
    if (!(await runs(wire))) throw chipReset('PCA9685')
  }
  const registersOf = async (channel: number, wire: I2cWire) => {
    await requireRunning(wire)
    return await wire.readBlock(FIRST_OUTPUT + 4 * channel, 4)
  }
  const verify = async (port: ChipPort) => {
    if (!(await isConfigured(port))) throw chipReset('PCA9685')
  }
  return {
    signals: [
      ...Object.entries(channels).map(
        ([name, channel]): SignalSpec => ({
          ...reading(name, '%', {
            title: `${name} (channel ${channel})`,
            access: 'read-set',
            limits: { low: 0, high: 100 },
          }),
          precision: 2,
          settlingS: 1 / actualHz,
        }),
      ),
      { ...reading('frequency', 'Hz'), kind: 'configuration', precision: 1 },
    ],
    initialise: async (port) => {
      // Outputs that run as they should are left alone, so that a node that starts again moves nothing.
      if (await isConfigured(port)) return
      await port.use(async (wire) => {
        // Before the sleep: from outputs that run at it a restart would be left to do.
        await wire.writeByte(ALL_OFF_HIGH, FULL)
        await wire.writeByte(MODE1, SLEEP | AUTO_INCREMENT)
        await wire.writeByte(MODE2, mode2)
        await wire.writeByte(PRESCALE, prescale)
        await wire.writeByte(MODE1, AUTO_INCREMENT)
      })
      await port.wait(OSCILLATOR_MS)
      if (!(await isConfigured(port))) throw wrongChip('what answers does not keep the settings of a PCA9685')
    },
    verify,
    identify: async (port) => {
      await verify(port)
      return 'PCA9685'
    },
    read: async (names, port) => {
      const values: Record<string, SignalValue> = {}
      for (const name of names) {
        const channel = channels[name]
        values[name] =
          channel === undefined
            ? actualHz
            : (100 * pca9685Steps(await port.use((wire) => registersOf(channel, wire)))) / STEPS
      }
      return values
    },
    // All four registers in one transfer: an output is never on for a width that nobody asked for.
    set: async (name, value, port) => {
      const steps = Math.round((Number(value) / 100) * STEPS)
      const first = FIRST_OUTPUT + 4 * (channels[name] ?? 0)
      await port.use(async (wire) => {
        await requireRunning(wire)
        await wire.writeBlock(first, pca9685Registers(steps))
      })
    },
  }
}

const runs = async (wire: I2cWire): Promise<boolean> => ((await wire.readByte(MODE1)) & ~RESTART) === AUTO_INCREMENT

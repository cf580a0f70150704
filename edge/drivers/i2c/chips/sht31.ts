/**
 * SHT31-DIS: Sensirion "Datasheet SHT3x-DIS", version 5, May 2018. Single shot commands: table 9; heater: table 16; status
 * register and clearing it: tables 17 to 19; checksum: table 20; conversion: section 4.13; durations: table 4; accuracy:
 * tables 1 and 2 (typical).
 */
import type { I2cWire } from '@fernlab/firmware-bridge/i2c/adapter'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import type { SignalValue } from '../../driver.ts'
import { boundedBy, reading } from '../../reading.ts'
import { type Chip, type ChipPort, chipModel, chipReset } from '../chip.ts'

/** Without clock stretching: the second byte of the command, and the longest measurement. */
const REPEATABILITY = {
  high: { command: 0x00, ms: 16 },
  medium: { command: 0x0b, ms: 7 },
  low: { command: 0x16, ms: 5 },
} as const
const SINGLE_SHOT = 0x24
const READ_STATUS = Uint8Array.of(0xf3, 0x2d)
const HEATER_ON = 0x2000
const RESET_DETECTED = 0x0010
/** Between two commands, by the note to table 9. */
const PAUSE_MS = 1

const settingsSchema = z.strictObject({
  repeatability: z
    .enum(['high', 'medium', 'low'])
    .default('high')
    .describe(
      'How little readings scatter: high (0.04 °C, 16 ms), medium (7 ms) or low (0.15 °C, 5 ms). Default: high.',
    ),
})

export const sht31 = chipModel({
  name: 'sht31',
  title: 'SHT31: temperature and relative humidity.',
  addresses: [0x44, 0x45],
  settingsSchema,
  create: ({ repeatability }): Chip => {
    const { command, ms } = REPEATABILITY[repeatability]
    const rest = { readS: (ms + 1) / 1000, maxRateHz: Math.floor(1000 / (ms + 2)) }
    return {
      signals: [
        reading('temperature', 'Cel', { ...rest, precision: 2, uncertainty: boundedBy(0.2, 175 / 65535) }),
        reading('humidity', '%', { ...rest, precision: 2, uncertainty: boundedBy(2, 100 / 65535) }),
        { ...reading('heater', '1'), title: 'Heater', dtype: 'boolean', kind: 'configuration', access: 'read-set' },
      ],
      initialise: async (port) => {
        // A reply with a good checksum is the nearest that it has to saying what it is.
        await port.use((wire) => status(wire))
        await send(port, 0x30, 0x66)
        await send(port, 0x30, 0x41)
      },
      verify,
      identify: async (port) => {
        await verify(port)
        return 'SHT31'
      },
      read: async (names, port) => ({
        ...(names.some((name) => name !== 'heater') ? await measure(port, command, ms) : {}),
        ...(names.includes('heater') ? { heater: ((await port.use(status)) & HEATER_ON) !== 0 } : {}),
      }),
      set: (_name, value, port) => send(port, 0x30, value === true ? 0x6d : 0x66),
    }
  },
})

async function verify(port: ChipPort): Promise<void> {
  if (((await port.use(status)) & RESET_DETECTED) !== 0) throw chipReset('SHT31')
}

/** A command is two bytes, which on the wire are a register and its byte. */
async function send(port: ChipPort, high: number, low: number): Promise<void> {
  await port.use((wire) => wire.writeByte(high, low))
  await port.wait(PAUSE_MS)
}

async function status(wire: I2cWire): Promise<number> {
  await wire.write(READ_STATUS)
  return checkedWord(await wire.read(3), 0)
}

async function measure(port: ChipPort, command: number, ms: number): Promise<Record<string, SignalValue>> {
  await port.use((wire) => wire.writeByte(SINGLE_SHOT, command))
  await port.wait(ms)
  return sht31Values(await port.use((wire) => wire.read(6)))
}

/** °C and % of the six bytes of a measurement; throws `i2c-checksum-wrong`. */
export function sht31Values(bytes: Uint8Array): { temperature: number; humidity: number } {
  return {
    temperature: -45 + (175 * checkedWord(bytes, 0)) / 65535,
    humidity: (100 * checkedWord(bytes, 3)) / 65535,
  }
}

function checkedWord(bytes: Uint8Array, at: number): number {
  const [high = 0, low = 0, crc] = bytes.subarray(at, at + 3)
  if (crc8(bytes.subarray(at, at + 2)) === crc) return (high << 8) | low
  throw new LabError({
    code: 'i2c-checksum-wrong',
    kind: 'instrument',
    retry: 'now',
    message:
      'SHT31: the checksum of its answer is wrong, so the reading was thrown away: check for long or loose wires',
    studentMessage: 'A sensor’s answer was garbled on its way, and was thrown away.',
  })
}

/** Polynomial 0x31, from 0xFF on, the highest bit first (table 20). */
export function crc8(bytes: Uint8Array): number {
  let crc = 0xff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x80) === 0 ? (crc << 1) & 0xff : ((crc << 1) ^ 0x31) & 0xff
  }
  return crc
}

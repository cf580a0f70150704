/**
 * INA219: TI SBOS448G. Registers: table 2, configuration register, shunt and bus voltage registers; calibration, current and
 * power: "Programming", equations 1 to 5, with their example; offset by gain, errors over temperature: 7.5, "Electrical
 * Characteristics", of the grade A.
 */
import type { I2cWire } from '@fernlab/firmware-bridge/i2c/adapter'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import { reading } from '../../reading.ts'
import { type Chip, type ChipPort, chipModel, chipReset, range, signed, wrongChip } from '../chip.ts'

const CONFIGURATION = 0x00
const SHUNT_VOLTAGE = 0x01
const BUS_VOLTAGE = 0x02
const POWER = 0x03
const CURRENT = 0x04
const CALIBRATION = 0x05

const SHUNT_STEP_V = 10e-6
const BUS_STEP_V = 4e-3
const OVERFLOW = 0x0001
/** Shunt and bus voltage, one after the other, all the time. */
const CONTINUOUS = 0x0007
/** With 12 bits, one conversion of either. */
const CONVERSION_MS = 0.586
/** Of an INA219A, by the range of the shunt's voltage; half as much for an INA219B. */
const OFFSETS_V = [100e-6, 125e-6, 150e-6, 200e-6] as const
const AVERAGED = [1, 2, 4, 8, 16, 32, 64, 128] as const

const settingsSchema = z.strictObject({
  shuntOhm: z.number().min(1e-4).max(100).default(0.1).describe('The resistor in the line, in Ohm. Default: 0.1.'),
  maxCurrentA: z
    .number()
    .min(1e-4)
    .max(1000)
    .default(3.2)
    .describe('The largest current that is to be measured, in A; the steps are this / 32768. Default: 3.2.'),
  averaged: z
    .number()
    .refine((count) => (AVERAGED as readonly number[]).includes(count), {
      error: `must be one of ${AVERAGED.join(', ')}`,
    })
    .default(8)
    .describe('How many measurements are averaged: 1, 2, 4, 8 (default), 16, 32, 64 or 128.'),
})
type Settings = z.infer<typeof settingsSchema>

export interface Ina219Scale {
  readonly configuration: number
  readonly calibration: number
  readonly currentStepA: number
  readonly powerStepW: number
  /** The largest voltage across the shunt. */
  readonly shuntRangeV: number
  /** By how much a voltage across the shunt may be off. */
  readonly offsetV: number
}

/** How the registers of a chip with such a shunt are to be read; undefined when the shunt's voltage would not fit. */
export function ina219Scale({ shuntOhm, maxCurrentA, averaged }: Settings): Ina219Scale | undefined {
  // A cent of slack: 3.2 A across 0.1 Ohm is the chip's own 320 mV.
  const gain = [0.04, 0.08, 0.16, 0.32].findIndex((rangeV) => maxCurrentA * shuntOhm <= rangeV * (1 + 1e-9))
  const wanted = maxCurrentA / 32768
  // The lowest bit of the register can not be written.
  const calibration = Math.trunc(0.04096 / (wanted * shuntOhm)) & ~1
  if (gain < 0 || calibration < 2 || calibration > 0xfffe) return undefined
  const currentStepA = 0.04096 / (calibration * shuntOhm)
  const adc = 0x8 | Math.log2(averaged)
  return {
    configuration: 0x2000 | (gain << 11) | (adc << 7) | (adc << 3) | CONTINUOUS,
    calibration,
    currentStepA,
    powerStepW: 20 * currentStepA,
    shuntRangeV: 0.04 * 2 ** gain,
    offsetV: OFFSETS_V[gain] as number,
  }
}

export const ina219 = chipModel({
  name: 'ina219',
  title: 'INA219: current, voltage and power in a line of up to 26 V.',
  addresses: range(0x40, 0x4f),
  settingsSchema: settingsSchema.refine((settings) => ina219Scale(settings) !== undefined, {
    error: 'maxCurrentA times shuntOhm must be at most 0.32 V, and not so little that the chip can not count it',
  }),
  create: (settings) => createIna219(settings, ina219Scale(settings) as Ina219Scale),
})

function createIna219(settings: Settings, scale: Ina219Scale): Chip {
  const { configuration, calibration, currentStepA, powerStepW, shuntRangeV, offsetV } = scale
  const measurementMs = 2 * CONVERSION_MS * settings.averaged
  const rest = { readS: 0.003, maxRateHz: Math.max(1, Math.floor(1000 / measurementMs)) }
  // From -25 to 85 °C, of current and voltage alike.
  const gain = 0.01 / Math.sqrt(3)
  const offsetA = offsetV / settings.shuntOhm / Math.sqrt(3)
  const isConfigured = async (wire: I2cWire) =>
    (await wire.readWord(CONFIGURATION)) === configuration && (await wire.readWord(CALIBRATION)) === calibration
  const verify = async (port: ChipPort) => {
    if (!(await port.use(isConfigured))) throw chipReset('INA219')
  }
  return {
    signals: [
      reading('current', 'A', { ...rest, precision: 4, uncertainty: { absolute: offsetA, relative: gain } }),
      reading('bus_voltage', 'V', { ...rest, precision: 3, uncertainty: { absolute: BUS_STEP_V, relative: gain } }),
      reading('power', 'W', { ...rest, precision: 3, uncertainty: { relative: 2 * gain } }),
      reading('shunt_voltage', 'V', {
        ...rest,
        precision: 5,
        limits: { low: -shuntRangeV, high: shuntRangeV },
        uncertainty: { absolute: offsetV / Math.sqrt(3), relative: gain },
      }),
    ],
    initialise: async (port) => {
      await port.use(async (wire) => {
        await wire.writeWord(CONFIGURATION, configuration)
        await wire.writeWord(CALIBRATION, calibration)
      })
      if (!(await port.use(isConfigured))) throw wrongChip('what answers does not keep the settings of an INA219')
      await port.wait(measurementMs + 1)
    },
    verify,
    identify: async (port) => {
      await verify(port)
      return 'INA219'
    },
    // In one transaction, with the calibration: without it, as after a loss of power, current and power read 0.
    read: async (_names, port) =>
      await port.use(async (wire) => {
        const shunt = signed(await wire.readWord(SHUNT_VOLTAGE), 16) * SHUNT_STEP_V
        const bus = await wire.readWord(BUS_VOLTAGE)
        const power = await wire.readWord(POWER)
        const current = signed(await wire.readWord(CURRENT), 16)
        if ((await wire.readWord(CALIBRATION)) !== calibration) throw chipReset('INA219')
        if ((bus & OVERFLOW) !== 0 || Math.abs(shunt) >= shuntRangeV) throw overload(settings.maxCurrentA)
        return {
          current: current * currentStepA,
          bus_voltage: (bus >> 3) * BUS_STEP_V,
          power: power * powerStepW,
          shunt_voltage: shunt,
        }
      }),
  }
}

function overload(maxCurrentA: number): LabError {
  return new LabError({
    code: 'reading-overload',
    kind: 'instrument',
    retry: 'later',
    message: `the current is beyond what the INA219 is set up for (${maxCurrentA} A)`,
    studentMessage: 'A current is beyond the range of its meter.',
  })
}

/**
 * BME280: Bosch BST-BME280-DS002. Forced mode: section 3.3.3; memory map: section 5.3 (ctrl_hum, status, ctrl_meas, config,
 * data); measurement time: section 9.1; accuracy: tables 2 to 4.
 */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import { boundedBy, reading } from '../../reading.ts'
import { type Chip, type ChipPort, chipModel, chipReset, wrongChip } from '../chip.ts'
import { bme280Trimming, fineTemperature, humidityPercent, pressurePa, type Trimming } from './bme280-compensation.ts'

const TRIMMING_LOW = 0x88
const TRIMMING_HIGH = 0xe1
const ID = 0xd0
const CTRL_HUM = 0xf2
const STATUS = 0xf3
const CTRL_MEAS = 0xf4
const CONFIG = 0xf5
const DATA = 0xf7

const BME280_ID = 0x60
const FORCED = 0b01
const MEASURING = 0x08
/** What the data registers hold of a quantity that was not measured. */
const SKIPPED = { twenty: 0x80000, sixteen: 0x8000 }

const TIMES: readonly number[] = [1, 2, 4, 8, 16]
const FILTERS = [0, 2, 4, 8, 16] as const
const times = z
  .union([z.literal(1), z.literal(2), z.literal(4), z.literal(8), z.literal(16)])
  .default(1)
  .describe('How many measurements are averaged: 1, 2, 4, 8 or 16. Default: 1.')

const settingsSchema = z.strictObject({
  temperatureTimes: times,
  pressureTimes: times,
  humidityTimes: times,
  filter: z
    .union([z.literal(0), z.literal(2), z.literal(4), z.literal(8), z.literal(16)])
    .default(0)
    .describe('How slowly temperature and pressure follow, in readings: 0 (at once), 2, 4, 8 or 16. Default: 0.'),
})
type Settings = z.infer<typeof settingsSchema>

/** The longest measurement in ms. */
const measurementMs = ({ temperatureTimes, pressureTimes, humidityTimes }: Settings): number =>
  Math.ceil(1.25 + 2.3 * temperatureTimes + (2.3 * pressureTimes + 0.575) + (2.3 * humidityTimes + 0.575))

export const bme280 = chipModel({
  name: 'bme280',
  title: 'BME280: temperature, pressure and relative humidity.',
  addresses: [0x76, 0x77],
  settingsSchema,
  create: (settings) => createBme280(settings),
})

function createBme280(settings: Settings): Chip {
  const ms = measurementMs(settings)
  const field = (count: number) => TIMES.indexOf(count) + 1
  const humidity = field(settings.humidityTimes)
  const config = FILTERS.indexOf(settings.filter) << 2
  const measure = (field(settings.temperatureTimes) << 5) | (field(settings.pressureTimes) << 2)
  let trimming: Trimming | undefined

  const verify = async (port: ChipPort) => {
    const [kept, filter] = await port.use(async (wire) => [await wire.readByte(CTRL_HUM), await wire.readByte(CONFIG)])
    if (((kept ?? 0) & 7) !== humidity || ((filter ?? 0) & 0x1c) !== config) throw chipReset('BME280')
  }
  const rest = { readS: (ms + 2) / 1000, maxRateHz: Math.floor(1000 / (ms + 3)) }
  return {
    signals: [
      reading('temperature', 'Cel', { ...rest, precision: 2, uncertainty: boundedBy(1, 0.01) }),
      reading('pressure', 'Pa', { ...rest, precision: 1, uncertainty: boundedBy(100, 0.18) }),
      reading('humidity', '%', { ...rest, precision: 1, uncertainty: boundedBy(3, 0.008) }),
    ],
    initialise: async (port) => {
      trimming = await port.use(async (wire) => {
        checkId(await wire.readByte(ID))
        const read = bme280Trimming(await wire.readBlock(TRIMMING_LOW, 26), await wire.readBlock(TRIMMING_HIGH, 7))
        if (read.t[0] === 0 || read.p[0] === 0) throw wrongChip('the trimming values of the BME280 are empty')
        await wire.writeByte(CONFIG, config)
        // Takes effect with the next write of CTRL_MEAS, which is that of a measurement.
        await wire.writeByte(CTRL_HUM, humidity)
        return read
      })
      await verify(port)
    },
    verify,
    identify: async (port) => {
      const id = await port.use((wire) => wire.readByte(ID))
      checkId(id)
      return `BME280 (chip id 0x${id.toString(16)})`
    },
    read: async (_names, port) => {
      await port.use((wire) => wire.writeByte(CTRL_MEAS, measure | FORCED))
      await port.wait(ms)
      const data = await port.use(async (wire) => {
        if (((await wire.readByte(STATUS)) & MEASURING) !== 0) throw notMeasured('is still measuring')
        return await wire.readBlock(DATA, 8)
      })
      return valuesOf(trimming as Trimming, data)
    },
  }
}

function checkId(id: number): void {
  if (id === BME280_ID) return
  const what =
    id >= 0x56 && id <= 0x58 ? 'is a BMP280, which measures no humidity' : `has the chip id 0x${id.toString(16)}`
  throw wrongChip(`what answers is no BME280 but ${what}`)
}

function valuesOf(trimming: Trimming, data: Uint8Array): Record<string, number> {
  const twenty = (at: number) => ((data[at] ?? 0) << 12) | ((data[at + 1] ?? 0) << 4) | ((data[at + 2] ?? 0) >> 4)
  const pressure = twenty(0)
  const temperature = twenty(3)
  const humidity = ((data[6] ?? 0) << 8) | (data[7] ?? 0)
  if (temperature === SKIPPED.twenty || pressure === SKIPPED.twenty || humidity === SKIPPED.sixteen) {
    throw notMeasured('has not measured')
  }
  const fine = fineTemperature(trimming, temperature)
  return {
    temperature: fine / 5120,
    pressure: pressurePa(trimming, pressure, fine),
    humidity: humidityPercent(trimming, humidity, fine),
  }
}

function notMeasured(what: string): LabError {
  return new LabError({ code: 'i2c-not-ready', kind: 'instrument', retry: 'now', message: `the BME280 ${what}` })
}

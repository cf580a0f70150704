/** The driver `one-wire`: DS18B20 thermometers by the kernel's w1; see README.md. */
import { emulateDs18b20 } from '@fernlab/firmware-bridge/emulated/ds18b20'
import { createRoom } from '@fernlab/firmware-bridge/emulated/i2c/room'
import { createNoise } from '@fernlab/firmware-bridge/emulated/noise'
import { kernelSensor, type W1Sensor } from '@fernlab/firmware-bridge/one-wire/sensor'
import { Lane } from '@fernlab/firmware-bridge/sessions/lane'
import type { Clock } from '@fernlab/shared/primitives/clock'
import * as z from 'zod'
import type { Driver } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { type Hardware, KeptInstrument } from '../kept-instrument.ts'
import { boundedBy, reading } from '../reading.ts'
import { type Accepted, parseSlave, refusePowerOnValue } from './ds18b20.ts'

const WHAT_SENSOR = 'must be 28- and twelve hexadecimal digits, as in /sys/bus/w1/devices, or {emulated: NAME}'

const emulatedSchema = z.strictObject({
  emulated: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and hyphens')
    .describe('The name of an emulated sensor, which needs no wires; each name is another one.'),
})

const configSchema = z.strictObject({
  sensor: z
    .union([z.string().regex(/^28-[0-9a-f]{12}$/, WHAT_SENSOR), emulatedSchema], {
      error: WHAT_SENSOR,
    })
    .describe('Which sensor: its number as in /sys/bus/w1/devices, 28-0000075c5a3e.'),
  bits: z
    .int()
    .min(9)
    .max(12)
    .describe('Its resolution: 9 (0.5 °C in 94 ms) to 12 (0.0625 °C in 750 ms). Default: as it is.')
    .exactOptional(),
})
type OneWireConfig = z.infer<typeof configSchema>

export interface OneWireDriverOptions {
  /** Where the kernel's sysfs is. */
  readonly sysfs?: string
  /** Emulated sensors by name, in place of the usual one of that name. */
  readonly emulated?: ReadonlyMap<string, W1Sensor>
}

/**
 * The driver for node.yaml's `driver: one-wire`. All its instruments take turns: the kernel keeps a thread of ours for the
 * whole of a conversion, and lets nobody else on the line meanwhile.
 */
export function createOneWireDriver({ sysfs, emulated }: OneWireDriverOptions = {}): Driver {
  const turns = new Lane()
  return driverOf({
    kind: 'one-wire',
    schema: configSchema,
    claims: ({ sensor }) => [{ key: `w1:${idOf(sensor)}`, what: `the sensor ${idOf(sensor)}`, path: ['sensor'] }],
    create: async ({ sensor, bits }, { name, clock }) => {
      const id = idOf(sensor)
      const wired =
        typeof sensor === 'string'
          ? kernelSensor(sensor, sysfs)
          : (emulated?.get(sensor.emulated) ?? emulatedSensor(sensor.emulated, clock))
      const hardware = ds18b20(id, bits, clock)
      return new KeptInstrument({
        spec: { name, driver: 'one-wire', model: 'ds18b20', signals: hardware.signals, actions: [] },
        hardware,
        port: (signal) => ({ use: (work) => turns.alone(signal, () => work(wired)) }),
        use: () => async () => {},
        place: ` ${id}`,
        clock,
      })
    },
  })
}

const idOf = (sensor: OneWireConfig['sensor']): string =>
  typeof sensor === 'string' ? sensor : `emulated:${sensor.emulated}`

function emulatedSensor(name: string, clock: Clock): W1Sensor {
  const nowS = () => clock.monotonic() / 1000
  const room = createRoom({ nowS, noise: createNoise(`${name}/room`), instant: false })
  return emulateDs18b20({ name, clock, temperatureCel: room.temperatureCel })
}

interface SensorPort {
  use<T>(work: (sensor: W1Sensor) => Promise<T>): Promise<T>
}

const DEFAULT_BITS = 12
const CONVERSION_12_BITS_S = 0.75

function ds18b20(id: string, wantedBits: number | undefined, clock: Clock): Hardware<SensorPort> {
  const readS = CONVERSION_12_BITS_S / 2 ** (12 - (wantedBits ?? DEFAULT_BITS)) + 0.02
  let last: Accepted | undefined

  const measure = async (sensor: W1Sensor) => {
    const read = parseSlave(id, await sensor.slave())
    refusePowerOnValue(id, read, last, clock.monotonic())
    // It has lost its power meanwhile; what it measured holds all the same.
    if (wantedBits !== undefined && read.bits !== wantedBits) await sensor.setBits(wantedBits)
    last = { cel: read.cel, ms: clock.monotonic() }
    return { temperature: read.cel, resolution: 2 ** (8 - read.bits) }
  }
  return {
    signals: [
      reading('temperature', 'Cel', {
        limits: { low: -55, high: 125 },
        precision: 2,
        readS,
        maxRateHz: Math.max(0.1, Math.floor(10 / readS) / 10),
        uncertainty: boundedBy(0.5, 2 ** (8 - (wantedBits ?? DEFAULT_BITS))),
      }),
      { ...reading('resolution', 'Cel'), title: 'Resolution', kind: 'configuration', precision: 4, readS },
    ],
    initialise: (port) =>
      port.use(async (sensor) => {
        await sensor.check()
        if (wantedBits !== undefined) await sensor.setBits(wantedBits)
        // What was measured before it was away says nothing of now.
        last = undefined
        parseSlave(id, await sensor.slave())
      }),
    verify: (port) => port.use((sensor) => sensor.check()),
    identify: async (port) => {
      await port.use((sensor) => sensor.check())
      return 'DS18B20'
    },
    read: (_names, port) => port.use(measure),
  }
}

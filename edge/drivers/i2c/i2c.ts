/** The driver `i2c`: chips on an I2C bus, each by its datasheet; see README.md. */
import { hex } from '@fernlab/firmware-bridge/i2c/adapter'
import { type BusConfig, busKey, createI2cBuses, type I2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import type { Clock } from '@fernlab/shared/primitives/clock'
import * as z from 'zod'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { KeptInstrument } from '../kept-instrument.ts'
import type { ChipModel, ChipPort } from './chip.ts'
import { chipModels } from './chips.ts'

const busSchema = z
  .union(
    [
      z.int().min(0).max(255).describe('The number of /dev/i2c-N: 1 on the header of a Raspberry Pi.'),
      z.strictObject({
        emulated: z
          .string()
          .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and hyphens')
          .describe('The name of an emulated board, which has one of each chip; each name is another board.'),
      }),
    ],
    { error: 'must be the number of /dev/i2c-N, or {emulated: NAME}' },
  )
  .describe('The bus that the chip is on.')

/** The driver for node.yaml's `driver: i2c`; all its instruments share `buses`. */
export function createI2cDriver(given?: I2cBuses): Driver {
  let buses = given
  const schema = z.discriminatedUnion(
    'chip',
    chipModels.map(configSchema) as [ReturnType<typeof configSchema>, ...ReturnType<typeof configSchema>[]],
  )
  return driverOf<z.infer<typeof schema>>({
    kind: 'i2c',
    schema,
    claims: ({ bus, address }) => [
      {
        key: `i2c:${busKey(bus)}:${hex(address)}`,
        what: `the address ${hex(address)} on ${typeof bus === 'number' ? `I2C bus ${bus}` : bus.emulated}`,
        path: ['address'],
      },
    ],
    create: async (config, context) => {
      buses ??= createI2cBuses({ clock: context.clock })
      return create(config, context, buses)
    },
  })
}

function configSchema({ name, title, addresses, settingsSchema }: ChipModel) {
  return z.strictObject({
    chip: z.literal(name).describe(title),
    bus: busSchema,
    address: z
      .int()
      .refine((address) => addresses.includes(address), { error: `a ${name} can be at ${addressText(addresses)}` })
      .describe(`Where its address pins put it: ${addressText(addresses)}.`),
    settings: settingsSchema.prefault({}).describe('What can be chosen of the chip.'),
  })
}

/** `0x48, 0x49 or 0x4a`, `0x40 to 0x7f`. */
function addressText(addresses: readonly number[]): string {
  const first = addresses[0] ?? 0
  const last = addresses[addresses.length - 1] ?? 0
  const isRow = addresses.length > 2 && last - first + 1 === addresses.length
  if (isRow) return `${hex(first)} to ${hex(last)}`
  if (addresses.length === 1) return hex(first)
  return `${addresses.slice(0, -1).map(hex).join(', ')} or ${hex(last)}`
}

interface I2cConfig {
  readonly chip: string
  readonly bus: BusConfig
  readonly address: number
  readonly settings: unknown
}

function create({ chip: name, bus: config, address, settings }: I2cConfig, context: DriverContext, buses: I2cBuses) {
  const model = chipModels.find((each) => each.name === name) as ChipModel
  const chip = model.create(settings)
  const bus = buses.bus(config)
  const { clock } = context
  const instrument: Instrument = new KeptInstrument<ChipPort>({
    spec: {
      name: context.name,
      driver: 'i2c',
      model: name,
      signals: chip.signals,
      actions: chip.actions ?? [],
    },
    hardware: chip,
    port: (signal) => ({
      use: (work) => bus.transaction(address, signal, work),
      wait: (ms) => atLeast(clock, ms, signal),
    }),
    use: () => bus.use(),
    place: ` at ${hex(address)} on ${bus.name}`,
    clock,
  })
  return instrument
}

/** Timers count in whole milliseconds, and may fire a little early; a conversion takes what it takes. */
async function atLeast(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const untilMs = clock.monotonic() + ms
  for (let leftMs = ms; leftMs > 0; leftMs = untilMs - clock.monotonic()) await clock.sleep(Math.ceil(leftMs), signal)
}

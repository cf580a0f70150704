/**
 * MCP23017: Microchip DS20001952D, June 2022. Registers with IOCON.BANK = 0: table 3-3; reset values: table 3-5; GPA7 and GPB7
 * are outputs only in this revision, since a level that changes while it is read can spoil the bus: table 1-1.
 */
import type { I2cWire } from '@fernlab/firmware-bridge/i2c/adapter'
import { identifierSchema, type SignalSpec } from '@fernlab/shared/capabilities/signals'
import * as z from 'zod'
import type { SignalValue } from '../../driver.ts'
import { reading } from '../../reading.ts'
import { type Chip, type ChipPort, chipModel, chipReset, range, wrongChip } from '../chip.ts'

/** Of port A; that of port B is the next, so a word holds both, A in its high byte. */
const DIRECTION = 0x00
const POLARITY = 0x02
const PULL_UP = 0x0c
const LEVEL = 0x12
const LATCH = 0x14

const OUTPUTS_ONLY = ['A7', 'B7']

const pinSchema = z
  .strictObject({
    pin: z
      .string()
      .regex(/^[AB][0-7]$/, 'must be A0 to A7 or B0 to B7')
      .describe('A0 to A7, B0 to B7.'),
    mode: z.enum(['input', 'output']).describe('Whether it is read or driven.'),
    activeLow: z.boolean().default(false).describe('Whether it is on while it is low. Default: false.'),
    pullUp: z.boolean().default(false).describe('Of an input: held high by 100 kOhm. Default: false.'),
    initial: z.boolean().default(false).describe('Of an output: whether it begins on. Default: false.'),
  })
  .refine(({ pin, mode }) => mode === 'output' || !OUTPUTS_ONLY.includes(pin), {
    error: 'A7 and B7 are outputs only, by the datasheet of 2022',
    path: ['mode'],
  })
  .refine(({ mode, pullUp }) => mode === 'input' || !pullUp, { error: 'is for inputs', path: ['pullUp'] })
  .refine(({ mode, initial }) => mode === 'output' || !initial, { error: 'is for outputs', path: ['initial'] })
type Pin = z.infer<typeof pinSchema>

const settingsSchema = z.strictObject({
  pins: z
    .record(identifierSchema, pinSchema)
    .refine((pins) => Object.keys(pins).length > 0, { error: 'has no pins' })
    .refine((pins) => new Set(Object.values(pins).map(({ pin }) => pin)).size === Object.keys(pins).length, {
      error: 'has a pin twice',
    })
    .describe('The signals by name, each with its pin; pins that have none stay inputs.'),
})

/** Its place in a word of both ports. */
const bitOf = ({ pin }: Pin): number => 1 << (Number(pin[1]) + (pin[0] === 'A' ? 8 : 0))

export const mcp23017 = chipModel({
  name: 'mcp23017',
  title: 'MCP23017: 16 pins that are on or off.',
  addresses: range(0x20, 0x27),
  settingsSchema,
  create: ({ pins }) => createMcp23017(pins),
})

function createMcp23017(pins: Readonly<Record<string, Pin>>): Chip {
  const bits = (wanted: (pin: Pin) => boolean) =>
    Object.values(pins).reduce((word, pin) => (wanted(pin) ? word | bitOf(pin) : word), 0)
  const outputs = bits(({ mode }) => mode === 'output')
  const direction = 0xffff & ~outputs
  const pullUps = bits(({ pullUp }) => pullUp)
  const initial = bits(({ mode, initial: isOn, activeLow }) => mode === 'output' && isOn !== activeLow)

  const isConfigured = (wire: I2cWire) =>
    allAre(wire, [
      [DIRECTION, direction],
      [POLARITY, 0],
      [PULL_UP, pullUps],
    ])
  const requireConfigured = async (wire: I2cWire) => {
    if (!(await isConfigured(wire))) throw chipReset('MCP23017')
  }
  const verify = (port: ChipPort) => port.use(requireConfigured)
  return {
    signals: Object.entries(pins).map(
      ([name, { pin, mode }]): SignalSpec => ({
        ...reading(name, '1', { title: `${name} (${pin})`, access: mode === 'output' ? 'read-set' : 'read' }),
        dtype: 'boolean',
      }),
    ),
    initialise: (port) =>
      port.use(async (wire) => {
        // Pins that are as they should be are left alone, so that a node that starts again moves nothing.
        if (await isConfigured(wire)) return
        // The level before the direction: no output has another for a moment.
        await wire.writeWord(LATCH, initial)
        await wire.writeWord(POLARITY, 0)
        await wire.writeWord(PULL_UP, pullUps)
        await wire.writeWord(DIRECTION, direction)
        if (!(await isConfigured(wire))) throw wrongChip('what answers does not keep the settings of an MCP23017')
      }),
    verify,
    identify: async (port) => {
      await verify(port)
      return 'MCP23017'
    },
    read: async (names, port) => {
      const asked = names.map((name) => [name, pins[name] as Pin] as const)
      const reads = (mode: Pin['mode']) => asked.some(([, pin]) => pin.mode === mode)
      const [levels, latch] = await port.use(async (wire) => {
        const found = [
          reads('input') ? await wire.readWord(LEVEL) : 0,
          // An output says what it was set to, also where a short circuit holds the pin elsewhere.
          reads('output') ? await wire.readWord(LATCH) : 0,
        ]
        // In the same transaction: after a loss of power all pins are inputs without pull-ups, whatever the latch says.
        await requireConfigured(wire)
        return found
      })
      const isOn = (pin: Pin) => ((((pin.mode === 'input' ? levels : latch) ?? 0) & bitOf(pin)) !== 0) !== pin.activeLow
      return Object.fromEntries(asked.map(([name, pin]): [string, SignalValue] => [name, isOn(pin)]))
    },
    set: async (name, value, port) => {
      const pin = pins[name] as Pin
      await port.use(async (wire) => {
        await requireConfigured(wire)
        const latch = await wire.readWord(LATCH)
        await wire.writeWord(LATCH, (value === true) !== pin.activeLow ? latch | bitOf(pin) : latch & ~bitOf(pin))
      })
    },
  }
}

async function allAre(wire: I2cWire, wanted: readonly (readonly [number, number])[]): Promise<boolean> {
  for (const [register, word] of wanted) if ((await wire.readWord(register)) !== word) return false
  return true
}

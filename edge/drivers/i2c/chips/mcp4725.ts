/**
 * MCP4725: Microchip DS22039D. Address: section 7.2; fast mode write: figure 6-1; write of register and memory: figure 6-2;
 * reading: figure 6-3; power-down: table 5-2; errors: "Electrical Characteristics".
 */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import type { SignalValue } from '../../driver.ts'
import { reading } from '../../reading.ts'
import { type Chip, type ChipPort, chipModel, range, wrongChip } from '../chip.ts'

const STEPS = 4096
const WRITE_WITH_MEMORY = 0x60
/** Ready for a write of the memory. */
const READY = 0x80
/** The longest write of the memory, with a margin. */
const MEMORY_MS = 60
const LOOK_MS = 5
const PULL_DOWNS = { '1k': 1, '100k': 2, '500k': 3 } as const

const settingsSchema = z.strictObject({
  supplyV: z.number().min(2.7).max(5.5).describe('Its supply in V, which is its reference: measure it. 2.7 to 5.5.'),
  pullDown: z
    .enum(['1k', '100k', '500k'])
    .default('1k')
    .describe('What holds the pin on ground while the output is off: 1k (default), 100k or 500k.'),
})

interface State {
  readonly counts: number
  readonly isOn: boolean
  readonly isReady: boolean
}

export const mcp4725 = chipModel({
  name: 'mcp4725',
  title: 'MCP4725: a voltage with 12 bits.',
  addresses: range(0x60, 0x67),
  settingsSchema,
  create: (settings) => createMcp4725(settings),
})

function createMcp4725({ supplyV, pullDown }: z.infer<typeof settingsSchema>): Chip {
  const stepV = supplyV / STEPS
  /** What goes over the wires in fast mode is a register and its byte. */
  const write = ({ counts, isOn }: Omit<State, 'isReady'>, port: ChipPort) => {
    const mode = isOn ? 0 : PULL_DOWNS[pullDown] << 4
    return port.use((wire) => wire.writeByte(mode | (counts >> 8), counts & 0xff))
  }
  const setSignal = async (name: string, value: SignalValue, port: ChipPort) => {
    const now = await whenReady(port)
    if (name === 'output') return await write({ ...now, isOn: value === true }, port)
    await write({ ...now, counts: Math.min(STEPS - 1, Math.max(0, Math.round(Number(value) / stepV))) }, port)
  }
  return {
    signals: [
      reading('voltage', 'V', {
        access: 'read-set',
        limits: { low: 0, high: (STEPS - 1) * stepV },
        precision: 4,
        settlingS: 6e-6,
        // At most 14.5 LSB of non-linearity, an offset of 0.75 % of the supply, which is not trimmed (4.5), and 2 % of gain.
        uncertainty: {
          absolute: Math.hypot(14.5 * stepV, 0.0075 * supplyV) / Math.sqrt(3),
          relative: 0.02 / Math.sqrt(3),
        },
      }),
      { ...reading('output', '1'), title: 'Output', dtype: 'boolean', access: 'read-set' },
    ],
    actions: [{ name: 'save', title: 'Keep as the state after power-on', arguments: {}, typicalS: 0.05 }],
    // Nothing is written: what it drives when the node starts is the bench's to decide, by its safe state.
    initialise: async (port) => {
      await verify(port)
    },
    verify,
    identify: async (port) => {
      await verify(port)
      return 'MCP4725'
    },
    read: async (_names, port) => {
      const { counts, isOn } = await stateOf(port)
      return { voltage: counts * stepV, output: isOn }
    },
    set: setSignal,
    call: async (_action, port) => {
      const { counts, isOn } = await whenReady(port)
      await port.use(async (wire) => {
        const mode = WRITE_WITH_MEMORY | (isOn ? 0 : PULL_DOWNS[pullDown] << 1)
        await wire.write(Uint8Array.of(mode, counts >> 4, (counts & 0x0f) << 4))
      })
      await port.wait(MEMORY_MS)
      if (!(await stateOf(port)).isReady) throw notSaved()
    },
  }
}

const stateOf = (port: ChipPort): Promise<State> => port.use(async (wire) => mcp4725State(await wire.read(5)))

/** Its state once it heeds what is written: while it writes its memory, as after a `save` that was given up, it does not (5.6). */
async function whenReady(port: ChipPort): Promise<State> {
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    const state = await stateOf(port)
    if (state.isReady) return state
    if (waitedMs >= MEMORY_MS) throw notSaved()
    await port.wait(LOOK_MS)
  }
}

/** It has no register that says what it is; of its five bytes the low four bits of the third are always 0. */
async function verify(port: ChipPort): Promise<void> {
  const bytes = await port.use((wire) => wire.read(5))
  if (((bytes[2] ?? 0) & 0x0f) !== 0) throw wrongChip('what answers does not answer as an MCP4725')
}

/** The state of the output, from what reading gives. */
export function mcp4725State([status = 0, high = 0, low = 0]: Uint8Array): State {
  return {
    counts: (high << 4) | (low >> 4),
    isOn: (status & 0x06) === 0,
    isReady: (status & READY) !== 0,
  }
}

function notSaved(): LabError {
  return new LabError({
    code: 'i2c-not-ready',
    kind: 'instrument',
    retry: 'later',
    message: 'the MCP4725 has not finished writing its memory in the time that it may take',
  })
}

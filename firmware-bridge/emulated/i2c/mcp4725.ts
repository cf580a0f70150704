/** MCP4725 at its commands: Microchip DS22039D: fast mode, register and memory, power-down, power-on from the memory. */
import type { ChipOptions, EmulatedChip } from './chip.ts'

export interface Mcp4725Options extends ChipOptions {
  readonly supplyV: number
}

/** What the output is: a voltage, or let go of. */
export interface EmulatedDac extends EmulatedChip {
  outputVolts(): number
}

interface State {
  readonly mode: number
  readonly counts: number
}

const MEMORY_S = 0.025

export function emulateMcp4725({ nowS, noise, instant, supplyV }: Mcp4725Options): EmulatedDac {
  const gain = instant ? 1 : 1 - 0.001 + 0.002 * noise.normal()
  // As it leaves the factory: half of its scale.
  let memory: State = { mode: 0, counts: 0x800 }
  let state = memory
  let busyUntilS = 0
  const isBusy = () => !instant && nowS() < busyUntilS

  const write = ([first = 0, second = 0, third = 0]: Uint8Array) => {
    // Acknowledged, and of no effect until the memory is written.
    if (isBusy()) return true
    const command = first >> 5
    if (first >> 6 === 0) {
      state = { mode: (first >> 4) & 3, counts: ((first & 0x0f) << 8) | second }
    } else if (command === 2 || command === 3) {
      state = { mode: (first >> 1) & 3, counts: (second << 4) | (third >> 4) }
      if (command === 3) {
        memory = state
        busyUntilS = nowS() + MEMORY_S
      }
    }
    return true
  }
  return {
    write,
    read: (length) => {
      const bytes = [
        (isBusy() ? 0 : 0x80) | 0x40 | (state.mode << 1),
        state.counts >> 4,
        (state.counts & 0x0f) << 4,
        (memory.mode << 5) | (memory.counts >> 8),
        memory.counts & 0xff,
      ]
      return Uint8Array.from({ length }, (_, i) => bytes[i % bytes.length] ?? 0)
    },
    powerOn: () => {
      state = memory
      busyUntilS = 0
    },
    outputVolts: () => (state.mode === 0 ? ((state.counts * supplyV) / 4096) * gain : 0),
  }
}

/** MCP23017 at its registers, with BANK = 0: Microchip DS20001952D: direction, polarity, pull-ups, levels, latches. */
import { type ChipOptions, type EmulatedChip, registerChip } from './chip.ts'

export interface Mcp23017Options extends ChipOptions {
  /**
   * What drives the pins from outside: for each bit of A (high byte) and B true, false, or undefined where nothing does.
   * `driven` says what the chip itself drives, by the same bits.
   */
  readonly outside: (bit: number, driven: (bit: number) => boolean | undefined) => boolean | undefined
}

const DIRECTION = 0x00
const POLARITY = 0x02
const CONTROL = [0x0a, 0x0b]
const PULL_UP = 0x0c
const LEVEL = 0x12
const LATCH = 0x14
const REGISTERS = 0x16

export function emulateMcp23017({ outside }: Mcp23017Options): EmulatedChip {
  const registers = new Uint8Array(REGISTERS)
  const word = (at: number) => ((registers[at] ?? 0) << 8) | (registers[at + 1] ?? 0)
  const bitOf = (at: number, bit: number) => ((word(at) >> bit) & 1) === 1
  const driven = (bit: number) => (bitOf(DIRECTION, bit) ? undefined : bitOf(LATCH, bit))

  const levels = (): number => {
    let all = 0
    for (let bit = 0; bit < 16; bit++) {
      // A pin that floats reads low here; a real one reads anything.
      const isHigh = driven(bit) ?? outside(bit, driven) ?? bitOf(PULL_UP, bit)
      const shown = isHigh !== (bitOf(DIRECTION, bit) && bitOf(POLARITY, bit))
      if (shown) all |= 1 << bit
    }
    return all
  }
  const read = (register: number): number => {
    if (register === LEVEL) return levels() >> 8
    if (register === LEVEL + 1) return levels() & 0xff
    return registers[register] ?? 0
  }
  return registerChip({
    bytesAt: (pointer, length) => Uint8Array.from({ length }, (_, i) => read((pointer + i) % REGISTERS)),
    store: (pointer, bytes) => {
      for (const [i, value] of bytes.entries()) {
        const register = (pointer + i) % REGISTERS
        // A write to a level goes to its latch.
        registers[register === LEVEL || register === LEVEL + 1 ? register + 2 : register] = value
        // Both places are one register; banks are not emulated.
        if (CONTROL.includes(register)) for (const at of CONTROL) registers[at] = value & 0x7e
      }
      return true
    },
    powerOn: () => {
      registers.fill(0)
      registers.fill(0xff, DIRECTION, DIRECTION + 2)
    },
  })
}

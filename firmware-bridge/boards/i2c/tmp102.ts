/** A TMP102 thermometer (TI SBOS397): registers behind a pointer, 12 bits of 0.0625 °C, four conversions a second. */
import type { I2cChip } from './i2c-bus.ts'

const REGISTERS = 4
const CONFIGURATION = 1

/** The chip at its address (0x48 unless the pin ADD0 is tied elsewhere); measures what `celsius` says as it is read. */
export function createTmp102(celsius: () => number, address = 0x48): I2cChip {
  const registers = new Uint16Array([0, 0x60a0, 0x4b00, 0x5000])
  let pointer = 0
  let byte = 0
  const value = () => {
    if (pointer !== 0) return registers[pointer] ?? 0
    const steps = Math.round(Math.max(-55, Math.min(127.9375, celsius())) / 0.0625)
    return (steps << 4) & 0xffff
  }
  return {
    address,
    begin: (writing) => {
      byte = writing ? 0 : 1
      return true
    },
    write: (given) => {
      if (byte === 0) pointer = given % REGISTERS
      else if (pointer !== 0) {
        const old = registers[pointer] ?? 0
        const next = byte === 1 ? (given << 8) | (old & 0xff) : (old & 0xff00) | given
        // Resolution is fixed at 12 bits (R1, R0 read as ones).
        registers[pointer] = pointer === CONFIGURATION ? next | 0x6000 : next
      }
      byte += 1
      return true
    },
    read: () => {
      const high = byte % 2 === 1
      byte += 1
      return high ? value() >> 8 : value() & 0xff
    },
    end: () => {
      byte = 0
    },
  }
}

/** PCA9685 at its registers: NXP datasheet rev. 4: sleep, prescaler, outputs, all of them at once. */
import { type EmulatedChip, registerChip } from './chip.ts'

/** An output is on for a part of the time. */
export interface EmulatedPwm extends EmulatedChip {
  /** From 0 to 1; 0 while it sleeps. */
  duty(channel: number): number
}

const MODE1 = 0x00
const SLEEP = 0x10
const FIRST_OUTPUT = 0x06
const LAST_OUTPUT = 0x45
const ALL = 0xfa
const PRESCALE = 0xfe
const FULL = 0x10

export function emulatePca9685({ onChange }: { readonly onChange: () => void }): EmulatedPwm {
  const registers = new Uint8Array(256)
  const isAsleep = () => ((registers[MODE1] ?? 0) & SLEEP) !== 0

  const storeOne = (register: number, value: number) => {
    if (register === PRESCALE) {
      // Only while the oscillator stands still.
      if (isAsleep()) registers[PRESCALE] = Math.max(3, value)
    } else if (register >= ALL && register < PRESCALE) {
      for (let at = FIRST_OUTPUT + register - ALL; at <= LAST_OUTPUT; at += 4) registers[at] = value
    } else if (register === MODE1) {
      registers[MODE1] = value & 0x7f
    } else if (register <= LAST_OUTPUT) {
      registers[register] = value
    }
  }
  const next = (register: number, i: number) => ((registers[MODE1] ?? 0) & 0x20 ? (register + i) & 0xff : register)
  const powerOn = () => {
    registers.fill(0)
    registers.set([0x11, 0x04, 0xe2, 0xe4, 0xe8, 0xe0])
    for (let at = FIRST_OUTPUT + 3; at <= LAST_OUTPUT; at += 4) registers[at] = FULL
    registers[PRESCALE] = 0x1e
  }
  const chip = registerChip({
    bytesAt: (pointer, length) => Uint8Array.from({ length }, (_, i) => registers[next(pointer, i)] ?? 0),
    store: (pointer, bytes) => {
      for (const [i, value] of bytes.entries()) storeOne(next(pointer, i), value)
      onChange()
      return true
    },
    powerOn: () => {
      powerOn()
      onChange()
    },
  })
  return {
    ...chip,
    duty: (channel) => {
      const at = FIRST_OUTPUT + 4 * channel
      const [onLow = 0, onHigh = 0, offLow = 0, offHigh = 0] = registers.subarray(at, at + 4)
      if (isAsleep() || (offHigh & FULL) !== 0) return 0
      if ((onHigh & FULL) !== 0) return 1
      const steps = (((offHigh & 15) << 8) | offLow) - (((onHigh & 15) << 8) | onLow)
      return ((steps + 4096) % 4096) / 4096
    },
  }
}

/** The two-wire bus at an emulated microcontroller, and emulated chips on it. */
import type { AVRTWI, CPU } from 'avr8js'
import type { EmulatedChip } from '../../emulated/i2c/chip.ts'

export type ChipsByAddress = ReadonlyMap<number, EmulatedChip>

/** The longest block that chips give; a controller that reads on gets what an open bus gives. */
const LONGEST = 32

/** Connects chips to the controller's peripheral; an address where no chip is stays unacknowledged. */
export function connectI2c(twi: AVRTWI, cpu: CPU, chips: ChipsByAddress, clockHz: number): void {
  let chip: EmulatedChip | undefined
  let written: number[] = []
  let toRead: Iterator<number> | undefined
  // A byte and its acknowledgement are nine bits.
  const later = (bits: number, then: () => void) => {
    cpu.addClockEvent(then, Math.round((bits * clockHz) / twi.sclFrequency))
  }
  /** A transfer to the chip is whole with the next start or stop. */
  const finish = () => {
    if (written.length > 0) chip?.write(Uint8Array.from(written))
    written = []
    toRead = undefined
    chip = undefined
  }
  twi.eventHandler = {
    start: () =>
      later(1, () => {
        finish()
        twi.completeStart()
      }),
    stop: () =>
      later(1, () => {
        finish()
        twi.completeStop()
      }),
    connectToSlave: (address, write) =>
      later(9, () => {
        chip = chips.get(address)
        const given = write ? undefined : chip?.read(LONGEST)
        toRead = given?.values()
        twi.completeConnect(chip !== undefined && (write || given !== undefined))
      }),
    writeByte: (value) =>
      later(9, () => {
        written.push(value)
        twi.completeWrite(chip !== undefined)
      }),
    readByte: () => later(9, () => twi.completeRead(toRead?.next().value ?? 0xff)),
  }
}

/** The two-wire bus at an emulated microcontroller, and chips that can be put on it. */
import type { AVRTWI, CPU } from 'avr8js'

/** A chip on the bus, as it sees its own transfers. */
export interface I2cChip {
  /** Seven bits. */
  readonly address: number
  /** The controller addressed the chip; false does not acknowledge. */
  begin(writing: boolean): boolean
  /** A byte for the chip; false does not acknowledge. */
  write(byte: number): boolean
  read(): number
  /** A stop condition. */
  end(): void
}

/** Connects chips to the controller's peripheral; an address where no chip is stays unacknowledged. */
export function connectI2c(twi: AVRTWI, cpu: CPU, chips: readonly I2cChip[]): void {
  let chip: I2cChip | undefined
  // A byte and its acknowledgement are nine bits.
  const later = (bits: number, then: () => void) => {
    cpu.addClockEvent(then, Math.round((bits * 16_000_000) / twi.sclFrequency))
  }
  twi.eventHandler = {
    start: () => later(1, () => twi.completeStart()),
    stop: () =>
      later(1, () => {
        chip?.end()
        chip = undefined
        twi.completeStop()
      }),
    connectToSlave: (address, write) =>
      later(9, () => {
        chip = chips.find((each) => each.address === address)
        twi.completeConnect(chip?.begin(write) ?? false)
      }),
    writeByte: (value) => later(9, () => twi.completeWrite(chip?.write(value) ?? false)),
    readByte: () => later(9, () => twi.completeRead(chip?.read() ?? 0xff)),
  }
}

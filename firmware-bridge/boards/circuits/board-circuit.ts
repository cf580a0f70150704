import type { ChipsByAddress } from '../i2c/i2c-bus.ts'

/** A pin of an Uno by the name that is printed beside it: D0 to D13, A0 to A5. */
export type UnoPin = `D${number}` | `A${number}`

/** What is wired to an emulated board. Times are seconds since the board got power, and never go back. */
export interface BoardCircuit {
  /** Volts at an analogue pin; undefined where nothing is connected. */
  volts(pin: UnoPin, timeS: number): number | undefined
  /** Firmware drives a pin to another level from now on. */
  driven(pin: UnoPin, high: boolean, timeS: number): void
  /** The board was reset: its pins are inputs again, which drive nothing. */
  released(timeS: number): void
  /** Board time has come this far. */
  passed(timeS: number): void
  readonly i2c: ChipsByAddress
}

/** Nothing is connected. */
export const noCircuit: BoardCircuit = {
  volts: () => undefined,
  driven: () => {},
  released: () => {},
  passed: () => {},
  i2c: new Map(),
}

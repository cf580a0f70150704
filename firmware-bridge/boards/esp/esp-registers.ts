/** Registers of an emulated Espressif chip, with the controller through which its flash chip is asked by command. */
import type { EspChip } from './esp-chips.ts'
import type { EspFlash } from './esp-memory.ts'

/** The bit of the command register that starts a transfer, and falls as it is done. */
const USER = 1 << 18
const READ_ID = 0x9f

export class EspRegisters {
  readonly #chip: EspChip
  readonly #flash: EspFlash
  readonly #values: Map<number, number>

  constructor(chip: EspChip, flash: EspFlash) {
    this.#chip = chip
    this.#flash = flash
    this.#values = new Map(Object.entries(chip.registers).map(([address, value]) => [Number(address), value]))
  }

  read(address: number): number {
    return (this.#values.get(address) ?? 0) >>> 0
  }

  write(address: number, value: number, mask: number): void {
    const { base, user2, w0 } = this.#chip.spi
    if (address === base && (value & USER) !== 0) {
      // Whatever else is asked of the flash chip by command is answered by zeros.
      const command = this.read(base + user2) & 0xff
      this.#values.set(base + w0, command === READ_ID ? this.#flash.id : 0)
      return
    }
    this.#values.set(address, (this.read(address) & ~mask) | (value & mask))
  }
}

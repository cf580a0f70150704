/** The flash chip of an emulated Espressif board: it is erased to ones in sectors, and writing makes zeros. */

const SECTOR = 4096

export class EspFlash {
  readonly bytes: Uint8Array
  readonly #worn: readonly number[]

  /** At a worn address no bit becomes zero any more. */
  constructor(size: number, worn: readonly number[] = []) {
    this.bytes = new Uint8Array(size).fill(0xff)
    this.#worn = worn
  }

  /** Manufacturer (Winbond), type, and the power of two of the size, as command 0x9f answers. */
  get id(): number {
    return 0xef | (0x40 << 8) | (Math.log2(this.bytes.length) << 16)
  }

  /** Whole sectors; false where they are not there. */
  erase(address: number, length: number): boolean {
    const from = Math.floor(address / SECTOR) * SECTOR
    const to = Math.ceil((address + length) / SECTOR) * SECTOR
    if (to > this.bytes.length) return false
    this.bytes.fill(0xff, from, to)
    return true
  }

  /** False where there is no such address. */
  write(address: number, data: Uint8Array): boolean {
    if (address + data.length > this.bytes.length) return false
    for (const [i, byte] of data.entries()) {
      if (!this.#worn.includes(address + i)) this.bytes[address + i] = (this.bytes[address + i] ?? 0) & byte
    }
    return true
  }
}

/** An I2C bus whose chips are emulated, byte for byte as on the wires. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { FoundAddress, I2cAdapter, I2cWire } from '../../i2c/adapter.ts'
import { transferFailed } from '../../i2c/kernel-errors.ts'
import { type ChipFault, type EmulatedChip, wireError } from './chip.ts'

/** One transfer as it went over the wires: for tests that look at them. */
export interface Transfer {
  readonly address: number
  readonly written: readonly number[]
  readonly read: readonly number[]
}

export interface EmulatedBusOptions {
  readonly clock: Clock
  /** Nine bits for each byte at 100 kHz, unless in instant mode. */
  readonly instant?: boolean
}

const BYTE_MS = 0.09

/** The wires and what is soldered to them. */
export class EmulatedWires {
  readonly #options: EmulatedBusOptions
  readonly #chips = new Map<number, EmulatedChip>()
  readonly #faults = new Map<number, ChipFault>()
  /** Called with each transfer as it ends. */
  onTransfer: ((transfer: Transfer) => void) | undefined

  constructor(options: EmulatedBusOptions) {
    this.#options = options
  }

  /** Puts a chip at an address, in place of what is there; its power comes on. */
  attach(address: number, chip: EmulatedChip): void {
    chip.powerOn()
    this.#chips.set(address, chip)
  }

  /** Sets, or with undefined ends, what goes wrong with the chip at the address. */
  setFault(address: number, fault: ChipFault | undefined): void {
    if (fault === undefined) this.#faults.delete(address)
    else this.#faults.set(address, fault)
  }

  /** Switches the power of a chip off and on. */
  powerCycle(address: number): void {
    this.#chips.get(address)?.powerOn()
  }

  /** An adapter for these wires; `bus` is what its messages call them. */
  adapter(bus = 'the emulated bus'): I2cAdapter {
    return {
      wire: (address) => this.#wire(bus, address),
      scan: async () => this.#scan(),
      close: async () => {},
    }
  }

  #scan(): FoundAddress[] {
    return [...this.#chips.keys()]
      .filter((address) => this.#faults.get(address)?.kind !== 'absent')
      .sort((a, b) => a - b)
      .map((address) => ({ address, state: 'answers' }))
  }

  #wire(bus: string, address: number): I2cWire {
    const transfer = async (written: readonly number[], length: number): Promise<Uint8Array> => {
      try {
        return await this.#transfer(address, written, length)
      } catch (thrown) {
        throw transferFailed(bus, address, thrown as NodeJS.ErrnoException)
      }
    }
    const words = ([high = 0, low = 0]: Uint8Array) => (high << 8) | low
    return {
      readByte: async (register) => (await transfer([register], 1))[0] ?? 0,
      writeByte: async (register, value) => void (await transfer([register, value], 0)),
      readWord: async (register) => words(await transfer([register], 2)),
      writeWord: async (register, value) => void (await transfer([register, value >> 8, value & 0xff], 0)),
      readBlock: (register, length) => transfer([register], length),
      writeBlock: async (register, bytes) => void (await transfer([register, ...bytes], 0)),
      read: (length) => transfer([], length),
      write: async (bytes) => void (await transfer([...bytes], 0)),
    }
  }

  async #transfer(address: number, written: readonly number[], length: number): Promise<Uint8Array> {
    const { clock, instant } = this.#options
    if (instant === true) await Promise.resolve()
    else await clock.sleep(Math.max(1, BYTE_MS * (2 + written.length + length)))
    const chip = this.#answering(address)
    const fault = this.#faults.get(address)
    const most = fault?.kind === 'broken-off' ? fault.afterBytes : Number.POSITIVE_INFINITY
    if (written.length > most) {
      chip.write(Uint8Array.from(written.slice(0, most)))
      throw wireError('EIO')
    }
    if (written.length > 0 && !chip.write(Uint8Array.from(written))) throw wireError('EREMOTEIO')
    const read = length === 0 ? new Uint8Array() : chip.read(length)
    if (read === undefined) throw wireError('EREMOTEIO')
    if (fault?.kind === 'garbled' && length > 0) read[length - 1] = (read[length - 1] ?? 0) ^ 0x40
    this.onTransfer?.({ address, written, read: [...read] })
    return read
  }

  #answering(address: number): EmulatedChip {
    if ([...this.#faults.values()].some((fault) => fault.kind === 'stuck')) throw wireError('ETIMEDOUT')
    const chip = this.#chips.get(address)
    const fault = this.#faults.get(address)
    if (chip === undefined) throw wireError('EREMOTEIO')
    if (fault?.kind !== 'absent') return chip
    if (fault.forTransfers === 0) {
      this.#faults.delete(address)
      chip.powerOn()
      return chip
    }
    if (fault.forTransfers !== undefined) {
      this.#faults.set(address, { kind: 'absent', forTransfers: fault.forTransfers - 1 })
    }
    throw wireError('EREMOTEIO')
  }
}

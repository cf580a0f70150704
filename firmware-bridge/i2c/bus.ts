/**
 * One I2C bus, shared by the instruments on it.
 *
 * INVARIANTS: one queue: what one chip is asked in a transaction is never interleaved with another chip's transfers; a
 * transaction that has begun runs to its end, so that no register is left half written; the adapter is opened by the
 * first transaction and again after one that found it gone, never twice at once.
 */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { Lane } from '../sessions/lane.ts'
import type { FoundAddress, I2cAdapter, I2cWire } from './adapter.ts'

export class I2cBus {
  /** As people call it: `I2C bus 1`. */
  readonly name: string
  readonly #open: () => Promise<I2cAdapter>
  readonly #lane = new Lane()
  #adapter: I2cAdapter | undefined
  #wires = new Map<number, I2cWire>()
  #users = 0
  readonly #afterFailure = {
    failed: async (thrown: unknown) => {
      if (thrown instanceof LabError && thrown.details.reopen === true) await this.#drop()
    },
  }

  /** `open` rejects with a LabError that says what is missing. */
  constructor(name: string, open: () => Promise<I2cAdapter>) {
    this.name = name
    this.#open = open
  }

  /** Counts a user; the adapter is kept while there are any. The returned function, called once, lets go. */
  use(): () => Promise<void> {
    this.#users++
    let used = true
    return async () => {
      if (!used) return
      used = false
      this.#users--
      if (this.#users === 0) await this.#lane.alone(new AbortController().signal, () => this.#dropUnused())
    }
  }

  /** Runs `work` while nobody else is on the bus; `signal` counts until it begins. */
  transaction<T>(address: number, signal: AbortSignal, work: (wire: I2cWire) => Promise<T>): Promise<T> {
    const begin = () => {
      const wire = this.#wires.get(address)
      return wire === undefined ? this.#wireTo(address).then(work) : work(wire)
    }
    return this.#lane.alone(signal, begin, this.#afterFailure)
  }

  /** Who is on the bus. */
  async scan(signal: AbortSignal): Promise<FoundAddress[]> {
    const release = this.use()
    try {
      return await this.#lane.alone(signal, async () => await (this.#adapter ?? (await this.#opened())).scan())
    } finally {
      await release()
    }
  }

  async #wireTo(address: number): Promise<I2cWire> {
    const wire = (this.#adapter ?? (await this.#opened())).wire(address)
    this.#wires.set(address, wire)
    return wire
  }

  async #opened(): Promise<I2cAdapter> {
    this.#adapter = await this.#open()
    return this.#adapter
  }

  async #dropUnused(): Promise<void> {
    if (this.#users === 0) await this.#drop()
  }

  async #drop(): Promise<void> {
    const adapter = this.#adapter
    this.#adapter = undefined
    this.#wires = new Map()
    await adapter?.close()
  }
}

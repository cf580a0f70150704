/**
 * Functions that were handed over with the arguments of a call. They live as long as that call, so that nothing has to
 * be given back.
 */
import { LabError } from '../../primitives/lab-error.ts'
import { busy } from '../errors.ts'
import type { RpcLimits } from '../limits.ts'
import type { Callback } from '../values.ts'

const none: readonly number[] = []

export class Callbacks {
  readonly #limits: RpcLimits
  readonly #kept = new Map<number, Callback>()
  #written: number[] = []
  #last = 0

  constructor(limits: RpcLimits) {
    this.#limits = limits
  }

  /** Keeps a function of the call that is being written. */
  readonly keep = (callback: Callback): number => {
    if (this.#written.length >= this.#limits.callbacks) {
      throw busy(`a call hands over at most ${this.#limits.callbacks} functions`)
    }
    const id = ++this.#last
    this.#kept.set(id, callback)
    this.#written.push(id)
    return id
  }

  /** The functions of the call that was written; there are none of the next one yet. */
  taken(): readonly number[] {
    if (this.#written.length === 0) return none
    const ids = this.#written
    this.#written = []
    return ids
  }

  forget(ids: readonly number[]): void {
    for (const id of ids) this.#kept.delete(id)
  }

  /** Throws `callback-unknown` once the call that handed it over has ended. */
  get(id: number): Callback {
    const callback = this.#kept.get(id)
    if (callback !== undefined) return callback
    throw new LabError({
      code: 'callback-unknown',
      kind: 'caller',
      message: `the call that handed over function ${id} has ended`,
    })
  }

  get size(): number {
    return this.#kept.size
  }
}

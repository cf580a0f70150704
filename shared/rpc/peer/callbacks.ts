/**
 * Functions that were handed over with the arguments of a call. They live as long as that call, so that nothing has to
 * be given back.
 */
import { LabError } from '../../primitives/lab-error.ts'
import { busy } from '../errors.ts'
import type { RpcLimits } from '../limits.ts'
import type { Callback } from '../values.ts'

export class Callbacks {
  readonly #limits: RpcLimits
  readonly #kept = new Map<number, Callback>()
  #last = 0

  constructor(limits: RpcLimits) {
    this.#limits = limits
  }

  /** Keeps the functions of one call: `keep` as they are met, `ids` to forget them by. */
  forCall(): { readonly keep: (callback: Callback) => number; readonly ids: number[] } {
    const ids: number[] = []
    const keep = (callback: Callback) => {
      if (ids.length >= this.#limits.callbacks) {
        this.forget(ids)
        throw busy(`a call hands over at most ${this.#limits.callbacks} functions`)
      }
      const id = ++this.#last
      this.#kept.set(id, callback)
      ids.push(id)
      return id
    }
    return { keep, ids }
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

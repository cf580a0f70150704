/**
 * What is under way, by id. A map of one that comes and goes is made anew every few times, which a call that follows another
 * would pay for; so the first has a place of its own.
 *
 * INVARIANTS: iterated in the order in which they began.
 */
export class UnderWay<Id, Value> {
  #first: [id: Id, value: Value] | undefined
  readonly #others = new Map<Id, Value>()

  get size(): number {
    return this.#others.size + (this.#first === undefined ? 0 : 1)
  }

  get(id: Id): Value | undefined {
    return this.#first !== undefined && this.#first[0] === id ? this.#first[1] : this.#others.get(id)
  }

  has(id: Id): boolean {
    return this.get(id) !== undefined
  }

  /** Adds one whose id is not there. */
  add(id: Id, value: Value): void {
    if (this.#first === undefined && this.#others.size === 0) this.#first = [id, value]
    else this.#others.set(id, value)
  }

  /** What was there. */
  take(id: Id): Value | undefined {
    const value = this.get(id)
    if (value === undefined) return undefined
    if (this.#first !== undefined && this.#first[0] === id) this.#first = undefined
    else this.#others.delete(id)
    return value
  }

  clear(): void {
    this.#first = undefined
    this.#others.clear()
  }

  *[Symbol.iterator](): Generator<readonly [Id, Value]> {
    if (this.#first !== undefined) yield this.#first
    yield* this.#others
  }
}

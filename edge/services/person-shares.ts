/**
 * How much of something each person has, so that nobody takes what others need.
 *
 * INVARIANTS: nobody has more than `most`, or than half of what is free of what all have together; what was taken is given
 * back once, however often that is said.
 */
import type { LabError } from '@fernlab/shared/primitives/lab-error'

export class PersonShares {
  readonly #most: number
  readonly #mostTogether: number
  readonly #refused: () => LabError
  readonly #taken = new Map<string, number>()
  #together = 0

  /** `refused` makes the error for who asks for more. */
  constructor(most: number, mostTogether: number, refused: () => LabError) {
    this.#most = most
    this.#mostTogether = mostTogether
    this.#refused = refused
  }

  of(person: string): number {
    return this.#taken.get(person) ?? 0
  }

  /** The returned function gives it back; throws what `refused` makes where it is too much. */
  take(person: string, amount = 1): () => void {
    const own = this.of(person) + amount
    if (own > this.#most || own > (this.#mostTogether - this.#together + this.of(person)) / 2) throw this.#refused()
    this.#add(person, amount)
    let isBack = false
    return () => {
      if (!isBack) this.#add(person, -amount)
      isBack = true
    }
  }

  #add(person: string, amount: number): void {
    const now = this.of(person) + amount
    this.#together += amount
    // Parts of a reading a second leave crumbs.
    if (now < 1e-9) this.#taken.delete(person)
    else this.#taken.set(person, now)
  }
}

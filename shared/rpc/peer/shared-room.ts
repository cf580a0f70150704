/**
 * Memory that one kind of thing of a link has, of what all links of a person have together.
 *
 * INVARIANTS: the first `free` bytes are the link's own, and cost nothing to count; what goes beyond was taken of the room
 * that links share before it is had, in steps, and is given back once it is had no more.
 */

/** Takes so many bytes of what links have together; the returned function gives them back. Throws when there are no more. */
export type TakeRoom = (bytes: number) => () => void

const STEP_BYTES = 256 * 1024

export class SharedRoom {
  readonly #takeRoom: TakeRoom | undefined
  readonly #free: number
  /** What gives back each step. */
  readonly #steps: (() => void)[] = []

  /** Without `takeRoom` nothing is shared, and nothing is refused. */
  constructor(takeRoom: TakeRoom | undefined, free: number) {
    this.#takeRoom = takeRoom
    this.#free = free
  }

  /** So many bytes are had from now on, or more than before; throws what says that there is no room, and has taken none. */
  cover(bytes: number): void {
    if (this.#takeRoom === undefined || bytes <= this.#covered) return
    const before = this.#steps.length
    try {
      while (this.#covered < bytes) this.#steps.push(this.#takeRoom(STEP_BYTES))
    } catch (thrown) {
      this.#shrinkTo(before)
      throw thrown
    }
  }

  /** No more than so many bytes are had by now. */
  shrink(bytes: number): void {
    if (this.#steps.length > 0) this.#shrinkTo(Math.ceil((bytes - this.#free) / STEP_BYTES))
  }

  /** So many bytes may be had without asking. */
  get #covered(): number {
    return this.#free + this.#steps.length * STEP_BYTES
  }

  #shrinkTo(steps: number): void {
    while (this.#steps.length > Math.max(0, steps)) this.#steps.pop()?.()
  }
}

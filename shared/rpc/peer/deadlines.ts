import type { Clock } from '../../primitives/clock.ts'

/**
 * One timer for the deadlines of many calls, most of which end long before: a call costs no timer of its own.
 *
 * INVARIANTS: the timer is at or before the earliest deadline that was told; none runs when nothing is waited for.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #expire: (now: number) => number
  #next = Number.POSITIVE_INFINITY
  #cancel: () => void = () => {}

  /** `expire` ends what is due at `now` and returns when the next is, or Infinity. */
  constructor(clock: Clock, expire: (now: number) => number) {
    this.#clock = clock
    this.#expire = expire
  }

  /** When a wait that begins now and lasts so long is over, on the monotonic clock; the timer is set for it. */
  after(ms: number): number {
    const at = this.#clock.monotonic() + ms
    if (at < this.#next) this.#set(at, ms)
    return at
  }

  end(): void {
    this.#cancel()
    this.#next = Number.POSITIVE_INFINITY
  }

  #set(at: number, ms: number): void {
    this.#cancel()
    this.#next = at
    if (at !== Number.POSITIVE_INFINITY) this.#cancel = this.#clock.after(ms, () => this.#fire())
  }

  #fire(): void {
    const now = this.#clock.monotonic()
    this.#next = Number.POSITIVE_INFINITY
    const next = this.#expire(now)
    // What expired may have begun something that is due sooner.
    if (next < this.#next) this.#set(next, Math.max(0, next - now))
  }
}

/**
 * Signals that several follow are read once for all of them.
 *
 * INVARIANTS: a service is read for its followers at most as often as the one wants it that wants it most often, and once
 * more for each that begins, until a reading of several is late: from then on those are read apart, each set of signals for
 * all who follow just these, as long as anybody does, so that nobody waits for what another follows; who takes readings
 * slowly gets the newest ones, not those that were due; one whose signals can't be read ends alone.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { type Following, type Readings, ReadTogether, setOf, type Waiting } from './read-together.ts'

export class SharedReadings {
  readonly #clock: Clock
  readonly #together: ReadTogether
  readonly #apart = new Map<string, ReadTogether>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#together = new ReadTogether(clock, (late) => this.#separate(late))
  }

  /** Readings until the signal aborts, which rejects with its reason, or one can't be had. */
  async *follow(following: Following): AsyncGenerator<unknown> {
    const everyMs = 1000 / following.rateHz
    const set = setOf(following)
    let due = this.#clock.monotonic()
    let isFirst = true
    this.#of(set).add(following)
    try {
      for (;;) {
        yield await this.#next({ following, set, due, isFirst })
        isFirst = false
        due = Math.max(due + everyMs, this.#clock.monotonic())
      }
    } finally {
      const readers = this.#of(set)
      readers.remove(following)
      if (readers !== this.#together && readers.isEmpty) this.#apart.delete(set)
    }
  }

  #of(set: string): ReadTogether {
    return this.#apart.get(set) ?? this.#together
  }

  #next(asked: Pick<Waiting, 'following' | 'set' | 'due' | 'isFirst'>): Promise<Readings> {
    const { signal } = asked.following
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const left = () => {
        reject(signal.reason)
        waiting.onLeft()
      }
      const settled = () => signal.removeEventListener('abort', left)
      const waiting: Waiting = {
        ...asked,
        resolve: (readings) => {
          settled()
          resolve(readings)
        },
        reject: (reason) => {
          settled()
          reject(reason)
        },
        onLeft: () => {},
      }
      signal.addEventListener('abort', left, { once: true })
      this.#of(waiting.set).wait(waiting)
    })
  }

  /** They were read together for too long: each set of signals is read anew by itself. */
  #separate(late: readonly Waiting[]): void {
    for (const { set } of late) {
      if (this.#apart.has(set)) continue
      const readers = new ReadTogether(this.#clock, undefined)
      this.#apart.set(set, readers)
      this.#together.move((other) => setOf(other) === set, readers)
    }
    for (const waiting of late) {
      waiting.isFirst = true
      this.#of(waiting.set).wait(waiting)
    }
  }
}

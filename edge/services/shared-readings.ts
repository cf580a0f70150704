/**
 * Signals that several follow are read once for all of them.
 *
 * INVARIANTS: a service is read for its followers at most as often as the one wants it that wants it most often, and once
 * more for each that begins; one reading at a time; who takes readings slowly gets the newest ones, not those that were due;
 * each follower is asked, before a reading and after it, whether it still may; one whose signals can't be read ends alone.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'

type Readings = Readonly<Record<string, unknown>>

export interface Following {
  readonly signals: readonly string[]
  readonly rateHz: number
  /** The follower is gone, with the reason. */
  readonly signal: AbortSignal
  /** Throws when it may not read, or no more. */
  readonly guard?: () => void
  /** How it reads, now: those of one way are given the same readings. */
  readonly way?: () => unknown
  /** Reads for all of its way. */
  readonly read: (signals: readonly string[], signal: AbortSignal) => Promise<Readings>
}

interface Waiting {
  readonly following: Following
  /** Monotonic; its first reading waits for nobody. */
  readonly due: number
  readonly isFirst: boolean
  readonly resolve: (readings: Readings) => void
  readonly reject: (reason: unknown) => void
  /** Called when it is gone while it is read for. */
  onLeft: () => void
}

export class SharedReadings {
  readonly #clock: Clock
  readonly #followings = new Set<Following>()
  readonly #waiting = new Set<Waiting>()
  #leastMs = Number.POSITIVE_INFINITY
  #readAtMs = Number.NEGATIVE_INFINITY
  #plannedMs = Number.POSITIVE_INFINITY
  #isReading = false
  #cancel = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Readings until the signal aborts, which rejects with its reason, or one can't be had. */
  async *follow(following: Following): AsyncGenerator<unknown> {
    const everyMs = 1000 / following.rateHz
    let due = this.#clock.monotonic()
    let isFirst = true
    this.#followings.add(following)
    this.#leastMs = Math.min(this.#leastMs, everyMs)
    try {
      for (;;) {
        yield await this.#next(following, due, isFirst)
        isFirst = false
        due = Math.max(due + everyMs, this.#clock.monotonic())
      }
    } finally {
      this.#followings.delete(following)
      if (everyMs <= this.#leastMs) {
        this.#leastMs = Math.min(Number.POSITIVE_INFINITY, ...[...this.#followings].map(({ rateHz }) => 1000 / rateHz))
      }
    }
  }

  #next(following: Following, due: number, isFirst: boolean): Promise<Readings> {
    const { signal } = following
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const left = () => {
        this.#waiting.delete(waiting)
        reject(signal.reason)
        waiting.onLeft()
      }
      const settled = () => signal.removeEventListener('abort', left)
      const waiting: Waiting = {
        following,
        due,
        isFirst,
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
      this.#waiting.add(waiting)
      if (!this.#isReading) this.#planAt(this.#timeOf(waiting))
    })
  }

  #timeOf({ due, isFirst }: Waiting): number {
    return isFirst ? due : Math.max(due, this.#readAtMs + this.#leastMs)
  }

  #planAt(timeMs: number): void {
    if (timeMs >= this.#plannedMs) return
    this.#cancel()
    this.#plannedMs = timeMs
    this.#cancel = this.#clock.after(Math.max(0, timeMs - this.#clock.monotonic()), () => void this.#readDue())
  }

  /** Never rejects. */
  async #readDue(): Promise<void> {
    this.#plannedMs = Number.POSITIVE_INFINITY
    const now = this.#clock.monotonic()
    const ways = new Map<unknown, Waiting[]>()
    for (const waiting of this.#waiting) {
      // Timers come up to a millisecond early.
      if (this.#timeOf(waiting) > now + 1) continue
      this.#waiting.delete(waiting)
      try {
        waiting.following.guard?.()
        const way = waiting.following.way?.()
        const others = ways.get(way)
        if (others === undefined) ways.set(way, [waiting])
        else others.push(waiting)
      } catch (thrown) {
        waiting.reject(thrown)
      }
    }
    if (ways.size > 0) {
      this.#readAtMs = now
      this.#isReading = true
      await Promise.all([...ways.values()].map((together) => readFor(together)))
      this.#isReading = false
    }
    let next = Number.POSITIVE_INFINITY
    for (const waiting of this.#waiting) next = Math.min(next, this.#timeOf(waiting))
    if (next < Number.POSITIVE_INFINITY) this.#planAt(next)
  }
}

/** Reads once for all of them, and gives each its own. Never rejects. */
async function readFor(together: readonly Waiting[]): Promise<void> {
  const [first] = together
  if (first === undefined) return
  const left = new AbortController()
  let waited = together.length
  for (const waiting of together) {
    waiting.onLeft = () => {
      if (--waited === 0) left.abort(waiting.following.signal.reason)
    }
  }
  const { read } = first.following
  const all = [...new Set(together.flatMap(({ following }) => following.signals))]
  const found = await read(all, left.signal).then(
    (readings): Found =>
      () =>
        readings,
    async (thrown): Promise<Found> => {
      const isOneSet = together.every(({ following }) => new Set(following.signals).size === all.length)
      // One that can't be read is not to end those who follow others.
      if (!isOneSet && waited > 0) return await eachAlone(all, read, left.signal)
      return () => {
        throw thrown
      }
    },
  )
  for (const { following, resolve, reject } of together) {
    try {
      following.guard?.()
      const readings = found(following.signals)
      resolve(Object.fromEntries(following.signals.map((name) => [name, readings[name]])))
    } catch (thrown) {
      reject(thrown)
    }
  }
}

/** What was read of these, or throws why one of them could not be. */
type Found = (signals: readonly string[]) => Readings

async function eachAlone(all: readonly string[], read: Following['read'], signal: AbortSignal): Promise<Found> {
  const readings: Record<string, unknown> = {}
  const errors = new Map<string, unknown>()
  for (const name of all) {
    try {
      Object.assign(readings, await read([name], signal))
    } catch (thrown) {
      errors.set(name, thrown)
    }
  }
  return (signals) => {
    for (const name of signals) if (errors.has(name)) throw errors.get(name)
    return readings
  }
}

/** Time, injected everywhere so that tests decide what it is. */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC; may jump. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes back. For durations and deadlines. */
  monotonic(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls back once after `ms`; the returned function cancels. */
  after(ms: number, callback: () => void): () => void
}

/** The longest time that the machine's timers can take; one that is longer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const cancel = systemClock.after(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      const onAbort = () => {
        cancel()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
  after: (ms, callback) => {
    let timer: ReturnType<typeof setTimeout>
    const start = (leftMs: number) => {
      timer =
        leftMs > LONGEST_TIMER_MS
          ? setTimeout(() => start(leftMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
          : setTimeout(callback, leftMs)
    }
    start(ms)
    return () => clearTimeout(timer)
  },
}

interface Pending {
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

/** A clock that stands still until `advance` moves it; timers fire in order of time, then of creation. */
export class ManualClock implements Clock {
  #now: number
  #elapsed = 0
  #order = 0
  #pending: Pending[] = []

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#elapsed
  }

  after(ms: number, callback: () => void): () => void {
    const entry: Pending = { at: this.#elapsed + Math.max(0, ms), order: this.#order++, fire: callback }
    this.#pending.push(entry)
    return () => {
      this.#pending = this.#pending.filter((other) => other !== entry)
    }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      const onAbort = () => {
        cancel()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Moves time on, firing what falls due; lets promise reactions run between timers. */
  async advance(ms: number): Promise<void> {
    const target = this.#elapsed + ms
    for (;;) {
      await settle()
      const next = this.#pending
        .filter((entry) => entry.at <= target)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0]
      if (next === undefined) break
      this.#pending = this.#pending.filter((entry) => entry !== next)
      this.#now += next.at - this.#elapsed
      this.#elapsed = next.at
      next.fire()
    }
    this.#now += target - this.#elapsed
    this.#elapsed = target
    await settle()
  }

  /** Moves the wall clock alone, as an NTP step does. */
  jump(ms: number): void {
    this.#now += ms
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

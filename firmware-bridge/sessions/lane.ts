/**
 * INVARIANTS: at most one holder at a time, in the order of asking, but urgent ones before all others; one who gives up
 * while waiting holds up no one.
 */
export class Lane {
  readonly #urgent: (() => void)[] = []
  readonly #waiting: (() => void)[] = []
  #busy = false

  /** Runs `work` when all earlier work has ended; rejects with the signal's reason when it aborts while waiting. */
  async alone<T>(
    signal: AbortSignal,
    work: () => Promise<T>,
    { urgent = false }: { readonly urgent?: boolean } = {},
  ): Promise<T> {
    signal.throwIfAborted()
    await this.#enter(signal, urgent ? this.#urgent : this.#waiting)
    try {
      return await work()
    } finally {
      const next = this.#urgent.shift() ?? this.#waiting.shift()
      if (next === undefined) this.#busy = false
      else next()
    }
  }

  async #enter(signal: AbortSignal, queue: (() => void)[]): Promise<void> {
    if (!this.#busy) {
      this.#busy = true
      return
    }
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        const place = queue.indexOf(enter)
        if (place === -1) return
        queue.splice(place, 1)
        reject(signal.reason)
      }
      queue.push(enter)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }
}

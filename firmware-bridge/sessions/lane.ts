/** INVARIANTS: at most one holder at a time, in the order of asking; one who gives up while waiting holds up no one. */
export class Lane {
  readonly #waiting: (() => void)[] = []
  #busy = false

  /** Runs `work` when all earlier work has ended; rejects with the signal's reason when it aborts while waiting. */
  async alone<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    await this.#enter(signal)
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#busy = false
      else next()
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
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
        const place = this.#waiting.indexOf(enter)
        if (place === -1) return
        this.#waiting.splice(place, 1)
        reject(signal.reason)
      }
      this.#waiting.push(enter)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }
}

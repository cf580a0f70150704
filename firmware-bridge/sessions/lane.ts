/**
 * INVARIANTS: at most one holder at a time, in the order of asking, but urgent ones before all others; one who gives up
 * while waiting holds up no one.
 */
export class Lane {
  readonly #urgent: (() => void)[] = []
  readonly #waiting: (() => void)[] = []
  #busy = false

  /** Runs `work` when all earlier work has ended; rejects with the signal's reason when it aborts while waiting. */
  async alone<T>(signal: AbortSignal, work: () => Promise<T>, options: LaneOptions = noOptions): Promise<T> {
    signal.throwIfAborted()
    // A free lane is entered at once, so that who is alone on it waits for nothing.
    if (this.#busy) await this.#turn(signal, options.urgent === true ? this.#urgent : this.#waiting)
    else this.#busy = true
    try {
      return await work()
    } catch (thrown) {
      await options.failed?.(thrown)
      throw thrown
    } finally {
      const next = this.#urgent.shift() ?? this.#waiting.shift()
      if (next === undefined) this.#busy = false
      else next()
    }
  }

  #turn(signal: AbortSignal, queue: (() => void)[]): Promise<void> {
    return new Promise<void>((resolve, reject) => {
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

interface LaneOptions {
  readonly urgent?: boolean
  /** Told why `work` failed, before anybody else has the lane. */
  readonly failed?: (thrown: unknown) => Promise<void> | void
}

const noOptions: LaneOptions = {}

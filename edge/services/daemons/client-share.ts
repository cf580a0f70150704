/**
 * What one client has under way in a daemon.
 *
 * INVARIANTS: it is at most MOST_CALLS, of the 1024 that all clients of a daemon have together; who has more is told so, and
 * nobody else notices.
 */
import { busy } from '@fernlab/shared/rpc/errors'

/** Calls and streams. */
export const MOST_CALLS = 256

export class ClientShare {
  readonly #daemon: string
  #underWay = 0

  /** `daemon` as it is named in errors. */
  constructor(daemon: string) {
    this.#daemon = daemon
  }

  get underWay(): number {
    return this.#underWay
  }

  /** Rejects with `link-busy` where it has too much under way. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    this.#take()
    try {
      return await work()
    } finally {
      this.#underWay--
    }
  }

  /** Counts it until it has ended or is left; throws `link-busy`. */
  stream(open: () => AsyncIterableIterator<unknown>): AsyncIterableIterator<unknown> {
    this.#take()
    let isOver = false
    const over = () => {
      if (!isOver) this.#underWay--
      isOver = true
    }
    let source: AsyncIterableIterator<unknown>
    try {
      source = open()
    } catch (thrown) {
      over()
      throw thrown
    }
    const counted: AsyncIterableIterator<unknown> = {
      [Symbol.asyncIterator]: () => counted,
      next: async () => {
        try {
          const result = await source.next()
          if (result.done === true) over()
          return result
        } catch (thrown) {
          over()
          throw thrown
        }
      },
      return: async () => {
        over()
        return (await source.return?.()) ?? { done: true, value: undefined }
      },
    }
    return counted
  }

  #take(): void {
    if (this.#underWay >= MOST_CALLS) {
      throw busy(
        `this client has ${MOST_CALLS} calls under way in daemon ${this.#daemon} already, and at most so many may be: wait for answers`,
      )
    }
    this.#underWay++
  }
}

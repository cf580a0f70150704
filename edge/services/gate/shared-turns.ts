/**
 * Time of the node's process for what links ask of the node itself, and for their batches.
 *
 * INVARIANTS: of all links together one goes on in each turn of the event loop, and what begins there besides it begins
 * within LONGEST_TURN_MS; of several persons each has a turn before anybody has another; of one person at most MOST_WAITING
 * calls wait to begin.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { members } from '@fernlab/shared/rpc/contract/members'
import { busy } from '@fernlab/shared/rpc/errors'
import { BATCH } from '@fernlab/shared/rpc/messages'
import { LONGEST_TURN_MS, type Turns } from '@fernlab/shared/rpc/peer/turns'
import { NODE_SERVICE } from '../service-source.ts'

/** Of one person, by however many links; as many as may be under way in a daemon. */
export const MOST_WAITING = 256

export interface SharedTurnsOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Calls back in the next turn of the event loop, after sockets and timers had theirs. */
  readonly soon: (callback: () => void) => void
}

export class SharedTurns {
  readonly #options: SharedTurnsOptions
  /** By person, whose turn is next first. */
  readonly #waiting = new Map<string, (() => void)[]>()
  /** When the first of this turn of the loop began. */
  #beganMs: number | undefined

  constructor(options: SharedTurnsOptions) {
    this.#options = options
  }

  /** Of a link; the person may become known later. */
  of(person: () => string): Turns {
    return {
      before: (method) => (isCostly(method) ? this.#before(person()) : undefined),
      next: () => this.#next(person()),
    }
  }

  #before(person: string): Promise<void> | undefined {
    if (this.#waiting.size === 0 && this.#isEarly()) return undefined
    if ((this.#waiting.get(person)?.length ?? 0) >= MOST_WAITING) {
      throw busy(`${MOST_WAITING} of your calls to this node itself and batches wait for their turn: wait for answers`)
    }
    return this.#next(person)
  }

  #isEarly(): boolean {
    const now = this.#options.clock.monotonic()
    if (this.#beganMs === undefined) this.#begin(now)
    return now - (this.#beganMs ?? now) < LONGEST_TURN_MS
  }

  #next(person: string): Promise<void> {
    return new Promise((resolve) => {
      const own = this.#waiting.get(person)
      if (own === undefined) this.#waiting.set(person, [resolve])
      else own.push(resolve)
      if (this.#beganMs === undefined) this.#begin(this.#options.clock.monotonic())
    })
  }

  #begin(now: number): void {
    this.#beganMs = now
    this.#options.soon(() => this.#turn())
  }

  #turn(): void {
    this.#beganMs = undefined
    const [first] = this.#waiting
    if (first === undefined) return
    const [person, [resolve, ...others]] = first
    this.#waiting.delete(person)
    if (others.length > 0) this.#waiting.set(person, others)
    this.#begin(this.#options.clock.monotonic())
    resolve?.()
  }
}

/** What is done in the node's own process, with an answer that may be large. */
const isCostly = (method: string): boolean =>
  method === BATCH || method.startsWith(`${NODE_SERVICE}/`) || method.endsWith(`/${members.contract}`)

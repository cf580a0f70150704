/**
 * Keeps the event loop from sleeping while an answer is as good as there: an idle core takes tens of microseconds to wake,
 * which is several times what a small call takes.
 *
 * INVARIANTS: nothing is kept awake but by a link whose last waits were all short, and for SOON_MS at most; one whose waits
 * turn out to be long has to show more short ones before the next time, so that on a machine with no core to spare, where
 * being awake only takes time from the other end, it hardly happens; timers and sockets have their turns meanwhile.
 */

/** What comes later is waited for asleep. */
export const SOON_MS = 0.1
/** As long as this an answer takes whose end got no core to run on. */
export const LONG_MS = 1
/** So many more short waits than others before the next is awake. */
export const LEAST_SURE = 64
const MOST_SURE = 16_384
/** So many waits awake between two long ones were worth it. */
const WORTH = 8 * LEAST_SURE

/** Pure: how soon the other end of one link says something after this end has. Times are monotonic, in ms. */
export class Attention {
  /** When this end began to wait; 0: it does not. */
  #sinceMs = 0
  #isAwake = false
  #short = 0
  #awake = 0
  #sure = LEAST_SURE

  /** This end has said something; true when the answer is to be waited for awake. */
  sent(nowMs: number): boolean {
    if (this.#sinceMs !== 0) return false
    this.#sinceMs = nowMs
    this.#isAwake = this.#short >= this.#sure
    if (this.#isAwake) this.#awake++
    return this.#isAwake
  }

  /** The other end has said something. */
  came(nowMs: number): void {
    if (this.#sinceMs === 0) return
    const tookMs = nowMs - this.#sinceMs
    this.#sinceMs = 0
    if (tookMs < SOON_MS) this.#short = Math.min(this.#short + 1, 4 * this.#sure)
    else if (tookMs < LONG_MS) this.#short /= 2
    else this.#wasLong()
  }

  #wasLong(): void {
    this.#short = 0
    if (!this.#isAwake) return
    this.#sure = this.#awake >= WORTH ? Math.max(LEAST_SURE, this.#sure / 2) : Math.min(MOST_SURE, this.#sure * 2)
    this.#awake = 0
  }
}

/** One loop for all links of a process. */
let untilMs = 0
let isAwake = false

/** For SOON_MS from now. */
export function stayAwake(nowMs: number): void {
  untilMs = nowMs + SOON_MS
  if (isAwake) return
  isAwake = true
  setImmediate(look)
}

function look(): void {
  if (performance.now() < untilMs) setImmediate(look)
  else isAwake = false
}

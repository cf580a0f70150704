/**
 * Keeps the event loop from sleeping while an answer is as good as there: an idle core takes tens of microseconds to wake,
 * which is several times what a small call takes.
 *
 * INVARIANTS: a link keeps its process awake for SOON_MS a wait at most, and begins with that where LEAST_SURE more of
 * its waits were short than not; it goes on block by block as long as a block takes less than one asleep took, so that
 * on a machine with no core to spare, where being awake only takes time from the other end, it hardly happens; what was
 * in vain is tried again after twice as many waits; timers and sockets have their turns meanwhile.
 */

/** What comes later is waited for asleep. */
export const SOON_MS = 0.3
/** As long as this an answer takes whose end got no core to run on. */
export const LONG_MS = 1
/** So many more short waits than others before it is tried. */
export const LEAST_SURE = 64
const MOST_SURE = 4096
/** So many waits are judged together, by what they took on average. */
export const BLOCK = 64
/** Waits awake may take so much of what they took asleep, to begin with. */
const BETTER = 0.95
/** With fewer waits awake it was in vain. */
const WORTH = 4 * BLOCK
/** After so many waits awake it is looked again what they take asleep. */
export const LOOK_AGAIN = 64 * BLOCK

/** Pure: how soon the other end of one link says something after this end has. Times are monotonic, in ms. */
export class Attention {
  /** When this end began to wait; 0: it does not. */
  #sinceMs = 0
  #isAwake = false
  /** Of the last waits asleep: how many more were short. */
  #short = 0
  #sure = LEAST_SURE
  /** Waits awake since it was last asleep. */
  #awake = 0
  /** Of a block, and what it took; no wait counts for more than LONG_MS. */
  #count = 0
  #sumMs = 0
  /** Those of the last block asleep. */
  #asleepMs = 0

  /** This end has said something; true when the answer is to be waited for awake. */
  sent(nowMs: number): boolean {
    if (this.#sinceMs !== 0) return false
    this.#sinceMs = nowMs
    return this.#isAwake
  }

  /** The other end has said something. */
  came(nowMs: number): void {
    if (this.#sinceMs === 0) return
    const tookMs = nowMs - this.#sinceMs
    this.#sinceMs = 0
    this.#sumMs += Math.min(tookMs, LONG_MS)
    this.#count++
    if (!this.#isAwake) this.#asleep(tookMs)
    else {
      this.#awake++
      if (this.#count === BLOCK) this.#judge()
    }
  }

  #asleep(tookMs: number): void {
    if (tookMs < SOON_MS) this.#short++
    else if (tookMs < LONG_MS) this.#short /= 2
    else this.#short = 0
    if (this.#count < BLOCK) return
    this.#asleepMs = this.#sumMs
    this.#begin(this.#short >= this.#sure)
  }

  #judge(): void {
    const isBetter = this.#sumMs < this.#asleepMs * (this.#awake === BLOCK ? BETTER : 1)
    if (isBetter && this.#awake < LOOK_AGAIN) {
      this.#begin(true)
      return
    }
    this.#sure = this.#awake >= WORTH ? LEAST_SURE : Math.min(MOST_SURE, this.#sure * 2)
    this.#short = 0
    this.#awake = 0
    this.#begin(false)
  }

  /** A block. */
  #begin(isAwake: boolean): void {
    this.#isAwake = isAwake
    this.#count = 0
    this.#sumMs = 0
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

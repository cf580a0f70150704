/** Tells a board that has started anew once from one that does so again and again. Pure. */

/** Resets longer ago than this are forgotten. */
const WINDOW_MS = 60_000
/** How long a board must run before it counts as there, after so many resets; with its boot loader, less than 10 s. */
const QUIET_MS = [0, 1500, 3000, 5000] as const

export class ResetWatch {
  #resets: number[] = []
  /** Starts since it had power; undefined while the board has not said. */
  #boots: number | undefined

  /** The board has started without being told to; `boots` counts its starts since it had power. */
  saw(nowMs: number, boots: number | undefined): void {
    this.#forget(nowMs)
    this.#resets.push(nowMs)
    this.#boots = boots ?? (this.#boots === undefined ? undefined : this.#boots + 1)
  }

  /**
   * The board was connected to. Opening a serial port may start it (once, or twice with a boot loader); what it has
   * started beyond that while nobody listened counts.
   */
  connected(nowMs: number, boots: number): void {
    this.#forget(nowMs)
    const unseen = this.#boots === undefined ? 0 : boots - this.#boots - 2
    for (let i = 0; i < Math.min(unseen, QUIET_MS.length); i++) this.#resets.push(nowMs)
    this.#boots = boots
  }

  /** How long it must run now before it is taken for being there. */
  quietMs(nowMs: number): number {
    this.#forget(nowMs)
    return QUIET_MS[Math.min(this.#resets.length, QUIET_MS.length - 1)] ?? 0
  }

  /** For people; undefined while it has not started anew more than once. */
  reason(nowMs: number): string | undefined {
    this.#forget(nowMs)
    if (this.#resets.length < 2) return undefined
    const seconds = Math.max(1, Math.ceil((nowMs - (this.#resets[0] ?? nowMs)) / 1000))
    const since = this.#boots === undefined ? '' : ` (start ${this.#boots} since it had power)`
    return `it starts anew again and again: ${this.#resets.length} times within ${seconds} s${since}; look at its supply, its watchdog and its firmware`
  }

  #forget(nowMs: number): void {
    this.#resets = this.#resets.filter((at) => nowMs - at < WINDOW_MS)
  }
}

/**
 * Bench time that each person has used lately.
 *
 * What has ended counts for the window, in slots of a 168th of it (an hour of a week), and leaves it slot by slot; what is
 * under way counts as long as it is expected to last.
 */
const slotsOfWindow = 168

/** Bench time of a person that ended in one slot, as the database sums it. */
export interface UsedBefore {
  readonly personId: string
  readonly slot: number
  readonly ms: number
}

export class Usage {
  readonly windowMs: number
  readonly slotMs: number
  readonly #slots = new Map<number, Map<string, number>>()
  readonly #endedMs = new Map<string, number>()
  readonly #heldS = new Map<string, number>()

  constructor(windowMs: number) {
    this.windowMs = windowMs
    this.slotMs = Math.max(1, Math.ceil(windowMs / slotsOfWindow))
  }

  /** Whole seconds. */
  of(personId: string): number {
    return Math.floor((this.#endedMs.get(personId) ?? 0) / 1000) + (this.#heldS.get(personId) ?? 0)
  }

  /** A bench was given for so long as is expected. */
  hold(personId: string, seconds: number): void {
    this.#heldS.set(personId, (this.#heldS.get(personId) ?? 0) + seconds)
  }

  /** It was given back. */
  release(personId: string, seconds: number): void {
    const left = (this.#heldS.get(personId) ?? 0) - seconds
    if (left > 0) this.#heldS.set(personId, left)
    else this.#heldS.delete(personId)
  }

  /** So much bench time ended then. */
  ended(personId: string, ms: number, atMs: number): void {
    this.restore({ personId, slot: Math.floor(atMs / this.slotMs), ms })
  }

  restore({ personId, slot, ms }: UsedBefore): void {
    if (ms <= 0) return
    let people = this.#slots.get(slot)
    if (people === undefined) {
      people = new Map()
      this.#slots.set(slot, people)
    }
    people.set(personId, (people.get(personId) ?? 0) + ms)
    this.#endedMs.set(personId, (this.#endedMs.get(personId) ?? 0) + ms)
  }

  /** Forgets what has left the window; the people whose usage fell. */
  advance(nowMs: number): ReadonlySet<string> {
    const first = this.firstSlot(nowMs)
    const fell = new Set<string>()
    for (const [slot, people] of this.#slots) {
      if (slot >= first) continue
      this.#slots.delete(slot)
      for (const [personId, ms] of people) {
        fell.add(personId)
        const left = (this.#endedMs.get(personId) ?? 0) - ms
        if (left > 0) this.#endedMs.set(personId, left)
        else this.#endedMs.delete(personId)
      }
    }
    return fell
  }

  /** The oldest slot that counts. */
  firstSlot(nowMs: number): number {
    return Math.floor((nowMs - this.windowMs) / this.slotMs) + 1
  }
}

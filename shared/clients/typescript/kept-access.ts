/**
 * What opens a node, as it was given last.
 *
 * INVARIANTS: it is kept for as long as it is good, whatever becomes of who gave it; how long that is is counted from its
 * coming on a clock that never jumps, so that the time of day here does not matter.
 */
import type { Clock } from '../../primitives/clock.ts'
import { asLabError } from '../../primitives/lab-error.ts'

/** Where a node is, and what opens it. */
export interface Access {
  readonly addresses: readonly string[]
  /** None for the owner of the node's machine, who needs none. */
  readonly token?: string
  /** How long the token lasts from now. */
  readonly lastsMs?: number
  /** The node is not connected with its hub, which has last heard of it then. */
  readonly goneSince?: string
}

/** Asked for anew this long before its end. */
export const EARLY_MS = 60_000

export class KeptAccess {
  readonly #ask: (signal: AbortSignal) => Promise<Access>
  readonly #clock: Clock
  #kept: { readonly access: Access; readonly endsAt: number } | undefined
  #isInDoubt = false

  constructor(ask: (signal: AbortSignal) => Promise<Access>, clock: Clock) {
    this.#ask = ask
    this.#clock = clock
  }

  get newest(): Access | undefined {
    return this.#kept?.access
  }

  /** How long that lasts. */
  get leftMs(): number {
    return this.#kept === undefined ? 0 : this.#kept.endsAt - this.#clock.monotonic()
  }

  /** The node may be elsewhere now, or want another token: asked before it is used again. */
  doubt(): void {
    this.#isInDoubt = true
  }

  /** The kept one, or a new one where that is old or in doubt; the kept one all the same while nobody can be asked. */
  async get(signal: AbortSignal): Promise<Access> {
    const kept = this.#kept?.access
    if (kept !== undefined && !this.#isInDoubt && this.leftMs > EARLY_MS) return kept
    try {
      return await this.renew(signal)
    } catch (thrown) {
      if (kept === undefined || this.leftMs <= 0 || asLabError(thrown).kind !== 'link') throw thrown
      return kept
    }
  }

  /** A new one; the one before stays where none is given. */
  async renew(signal: AbortSignal): Promise<Access> {
    const access = await this.#ask(signal)
    const endsAt = this.#clock.monotonic() + (access.lastsMs ?? Number.POSITIVE_INFINITY)
    this.#kept = { access, endsAt }
    this.#isInDoubt = false
    return access
  }
}

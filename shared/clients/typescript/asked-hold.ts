/**
 * A bench that is asked for by an id of the taking, so that an answer that is lost leaves nothing behind.
 *
 * INVARIANTS: until it is known that nothing was taken, or what was is given back, it is not forgotten: it is given back as
 * soon as its hub answers, at the latest when the bench is to be taken again, or until it has ended by itself; no other hold
 * than that of this taking is given back so.
 */
import { LONGEST_LEASE_S } from '../../contracts/longest.ts'
import type { Clock } from '../../primitives/clock.ts'
import { newId } from '../../primitives/ids.ts'
import { asLabError, type LabError } from '../../primitives/lab-error.ts'
import { unlessAborted } from '../../primitives/unless-aborted.ts'
import type { BenchHold, Directory } from './directory.ts'
import { giveBackLater } from './give-back-later.ts'

export interface AskedHoldOptions {
  readonly directory: Directory
  readonly bench: string
  /** What for; empty for no reason. */
  readonly reason: string
  readonly clock: Clock
}

/** A hub that is being started again, or a link that broke, is back after so long. */
const WAITS_MS = [0, 250, 1000, 2000]
const TRIED_MS = 30_000
/** As long as a hold lasts that nobody renews. */
export const LASTS_MS = LONGEST_LEASE_S * 1000

export class AskedHold {
  readonly #options: AskedHoldOptions
  readonly #taking: string
  readonly #askedMs: number
  /** What was answered, or is being asked. */
  #asked: Promise<BenchHold> | undefined
  #isOver = false
  /** Before this nothing is given back. */
  #after: Promise<unknown> = Promise.resolve()
  #givingBack: Promise<void> | undefined

  constructor(options: AskedHoldOptions) {
    this.#options = options
    this.#taking = newId(options.clock.now())
    this.#askedMs = options.clock.monotonic()
  }

  /**
   * Asks again where no answer comes; rejects as the hub refuses, with `hub-unreachable`, or at once with the signal's reason:
   * then it may have been taken, and is asked for no more.
   */
  async take(signal?: AbortSignal): Promise<BenchHold> {
    const { clock } = this.#options
    for (let again = 0; ; again++) {
      signal?.throwIfAborted()
      try {
        return await unlessAborted(this.#ask({ mayResume: true }), signal)
      } catch (thrown) {
        signal?.throwIfAborted()
        const waitMs = WAITS_MS[again]
        const isLate = clock.monotonic() - this.#askedMs > TRIED_MS
        if (waitMs === undefined || isLate || !isUnknown(asLabError(thrown))) throw thrown
        await clock.sleep(waitMs, signal)
      }
    }
  }

  /**
   * Gives back what may have been taken without a word of it; resolves when nothing is left, which it is once it would have
   * ended by itself, and rejects while its hub is away.
   */
  giveBack(): Promise<void> {
    this.#givingBack ??= this.#giveBack().finally(() => {
      this.#givingBack = undefined
    })
    return this.#givingBack
  }

  /**
   * The same, after that and as soon as the hub is there; ends with the signal, after one try, or when the hold has ended by
   * itself. Never rejects.
   */
  async giveBackLater(after: Promise<unknown>, signal: AbortSignal): Promise<void> {
    this.#after = after
    const again = () => this.giveBack()
    await giveBackLater({ first: again(), again, clock: this.#options.clock, signal })
  }

  async #giveBack(): Promise<void> {
    await this.#after
    const { directory, bench, clock } = this.#options
    if (clock.monotonic() - this.#askedMs >= LASTS_MS) this.#isOver = true
    if (this.#isOver) return
    try {
      const { lease, isResumed = false } = await this.#ask({ mayResume: false })
      if (!isResumed) await directory.release(bench, { lease })
    } catch (thrown) {
      if (isUnknown(asLabError(thrown))) throw thrown
    }
    this.#isOver = true
  }

  /** One at a time, and no more once it is answered. */
  #ask(how: { readonly mayResume: boolean }): Promise<BenchHold> {
    const { directory, bench, reason } = this.#options
    const asked = { ...how, taking: this.#taking, ...(reason === '' ? {} : { reason }) }
    this.#asked ??= directory.hold(bench, asked).catch((thrown: unknown) => {
      this.#asked = undefined
      throw thrown
    })
    return this.#asked
  }
}

/** Whether it may have been taken nevertheless. */
export const isUnknown = ({ kind, code }: LabError): boolean => kind === 'link' || code === 'still-at-work'

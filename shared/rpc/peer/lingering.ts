/**
 * Streams that outlive their link for a while, so that whoever lost it can go on without a gap.
 *
 * INVARIANTS: only the owner who began a stream may go on with it; each ends at most `lingerMs` after its link; there are
 * never more than `most` of them: the next is refused to linger, and still streams.
 */
import type { Clock } from '../../primitives/clock.ts'
import { randomText } from '../../primitives/ids.ts'
import type { SentStream } from './sent-stream.ts'

interface Entry {
  readonly owner: string
  readonly stream: SentStream
  readonly lingerMs: number
  cancel: () => void
}

export interface LingeringOptions {
  readonly clock: Clock
  readonly most?: number
}

export class Lingering {
  readonly #clock: Clock
  readonly #most: number
  readonly #entries = new Map<string, Entry>()

  constructor({ clock, most = 256 }: LingeringOptions) {
    this.#clock = clock
    this.#most = most
  }

  get size(): number {
    return this.#entries.size
  }

  /** A token that nobody guesses, or undefined when too many linger. */
  keep(stream: SentStream, owner: string, lingerMs: number): string | undefined {
    if (this.#entries.size >= this.#most) return undefined
    const token = randomText(32)
    this.#entries.set(token, { owner, stream, lingerMs, cancel: () => {} })
    return token
  }

  /** The link has ended: the stream waits. */
  detach(token: string): void {
    const entry = this.#entries.get(token)
    if (entry === undefined) return
    entry.stream.detach()
    entry.cancel()
    entry.cancel = this.#clock.after(entry.lingerMs, () => {
      this.forget(token)
      entry.stream.stop()
    })
  }

  /** The stream, which now waits no more; undefined for a token that is unknown or another's. */
  take(token: string, owner: string): SentStream | undefined {
    const entry = this.#entries.get(token)
    if (entry === undefined || entry.owner !== owner) return undefined
    entry.cancel()
    entry.cancel = () => {}
    return entry.stream
  }

  forget(token: string): void {
    this.#entries.get(token)?.cancel()
    this.#entries.delete(token)
  }

  /** Ends all of them, as when the process stops. */
  close(): void {
    for (const [token, { stream }] of [...this.#entries]) {
      this.forget(token)
      stream.stop()
    }
  }
}

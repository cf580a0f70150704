/**
 * Streams that outlive their link for a while, so that whoever lost it can go on without a gap.
 *
 * INVARIANTS: only the owner who began a stream may go on with it; each ends at most `lingerMs` after its link, and never
 * later than MOST_LINGER_MS; there are never more than `most` of them, and MOST_OF_OWNER of one owner: the next is refused
 * to linger, and still streams.
 */
import type { Clock } from '../../primitives/clock.ts'
import { randomText } from '../../primitives/ids.ts'
import type { SentStream } from './sent-stream.ts'

const MOST_LINGER_MS = 600_000
const MOST_OF_OWNER = 32

export interface LingeringStream {
  readonly stream: SentStream
  /** By which it was asked for. */
  readonly method: string
  readonly owner: string
  readonly lingerMs: number
  /** Whether the owner, by what was shown on its last link, may go on no more. */
  readonly isOver: () => boolean
}

interface Entry extends Omit<LingeringStream, 'isOver'> {
  isOver: () => boolean
  /** It has no link. */
  isAlone: boolean
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
  keep({ lingerMs, ...stream }: LingeringStream): string | undefined {
    if (this.#entries.size >= this.#most) return undefined
    const ofOwner = [...this.#entries.values()].filter(({ owner }) => owner === stream.owner)
    if (ofOwner.length >= MOST_OF_OWNER) return undefined
    const token = randomText(32)
    this.#entries.set(token, {
      ...stream,
      lingerMs: Math.min(lingerMs, MOST_LINGER_MS),
      isAlone: false,
      cancel: () => {},
    })
    return token
  }

  /** Its link has ended: the stream waits for another. */
  detach(token: string): void {
    const entry = this.#entries.get(token)
    if (entry === undefined) return
    entry.isAlone = true
    entry.stream.detach()
    entry.cancel()
    entry.cancel = this.#clock.after(entry.lingerMs, () => this.stop(token))
  }

  /** What lingers under the token; undefined for one that is unknown or another's. */
  find(token: string, owner: string): LingeringStream | undefined {
    const entry = this.#entries.get(token)
    return entry?.owner === owner ? entry : undefined
  }

  /** Another link has the stream: it waits no more. */
  attached(token: string, isOver: () => boolean): void {
    const entry = this.#entries.get(token)
    if (entry === undefined) return
    entry.isOver = isOver
    entry.isAlone = false
    entry.cancel()
    entry.cancel = () => {}
  }

  /** Stops those without a link that are not to be gone on with; of the others their links are asked. */
  judge(isOver: (stream: Pick<LingeringStream, 'method' | 'owner'>) => boolean): void {
    for (const [token, entry] of [...this.#entries]) if (entry.isAlone && isOver(entry)) this.stop(token)
  }

  /** Stops those without a link whose owner may go on no more. */
  endOver(): void {
    for (const [token, entry] of [...this.#entries]) if (entry.isAlone && entry.isOver()) this.stop(token)
  }

  /** Nobody comes back for it. */
  stop(token: string): void {
    const entry = this.#entries.get(token)
    this.forget(token)
    entry?.stream.stop()
  }

  forget(token: string): void {
    this.#entries.get(token)?.cancel()
    this.#entries.delete(token)
  }

  /** Ends all of them, as when the process stops. */
  close(): void {
    for (const token of [...this.#entries.keys()]) this.stop(token)
  }
}

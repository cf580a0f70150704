import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transport } from '../transports/transport.ts'

/** What arrives on a transport, taken by count. One taker at a time. */
export class ByteReader {
  readonly #clock: Clock
  #bytes = new Uint8Array(0)
  #ended: Error | undefined
  #notice = () => {}

  constructor(transport: Transport, clock: Clock) {
    this.#clock = clock
    transport.onData((more) => {
      const joined = new Uint8Array(this.#bytes.length + more.length)
      joined.set(this.#bytes)
      joined.set(more, this.#bytes.length)
      this.#bytes = joined
      this.#notice()
    })
    transport.onClose((reason) => {
      this.#ended = reason ?? closed()
      this.#notice()
    })
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.#bytes = new Uint8Array(0)
  }

  /** Bytes that have come and were not taken. */
  get waiting(): Uint8Array {
    return this.#bytes
  }

  /** Resolves with the next `count` bytes, or with undefined after `ms`; rejects when the connection ends, or at the signal. */
  async take(count: number, ms: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const there = await this.until((bytes) => bytes.length >= count, ms, signal)
    if (!there) return undefined
    const taken = this.#bytes.slice(0, count)
    this.#bytes = this.#bytes.slice(count)
    return taken
  }

  /** Resolves with true once what has come is enough, or with false after `ms`. */
  until(enough: (bytes: Uint8Array) => boolean, ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const settle = (how: () => void) => {
        cancel()
        signal.removeEventListener('abort', onAbort)
        this.#notice = () => {}
        how()
      }
      const onAbort = () => settle(() => reject(signal.reason))
      const look = () => {
        if (enough(this.#bytes)) settle(() => resolve(true))
        else if (this.#ended !== undefined) {
          const reason = this.#ended
          settle(() => reject(reason))
        }
      }
      const cancel = this.#clock.after(ms, () => settle(() => resolve(false)))
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      this.#notice = look
      look()
    })
  }
}

function closed(): LabError {
  return new LabError({
    code: 'transport-closed',
    kind: 'link',
    retry: 'later',
    message: 'the connection closed',
  })
}

import { TunnelStream } from '@fernlab/shared/links/tunnel-stream'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { WebSocket } from 'ws'

/** Gets a WebSocket from a node, or says why there is none; what it returns gives up. Calls back once. */
export type Dial = (arrive: (socket: WebSocket) => void, fail: (error: LabError) => void) => (reason: LabError) => void

/**
 * The hub's end of a tunnel, with what Node's HTTP client asks of a socket. It can be written to at once, while its node
 * is being asked.
 */
export class TunnelSocket extends TunnelStream {
  readonly #dial: Dial
  readonly #clock: Clock
  #giveUp: ((reason: LabError) => void) | undefined
  #cancelTimeout = () => {}

  constructor(dial: Dial, clock: Clock) {
    super()
    this.#dial = dial
    this.#clock = clock
    this.once('close', () => this.#cancelTimeout())
  }

  override _construct(done: (error?: Error | null) => void): void {
    this.#giveUp = this.#dial((socket) => {
      this.attach(socket)
      done()
    }, done)
  }

  /** Ends it at once, also while the node is being asked. */
  cut(reason: LabError): void {
    this.#giveUp?.(reason)
    this.destroy(reason)
  }

  /** Emits `timeout` when no byte has gone either way for so long, at most twice as long; 0: never. */
  setTimeout(ms: number, listener?: () => void): this {
    this.#cancelTimeout()
    if (listener !== undefined) this.once('timeout', listener)
    if (ms > 0 && !this.destroyed) this.#watch(ms)
    return this
  }

  #watch(ms: number): void {
    const before = this.bytes
    this.#cancelTimeout = this.#clock.after(ms, () => {
      const silent = this.bytes === before
      this.#watch(ms)
      if (silent) this.emit('timeout')
    })
  }

  /** Ends it, and lets go of it once everything is sent. */
  destroySoon(): void {
    this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

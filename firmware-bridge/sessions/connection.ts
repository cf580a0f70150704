/**
 * One open connection to an instrument that answers messages: writes them, hands out replies one by one.
 *
 * INVARIANTS: a reply that no one waits for is dropped and makes the connection out of step; so does a question that
 * went unanswered; an out-of-step connection is asked nothing before it has been brought into step.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transport } from '../transports/transport.ts'

/** Cuts bytes, split anywhere, into replies; a malformed one has the kind `malformed`. */
export interface Framing<R extends { readonly kind: string }> {
  push(bytes: Uint8Array): R[]
  /** What the end of a message on a wire that has such ends makes of what has arrived. */
  end?(): R[]
  /** True when nothing of a reply has arrived yet. */
  readonly idle: boolean
  /** Forgets an unfinished reply. */
  reset(): void
}

/** A text, to which the terminator is added, or bytes that are sent as they are. */
export type Message = string | Uint8Array

/** A message as people read it. */
export const shownMessage = (message: Message): string =>
  typeof message === 'string' ? message : [...message].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')

export interface ConnectionOptions<R extends { readonly kind: string }> {
  readonly instrument: string
  readonly transport: Transport
  readonly clock: Clock
  /** Ends every text to the instrument. */
  readonly terminator: string
  readonly framing: Framing<R>
  /** Told of a reply that nobody waits for, which is dropped. */
  readonly onUnasked?: (reply: R) => void
}

interface Waiter<R> {
  readonly resolve: (reply: R) => void
  readonly reject: (reason: unknown) => void
}

export class Connection<R extends { readonly kind: string }> {
  readonly #options: ConnectionOptions<R>
  readonly #framing: Framing<R>
  readonly #closeListeners: ((reason: LabError | undefined) => void)[] = []
  #inbox: R[] = []
  #waiter: Waiter<R> | undefined
  #asking = false
  #inStep = false
  #ended = false
  #endReason: LabError | undefined

  constructor(options: ConnectionOptions<R>) {
    this.#options = options
    this.#framing = options.framing
    options.transport.onData((bytes) => this.#receive(this.#framing.push(bytes)))
    options.transport.onMessageEnd?.(() => this.#receive(this.#framing.end?.() ?? []))
    options.transport.onClose((reason) => this.#end(reason))
  }

  /** False from an unanswered question, or an unasked answer, until `markInStep`. */
  get inStep(): boolean {
    return this.#inStep && this.#framing.idle
  }

  /** False once the transport has closed. */
  get alive(): boolean {
    return !this.#ended
  }

  markInStep(): void {
    this.#inStep = true
  }

  markOutOfStep(): void {
    this.#inStep = false
  }

  /** Called once at the end, with the reason when it was not `close`; at once when it has ended already. */
  onClose(listener: (reason: LabError | undefined) => void): void {
    if (this.#ended) listener(this.#endReason)
    else this.#closeListeners.push(listener)
  }

  /** Sends one message; resolves when the operating system has taken it. */
  async write(message: Message, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#ended) throw this.#endReason ?? this.#disconnected(message)
    const bytes = typeof message === 'string' ? Buffer.from(message + this.#options.terminator, 'latin1') : message
    await this.#within(timeoutMs, signal, message, () => this.#options.transport.write(bytes, timeoutMs))
  }

  /** Sends a message and gives its reply; a reply that does not come leaves the connection out of step. */
  async ask(message: Message, timeoutMs: number, signal: AbortSignal): Promise<R> {
    this.#inbox = []
    this.#asking = true
    try {
      await this.write(message, timeoutMs, signal)
      const reply = await this.nextReply(message, timeoutMs, signal)
      if (reply.kind === 'malformed' || this.#inbox.length > 0) this.#inStep = false
      return reply
    } catch (error) {
      this.#inStep = false
      throw error
    } finally {
      this.#asking = false
    }
  }

  /** Forgets what came before, then keeps replies while `work` runs instead of dropping them as unasked. */
  async listening<T>(work: () => Promise<T>): Promise<T> {
    this.#inbox = []
    this.#framing.reset()
    this.#asking = true
    try {
      return await work()
    } finally {
      this.#asking = false
    }
  }

  /** The next reply to arrive, within `timeoutMs`. */
  async nextReply(message: Message, timeoutMs: number, signal: AbortSignal): Promise<R> {
    const waiting = this.#inbox.shift()
    if (waiting !== undefined) return waiting
    if (this.#ended) throw this.#endReason ?? this.#disconnected(message)
    try {
      return await this.#within(
        timeoutMs,
        signal,
        message,
        () =>
          new Promise<R>((resolve, reject) => {
            this.#waiter = { resolve, reject }
          }),
      )
    } finally {
      this.#waiter = undefined
    }
  }

  async close(): Promise<void> {
    this.#end(undefined)
    await this.#options.transport.close()
  }

  #receive(replies: readonly R[]): void {
    for (const reply of replies) {
      if (!this.#asking) {
        this.#inStep = false
        this.#options.onUnasked?.(reply)
      } else if (this.#waiter !== undefined) {
        const waiter = this.#waiter
        this.#waiter = undefined
        waiter.resolve(reply)
      } else this.#inbox.push(reply)
    }
  }

  #end(cause: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#inStep = false
    if (cause !== undefined) this.#endReason = this.#disconnected(undefined, cause)
    this.#waiter?.reject(this.#endReason ?? this.#disconnected(undefined))
    for (const listener of this.#closeListeners) listener(this.#endReason)
  }

  async #within<T>(timeoutMs: number, signal: AbortSignal, message: Message, work: () => Promise<T>): Promise<T> {
    const { clock, instrument } = this.#options
    const startedMs = clock.monotonic()
    return await withDeadline(
      clock,
      timeoutMs,
      signal,
      () => silent(instrument, shownMessage(message), timeoutMs, clock.monotonic() - startedMs),
      work,
    )
  }

  #disconnected(message: Message | undefined, cause?: Error): LabError {
    const { instrument } = this.#options
    const during = message === undefined ? '' : ` before ${shownMessage(message)}`
    return new LabError({
      code: 'instrument-disconnected',
      kind: 'link',
      retry: 'later',
      message: `the connection to ${instrument} was lost${during}${cause === undefined ? '' : `: ${cause.message}`}`,
      studentMessage: 'An instrument of this bench has lost its connection. What was measured until then is kept.',
      details: { instrument, ...(message === undefined ? {} : { command: shownMessage(message) }) },
      cause,
    })
  }
}

function silent(instrument: string, command: string, timeoutMs: number, elapsedMs: number): LabError {
  return new LabError({
    code: 'instrument-silent',
    kind: 'instrument',
    retry: 'later',
    message: `${instrument} did not answer ${command} within ${timeoutMs} ms`,
    studentMessage: 'An instrument of this bench does not answer. What was measured until then is kept.',
    details: { instrument, command, timeoutMs, elapsedMs: Math.round(elapsedMs) },
  })
}

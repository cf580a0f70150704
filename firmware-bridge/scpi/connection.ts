/**
 * One open connection to a SCPI instrument: writes messages, hands out replies one by one.
 *
 * INVARIANTS: a reply that no one waits for is dropped and makes the connection out of step; so does a question that
 * went unanswered; an out-of-step connection answers no question before `synchronise` (see synchronise.ts).
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transport } from '../transports/transport.ts'
import { type Reply, ReplyFraming } from './framing.ts'

export interface ConnectionOptions {
  readonly instrument: string
  readonly transport: Transport
  readonly clock: Clock
  /** Ends every message to the instrument, and every reply of it. */
  readonly terminator: string
}

interface Waiter {
  readonly resolve: (reply: Reply) => void
  readonly reject: (reason: unknown) => void
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #framing: ReplyFraming
  readonly #encoder = new TextEncoder()
  readonly #closeListeners: ((reason: LabError | undefined) => void)[] = []
  #inbox: Reply[] = []
  #waiter: Waiter | undefined
  #asking = false
  #inStep = false
  #ended = false
  #endReason: LabError | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#framing = new ReplyFraming(options.terminator)
    options.transport.onData((bytes) => this.#receive(bytes))
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
  async write(message: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#ended) throw this.#endReason ?? this.#disconnected(message)
    const bytes = this.#encoder.encode(message + this.#options.terminator)
    await this.#within(timeoutMs, signal, message, () => this.#options.transport.write(bytes))
  }

  /** Sends a message and gives its reply; a reply that does not come leaves the connection out of step. */
  async ask(message: string, timeoutMs: number, signal: AbortSignal): Promise<Reply> {
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
  async nextReply(message: string, timeoutMs: number, signal: AbortSignal): Promise<Reply> {
    const waiting = this.#inbox.shift()
    if (waiting !== undefined) return waiting
    if (this.#ended) throw this.#endReason ?? this.#disconnected(message)
    try {
      return await this.#within(
        timeoutMs,
        signal,
        message,
        () =>
          new Promise<Reply>((resolve, reject) => {
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

  #receive(bytes: Uint8Array): void {
    for (const reply of this.#framing.push(bytes)) {
      if (!this.#asking) this.#inStep = false
      else if (this.#waiter !== undefined) {
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

  async #within<T>(timeoutMs: number, signal: AbortSignal, message: string, work: () => Promise<T>): Promise<T> {
    const { clock, instrument } = this.#options
    const startedMs = clock.monotonic()
    return await withDeadline(
      clock,
      timeoutMs,
      signal,
      () => silent(instrument, message, timeoutMs, clock.monotonic() - startedMs),
      work,
    )
  }

  #disconnected(message: string | undefined, cause?: Error): LabError {
    const { instrument } = this.#options
    const during = message === undefined ? '' : ` before ${message}`
    return new LabError({
      code: 'instrument-disconnected',
      kind: 'link',
      retry: 'later',
      message: `the connection to ${instrument} was lost${during}${cause === undefined ? '' : `: ${cause.message}`}`,
      studentMessage: 'An instrument of this bench has lost its connection. What was measured until then is kept.',
      details: { instrument, ...(message === undefined ? {} : { command: message }) },
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

/**
 * A SCPI instrument that reconnects by itself and answers one question at a time.
 *
 * INVARIANTS, beside those of sessions/reconnecting.ts: an exchange ends by its deadline, whatever the instrument does; a
 * message without reply is written at once even when the instrument is out of step (a safe state must not wait for one),
 * a question never is; after a loss, `initialise` has run before any other exchange.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { Connection } from '../sessions/connection.ts'
import { Reconnecting } from '../sessions/reconnecting.ts'
import type { OpenTransport, TransportConfig } from '../transports/transport.ts'
import { type Reply, ReplyFraming } from './framing.ts'
import { parseQueuedError, type QueuedError } from './replies.ts'
import { type SynchroniseBy, synchronise } from './synchronise.ts'

/** What an exchange can do while it has the line to itself. */
export interface Exchange {
  /** Sends a message that has no reply. */
  write(message: string, timeoutMs?: number): Promise<void>
  /** Sends a question; `parse` makes a value of the line, and what it throws leaves the instrument out of step. */
  query<T>(message: string, parse: (text: string) => T, timeoutMs?: number): Promise<T>
  /** Sends a question that is answered by a block. */
  queryBlock(message: string, timeoutMs?: number): Promise<Uint8Array>
  /** Empties the instrument's error queue. */
  errors(): Promise<QueuedError[]>
}

export interface ScpiSessionOptions {
  readonly instrument: string
  readonly transport: TransportConfig
  readonly openTransport: OpenTransport
  readonly clock: Clock
  readonly log: Log
  readonly terminator: string
  /** Limit of each message, write and reply apart. */
  readonly timeoutMs: number
  readonly synchroniseBy: SynchroniseBy
  readonly quietMs: number
  /** `SYSTem:ERRor?`, or what the instrument calls it; undefined where it has no queue. */
  readonly errorQuery: string | undefined
  /** Pause before the first and the longest before a later reconnection. */
  readonly backOffMs: { readonly first: number; readonly longest: number }
  /** Throws when the identity is not the instrument's. */
  readonly checkIdentity: (identity: string) => void
  /** Runs after every connection, before anything else is sent. */
  readonly initialise: (exchange: Exchange) => Promise<void>
}

const MAX_QUEUED_ERRORS = 50

export class ScpiSession {
  readonly #options: ScpiSessionOptions
  readonly #line: Reconnecting<Connection<Reply>>
  #identity: string | undefined
  #turn = 0

  constructor(options: ScpiSessionOptions) {
    this.#options = options
    this.#line = new Reconnecting({ ...options, connect: (signal) => this.#connect(signal) })
  }

  /** What the instrument answered to `*IDN?`; undefined before the first connection. */
  get identity(): string | undefined {
    return this.#identity
  }

  /** Called once when the connection is lost, with the reason, and once when it is back. */
  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#line.onConnection(listener)
  }

  /** Connects, synchronises, identifies, initialises; rejects when one of them fails, and may then be called again. */
  open(signal: AbortSignal): Promise<void> {
    return this.#line.open(signal)
  }

  /**
   * Runs `work` alone on the line. Rejects at once with a link-kind error while the instrument is not connected. One
   * `urgent` exchange in which the instrument does not answer leaves it connected, so that it can be told again.
   */
  async exchange<T>(
    work: (exchange: Exchange) => Promise<T>,
    signal: AbortSignal,
    { urgent = false }: { readonly urgent?: boolean } = {},
  ): Promise<T> {
    return await this.#line.alone(signal, (connection, both) => work(this.#exchangeOn(connection, both, urgent)))
  }

  /** Ends what is under way and frees the port. */
  close(): Promise<void> {
    return this.#line.close()
  }

  #exchangeOn(connection: Connection<Reply>, signal: AbortSignal, urgent = false): Exchange {
    const { instrument, timeoutMs, errorQuery } = this.#options
    const ask = async (message: string, limitMs: number) => {
      if (!connection.inStep) await this.#synchronise(connection, signal, urgent)
      return await connection.ask(message, limitMs, signal)
    }
    const malformed = (message: string, reason: string) => {
      connection.markOutOfStep()
      return new LabError({
        code: 'reply-garbled',
        kind: 'instrument',
        retry: 'later',
        message: `${instrument} garbled its reply to ${message}: ${reason}`,
        studentMessage: 'An instrument gave an answer that makes no sense. What was measured until then is kept.',
        details: { instrument, command: message },
      })
    }
    const query = async <T>(message: string, parse: (text: string) => T, limitMs = timeoutMs): Promise<T> => {
      const reply = await ask(message, limitMs)
      if (reply.kind !== 'line') {
        throw malformed(message, reply.kind === 'block' ? 'a block came instead of a line' : reply.reason)
      }
      try {
        return parse(reply.text)
      } catch (error) {
        if (asLabError(error).code === 'reply-garbled') connection.markOutOfStep()
        throw error
      }
    }
    return {
      write: (message, limitMs = timeoutMs) => connection.write(message, limitMs, signal),
      query,
      queryBlock: async (message, limitMs = timeoutMs) => {
        const reply = await ask(message, limitMs)
        if (reply.kind === 'block') return reply.bytes
        throw malformed(message, reply.kind === 'line' ? 'a line came instead of a block' : reply.reason)
      },
      errors: async () => {
        const found: QueuedError[] = []
        if (errorQuery === undefined) return found
        while (found.length < MAX_QUEUED_ERRORS) {
          const next = await query(errorQuery, (text) => parseQueuedError(text, { instrument, command: errorQuery }))
          if (next.code === 0) break
          found.push(next)
        }
        return found
      },
    }
  }

  async #synchronise(connection: Connection<Reply>, signal: AbortSignal, urgent = false): Promise<void> {
    const { instrument, synchroniseBy, clock, timeoutMs, quietMs, log } = this.#options
    this.#turn += 1
    const options = {
      instrument,
      by: synchroniseBy,
      clock,
      timeoutMs,
      quietMs,
      // At the other end of a new connection may be another instrument.
      identity: this.#line.holds(connection) ? this.#identity : undefined,
      turn: this.#turn,
    }
    try {
      const dropped = await synchronise(connection, options, signal)
      this.#line.heard()
      if (dropped > 0) log.debug({ instrument, dropped }, 'late replies were dropped')
    } catch (error) {
      // An aborted caller proves nothing about the instrument; anything else means that only a new connection helps.
      if (!signal.aborted && connection.alive) this.#line.mute(connection, asLabError(error), { urgent })
      throw error
    }
  }

  async #connect(signal: AbortSignal): Promise<Connection<Reply>> {
    const { instrument, transport, openTransport, clock, terminator, timeoutMs } = this.#options
    const opened = await openTransport(transport, signal)
    const framing = new ReplyFraming(terminator)
    const connection = new Connection({ instrument, transport: opened, clock, terminator, framing })
    try {
      await this.#synchronise(connection, signal)
      const exchange = this.#exchangeOn(connection, signal)
      const identity = await exchange.query('*IDN?', (text) => text, timeoutMs)
      this.#options.checkIdentity(identity)
      this.#identity = identity
      await this.#options.initialise(exchange)
      signal.throwIfAborted()
    } catch (error) {
      await this.#line.release(connection)
      throw error
    }
    return connection
  }
}

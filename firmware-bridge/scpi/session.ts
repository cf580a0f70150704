/**
 * A SCPI instrument that reconnects by itself and answers one question at a time.
 *
 * INVARIANTS: exchanges run one after the other, each alone on the line; an exchange ends by its deadline or its
 * signal, whatever the instrument does; a message without reply is written at once even when the instrument is out of
 * step (a safe state must not wait for one), a question never is; a loss is reported to the listeners once, its
 * recovery once, and they tell people; after a loss, `initialise` has run before any other exchange; `close` is
 * idempotent and takes at most a second.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type TransitionTable, transition } from '@fernlab/shared/primitives/state-machine'
import type { OpenTransport, TransportConfig } from '../transports/transport.ts'
import { Connection } from './connection.ts'
import { Lane } from './lane.ts'
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

type State = 'new' | 'connecting' | 'ready' | 'down' | 'closed'

const TABLE: TransitionTable<State> = {
  new: ['connecting', 'closed'],
  connecting: ['ready', 'down', 'new', 'closed'],
  ready: ['down', 'closed'],
  down: ['connecting', 'closed'],
  closed: [],
}

const MAX_QUEUED_ERRORS = 50
const CONNECT_MS = 10_000
const CLOSE_MS = 800

export class ScpiSession {
  readonly #options: ScpiSessionOptions
  readonly #lane = new Lane()
  readonly #ending = new AbortController()
  readonly #listeners: ((up: boolean, reason?: string) => void)[] = []
  #state: State = 'new'
  #connection: Connection | undefined
  #identity: string | undefined
  #turn = 0
  /** Whether a mute instrument was kept for the sake of an urgent exchange. */
  #spared = false

  constructor(options: ScpiSessionOptions) {
    this.#options = options
  }

  /** What the instrument answered to `*IDN?`; undefined before the first connection. */
  get identity(): string | undefined {
    return this.#identity
  }

  /** Called once when the connection is lost, with the reason, and once when it is back. */
  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#listeners.push(listener)
  }

  /** Connects, synchronises, identifies, initialises; rejects when one of them fails, and may then be called again. */
  async open(signal: AbortSignal): Promise<void> {
    this.#go('connecting')
    try {
      await this.#connectInTime(AbortSignal.any([signal, this.#ending.signal]))
    } catch (error) {
      if (this.#state === 'connecting') this.#go('new')
      throw error
    }
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
    const both = AbortSignal.any([signal, this.#ending.signal])
    return await this.#lane.alone(both, async () => {
      const connection = this.#connection
      if (this.#state !== 'ready' || connection === undefined) throw this.#notConnected()
      return await work(this.#exchangeOn(connection, both, urgent))
    })
  }

  /** Ends what is under way and frees the port. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#go('closed')
    this.#ending.abort(this.#notConnected())
    const connection = this.#connection
    this.#connection = undefined
    if (connection !== undefined) await this.#release(connection)
  }

  /** Closes a connection, and lets go of one that does not close. */
  async #release(connection: Connection): Promise<void> {
    const { instrument, clock, log } = this.#options
    const late = () =>
      new LabError({ code: 'close-late', kind: 'link', message: `${instrument} did not close within ${CLOSE_MS} ms` })
    try {
      await withDeadline(clock, CLOSE_MS, undefined, late, () => connection.close())
    } catch (error) {
      log.debug({ instrument, reason: asLabError(error).message }, 'closing a connection failed')
    }
  }

  #exchangeOn(connection: Connection, signal: AbortSignal, urgent = false): Exchange {
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

  async #synchronise(connection: Connection, signal: AbortSignal, urgent = false): Promise<void> {
    const { instrument, synchroniseBy, clock, timeoutMs, quietMs, log } = this.#options
    this.#turn += 1
    const options = {
      instrument,
      by: synchroniseBy,
      clock,
      timeoutMs,
      quietMs,
      // At the other end of a new connection may be another instrument.
      identity: this.#connection === connection ? this.#identity : undefined,
      turn: this.#turn,
    }
    try {
      const dropped = await synchronise(connection, options, signal)
      this.#spared = false
      if (dropped > 0) log.debug({ instrument, dropped }, 'late replies were dropped')
    } catch (error) {
      // An aborted caller proves nothing about the instrument; anything else means that only a new connection helps.
      if (!signal.aborted && connection.alive && this.#state === 'ready') {
        // It may hear all the same, and closing may throw away what it has not yet read.
        const spare = urgent && !this.#spared
        this.#spared = spare
        if (!spare) this.#lose(connection, asLabError(error))
      }
      throw error
    }
  }

  /** A host that is switched off, or a port whose driver hangs, must not end the tries. */
  async #connectInTime(signal: AbortSignal): Promise<void> {
    const { instrument, clock } = this.#options
    const late = () => {
      const message = `connecting to ${instrument} took longer than ${CONNECT_MS / 1000} s`
      return new LabError({ code: 'transport-unreachable', kind: 'link', retry: 'later', message })
    }
    await withDeadline(clock, CONNECT_MS, signal, late, (within) => this.#connect(within))
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { instrument, transport, openTransport, clock, terminator, timeoutMs } = this.#options
    const opened = await openTransport(transport, signal)
    const connection = new Connection({ instrument, transport: opened, clock, terminator })
    try {
      await this.#synchronise(connection, signal)
      const exchange = this.#exchangeOn(connection, signal)
      const identity = await exchange.query('*IDN?', (text) => text, timeoutMs)
      this.#options.checkIdentity(identity)
      this.#identity = identity
      await this.#options.initialise(exchange)
      signal.throwIfAborted()
    } catch (error) {
      await this.#release(connection)
      throw error
    }
    this.#connection = connection
    this.#go('ready')
    connection.onClose((reason) => {
      if (reason !== undefined) this.#lose(connection, reason)
    })
  }

  /** INVARIANT: acts once per connection. */
  #lose(connection: Connection, reason: LabError): void {
    if (this.#connection !== connection || this.#state !== 'ready') return
    const { instrument, log } = this.#options
    this.#connection = undefined
    this.#go('down')
    log.debug({ instrument, code: reason.code }, `${instrument} is not reachable: ${reason.message}`)
    for (const listener of this.#listeners) listener(false, reason.message)
    void this.#reconnect(connection)
  }

  async #reconnect(old: Connection): Promise<void> {
    const { instrument, clock, log, backOffMs } = this.#options
    const signal = this.#ending.signal
    await this.#release(old)
    for (let pauseMs = backOffMs.first; !signal.aborted; pauseMs = Math.min(pauseMs * 2, backOffMs.longest)) {
      try {
        await clock.sleep(pauseMs, signal)
        this.#go('connecting')
        await this.#connectInTime(signal)
      } catch (error) {
        if (signal.aborted) return
        log.debug({ instrument, reason: asLabError(error).message }, 'reconnecting failed')
        if (this.#state === 'connecting') this.#go('down')
        continue
      }
      log.debug({ instrument }, `${instrument} is back`)
      for (const listener of this.#listeners) listener(true)
      return
    }
  }

  #notConnected(): LabError {
    const { instrument } = this.#options
    return new LabError({
      code: this.#state === 'closed' ? 'instrument-closed' : 'instrument-disconnected',
      kind: 'link',
      retry: this.#state === 'closed' ? 'never' : 'later',
      message: `${instrument} is not connected`,
      studentMessage: 'An instrument of this bench is not connected.',
      details: { instrument },
    })
  }

  #go(to: State): void {
    this.#state = transition(TABLE, this.#state, to, `the session with ${this.#options.instrument}`)
  }
}

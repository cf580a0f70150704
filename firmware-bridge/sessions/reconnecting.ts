/**
 * A connection to one instrument that comes back by itself, for one exchange at a time.
 *
 * INVARIANTS: exchanges run one after the other; an exchange ends by its signal, whatever the instrument does; a loss is
 * reported to the listeners once, its recovery once, and they tell people; `connect` has resolved before any exchange;
 * `close` is idempotent and takes at most a second.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { withEither } from '@fernlab/shared/primitives/either-signal'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type TransitionTable, transition } from '@fernlab/shared/primitives/state-machine'
import { Lane } from './lane.ts'

/** What can be lost. */
export interface Losable {
  /** Called once at the end, with the reason when it was not `close`; at once when it has ended already. */
  onClose(listener: (reason: LabError | undefined) => void): void
  close(): Promise<void>
}

export interface ReconnectingOptions<C extends Losable> {
  readonly instrument: string
  readonly clock: Clock
  readonly log: Log
  /** Pause before the first and the longest before a later reconnection. */
  readonly backOffMs: { readonly first: number; readonly longest: number }
  /** Opens a connection that is ready for exchanges; when it rejects, nothing of it is left open. */
  readonly connect: (signal: AbortSignal) => Promise<C>
}

type State = 'new' | 'connecting' | 'ready' | 'down' | 'closed'

const TABLE: TransitionTable<State> = {
  new: ['connecting', 'closed'],
  connecting: ['ready', 'down', 'new', 'closed'],
  ready: ['down', 'closed'],
  down: ['connecting', 'closed'],
  closed: [],
}

const CONNECT_MS = 10_000
const CLOSE_MS = 800

export class Reconnecting<C extends Losable> {
  readonly #options: ReconnectingOptions<C>
  readonly #lane = new Lane()
  readonly #ending = new AbortController()
  /** What is being opened or closed. */
  readonly #holding = new Set<Promise<unknown>>()
  readonly #listeners: ((up: boolean, reason?: string) => void)[] = []
  #state: State = 'new'
  #connection: C | undefined
  /** Whether a mute instrument was kept for the sake of an urgent exchange. */
  #spared = false

  constructor(options: ReconnectingOptions<C>) {
    this.#options = options
  }

  /** Called once when the connection is lost, with the reason, and once when it is back. */
  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#listeners.push(listener)
  }

  /** True while it is the connection that exchanges run on. */
  holds(connection: C): boolean {
    return this.#connection === connection && this.#state === 'ready'
  }

  /** Connects; rejects when that fails, and may then be called again. */
  async open(signal: AbortSignal): Promise<void> {
    this.#go('connecting')
    try {
      await this.#connectInTime(AbortSignal.any([signal, this.#ending.signal]))
    } catch (error) {
      if (this.#state === 'connecting') this.#go('new')
      throw error
    }
  }

  /** Runs `work` alone on the connection. Rejects at once with a link-kind error while there is none. */
  async alone<T>(signal: AbortSignal, work: (connection: C, signal: AbortSignal) => Promise<T>): Promise<T> {
    return await withEither([signal, this.#ending.signal], (both) =>
      this.#lane.alone(both, async () => {
        const connection = this.#connection
        if (this.#state !== 'ready' || connection === undefined) throw this.#notConnected()
        return await work(connection, both)
      }),
    )
  }

  /** Ends what is under way and frees the port. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#go('closed')
    this.#ending.abort(this.#notConnected())
    const connection = this.#connection
    this.#connection = undefined
    if (connection !== undefined) this.#hold(connection.close())
    // One that was lost may be closing, and a new one opening, at this moment.
    await this.#closedInTime(() => allDone(this.#holding))
  }

  /** Closes a connection, and lets go of one that does not close. */
  async release(connection: C): Promise<void> {
    await this.#closedInTime(() => this.#hold(connection.close()))
  }

  async #closedInTime(close: () => Promise<void>): Promise<void> {
    const { instrument, clock, log } = this.#options
    const late = () =>
      new LabError({ code: 'close-late', kind: 'link', message: `${instrument} did not close within ${CLOSE_MS} ms` })
    try {
      await withDeadline(clock, CLOSE_MS, undefined, late, close)
    } catch (error) {
      log.debug({ instrument, reason: asLabError(error).message }, 'closing a connection failed')
    }
  }

  /** Until it has settled, it may hold the port. */
  #hold<T>(work: Promise<T>): Promise<T> {
    this.#holding.add(work)
    const done = () => this.#holding.delete(work)
    work.then(done, done)
    return work
  }

  /** Gives a connection up and looks for a new one. INVARIANT: acts once per connection. */
  lose(connection: C, reason: LabError): void {
    if (!this.holds(connection)) return
    const { instrument, log } = this.#options
    this.#connection = undefined
    this.#go('down')
    log.debug({ instrument, code: reason.code }, `${instrument} is not reachable: ${reason.message}`)
    for (const listener of this.#listeners) listener(false, reason.message)
    void this.#reconnect(connection)
  }

  /**
   * The instrument answers nothing: its connection is given up, but not the first time in an urgent exchange. It may hear
   * all the same, and closing may throw away what it has not yet read.
   */
  mute(connection: C, reason: LabError, { urgent }: { readonly urgent: boolean }): void {
    if (!this.holds(connection)) return
    const spare = urgent && !this.#spared
    this.#spared = spare
    if (!spare) this.lose(connection, reason)
  }

  /** The instrument has answered. */
  heard(): void {
    this.#spared = false
  }

  /** A host that is switched off, or a port whose driver hangs, must not end the tries. */
  async #connectInTime(signal: AbortSignal): Promise<void> {
    const { instrument, clock, connect } = this.#options
    const late = () => {
      const message = `connecting to ${instrument} took longer than ${CONNECT_MS / 1000} s`
      return new LabError({ code: 'transport-unreachable', kind: 'link', retry: 'later', message })
    }
    const work = async (within: AbortSignal) => {
      const connection = await connect(within)
      if (within.aborted) {
        await this.release(connection)
        throw within.reason
      }
      this.#connection = connection
      this.#go('ready')
      connection.onClose((reason) => {
        if (reason !== undefined) this.lose(connection, reason)
      })
    }
    await withDeadline(clock, CONNECT_MS, signal, late, (within) => this.#hold(work(within)))
  }

  async #reconnect(old: C): Promise<void> {
    const { instrument, clock, log, backOffMs } = this.#options
    const signal = this.#ending.signal
    await this.release(old)
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
    this.#state = transition(TABLE, this.#state, to, `the connection to ${this.#options.instrument}`)
  }
}

/** Rejects with the first that has failed, when none is under way any more. */
async function allDone(all: Iterable<Promise<unknown>>): Promise<void> {
  const failed = (await Promise.allSettled(all)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

/**
 * One instrument that is asked over HTTP, as the node sees it.
 *
 * INVARIANTS: it is online once it has answered; a request that does not reach it, or two in a row without answer, take
 * it offline until it answers again; nothing that a user gives is sent but numbers, booleans and words of the config.
 */
import { type Losable, Reconnecting } from '@fernlab/firmware-bridge/sessions/reconnecting'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type Finder, finderOf } from '@fernlab/shared/protocol/patterns'
import type { Instrument, Reading, SignalValue } from '../driver.ts'
import type { HttpConfig, HttpSignal } from './config.ts'
import { callOf, sentValue, valueIn } from './exchange.ts'
import type { HttpCall, HttpClient } from './http-client.ts'

export interface HttpInstrumentOptions {
  readonly spec: InstrumentSpec
  readonly config: Pick<HttpConfig, 'signals' | 'actions'>
  readonly client: HttpClient
  readonly clock: Clock
  readonly log: Log
}

const BACK_OFF_MS = { first: 250, longest: 15_000 }

interface Asked {
  readonly name: string
  readonly signal: HttpSignal
  readonly path: string
}

export class HttpInstrument implements Instrument {
  readonly spec: InstrumentSpec
  readonly #options: HttpInstrumentOptions
  readonly #link: Reconnecting<Losable>
  readonly #finders = new Map<string, Finder>()
  /** Answers that were missing in a row. */
  #missing = 0

  constructor(options: HttpInstrumentOptions) {
    this.spec = options.spec
    this.#options = options
    const { clock, log, spec } = options
    this.#link = new Reconnecting({
      instrument: spec.name,
      clock,
      log,
      backOffMs: BACK_OFF_MS,
      connect: (signal) => this.#greet(signal),
    })
    for (const { read } of Object.values(options.config.signals)) {
      if (read?.pattern !== undefined) this.#finders.set(read.pattern, finderOf(read.pattern))
    }
  }

  open(signal: AbortSignal): Promise<void> {
    return this.#link.open(signal)
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#link.onConnection(listener)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    const byPath = new Map<string, Asked[]>()
    for (const name of names) {
      const asked = this.#readable(name)
      byPath.set(asked.path, [...(byPath.get(asked.path) ?? []), asked])
    }
    return await this.#link.alone(signal, async (link, both) => {
      const readings: Record<string, Reading> = {}
      for (const [path, together] of byPath) Object.assign(readings, await this.#ask(link, path, together, both))
      return readings
    })
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    const described = this.#signal(name)
    if (described?.set === undefined) throw this.#cannot(`set ${name}`)
    const call = callOf(described.set, { value: sentValue(name, described, value) })
    await this.#link.alone(signal, async (link, both) => void (await this.#send(link, call, both)))
  }

  async call(action: string, args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    const { actions } = this.#options.config
    const described = Object.hasOwn(actions, action) ? actions[action] : undefined
    if (described === undefined) throw this.#cannot(`do ${action}`)
    const call = callOf(described, args)
    await this.#link.alone(signal, async (link, both) => void (await this.#send(link, call, both)))
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  async #ask(link: Losable, path: string, together: readonly Asked[], signal: AbortSignal) {
    const { clock, spec } = this.#options
    const startedMs = clock.monotonic()
    const sentMs = clock.now()
    const answer = await this.#send(link, { method: 'GET', path }, signal)
    const time = sentMs / 1000 + (clock.monotonic() - startedMs) / 2000
    const source = { instrument: spec.name, command: `GET ${path}` }
    return Object.fromEntries(
      together.map(({ name, signal: described }) => {
        const find = this.#finders.get(described.read?.pattern ?? '')
        return [name, { value: valueIn(described, answer, find, source), time }]
      }),
    )
  }

  async #send(link: Losable, call: HttpCall, signal: AbortSignal): Promise<string> {
    try {
      const answer = await this.#options.client(call, signal)
      this.#missing = 0
      return answer
    } catch (error) {
      const known = asLabError(error)
      if (signal.aborted) throw error
      this.#missing = known.code === 'instrument-silent' ? this.#missing + 1 : 0
      if (known.kind === 'link' || this.#missing > 1) this.#link.lose(link, known)
      throw error
    }
  }

  /** The first signal that can be read is; one that only takes things is believed to be there. */
  async #greet(signal: AbortSignal): Promise<Losable> {
    const link: Losable = { onClose: () => {}, close: async () => {} }
    this.#missing = 0
    const read = Object.values(this.#options.config.signals).find((each) => each.read !== undefined)?.read
    if (read !== undefined) await this.#options.client({ method: 'GET', path: read.path }, signal)
    return link
  }

  #readable(name: string): Asked {
    const signal = this.#signal(name)
    if (signal?.read === undefined) throw this.#cannot(`read ${name}`)
    return { name, signal, path: signal.read.path }
  }

  #signal(name: string): HttpSignal | undefined {
    const { signals } = this.#options.config
    return Object.hasOwn(signals, name) ? signals[name] : undefined
  }

  #cannot(what: string): LabError {
    const { name } = this.spec
    const message = `${name} cannot ${what}`
    return new LabError({ code: 'signal-unknown', kind: 'caller', message, details: { instrument: name } })
  }
}

/**
 * One instrument that speaks lines, as the node sees it.
 *
 * INVARIANTS: a set that is acknowledged has been before it resolves; nothing that a user gives reaches the wire but
 * numbers, booleans and words of the description.
 */
import type { LineExchange, LineSession } from '@fernlab/firmware-bridge/lines/session'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { formatValue } from '../described/templates.ts'
import type { Instrument, Reading, SignalValue } from '../driver.ts'
import type { LineDescription, LineMessage, LineSignal } from './description.ts'
import { type LineMessages, messageOf } from './messages.ts'
import type { Unasked } from './unasked.ts'

export interface LinesInstrumentOptions {
  readonly spec: InstrumentSpec
  readonly description: LineDescription
  readonly messages: LineMessages
  /** Where it says something by itself. */
  readonly unasked?: Unasked
  readonly settings: Readonly<Record<string, SignalValue>>
  /** How long an answer may take. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly log: Log
  /** Makes the session; `initialise` must run after every connection. */
  readonly connect: (initialise: (exchange: LineExchange) => Promise<void>) => LineSession
}

const SHUTDOWN_MS = 1000

interface Asked {
  readonly name: string
  readonly signal: LineSignal
  readonly query: LineMessage
}

export class LinesInstrument implements Instrument {
  readonly spec: InstrumentSpec
  /** Only where the description says how to ask. */
  readonly identify?: (signal: AbortSignal) => Promise<string>
  readonly #options: LinesInstrumentOptions
  readonly #session: LineSession
  #closing: Promise<void> | undefined

  constructor(options: LinesInstrumentOptions) {
    this.spec = options.spec
    this.#options = options
    this.#session = options.connect(async (exchange) => {
      for (const command of options.description.initialise) {
        await exchange.tell([options.messages.command(command, options.settings)])
      }
    })
    if (options.description.identity !== undefined) this.identify = (signal) => this.#identify(signal)
  }

  open(signal: AbortSignal): Promise<void> {
    return this.#session.open(signal)
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#session.onConnection(listener)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    const { unasked } = this.#options
    const said = names.filter((name) => unasked !== undefined && this.#signal(name)?.says !== undefined)
    const groups = new Map<string, Asked[]>()
    for (const name of names.filter((each) => !said.includes(each))) {
      const asked = this.#readable(name)
      const key = JSON.stringify(asked.query)
      groups.set(key, [...(groups.get(key) ?? []), asked])
    }
    const readings: Record<string, Reading> = {}
    await this.#session.exchange(async (exchange) => {
      for (const together of groups.values()) Object.assign(readings, await this.#ask(exchange, together))
    }, signal)
    for (const name of said) {
      const reading = await unasked?.reading(name, this.#waitMs(name), signal)
      if (reading !== undefined) readings[name] = reading
    }
    return readings
  }

  complaint(): string | undefined {
    return this.#options.unasked?.complaint()
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    const order = this.#setOrder(name, value)
    await this.#session.exchange((exchange) => exchange.tell([order]), signal)
  }

  async setTogether(values: ReadonlyMap<string, SignalValue>, signal: AbortSignal): Promise<void> {
    const orders = [...values].map(([name, value]) => this.#setOrder(name, value))
    await this.#session.exchange((exchange) => exchange.tell(orders), signal, { urgent: true })
  }

  async call(action: string, args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    const { description, settings, messages } = this.#options
    const described = Object.hasOwn(description.actions, action) ? description.actions[action] : undefined
    if (described === undefined) throw this.#cannot(`do ${action}`)
    await this.#session.exchange(async (exchange) => {
      for (const command of described.commands) {
        await exchange.tell([messages.command(command, { ...settings, ...args }, described.timeoutMs)])
      }
    }, signal)
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown().finally(() => this.#session.close())
    return this.#closing
  }

  async #identify(signal: AbortSignal): Promise<string> {
    const { messages, settings } = this.#options
    const hello = messages.hello(settings)
    if (hello === undefined) throw this.#cannot('say who it is')
    return await this.#session.exchange((exchange) => exchange.ask(hello), signal)
  }

  /** Signals of one question. */
  async #ask(exchange: LineExchange, together: readonly Asked[]): Promise<Record<string, Reading>> {
    const { clock, settings, messages } = this.#options
    const [first] = together
    if (first === undefined) return {}
    const { bytes, timeoutMs, readS } = first.signal
    const message = messageOf(first.query, settings)
    const startedMs = clock.monotonic()
    const sentMs = clock.now()
    const values = await exchange.ask({
      message,
      ...(bytes === undefined ? {} : { bytes }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      parse: (text) => together.map(({ name, signal }) => [name, messages.value(message, signal, text)] as const),
    })
    const elapsedS = (clock.monotonic() - startedMs) / 1000
    const time = sentMs / 1000 + Math.min(elapsedS, readS ?? elapsedS) / 2
    return Object.fromEntries(values.map(([name, value]) => [name, { value, time }]))
  }

  async #shutDown(): Promise<void> {
    const { description, settings, messages, clock, log, spec } = this.#options
    if (description.shutdown.length === 0 || !this.#session.connected) return
    const late = () =>
      new LabError({ code: 'shutdown-late', kind: 'instrument', message: `${spec.name} did not shut down in time` })
    const orders = description.shutdown.map((command) => {
      const { parse: _, ...order } = messages.command(command, settings)
      return order
    })
    try {
      await withDeadline(clock, SHUTDOWN_MS, undefined, late, (signal) =>
        this.#session.exchange((exchange) => exchange.tell(orders), signal),
      )
    } catch (error) {
      const { code, message } = asLabError(error)
      log.warn({ instrument: spec.name, code }, `${spec.name} was not shut down: ${message}`)
    }
  }

  #setOrder(name: string, value: SignalValue) {
    const { settings, messages } = this.#options
    const signal = this.#signal(name)
    if (signal?.set === undefined) throw this.#cannot(`set ${name}`)
    const limits = this.spec.signals.find((each) => each.name === name)?.limits
    const filled = messageOf(signal.set, { ...settings, value: formatValue(name, signal, value, limits) })
    return messages.order(filled, signal.answer, signal.timeoutMs === undefined ? {} : { timeoutMs: signal.timeoutMs })
  }

  #readable(name: string): Asked {
    const signal = this.#signal(name)
    if (signal?.query === undefined) throw this.#cannot(`read ${name}`)
    return { name, signal, query: signal.query }
  }

  /** How long what it says is waited for the first time. */
  #waitMs(name: string): number {
    return this.#signal(name)?.timeoutMs ?? this.#options.timeoutMs
  }

  #signal(name: string): LineSignal | undefined {
    const { signals } = this.#options.description
    return Object.hasOwn(signals, name) ? signals[name] : undefined
  }

  #cannot(what: string): LabError {
    const { name } = this.spec
    return new LabError({
      code: 'signal-unknown',
      kind: 'caller',
      message: `${name} cannot ${what}`,
      details: { instrument: name },
    })
  }
}

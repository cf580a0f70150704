/**
 * One SCPI instrument as the node sees it.
 *
 * INVARIANTS: a set has been checked against the instrument's error queue before it resolves (where the description
 * says so); a mode is remembered only while every exchange since has succeeded; nothing that a user gives reaches the
 * wire but numbers, booleans and words of the description.
 */
import type { Exchange, ScpiSession } from '@fernlab/firmware-bridge/scpi/session'
import type { InstrumentSpec, Limits } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { fill, formatValue, parseValue } from '../described/templates.ts'
import type { Instrument, Reading, SignalValue } from '../driver.ts'
import type { ScpiDescription, ScpiSignal } from './description.ts'

export interface ScpiInstrumentOptions {
  readonly spec: InstrumentSpec
  readonly description: ScpiDescription
  readonly settings: Readonly<Record<string, SignalValue>>
  readonly clock: Clock
  readonly log: Log
  /** Makes the session; `initialise` must run after every connection. */
  readonly connect: (initialise: (exchange: Exchange) => Promise<void>) => ScpiSession
}

const SHUTDOWN_MS = 1000

export class ScpiInstrument implements Instrument {
  readonly spec: InstrumentSpec
  readonly #options: ScpiInstrumentOptions
  readonly #session: ScpiSession
  #mode: string | undefined
  #closing: Promise<void> | undefined

  constructor(options: ScpiInstrumentOptions) {
    this.spec = options.spec
    this.#options = options
    this.#session = options.connect((exchange) => this.#initialise(exchange))
  }

  open(signal: AbortSignal): Promise<void> {
    return this.#session.open(signal)
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#session.onConnection(listener)
  }

  async identify(signal: AbortSignal): Promise<string> {
    return await this.#alone(signal, (exchange) => exchange.query('*IDN?', (text) => text))
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    const wanted = names.map((name) => ({ name, signal: this.#readable(name) }))
    return await this.#alone(signal, async (exchange) => {
      const readings: Record<string, Reading> = {}
      const waiting = [...wanted]
      // Those of the present mode first, so that a meter changes its function as seldom as can be.
      while (waiting.length > 0) {
        const next = waiting.find((each) => this.#isInMode(each.signal)) ?? waiting[0]
        if (next === undefined) break
        const together = waiting.filter(
          (each) => each.signal.query === next.signal.query && each.signal.mode === next.signal.mode,
        )
        for (const each of together) waiting.splice(waiting.indexOf(each), 1)
        await this.#ask(exchange, next.signal, together, readings)
      }
      return readings
    })
  }

  disturbs(name: string): boolean {
    const signal = this.#signal(name)
    return signal !== undefined && !this.#isInMode(signal)
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    const { command, timeoutMs } = this.#setCommand(name, value)
    await this.#alone(signal, async (exchange) => {
      await exchange.write(command, timeoutMs)
      await this.#checkErrors(exchange, command)
    })
  }

  async setTogether(values: ReadonlyMap<string, SignalValue>, signal: AbortSignal): Promise<void> {
    const commands = [...values].map(([name, value]) => this.#setCommand(name, value))
    const work = async (exchange: Exchange) => {
      for (const { command, timeoutMs } of commands) await exchange.write(command, timeoutMs)
      await this.#checkErrors(exchange, commands.map(({ command }) => command).join(', '))
    }
    await this.#alone(signal, work, { urgent: true })
  }

  async call(action: string, args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    const { actions } = this.#options.description
    const described = Object.hasOwn(actions, action) ? actions[action] : undefined
    if (described === undefined) throw this.#cannot(`do ${action}`)
    await this.#alone(signal, async (exchange) => {
      this.#mode = undefined
      for (const template of described.commands) {
        const command = fill(template, { ...this.#options.settings, ...args })
        await exchange.write(command, described.timeoutMs)
        await this.#checkErrors(exchange, command)
      }
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown().finally(() => this.#session.close())
    return this.#closing
  }

  async #shutDown(): Promise<void> {
    const { description, settings, clock, log, spec } = this.#options
    if (description.shutdown.length === 0 || this.#session.identity === undefined) return
    const late = () =>
      new LabError({ code: 'shutdown-late', kind: 'instrument', message: `${spec.name} did not shut down in time` })
    try {
      await withDeadline(clock, SHUTDOWN_MS, undefined, late, (signal) =>
        this.#session.exchange(async (exchange) => {
          for (const template of description.shutdown) await exchange.write(fill(template, settings))
        }, signal),
      )
    } catch (error) {
      log.warn(
        { instrument: spec.name, code: asLabError(error).code },
        `${spec.name} was not shut down: ${asLabError(error).message}`,
      )
    }
  }

  async #initialise(exchange: Exchange): Promise<void> {
    const { description, settings } = this.#options
    this.#mode = undefined
    for (const template of description.initialise) {
      const command = fill(template, settings)
      await exchange.write(command)
      await this.#checkErrors(exchange, command)
    }
  }

  async #ask(
    exchange: Exchange,
    asked: ScpiSignal,
    together: readonly { readonly name: string; readonly signal: ScpiSignal }[],
    readings: Record<string, Reading>,
  ): Promise<void> {
    const { settings, clock, spec } = this.#options
    await this.#enterMode(exchange, asked)
    const command = fill(asked.query ?? '', settings)
    const sentMs = clock.now()
    const startedMs = clock.monotonic()
    const source = { instrument: spec.name, command }
    const parse = (reply: string) =>
      together.map(({ name, signal }) => ({ name, value: parseValue(signal, reply, source) }))
    const values = await exchange.query(command, parse, asked.timeoutMs)
    // The value was true in the middle of the measurement. What the exchange took beyond its usual time was spent after
    // it, most likely by this machine: a stall must not move the sample.
    const elapsedS = (clock.monotonic() - startedMs) / 1000
    const time = sentMs / 1000 + Math.min(elapsedS, asked.readS ?? elapsedS) / 2
    for (const { name, value } of values) readings[name] = { value, time }
  }

  #isInMode(signal: ScpiSignal): boolean {
    return signal.mode === undefined || signal.mode === this.#mode
  }

  async #enterMode(exchange: Exchange, signal: ScpiSignal): Promise<void> {
    if (signal.mode === undefined || this.#isInMode(signal)) return
    for (const template of this.#options.description.modes[signal.mode] ?? []) {
      const command = fill(template, this.#options.settings)
      await exchange.write(command)
      await this.#checkErrors(exchange, command)
    }
    this.#mode = signal.mode
  }

  async #checkErrors(exchange: Exchange, command: string): Promise<void> {
    const { description, spec } = this.#options
    if (description.errors === 'none' || !description.errors.afterSet) return
    const [first, ...more] = await exchange.errors()
    if (first === undefined) return
    const others = more.length === 0 ? '' : ` (and ${more.length} more)`
    throw new LabError({
      code: 'instrument-refused',
      kind: 'instrument',
      message: `${spec.name} refused ${command}: ${first.code} ${first.text}${others}`,
      studentMessage: 'An instrument refused a setting. The staff can see which one in the log.',
      details: { instrument: spec.name, command, errorCode: first.code, errorText: first.text },
    })
  }

  async #alone<T>(
    signal: AbortSignal,
    work: (exchange: Exchange) => Promise<T>,
    how: { readonly urgent?: boolean } = {},
  ): Promise<T> {
    const whole = async (exchange: Exchange) => {
      try {
        return await work(exchange)
      } catch (error) {
        this.#mode = undefined
        throw error
      }
    }
    return await this.#session.exchange(whole, signal, how)
  }

  #setCommand(name: string, value: SignalValue): { command: string; timeoutMs: number | undefined } {
    const described = this.#signal(name)
    if (described?.set === undefined) throw this.#cannot(`set ${name}`)
    const command = fill(described.set, {
      ...this.#options.settings,
      value: formatValue(name, described, value, this.#limits(name)),
    })
    return { command, timeoutMs: described.timeoutMs }
  }

  #signal(name: string): ScpiSignal | undefined {
    const { signals } = this.#options.description
    return Object.hasOwn(signals, name) ? signals[name] : undefined
  }

  /** Those announced, which a variant may have narrowed. */
  #limits(name: string): Limits | undefined {
    return this.spec.signals.find((signal) => signal.name === name)?.limits
  }

  #readable(name: string): ScpiSignal {
    const signal = this.#signal(name)
    if (signal?.query === undefined) throw this.#cannot(`read ${name}`)
    return signal
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

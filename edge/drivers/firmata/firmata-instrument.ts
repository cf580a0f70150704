/**
 * A board that speaks Firmata, as the node sees it.
 *
 * INVARIANTS: it is online once each pin is known to be what node.yaml says; a set resolves when the board has the value;
 * after a loss all begins as at the start, so an output is at its initial value and not where it was; as it closes, outputs
 * are at their safe values and motors stand. Firmata has no watchdog: a board whose node died keeps its outputs.
 */
import { MOST_STEPS, stepperStop, stepperZero } from '@fernlab/firmware-bridge/firmata/accel-stepper'
import { Reconnecting } from '@fernlab/firmware-bridge/sessions/reconnecting'
import type { InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { ResetWatch } from '../board/reset-watch.ts'
import type { DriverContext, Instrument, Reading, SignalValue } from '../driver.ts'
import type { FirmataConfig } from './config.ts'
import { connectFirmata, type FirmataConnection } from './connection.ts'
import { readSignal } from './reading.ts'
import { type Setting, type SettingUse, safeSettings, setSignal, standing } from './setting.ts'
import { firmataSpec, moveOf, stopOf, zeroOf } from './spec.ts'

export interface FirmataInstrumentOptions {
  readonly config: FirmataConfig
  readonly context: DriverContext
}

const BACK_OFF_MS = { first: 250, longest: 10_000 }
/** For the safe values at the end. */
const CLOSE_MS = 700
/** What a person must see to, and not just wait for; the last two are of a chip that did not take its first value. */
const TOLD = new Set([
  'firmata-pin-cannot',
  'firmata-version',
  'board-reset',
  'firmata-no-answer',
  'instrument-refused',
])

export class FirmataInstrument implements Instrument {
  readonly spec: InstrumentSpec
  readonly #options: FirmataInstrumentOptions
  readonly #connection: Reconnecting<FirmataConnection>
  readonly #resets = new ResetWatch()
  readonly #listeners: ((up: boolean, reason?: string) => void)[] = []
  #hasConnected = false
  #closed: Promise<void> | undefined

  constructor(options: FirmataInstrumentOptions) {
    const { config, context } = options
    this.#options = options
    this.spec = firmataSpec(context.name, config)
    this.#connection = new Reconnecting({
      instrument: context.name,
      clock: context.clock,
      log: context.log,
      backOffMs: BACK_OFF_MS,
      connect: (signal) => this.#connect(signal),
    })
  }

  open(signal: AbortSignal): Promise<void> {
    return this.#connection.open(signal)
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#listeners.push(listener)
    this.#connection.onConnection(listener)
  }

  async identify(signal: AbortSignal): Promise<string> {
    const connection = await this.#present(signal)
    const { anchor } = connection.plan
    await connection.perform({ bytes: () => [], pin: anchor.pin, what: 'are you there' }, anchor.mode, signal)
    const { firmware, protocol } = connection.greeting
    return `${firmware.name} ${firmware.major}.${firmware.minor}, Firmata ${protocol.major}.${protocol.minor}`
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    for (const name of names) this.#signal(name, 'read')
    const connection = await this.#present(signal)
    const { config, context } = this.#options
    const options = { name: context.name, config, clock: context.clock }
    const readings = names.map(async (name) => [name, await readSignal(connection, name, options, signal)] as const)
    return Object.fromEntries(await Promise.all(readings))
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    this.#checkValue(this.#signal(name, 'set'), value)
    const connection = await this.#present(signal)
    await setSignal(connection, { name, value }, this.#use(signal, false))
  }

  async setTogether(values: ReadonlyMap<string, SignalValue>, signal: AbortSignal): Promise<void> {
    for (const [name, value] of values) this.#checkValue(this.#signal(name, 'set'), value)
    const connection = await this.#present(signal)
    const settings = [...values].map(([name, value]) => ({ name, value }))
    await this.#setAll(connection, settings, signal)
  }

  async call(action: string, args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (!this.spec.actions.some(({ name }) => name === action)) throw this.#cannot('action-unknown', `do ${action}`)
    const connection = await this.#present(signal)
    const motor = connection.plan.pins.find(({ name }) => [moveOf, stopOf, zeroOf].some((of) => of(name) === action))
    if (motor === undefined) return
    if (moveOf(motor.name) === action) await this.#moveBy(connection, motor.name, args.by, signal)
    else {
      const [pin = 0] = motor.pins
      const tell = stopOf(motor.name) === action ? stepperStop : stepperZero
      const bytes = () => standing(connection, motor, tell)
      await connection.perform({ bytes, pin, what: action, isUrgent: true }, motor.mode, signal)
    }
  }

  /** From where it is, which the board is asked; as a position, so that it stays within its limits. */
  async #moveBy(
    connection: FirmataConnection,
    name: string,
    by: SignalValue | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const position = this.#signal(name, 'set')
    if (typeof by !== 'number' || !Number.isFinite(by)) {
      throw this.#cannot('value-wrong', `move ${name} by ${JSON.stringify(by)}`)
    }
    const { config, context } = this.#options
    const from = await readSignal(connection, name, { name: context.name, config, clock: context.clock }, signal)
    const value = Number((Number(from.value) + by).toPrecision(14))
    this.#checkValue(position, value)
    await setSignal(connection, { name, value }, this.#use(signal, false))
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  async #shutDown(): Promise<void> {
    const { context } = this.#options
    const late = () =>
      new LabError({ code: 'close-late', kind: 'link', message: `it took no safe values within ${CLOSE_MS} ms` })
    try {
      await withDeadline(context.clock, CLOSE_MS, undefined, late, async (signal) => {
        const connection = await this.#present(signal)
        await this.#setAll(connection, safeSettings(this.#options.config), signal)
      })
    } catch (thrown) {
      const { code, message } = asLabError(thrown)
      if (code !== 'instrument-disconnected') {
        context.log.warn({ instrument: context.name, reason: message }, 'a board may not be at its safe values')
      }
    }
    await this.#connection.close()
  }

  /** All are on their way before an answer is waited for; each is tried, and the first that fails is told. */
  async #setAll(connection: FirmataConnection, settings: readonly Setting[], signal: AbortSignal): Promise<void> {
    const use = this.#use(signal, true)
    const results = await Promise.allSettled(settings.map((setting) => setSignal(connection, setting, use)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  #use(signal: AbortSignal, isUrgent: boolean): SettingUse {
    const { config, context } = this.#options
    return { name: context.name, config, signal, isUrgent }
  }

  async #connect(signal: AbortSignal): Promise<FirmataConnection> {
    const { config, context } = this.#options
    try {
      const connection = await connectFirmata(config, context, this.#resets, signal)
      const hasMotors = connection.plan.pins.some(({ config: { direction } }) => direction === 'stepper')
      if (this.#hasConnected && hasMotors) {
        context.log.warn({ instrument: context.name }, 'motors count from 0 where they stand, as the board was lost')
      }
      this.#hasConnected = true
      return connection
    } catch (thrown) {
      const { code, message } = asLabError(thrown)
      if (TOLD.has(code)) for (const listener of this.#listeners) listener(false, message)
      throw thrown
    }
  }

  /** The connection, without holding up others: the board keeps what is under way in order itself. */
  async #present(signal: AbortSignal): Promise<FirmataConnection> {
    return await this.#connection.alone(signal, async (connection) => connection)
  }

  #signal(name: string, use: 'read' | 'set'): SignalSpec {
    const found = this.spec.signals.find((each) => each.name === name)
    if (found === undefined || (found.access !== 'read-set' && found.access !== use)) {
      throw this.#cannot('signal-unknown', `${use} ${name}`)
    }
    return found
  }

  #checkValue({ name, dtype, limits, unit }: SignalSpec, value: SignalValue): void {
    const isBoolean = dtype === 'boolean'
    if (isBoolean ? typeof value !== 'boolean' : typeof value !== 'number' || !Number.isFinite(value)) {
      throw this.#cannot('value-wrong', `set ${name} to ${JSON.stringify(value)}`)
    }
    const pin = this.#options.config.pins[name]
    const most = pin?.direction === 'stepper' ? MOST_STEPS / Math.abs(pin.stepsPerUnit) : Infinity
    const low = Math.max(-most, limits?.low ?? -most)
    const high = Math.min(most, limits?.high ?? most)
    if (typeof value === 'number' && (value < low || value > high)) {
      throw this.#cannot(
        'value-out-of-limits',
        `set ${name} to ${value} ${unit}: it is outside ${low} to ${high} ${unit}`,
      )
    }
  }

  #cannot(code: string, what: string): LabError {
    const { name } = this.spec
    return new LabError({ code, kind: 'caller', message: `${name} cannot ${what}`, details: { instrument: name } })
  }
}

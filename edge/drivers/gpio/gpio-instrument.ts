/**
 * The pins of one chip as an instrument.
 *
 * INVARIANTS: outputs are at their safe levels until all pins are taken, and again before they are let go of; an opening
 * that fails leaves no pin taken; a line that is lost takes the whole instrument offline until all pins are taken again,
 * which begin as at the start.
 */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { comeBack } from '../come-back.ts'
import type { Instrument, Reading, SignalValue } from '../driver.ts'
import type { Chip } from './backends/backend.ts'
import type { GpioConfig, PinConfig } from './gpio-config.ts'
import { gpioSpec } from './gpio-spec.ts'
import { openCounter } from './pins/counter.ts'
import { openInput } from './pins/input.ts'
import { openOutput } from './pins/output.ts'
import type { OpenPin, PinSignal } from './pins/pin.ts'
import { openPwm } from './pins/pwm.ts'

export interface GpioInstrumentOptions {
  readonly name: string
  readonly config: GpioConfig
  readonly clock: Clock
  readonly log: Log
  readonly openChip: (onLost: (reason: LabError) => void, signal: AbortSignal) => Promise<Chip>
}

const BACK_OFF_MS = { first: 250, longest: 15_000 }

interface Open {
  readonly chip: Chip
  readonly pins: readonly OpenPin[]
  readonly signals: ReadonlyMap<string, PinSignal>
}

export class GpioInstrument implements Instrument {
  readonly spec: InstrumentSpec
  readonly #options: GpioInstrumentOptions
  readonly #closing = new AbortController()
  #open: Open | undefined
  #opening: Promise<unknown> = Promise.resolve()
  #away: LabError
  #isKept = false
  #listener: ((up: boolean, reason?: string) => void) | undefined
  #closed: Promise<void> | undefined

  constructor(options: GpioInstrumentOptions) {
    this.spec = gpioSpec(options.name, options.config)
    this.#options = options
    this.#away = away(`${options.name} is not open`)
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#take(AbortSignal.any([signal, this.#closing.signal]))
    this.#isKept = true
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#listener = listener
  }

  about(): string | undefined {
    return this.#open?.chip.about
  }

  async identify(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const { chip, pins } = this.#present()
    return [chip.about, ...pins.flatMap(({ remark }) => remark ?? [])].join('; ')
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    signal.throwIfAborted()
    const { signals } = this.#present()
    const readings: Record<string, Reading> = {}
    for (const name of names) {
      const found = signals.get(name)
      if (found === undefined) throw cannot('signal-unknown', `${this.spec.name} has no signal ${name}`)
      const value = await found.read()
      readings[name] = { value, time: this.#options.clock.now() / 1000 }
    }
    return readings
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#settable(name)(value)
  }

  async setTogether(values: ReadonlyMap<string, SignalValue>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const settings = [...values].map(([name, value]) => ({ set: this.#settable(name), value }))
    const results = await Promise.allSettled(settings.map(({ set, value }) => set(value)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async call(action: string, _: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const found = this.#present().pins.flatMap(({ actions }) => actions?.[action] ?? [])[0]
    if (found === undefined) throw cannot('action-unknown', `${this.spec.name} has no action ${action}`)
    found()
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  async #shutDown(): Promise<void> {
    this.#away = away(`${this.spec.name} is closed`)
    this.#closing.abort(this.#away)
    await this.#opening
    await this.#letGo()
  }

  #present(): Open {
    if (this.#open === undefined) throw this.#away
    return this.#open
  }

  #settable(name: string): (value: SignalValue) => Promise<void> {
    const found = this.#present().signals.get(name)
    if (found === undefined) throw cannot('signal-unknown', `${this.spec.name} has no signal ${name}`)
    if (found.set === undefined) throw cannot('signal-not-settable', `${this.spec.name}.${name} can only be read`)
    return found.set
  }

  async #take(signal: AbortSignal): Promise<void> {
    const taking = this.#takeAll(signal)
    this.#opening = taking.catch(() => {})
    await taking
  }

  async #takeAll(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { config, clock, openChip } = this.#options
    await this.#letGo()
    const pins: OpenPin[] = []
    // A line may be lost while others are still being taken.
    const losing = new AbortController()
    let isOpen = false
    const onLost = (reason: LabError) => {
      if (isOpen) this.#lost(pins, reason)
      else losing.abort(reason)
    }
    try {
      const chip = await openChip(onLost, signal)
      const usable = AbortSignal.any([signal, losing.signal])
      for (const [name, pin] of Object.entries(config.pins)) {
        usable.throwIfAborted()
        pins.push(await openPin(name, pin, { chip, clock }))
      }
      for (const pin of pins) {
        usable.throwIfAborted()
        await pin.begin?.()
      }
      usable.throwIfAborted()
      isOpen = true
      const signals = new Map(pins.flatMap((pin) => Object.entries(pin.signals)))
      this.#open = { chip, pins, signals }
    } catch (thrown) {
      await this.#closeAll(pins)
      throw thrown
    }
  }

  #lost(pins: readonly OpenPin[], reason: LabError): void {
    if (this.#open?.pins !== pins || this.#closing.signal.aborted) return
    this.#away = away(reason.message)
    const lost = this.#letGo()
    this.#opening = lost
    if (!this.#isKept) return
    this.#listener?.(false, reason.message)
    void lost.then(() => this.#comeBack())
  }

  async #comeBack(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#closing
    const isBack = await comeBack({
      clock,
      signal,
      backOffMs: BACK_OFF_MS,
      again: () => this.#take(signal),
      failed: (thrown) => {
        this.#away = away(asLabError(thrown).message)
        this.#listener?.(false, this.#away.message)
      },
    })
    if (isBack) this.#listener?.(true)
  }

  async #letGo(): Promise<void> {
    const pins = this.#open?.pins ?? []
    this.#open = undefined
    await this.#closeAll(pins)
  }

  /** Each pin is closed, whatever becomes of the others. */
  async #closeAll(pins: readonly OpenPin[]): Promise<void> {
    for (const result of await Promise.allSettled(pins.map((pin) => pin.close()))) {
      if (result.status === 'fulfilled') continue
      this.#options.log.warn({ reason: asLabError(result.reason).message }, 'a pin may not be at its safe level')
    }
  }
}

function openPin(name: string, config: PinConfig, parts: { chip: Chip; clock: Clock }): Promise<OpenPin> {
  switch (config.direction) {
    case 'out':
      return openOutput({ name, config, ...parts })
    case 'in':
      return openInput({ name, config, ...parts })
    case 'counter':
      return openCounter({ name, config, ...parts })
    case 'pwm':
      return openPwm({ name, config, ...parts })
  }
}

function away(message: string): LabError {
  return new LabError({ code: 'gpio-away', kind: 'link', retry: 'later', message })
}

function cannot(code: string, message: string): LabError {
  return new LabError({ code, kind: 'caller', message })
}

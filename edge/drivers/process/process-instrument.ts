/**
 * An instrument that a program of the lab builder's drives.
 *
 * INVARIANTS: at most one program runs for it; one that ends is started again with back-off until `close`; what it says
 * it is must be what it said when the node started, since benches, limits and safe states were checked against that.
 */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { comeBack } from '../come-back.ts'
import type { Instrument, Reading, SignalValue } from '../driver.ts'
import { isSameSpec, requireAction, signalOf } from './description.ts'
import type { Program, ProgramListeners } from './program.ts'
import { readingsOf } from './readings.ts'

export interface ProcessInstrumentOptions {
  readonly spec: InstrumentSpec
  readonly settings: Readonly<Record<string, unknown>>
  readonly start: (listeners: ProgramListeners) => Program
  readonly clock: Clock
}

const BACK_OFF_MS = { first: 250, longest: 15_000 }
const CLOSE_CALL_MS = 500

export class ProcessInstrument implements Instrument {
  readonly spec: InstrumentSpec
  readonly #options: ProcessInstrumentOptions
  readonly #closing = new AbortController()
  #program: Program | undefined
  #identity = ''
  #listener: ((up: boolean, reason?: string) => void) | undefined
  /** Set once it was open: from then on it comes back by itself. */
  #isKept = false
  #lost: LabError
  #closed: Promise<void> | undefined
  /** Ends with the program running, or ended. */
  #starting: Promise<void> = Promise.resolve()

  constructor(options: ProcessInstrumentOptions) {
    this.spec = options.spec
    this.#options = options
    this.#lost = gone(`${options.spec.name} is not open`)
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#start(AbortSignal.any([signal, this.#closing.signal]))
    this.#isKept = true
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#listener = listener
  }

  async identify(signal: AbortSignal): Promise<string> {
    await this.#call('identify', {}, signal).then(
      (said) => {
        if (typeof said === 'string') this.#identity = said.slice(0, 300)
      },
      (thrown) => {
        // Without the method, what it said when it was opened holds.
        if (asLabError(thrown).code !== 'program-cannot') throw thrown
      },
    )
    return this.#identity
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    for (const name of names) signalOf(this.spec, name, 'read')
    const { clock } = this.#options
    const askedAt = clock.now()
    const said = await this.#call('read', { signals: names }, signal)
    // Without a time of the program's own, the middle of the exchange is nearest.
    return readingsOf(this.spec, names, said, (askedAt + clock.now()) / 2000)
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    signalOf(this.spec, name, 'set')
    await this.#call('set', { signal: name, value }, signal)
  }

  async setTogether(values: ReadonlyMap<string, SignalValue>, signal: AbortSignal): Promise<void> {
    const settings = [...values]
    for (const [name] of settings) signalOf(this.spec, name, 'set')
    const results = await Promise.allSettled(
      settings.map(([name, value]) => this.#call('set', { signal: name, value }, signal)),
    )
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async call(action: string, args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    requireAction(this.spec, action)
    await this.#call('call', { action, arguments: args }, signal)
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  async #shutDown(): Promise<void> {
    const program = this.#program
    const { clock, spec } = this.#options
    const late = new AbortController()
    const cancel = clock.after(CLOSE_CALL_MS, () => late.abort(gone(`${spec.name} did not close in time`)))
    this.#lost = gone(`${spec.name} is closed`)
    this.#program = undefined
    this.#closing.abort(this.#lost)
    if (program === undefined) {
      cancel()
      return await this.#starting
    }
    try {
      await program.call('close', {}, late.signal)
    } catch {
      // It is ended either way; what it refused is in its own notes.
    }
    cancel()
    await program.stop()
  }

  async #call(method: string, params: object, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted()
    if (this.#program === undefined) throw this.#lost
    return await this.#program.call(method, params, signal)
  }

  async #start(signal: AbortSignal): Promise<void> {
    const starting = this.#startProgram(signal)
    this.#starting = starting.catch(() => {})
    await starting
  }

  /** Starts the program and has it open its hardware; nothing of it is left when that fails. */
  async #startProgram(signal: AbortSignal): Promise<void> {
    const { start, settings, spec } = this.#options
    signal.throwIfAborted()
    await this.#program?.stop()
    const program = start({
      onEnd: (reason) => this.#ended(program, reason),
      onConnection: (up, reason) => {
        if (program === this.#program) this.#listener?.(up, reason)
      },
    })
    try {
      const said = await program.describe(signal)
      if (!isSameSpec(said, spec)) throw changed(spec.name)
      const identity = await program.call('open', { settings }, signal)
      signal.throwIfAborted()
      this.#identity = typeof identity === 'string' ? identity.slice(0, 300) : ''
      this.#program = program
    } catch (thrown) {
      await program.stop()
      throw thrown
    }
  }

  #ended(program: Program, reason: LabError): void {
    if (program !== this.#program) return
    this.#program = undefined
    this.#lost = reason
    if (!this.#isKept || this.#closing.signal.aborted) return
    this.#listener?.(false, reason.message)
    void this.#comeBack()
  }

  async #comeBack(): Promise<void> {
    const { signal } = this.#closing
    const isBack = await comeBack({
      clock: this.#options.clock,
      signal,
      backOffMs: BACK_OFF_MS,
      again: () => this.#start(signal),
      failed: (thrown) => {
        this.#lost = gone(asLabError(thrown).message)
        this.#listener?.(false, this.#lost.message)
      },
    })
    if (isBack) this.#listener?.(true)
  }
}

function gone(message: string): LabError {
  return new LabError({ code: 'program-ended', kind: 'link', retry: 'later', message })
}

function changed(name: string): LabError {
  return new LabError({
    code: 'description-changed',
    kind: 'configuration',
    message: `${name}: its program describes other signals or actions than when the node started: start the node again`,
  })
}

/**
 * Hardware that says nothing by itself, on wires that others use too: a chip on a bus, a sensor on a line.
 *
 * INVARIANTS: one call at a time is with the hardware, though others may use the wires between its transactions; nothing
 * is read from or written to hardware that has not been configured since it was last lost; what is lost is configured
 * again, with back-off, until `close`; while it is lost every call rejects with the reason and leaves the wires alone.
 */
import { Lane } from '@fernlab/firmware-bridge/sessions/lane'
import type { ActionSpec, InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { comeBack } from './come-back.ts'
import type { Instrument, Reading, SignalValue } from './driver.ts'

/** One piece of it, with its settings; called by one at a time, so its exchanges need not mind each other. */
export interface Hardware<Port> {
  readonly signals: readonly SignalSpec[]
  readonly actions?: readonly ActionSpec[]
  /** Checks that it is this hardware, as far as it can say, writes its settings and waits for its first values. */
  initialise(port: Port): Promise<void>
  /** Rejects when it is not as `initialise` left it, as after a loss of power; disturbs nothing. */
  verify(port: Port): Promise<void>
  /** Its name and what it says itself of who it is. */
  identify(port: Port): Promise<string>
  /** The values of these signals, each of which is one of `signals`. */
  read(names: readonly string[], port: Port): Promise<Record<string, SignalValue>>
  /** Sets a signal of `signals` that can be; the value is of its type and within its limits. */
  set?(name: string, value: SignalValue, port: Port): Promise<void>
  call?(action: string, port: Port): Promise<void>
}

export interface KeptInstrumentOptions<Port> {
  readonly spec: InstrumentSpec
  readonly hardware: Hardware<Port>
  /** The way to it for one call, which waits for its turn no longer than the signal lets it. */
  readonly port: (signal: AbortSignal) => Port
  /** Called once as it is opened: keeps the wires open until the function that it gives is called. */
  readonly use: () => () => Promise<void>
  /** ` at 0x48 on I2C bus 1`: what follows its name when it says who it is. */
  readonly place: string
  readonly clock: Clock
}

const BACK_OFF_MS = { first: 250, longest: 5000 }
/** How long it may be away, or without its settings, before that is noticed, whatever is read of it meanwhile. */
const WATCH_MS = 1000
const CLOSE_MS = 1500

export class KeptInstrument<Port> implements Instrument {
  readonly spec: InstrumentSpec
  readonly #options: KeptInstrumentOptions<Port>
  readonly #lane = new Lane()
  readonly #closing = new AbortController()
  readonly #signals: ReadonlyMap<string, SignalSpec>
  #listener: ((up: boolean, reason?: string) => void) | undefined
  #release: (() => Promise<void>) | undefined
  #lost: LabError | undefined
  #isKept = false
  readonly #afterFailure = {
    failed: (thrown: unknown) => {
      if (thrown instanceof LabError && thrown.kind === 'link') this.#lose(thrown)
    },
  }
  #closed: Promise<void> | undefined

  constructor(options: KeptInstrumentOptions<Port>) {
    this.spec = options.spec
    this.#options = options
    this.#signals = new Map(options.spec.signals.map((signal) => [signal.name, signal]))
    this.#lost = gone(`${options.spec.name} is not open`)
  }

  async open(signal: AbortSignal): Promise<void> {
    this.#closing.signal.throwIfAborted()
    this.#release ??= this.#options.use()
    const either = AbortSignal.any([signal, this.#closing.signal])
    await this.#lane.alone(either, () => this.#initialise(either))
    if (this.#isKept) return
    this.#isKept = true
    void this.#watch()
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#listener = listener
  }

  async identify(signal: AbortSignal): Promise<string> {
    const { hardware, place } = this.#options
    return `${await this.#perform(signal, (port) => hardware.identify(port))}${place}`
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    for (const name of names) this.#signal(name, 'read')
    const { hardware, clock } = this.#options
    return await this.#perform(signal, async (port) => {
      const askedAt = clock.now()
      const startedMs = clock.monotonic()
      const values = await hardware.read(names, port)
      const time = (askedAt + (clock.monotonic() - startedMs) / 2) / 1000
      const readings: Record<string, Reading> = {}
      for (const name of names) {
        const value = values[name]
        if (value !== undefined) readings[name] = { value, time }
      }
      return readings
    })
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    const { hardware } = this.#options
    checkValue(this.spec.name, this.#signal(name, 'set'), value)
    await this.#perform(signal, async (port) => hardware.set?.(name, value, port))
  }

  async call(action: string, _args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    const { hardware } = this.#options
    if (!this.spec.actions.some(({ name }) => name === action)) throw this.#cannot(`do ${action}`)
    await this.#perform(signal, async (port) => hardware.call?.(action, port))
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  async #shutDown(): Promise<void> {
    const { clock, spec } = this.#options
    this.#lost = gone(`${spec.name} is closed`)
    this.#closing.abort(this.#lost)
    const late = new AbortController()
    const cancel = clock.after(CLOSE_MS, () => late.abort())
    // What is under way ends by itself; a bus that hangs is left to its time-out.
    await this.#lane.alone(late.signal, async () => {}).catch(() => {})
    cancel()
    await this.#release?.()
  }

  #perform<T>(signal: AbortSignal, work: (port: Port) => Promise<T>): Promise<T> {
    const begin = () => (this.#lost === undefined ? work(this.#options.port(signal)) : Promise.reject<T>(this.#lost))
    return this.#lane.alone(signal, begin, this.#afterFailure)
  }

  async #initialise(signal: AbortSignal): Promise<void> {
    await this.#options.hardware.initialise(this.#options.port(signal))
    signal.throwIfAborted()
    this.#lost = undefined
  }

  #lose(reason: LabError): void {
    if (!this.#isKept || this.#lost !== undefined || this.#closing.signal.aborted) return
    this.#lost = reason
    this.#listener?.(false, reason.message)
    void this.#comeBack()
  }

  async #comeBack(): Promise<void> {
    const { signal } = this.#closing
    const isBack = await comeBack({
      clock: this.#options.clock,
      signal,
      backOffMs: BACK_OFF_MS,
      again: () => this.#lane.alone(signal, () => this.#initialise(signal)),
      failed: (thrown) => {
        const reason = asLabError(thrown)
        if (reason.message !== this.#lost?.message) this.#listener?.(false, reason.message)
        this.#lost = reason
      },
    })
    if (isBack) this.#listener?.(true)
  }

  /** Notices hardware that is gone, or has lost its settings; a chip that has can go on answering all that it is asked. */
  async #watch(): Promise<void> {
    const { hardware, clock } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      await clock.sleep(WATCH_MS, signal).catch(() => {})
      if (this.#lost !== undefined) continue
      // A loss is told to the listener; a call that waits for nobody has nobody else to tell.
      await this.#perform(signal, (port) => hardware.verify(port)).catch(() => {})
    }
  }

  #signal(name: string, use: 'read' | 'set'): SignalSpec {
    const spec = this.#signals.get(name)
    if (spec === undefined || (spec.access !== 'read-set' && spec.access !== use)) throw this.#cannot(`${use} ${name}`)
    return spec
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

/** The node has checked against bench and lab; this is the last look before a value becomes bits. */
function checkValue(instrument: string, spec: SignalSpec, value: SignalValue): void {
  const { name, dtype, limits, unit } = spec
  const wrong = (why: string) =>
    new LabError({
      code: 'value-out-of-limits',
      kind: 'caller',
      message: `${instrument}.${name}: ${why}`,
      details: { instrument },
    })
  if (dtype === 'boolean') {
    if (typeof value !== 'boolean') throw wrong('takes true or false')
  } else if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw wrong('takes a number')
  } else if (value < (limits?.low ?? -Infinity) || value > (limits?.high ?? Infinity)) {
    throw wrong(`${value} ${unit} is outside ${limits?.low} to ${limits?.high} ${unit}`)
  }
}

function gone(message: string): LabError {
  return new LabError({ code: 'instrument-closed', kind: 'link', retry: 'later', message })
}

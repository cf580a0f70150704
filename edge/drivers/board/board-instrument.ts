/**
 * An instrument that a board has described itself.
 *
 * INVARIANTS: what it is stays what the node knew as it started; a board that is another, or that starts anew again and
 * again, is offline with that reason; a command that a reset or a pulled plug has cut is never repeated by itself.
 */
import type { BoardSignal } from '@fernlab/firmware-bridge/link/description'
import type { SampleStream } from '@fernlab/firmware-bridge/link/sample-stream'
import { Reconnecting } from '@fernlab/firmware-bridge/sessions/reconnecting'
import type { TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Block, DriverContext, Instrument, Reading, SignalValue } from '../driver.ts'
import { requireAction, signalOf } from '../process/description.ts'
import { type BoardConnection, connectBoard } from './board-connection.ts'
import type { KnownBoard } from './description-file.ts'
import { ResetWatch } from './reset-watch.ts'
import { specOf } from './spec.ts'

export interface BoardInstrumentOptions {
  readonly known: KnownBoard
  readonly transport: TransportConfig
  readonly context: DriverContext
}

const BACK_OFF_MS = { first: 250, longest: 10_000 }
/** What a person must see to, and not just wait for. */
const TOLD = new Set(['description-changed', 'board-reset', 'board-version', 'board-description-wrong'])

export class BoardInstrument implements Instrument {
  readonly spec: InstrumentSpec
  readonly #options: BoardInstrumentOptions
  readonly #signals: ReadonlyMap<string, BoardSignal>
  readonly #connection: Reconnecting<BoardConnection>
  readonly #resets = new ResetWatch()
  readonly #listeners: ((up: boolean, reason?: string) => void)[] = []

  constructor(options: BoardInstrumentOptions) {
    const { known, context } = options
    this.#options = options
    this.spec = specOf(context.name, known.description)
    this.#signals = new Map(known.description.signals.map((signal) => [signal.name, signal]))
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
    return await this.#connection.alone(signal, async ({ link, firmware }, within) => {
      // Had the firmware started anew, or been replaced, this would not be answered.
      await link.isThere(within)
      return `${firmware.name} ${firmware.version} ${firmware.hash}`
    })
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    for (const name of names) signalOf(this.spec, name, 'read')
    const asked = names.map((name) => this.#signal(name))
    const { values, timesMs } = await this.#connection.alone(signal, ({ link }, within) => link.read(asked, within))
    const epochMs = this.#epochMs()
    return Object.fromEntries(
      asked.map(({ name, type }, i) => [
        name,
        {
          value: type === 'bool' ? values[i] !== 0 : (values[i] ?? 0),
          time: ((timesMs[i] ?? Number.NaN) + epochMs) / 1000,
        },
      ]),
    )
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    await this.setTogether(new Map([[name, value]]), signal)
  }

  async setTogether(values: ReadonlyMap<string, SignalValue>, signal: AbortSignal): Promise<void> {
    const settings = [...values].map(([name, value]) => {
      signalOf(this.spec, name, 'set')
      return [this.#signal(name), this.#numeric(name, value)] as const
    })
    await this.#connection.alone(signal, ({ link }, within) => link.set(settings, within))
  }

  async call(name: string, args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    requireAction(this.spec, name)
    const action = this.#options.known.description.actions.find((each) => each.name === name)
    if (action === undefined) return
    const values = action.arguments.map((argument) => this.#numeric(argument.name, args[argument.name] ?? Number.NaN))
    await this.#connection.alone(signal, ({ link }, within) => link.call(action, values, within))
  }

  async *stream(names: readonly string[], rateHz: number, signal: AbortSignal): AsyncIterable<Block> {
    const { context, known } = this.#options
    for (const name of names) signalOf(this.spec, name, 'read')
    if (names.length > known.description.streamSignals) throw this.#tooWide(names.length)
    const asked = names.map((name) => this.#signal(name))
    // From here on steady: a clock that is set does not move the samples of a stream against each other.
    const epochMs = this.#epochMs()
    const periodUs = Math.round(1e6 / rateHz)
    const stream = await this.#connection.alone(signal, ({ link }, within) => link.stream(asked, periodUs, within))
    try {
      while (!signal.aborted) yield await this.#block(names, stream, epochMs, signal)
    } catch (thrown) {
      if (!signal.aborted) throw thrown
    } finally {
      await stream.close().catch((thrown: unknown) => {
        // A stream that cannot be ended has ended with its connection, which is reported as lost.
        context.log.debug(
          { instrument: context.name, reason: asLabError(thrown).message },
          'a stream ended with its board',
        )
      })
      const { lost } = stream
      if (lost > 0) context.log.warn({ instrument: context.name, lost }, 'samples of a stream were lost')
    }
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #connect(signal: AbortSignal): Promise<BoardConnection> {
    const { transport, context, known } = this.#options
    try {
      return await connectBoard(transport, context, { known, resets: this.#resets }, signal)
    } catch (thrown) {
      const { code, message } = asLabError(thrown)
      if (TOLD.has(code)) for (const listener of this.#listeners) listener(false, message)
      throw thrown
    }
  }

  async #block(names: readonly string[], stream: SampleStream, epochMs: number, signal: AbortSignal): Promise<Block> {
    const { timeMs, columns } = await stream.next(signal)
    return {
      time: timeMs.map((ms) => (ms + epochMs) / 1000),
      columns: Object.fromEntries(names.map((name, i) => [name, columns[i] ?? new Float64Array(timeMs.length)])),
    }
  }

  /** What makes the time of day of the steady clock, in ms. */
  #epochMs(): number {
    const { clock } = this.#options.context
    return clock.now() - clock.monotonic()
  }

  #signal(name: string): BoardSignal {
    const signal = this.#signals.get(name)
    if (signal === undefined) throw this.#cannot('signal-unknown', `has no signal ${name}`)
    return signal
  }

  #numeric(name: string, value: SignalValue): number | boolean {
    if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
    throw this.#cannot('value-wrong', `takes no ${JSON.stringify(value)} for ${name}`)
  }

  #tooWide(count: number): LabError {
    const most = this.#options.known.description.streamSignals
    return this.#cannot('board-stream-too-wide', `streams at most ${most} signals at a time, not ${count}`)
  }

  #cannot(code: string, what: string): LabError {
    return new LabError({ code, kind: 'caller', message: `${this.spec.name} ${what}` })
  }
}

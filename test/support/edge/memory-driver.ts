/** Instruments in memory that do what a test tells them: answer late, never, wrongly, or vanish. */
import type { Block, Driver, Instrument, Reading, SignalValue } from '@fernlab/edge/drivers/driver'
import type { ActionSpec, InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'

export interface Operation {
  readonly op: 'set' | 'call' | 'read'
  readonly what: string
  readonly value?: SignalValue
  /** Milliseconds of the monotonic clock. */
  readonly atMs: number
}

const signal = (name: string, more: Partial<SignalSpec>): SignalSpec => ({
  name,
  unit: 'V',
  dtype: 'number',
  shape: [],
  kind: 'reading',
  access: 'read-set',
  ...more,
})

export const memorySignals: readonly SignalSpec[] = [
  signal('voltage', { limits: { low: 0, high: 10 }, precision: 3 }),
  signal('current', { unit: 'A', access: 'read', uncertainty: { absolute: 0.001 } }),
  signal('output', { unit: '1', dtype: 'boolean' }),
  signal('range', { kind: 'configuration', access: 'read' }),
]

/** `current` follows `voltage` over 100 Ω; everything else holds what it was set to. */
export class MemoryInstrument implements Instrument {
  readonly operations: Operation[] = []
  readonly values = new Map<string, SignalValue>([
    ['voltage', 0],
    ['output', false],
    ['range', 10],
  ])
  /** Called before each operation; may delay, throw, or never resolve (it ignores the signal). */
  before: ((op: Operation) => Promise<void> | void) | undefined
  failOpen: LabError | undefined
  /** Replaces the answer of a read. */
  answer: ((signals: readonly string[]) => Record<string, Reading>) | undefined
  closed = false
  identity = 'memory'
  /** How often it was asked who it is. */
  identified = 0
  disturbs?: (signal: string) => boolean
  readonly spec: InstrumentSpec
  /** Those of the specification. */
  readonly actions: ActionSpec[] = [{ name: 'pulse', arguments: { length: { type: 'number', unit: 's' } } }]
  readonly #clock: Clock
  #listener: ((up: boolean, reason?: string) => void) | undefined
  stream?: (signals: readonly string[], rateHz: number, abort: AbortSignal) => AsyncIterable<Block>

  constructor(name: string, clock: Clock, signals: readonly SignalSpec[] = memorySignals) {
    this.#clock = clock
    this.spec = {
      name,
      driver: 'memory',
      signals,
      actions: this.actions,
    }
  }

  async open(): Promise<void> {
    if (this.failOpen !== undefined) throw this.failOpen
  }

  async identify(): Promise<string> {
    this.identified++
    const delay = this.before?.({ op: 'read', what: 'identity', atMs: this.#clock.monotonic() })
    if (delay !== undefined) await delay
    return this.identity
  }

  async read(signals: readonly string[]): Promise<Record<string, Reading>> {
    await this.#note({ op: 'read', what: signals.join(','), atMs: this.#clock.monotonic() })
    if (this.answer !== undefined) return this.answer(signals)
    const time = this.#clock.now() / 1000
    return Object.fromEntries(signals.map((name) => [name, { value: this.#value(name), time }]))
  }

  async set(name: string, value: SignalValue): Promise<void> {
    await this.#note({ op: 'set', what: name, value, atMs: this.#clock.monotonic() })
    this.values.set(name, value)
  }

  async call(action: string, args: Readonly<Record<string, SignalValue>>): Promise<void> {
    await this.#note({ op: 'call', what: action, value: JSON.stringify(args), atMs: this.#clock.monotonic() })
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#listener = listener
  }

  /** As if the cable was pulled or put back. */
  connection(up: boolean, reason = 'the cable was pulled'): void {
    this.#listener?.(up, up ? undefined : reason)
  }

  async close(): Promise<void> {
    this.closed = true
  }

  sets(name: string): SignalValue[] {
    return this.operations.flatMap(({ op, what, value }) =>
      op === 'set' && what === name && value !== undefined ? [value] : [],
    )
  }

  #value(name: string): SignalValue {
    if (name === 'current') return Number(this.values.get('voltage')) / 100
    return this.values.get(name) ?? 0
  }

  async #note(operation: Operation): Promise<void> {
    this.operations.push(operation)
    const delay = this.before?.(operation)
    if (delay !== undefined) await delay
  }
}

/** The driver `memory`; every instrument it makes is in `made` by name. */
export function createMemoryDriver(
  prepare: (instrument: MemoryInstrument) => void = () => {},
): Driver & { readonly made: Map<string, MemoryInstrument> } {
  const made = new Map<string, MemoryInstrument>()
  return {
    made,
    kind: 'memory',
    editorSchema: async () => z.strictObject({}),
    check: (config) => {
      const unknown = Object.keys(config as object)
      return unknown.map((path) => ({ path, message: 'the memory driver has no settings' }))
    },
    create: async (_config, { name, clock }) => {
      const instrument = new MemoryInstrument(name, clock)
      prepare(instrument)
      made.set(name, instrument)
      return instrument
    },
  }
}

/** A promise that never settles: an instrument that says nothing. */
export const silence = new Promise<void>(() => {})

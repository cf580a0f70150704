/**
 * A patch of squid axon under current clamp, in real time (or `timeScale` times as fast).
 *
 * INVARIANTS: model time only moves forward, step by step; every stream sees every one of its samples however reads,
 * sets and other streams fall between; pulses begin and end on their step. While no one streams and no pulse is pending,
 * a long pause is not computed: the last quarter of a second is, which is enough to forget how it began.
 */
import type { ActionSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import type { Block, Instrument, Reading, SignalValue } from '../../driver.ts'
import { cannot, type SimulatedModel } from '../model.ts'
import { SquidAxon, STEP_MS } from './squid-axon.ts'

const settingsSchema = z.strictObject({
  timeScale: z
    .number()
    .min(0.001)
    .max(10)
    .default(1)
    .describe('How many seconds pass in the model in one second. Default: 1.'),
  celsius: z.number().min(0).max(30).default(6.3).describe('Temperature, in °C. Default: 6.3.'),
})

const MAX_RATE_HZ = 20_000
const CATCH_UP_STEPS = 250 / STEP_MS
const TICK_MS = 20
/** Rows that a slow reader may fall behind before its stream fails. */
const MAX_BEHIND = 4_000_000

export const hodgkinHuxleyModel: SimulatedModel = {
  name: 'hodgkin-huxley',
  title: 'A patch of squid axon under current clamp.',
  settingsSchema,
  create: (settings, { name, clock }) => new Membrane(name, clock, settings as z.infer<typeof settingsSchema>),
}

interface Pulse {
  readonly fromStep: number
  readonly toStep: number
  readonly amplitude: number
}

/** Takes its samples as the model passes their steps. */
interface Sampler {
  readonly signals: readonly string[]
  readonly everySteps: number
  readonly firstStep: number
  taken: number
  rows: number[][]
}

class Membrane implements Instrument {
  readonly spec
  readonly #name: string
  readonly #clock: Clock
  readonly #timeScale: number
  readonly #axon: SquidAxon
  readonly #samplers = new Set<Sampler>()
  readonly #startedMs: number
  /** Steps that were not computed, so that model time and clock agree. */
  #step = 0
  #pulses: Pulse[] = []
  #current = 0
  #peakMv: number
  #spikes = 0

  constructor(name: string, clock: Clock, settings: z.infer<typeof settingsSchema>) {
    this.#name = name
    this.#clock = clock
    this.#timeScale = settings.timeScale
    this.#axon = new SquidAxon(settings.celsius)
    this.#peakMv = this.#axon.potentialMv
    this.#startedMs = clock.monotonic()
    this.spec = { name, driver: 'simulated', model: 'hodgkin-huxley', signals: SIGNALS, actions: ACTIONS }
  }

  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
  }

  async read(signals: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    signal.throwIfAborted()
    this.#known(signals)
    this.#advance()
    const time = this.#clock.now() / 1000
    return Object.fromEntries(signals.map((each) => [each, { value: this.#value(each), time }]))
  }

  async set(signalName: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (signalName !== 'current' || typeof value !== 'number') throw cannot(this.#name, `set ${signalName}`)
    this.#advance()
    this.#current = value
  }

  async call(action: string, args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#advance()
    const amount = (key: string) =>
      Number(args[key] ?? ACTIONS.find((each) => each.name === action)?.arguments[key]?.default)
    switch (action) {
      case 'reset':
        this.#axon.reset()
        this.#pulses = []
        this.#peakMv = this.#axon.potentialMv
        this.#spikes = 0
        return
      case 'stimulate':
        this.#pulse(amount('delay'), amount('duration'), amount('amplitude'))
        return
      case 's1_s2':
        this.#pulse(amount('delay'), amount('duration'), amount('s1'))
        this.#pulse(amount('delay') + amount('interval'), amount('duration'), amount('s2'))
        return
      default:
        throw cannot(this.#name, `do ${action}`)
    }
  }

  stream(signals: readonly string[], rateHz: number, signal: AbortSignal): AsyncIterable<Block> {
    this.#known(signals)
    return this.#samples(signals, Math.min(rateHz, MAX_RATE_HZ), signal)
  }

  async close(): Promise<void> {
    this.#pulses = []
  }

  async *#samples(signals: readonly string[], rateHz: number, signal: AbortSignal): AsyncGenerator<Block> {
    this.#advance()
    const startS = this.#clock.now() / 1000
    const everySteps = (1000 / STEP_MS / rateHz) * this.#timeScale
    const sampler: Sampler = { signals, everySteps, firstStep: this.#step, taken: 0, rows: [] }
    this.#samplers.add(sampler)
    this.#sample(sampler)
    let sent = 0
    try {
      for (;;) {
        const ending = signal.aborted
        this.#advance()
        if (sampler.rows.length > MAX_BEHIND) throw this.#overrun()
        if (sampler.rows.length > 0) {
          const rows = sampler.rows
          sampler.rows = []
          yield block(signals, rows, sent, startS, rateHz)
          sent += rows.length
        }
        if (ending) return
        // Waking by the abort is how a stream ends, not an error.
        await this.#clock.sleep(TICK_MS, signal).catch(() => undefined)
      }
    } finally {
      this.#samplers.delete(sampler)
    }
  }

  /** Computes up to now. */
  #advance(): void {
    const target = Math.floor(((this.#clock.monotonic() - this.#startedMs) * this.#timeScale) / STEP_MS)
    const isWatched = this.#samplers.size > 0 || this.#pulses.length > 0
    if (!isWatched && target - this.#step > 2 * CATCH_UP_STEPS) this.#step = target - CATCH_UP_STEPS
    while (this.#step < target) {
      const before = this.#axon.potentialMv
      this.#axon.step(this.#totalCurrent())
      this.#step += 1
      const after = this.#axon.potentialMv
      if (before < 0 && after >= 0) this.#spikes += 1
      if (after > this.#peakMv) this.#peakMv = after
      if (this.#pulses.length > 0) this.#passPulses()
      for (const sampler of this.#samplers) this.#sample(sampler)
    }
  }

  #sample(sampler: Sampler): void {
    while (this.#step >= sampler.firstStep + Math.round(sampler.taken * sampler.everySteps)) {
      sampler.rows.push(sampler.signals.map((each) => this.#value(each)))
      sampler.taken += 1
    }
  }

  /** The peak counts from the beginning of the latest pulse. */
  #passPulses(): void {
    for (const pulse of this.#pulses) if (pulse.fromStep === this.#step) this.#peakMv = this.#axon.potentialMv
    if (this.#pulses.some((pulse) => pulse.toStep <= this.#step)) {
      this.#pulses = this.#pulses.filter((pulse) => pulse.toStep > this.#step)
    }
  }

  #totalCurrent(): number {
    let total = this.#current
    for (const pulse of this.#pulses) {
      if (this.#step >= pulse.fromStep && this.#step < pulse.toStep) total += pulse.amplitude
    }
    return total
  }

  #pulse(delayMs: number, durationMs: number, amplitude: number): void {
    const fromStep = this.#step + Math.max(1, Math.round(delayMs / STEP_MS))
    this.#pulses.push({ fromStep, toStep: fromStep + Math.max(1, Math.round(durationMs / STEP_MS)), amplitude })
  }

  #value(signal: string): number {
    switch (signal) {
      case 'current':
        return this.#current
      case 'total_current':
        return this.#totalCurrent()
      case 'potential':
        return this.#axon.potentialMv
      case 'm':
      case 'h':
      case 'n':
        return this.#axon[signal]
      case 'peak':
        return this.#peakMv
      case 'spikes':
        return this.#spikes
      default:
        throw cannot(this.#name, `read ${signal}`)
    }
  }

  #known(signals: readonly string[]): void {
    for (const each of signals) {
      if (!SIGNALS.some((spec) => spec.name === each)) throw cannot(this.#name, `read ${each}`)
    }
  }

  #overrun(): LabError {
    return new LabError({
      code: 'stream-overrun',
      kind: 'instrument',
      retry: 'later',
      message: `${this.#name}: the stream is read too slowly; ${MAX_BEHIND} samples are waiting`,
      details: { instrument: this.#name },
    })
  }
}

function block(
  signals: readonly string[],
  rows: readonly number[][],
  first: number,
  startS: number,
  rateHz: number,
): Block {
  const columns = signals.map(() => new Float64Array(rows.length))
  const time = new Float64Array(rows.length)
  rows.forEach((row, i) => {
    time[i] = startS + (first + i) / rateHz
    row.forEach((value, column) => {
      ;(columns[column] as Float64Array)[i] = value
    })
  })
  return { time, columns: Object.fromEntries(signals.map((each, i) => [each, columns[i] as Float64Array])) }
}

const reading = (name: string, title: string, unit: string, precision: number): SignalSpec => ({
  name,
  title,
  unit,
  dtype: 'number',
  shape: [],
  kind: 'reading',
  access: 'read',
  precision,
  readS: 0.001,
  maxRateHz: MAX_RATE_HZ,
})

const SIGNALS: readonly SignalSpec[] = [
  {
    name: 'current',
    title: 'Current, steady',
    unit: 'uA/cm2',
    dtype: 'number',
    shape: [],
    kind: 'configuration',
    access: 'read-set',
    limits: { low: -50, high: 200 },
    precision: 2,
    readS: 0.001,
    setS: 0.001,
    maxRateHz: MAX_RATE_HZ,
  },
  reading('total_current', 'Current, with pulses', 'uA/cm2', 2),
  reading('potential', 'Membrane potential', 'mV', 2),
  reading('m', 'Sodium activation m', '1', 4),
  reading('h', 'Sodium inactivation h', '1', 4),
  reading('n', 'Potassium activation n', '1', 4),
  reading('peak', 'Highest potential since the last pulse began', 'mV', 2),
  reading('spikes', 'Spikes since the last reset', '1', 0),
]

const amplitude = { type: 'number', unit: 'uA/cm2', minimum: -200, maximum: 500 } as const
const milliseconds = (minimum: number, standard: number) =>
  ({ type: 'number', unit: 'ms', minimum, maximum: 10_000, default: standard }) as const

const ACTIONS: readonly ActionSpec[] = [
  { name: 'reset', title: 'Bring to rest', arguments: {}, typicalS: 0.001 },
  {
    name: 'stimulate',
    title: 'One pulse of current',
    arguments: { amplitude, duration: milliseconds(0.01, 0.5), delay: milliseconds(0, 0) },
    typicalS: 0.001,
  },
  {
    name: 's1_s2',
    title: 'Two pulses of current',
    arguments: {
      s1: amplitude,
      s2: amplitude,
      duration: milliseconds(0.01, 0.5),
      interval: milliseconds(0.01, 10),
      delay: milliseconds(0, 5),
    },
    typicalS: 0.001,
  },
]

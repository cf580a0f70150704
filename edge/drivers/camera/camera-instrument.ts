/**
 * A camera.
 *
 * INVARIANTS: one encoder runs for all who look, from `open` to `close`; one that ends, or of which no picture comes, is
 * started again with back-off, and the instrument is offline meanwhile; nobody is given a picture that is not whole.
 */
import type { InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import { TAKE_PICTURE } from '@fernlab/shared/contracts/pictures'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { comeBack } from '../come-back.ts'
import type { Camera, Instrument, Picture, Reading, SignalValue } from '../driver.ts'
import type { CameraConfig } from './config.ts'
import type { Encoder } from './encoder.ts'
import { type Measures, measuresOf } from './measures.ts'
import { createPictures, type Pictures } from './pictures.ts'

export interface EncoderListeners {
  readonly onPicture: (jpeg: Buffer, grey: Buffer) => void
  readonly onEnd: (reason: LabError) => void
}

export interface CameraInstrumentOptions {
  readonly name: string
  readonly config: CameraConfig
  /** Who it is, for `identify`. */
  readonly identity: string
  /** Rejects with what is wrong before anything is started, as no permission on the device. */
  readonly ready: () => Promise<void>
  readonly start: (listeners: EncoderListeners) => Encoder
  readonly clock: Clock
}

const BACK_OFF_MS = { first: 500, longest: 15_000 }
const FIRST_PICTURE_MS = 8000
/** A camera that sends this many pictures too few has stopped. */
const MISSED = 10
const LEAST_SILENCE_MS = 5000
const RATE_WINDOW_MS = 2000
const MEASURED = ['brightness', 'contrast', 'change'] as const

export class CameraInstrument implements Instrument {
  readonly spec: InstrumentSpec
  readonly camera: Camera
  readonly #options: CameraInstrumentOptions
  readonly #pictures: Pictures
  readonly #closing = new AbortController()
  #encoder: Encoder | undefined
  #listener: ((up: boolean, reason?: string) => void) | undefined
  #lost: LabError
  #isKept = false
  #closed: Promise<void> | undefined
  #grey: Uint8Array | undefined
  #measures: Measures | undefined
  #arrivals: number[] = []
  #cancelSilence = () => {}

  constructor(options: CameraInstrumentOptions) {
    const { name, config } = options
    const { width, height, rateHz, delayMs } = config
    this.spec = {
      name,
      driver: 'camera',
      model: config.source.kind,
      signals: signalsOf(rateHz),
      actions: [{ name: TAKE_PICTURE, title: 'Take a picture', arguments: {}, typicalS: 2 / rateHz + delayMs / 1000 }],
      camera: { width, height, rateHz },
    }
    this.#options = options
    this.#lost = gone(`${name} is not open`)
    this.#pictures = createPictures(rateHz)
    this.camera = {
      take: async (signal) => {
        this.#requireUp(signal)
        return await this.#seenFromNow(signal)
      },
      follow: (signal) => this.#pictures.follow(signal),
    }
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#start(signal)
    this.#isKept = true
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#listener = listener
  }

  async identify(signal: AbortSignal): Promise<string> {
    this.#requireUp(signal)
    return this.#options.identity
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    for (const name of names) {
      if (!this.spec.signals.some((one) => one.name === name)) throw this.#cannot(`read ${name}`)
    }
    this.#requireUp(signal)
    const { clock } = this.#options
    // What was measured before the question may be of a scene that is no more.
    const seen = names.some((name) => name !== 'rate_limit') ? await this.#seenFromNow(signal) : undefined
    const now = clock.now() / 1000
    const readings: Record<string, Reading> = {}
    for (const name of names) {
      if (name === 'rate_limit') readings[name] = { value: this.#pictures.rateLimitHz, time: now }
      else readings[name] = { value: this.#measured(name), time: seen?.time ?? now }
    }
    return readings
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    if (name !== 'rate_limit') throw this.#cannot(`set ${name}`)
    const { rateHz } = this.#options.config
    if (typeof value !== 'number' || !(value >= LOWEST_RATE_HZ && value <= rateHz)) {
      throw new LabError({
        code: 'value-out-of-range',
        kind: 'caller',
        message: `rate_limit must be from ${LOWEST_RATE_HZ} to ${rateHz} Hz`,
      })
    }
    this.#requireUp(signal)
    this.#pictures.rateLimitHz = value
  }

  async call(action: string, _args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void> {
    if (action !== TAKE_PICTURE) throw this.#cannot(`do ${action}`)
    await this.camera.take(signal)
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  async #shutDown(): Promise<void> {
    this.#lost = gone(`${this.spec.name} is closed`)
    this.#closing.abort(this.#lost)
    await this.#stop(this.#lost)
  }

  /** The next picture that begins to be taken from now on: one that arrives at once was begun a period before. */
  async #seenFromNow(signal: AbortSignal): Promise<Picture> {
    const { clock, config } = this.#options
    const from = clock.monotonic() + config.delayMs + 1000 / config.rateHz
    let picture = await this.#pictures.next(signal)
    while (clock.monotonic() < from) picture = await this.#pictures.next(signal)
    return picture
  }

  #measured(name: string): number {
    if (name === 'rate') {
      const since = this.#options.clock.monotonic() - RATE_WINDOW_MS
      return this.#arrivals.filter((at) => at >= since).length / (RATE_WINDOW_MS / 1000)
    }
    const measure = MEASURED.find((one) => one === name)
    return measure === undefined ? 0 : (this.#measures?.[measure] ?? 0)
  }

  #requireUp(signal: AbortSignal): void {
    signal.throwIfAborted()
    if (this.#encoder === undefined) throw this.#lost
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { ready, start, clock } = this.#options
    const within = AbortSignal.any([signal, this.#closing.signal])
    await this.#stop(this.#lost)
    await ready()
    within.throwIfAborted()
    const first = this.#pictures.next(within)
    first.catch(() => {})
    let encoder: Encoder | undefined
    const failed = new Promise<never>((_resolve, reject) => {
      encoder = start({
        onPicture: (jpeg, grey) => this.#seen(jpeg, grey),
        onEnd: (reason) => {
          reject(reason)
          this.#pictures.stopped(reason)
          if (encoder === this.#encoder) this.#ended(reason)
        },
      })
    })
    failed.catch(() => {})
    let late = () => {}
    const silent = new Promise<never>((_resolve, reject) => {
      late = clock.after(FIRST_PICTURE_MS, () => reject(stalled(this.spec.name, FIRST_PICTURE_MS)))
    })
    try {
      await Promise.race([first, failed, silent])
      this.#encoder = encoder
      this.#watch()
    } catch (thrown) {
      await encoder?.stop(asLabError(thrown))
      throw thrown
    } finally {
      late()
    }
  }

  #seen(jpeg: Buffer, grey: Buffer): void {
    const { clock, config } = this.#options
    this.#measures = measuresOf(grey, this.#grey)
    this.#grey = Uint8Array.from(grey)
    const at = clock.monotonic()
    this.#arrivals = [...this.#arrivals.filter((one) => one >= at - RATE_WINDOW_MS), at]
    this.#pictures.add({ jpeg, time: (clock.now() - config.delayMs) / 1000 })
    if (this.#encoder !== undefined) this.#watch()
  }

  /** A camera can stop without its program ending. */
  #watch(): void {
    const { clock, config } = this.#options
    const silenceMs = Math.max(LEAST_SILENCE_MS, (1000 * MISSED) / config.rateHz)
    this.#cancelSilence()
    this.#cancelSilence = clock.after(silenceMs, () => {
      void this.#encoder?.stop(stalled(this.spec.name, silenceMs))
    })
  }

  async #stop(reason: LabError): Promise<void> {
    const encoder = this.#encoder
    this.#encoder = undefined
    this.#cancelSilence()
    this.#grey = undefined
    await encoder?.stop(reason)
  }

  #ended(reason: LabError): void {
    this.#encoder = undefined
    this.#cancelSilence()
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
        this.#lost = asLabError(thrown)
        this.#listener?.(false, this.#lost.message)
      },
    })
    if (isBack) this.#listener?.(true)
  }

  #cannot(what: string): LabError {
    return new LabError({ code: 'signal-unknown', kind: 'caller', message: `${this.spec.name} can not ${what}` })
  }
}

const LOWEST_RATE_HZ = 0.1

function signalsOf(rateHz: number): SignalSpec[] {
  const reading = { dtype: 'number', shape: [], kind: 'reading', access: 'read', precision: 1 } as const
  const percent = { ...reading, unit: '%', limits: { low: 0, high: 100 }, readS: 2 / rateHz, maxRateHz: rateHz }
  return [
    { ...percent, name: 'brightness', title: 'Brightness' },
    { ...percent, name: 'contrast', title: 'Contrast' },
    { ...percent, name: 'change', title: 'Change to the picture before' },
    { ...reading, name: 'rate', title: 'Pictures a second', unit: 'Hz', readS: 2 / rateHz, maxRateHz: rateHz },
    {
      name: 'rate_limit',
      title: 'Pictures a second at most',
      unit: 'Hz',
      dtype: 'number',
      shape: [],
      kind: 'configuration',
      access: 'read-set',
      precision: 1,
      limits: { low: LOWEST_RATE_HZ, high: rateHz },
    },
  ]
}

function gone(message: string): LabError {
  return new LabError({ code: 'camera-stopped', kind: 'link', retry: 'later', message })
}

function stalled(name: string, ms: number): LabError {
  return new LabError({
    code: 'camera-silent',
    kind: 'link',
    retry: 'later',
    message: `no picture has come from ${name} for ${ms / 1000} s`,
    studentMessage: 'The camera of this bench has stopped. It is started again by itself.',
  })
}

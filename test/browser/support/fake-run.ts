import type { ServerResponse } from 'node:http'
import { type Data, type Run, type RunEventName, runEventSchemas } from '@fernlab/shared/contracts/api'
import type { RunState } from '@fernlab/shared/contracts/run-state'
import type { KeptPromises } from './kept-promises.ts'

const step = 0.1
const tau = 1.0
const keys: Data['keys'] = {
  dmm_voltage: { unit: 'V', dtype: 'number', title: 'Multimeter voltage', source: 'dmm.voltage' },
}

interface Sent {
  readonly id: number
  readonly text: string
}

export interface FakeRunOptions {
  readonly run: Run
  readonly points: number
  /** Wall time between points. */
  readonly everyMs: number
  readonly promises: KeptPromises
  readonly onChange?: () => void
}

/**
 * A run that charges a capacitor: `advance()` moves it to its next point, `play()` does so by the clock. Its events are
 * kept, so that a reader who comes back with `Last-Event-ID` gets what it missed and nothing twice.
 */
export class FakeRun {
  run: Run
  readonly time: number[] = []
  readonly voltage: number[] = []
  /** `Last-Event-ID` of every connection to the events, '' where there was none. */
  readonly resumedFrom: string[] = []
  readonly #options: FakeRunOptions
  readonly #sent: Sent[] = []
  readonly #readers = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: FakeRunOptions) {
    this.#options = options
    this.run = options.run
    this.state(options.run.state)
  }

  state(state: RunState, reason?: string): void {
    const at = new Date().toISOString()
    this.run = {
      ...this.run,
      state,
      bench: state === 'queued' ? null : 'demo.rc-1',
      ...(state === 'assigned' ? { assignedAt: at } : {}),
      ...(state === 'running' ? { startedAt: at } : {}),
    }
    this.#send('state', { state, attempt: this.run.attempt, at, ...(reason === undefined ? {} : { reason }) })
    if (state === 'running') this.#send('streams', { attempt: this.run.attempt, stream: 'charge', keys })
  }

  /** The attempt is interrupted and the run waits for its next one. */
  repeat(reason: string): void {
    this.time.length = 0
    this.voltage.length = 0
    this.run = { ...this.run, attempt: this.run.attempt + 1, rows: {} }
    this.state('queued', reason)
  }

  play(): void {
    this.#timer = setInterval(() => this.advance(), this.#options.everyMs)
  }

  advance(): void {
    const n = this.time.length
    if (this.run.state === 'queued') this.state('assigned')
    else if (this.run.state === 'assigned') this.state('running')
    else if (n >= this.#options.points) this.end('succeeded')
    else this.#point(n)
  }

  #point(n: number): void {
    const seconds = n * step
    const time = Date.parse(this.run.startedAt ?? this.run.createdAt) / 1000 + seconds
    const volts = 5 * (1 - Math.exp(-seconds / tau)) + 0.01 * Math.sin(37 * n)
    this.time.push(time)
    this.voltage.push(volts)
    this.run = { ...this.run, rows: { charge: n + 1 } }
    this.#send('data', {
      attempt: this.run.attempt,
      stream: 'charge',
      first: n,
      count: 1,
      reduced: false,
      time: [time],
      columns: { dmm_voltage: [volts] },
    })
    const fraction = (n + 1) / this.#options.points
    this.run = {
      ...this.run,
      progress: { fraction, secondsLeft: (this.#options.points - n - 1) * step, step: 'Charge' },
    }
    this.#send('progress', this.run.progress, false)
  }

  end(state: RunState, more: Partial<Run> = {}): void {
    clearInterval(this.#timer)
    const outputs = {
      tau: { value: 1.0021, unit: 's', uncertainty: 0.0042 },
      final_voltage: { value: 5.0013, unit: 'V', uncertainty: 0.0021 },
    }
    const { progress: _progress, ...rest } = this.run
    this.run = {
      ...rest,
      state,
      endedAt: new Date().toISOString(),
      outputs: state === 'succeeded' ? outputs : {},
      ...more,
    }
    this.#send('outputs', { outputs: this.run.outputs, missingOutputs: this.run.missingOutputs })
    this.#send('end', this.run)
    for (const reader of this.#readers) reader.end()
    this.#readers.clear()
    this.#options.onChange?.()
  }

  connect(response: ServerResponse, lastEventId: string | undefined): void {
    this.resumedFrom.push(lastEventId ?? '')
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const after = Number(lastEventId ?? 0)
    for (const { id, text } of this.#sent) if (id > after) response.write(text)
    if (this.run.endedAt !== undefined) {
      response.end()
      return
    }
    this.#readers.add(response)
    response.on('close', () => this.#readers.delete(response))
  }

  /** Cuts every connection to the events, as a network does. */
  drop(): void {
    for (const reader of this.#readers) reader.destroy()
    this.#readers.clear()
  }

  data(): Data {
    return {
      stream: 'charge',
      attempt: this.run.attempt,
      rows: this.time.length,
      reduced: false,
      keys,
      time: this.time,
      columns: { dmm_voltage: this.voltage },
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.drop()
  }

  #send(name: RunEventName, data: unknown, kept = true): void {
    this.#options.promises.message(`the event ${name} of a run`, runEventSchemas[name], data)
    const id = this.#sent.length + 1
    const text = `${kept ? `id: ${id}\n` : ''}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
    if (kept) this.#sent.push({ id, text })
    for (const reader of this.#readers) reader.write(text)
  }
}

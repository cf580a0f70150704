/**
 * One unit on a Modbus line, as the node sees it.
 *
 * INVARIANTS: it is online once it has answered; an answer that is missing twice in a row takes it offline, and it alone,
 * until it answers again; a set resolves when the unit has confirmed it; what is set together goes before all that waits
 * for the line.
 */
import type { LineMember, ModbusClient, ModbusLine, ModbusRequest } from '@fernlab/firmware-bridge/modbus/line'
import { type Losable, Reconnecting } from '@fernlab/firmware-bridge/sessions/reconnecting'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Instrument, Reading, SignalValue } from '../driver.ts'
import type { ModbusConfig, ModbusSignal } from './config.ts'
import { decode, encode, holds, lengthOf, type Span, spansOf } from './registers.ts'

export interface ModbusInstrumentOptions {
  readonly spec: InstrumentSpec
  readonly config: Pick<ModbusConfig, 'unit' | 'timeoutMs' | 'signals'>
  readonly line: ModbusLine
  readonly clock: Clock
  readonly log: Log
}

const BACK_OFF_MS = { first: 250, longest: 15_000 }

interface Joined extends Losable {
  readonly member: LineMember
}

export class ModbusInstrument implements Instrument {
  readonly spec: InstrumentSpec
  readonly #options: ModbusInstrumentOptions
  readonly #unit: Reconnecting<Joined>
  /** Answers that were missing in a row. */
  #missing = 0

  constructor(options: ModbusInstrumentOptions) {
    this.spec = options.spec
    this.#options = options
    const { clock, log } = options
    this.#unit = new Reconnecting({
      instrument: options.spec.name,
      clock,
      log,
      backOffMs: BACK_OFF_MS,
      connect: (signal) => this.#connect(signal),
    })
  }

  open(signal: AbortSignal): Promise<void> {
    return this.#unit.open(signal)
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#unit.onConnection(listener)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    const wanted = names.map((name) => ({ name, signal: this.#signal(name, 'read') }))
    return await this.#unit.alone(signal, async (joined, both) => {
      const readings: Record<string, Reading> = {}
      for (const span of spansOf(wanted.map((each) => each.signal))) {
        const within = wanted.filter((each) => holds(span, each.signal))
        Object.assign(readings, await this.#readSpan(joined, span, within, both))
      }
      return readings
    })
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    const request = this.#write(name, value)
    await this.#unit.alone(signal, async (joined, both) => {
      await this.#request(joined, request, both)
    })
  }

  async setTogether(values: ReadonlyMap<string, SignalValue>, signal: AbortSignal): Promise<void> {
    const requests = [...values].map(([name, value]) => this.#write(name, value))
    await this.#unit.alone(signal, async (joined, both) => {
      // All ask for the line at once: what others ask of it gets between none of them. Each is tried, whatever becomes of the rest.
      const done = await Promise.allSettled(
        requests.map((request) => this.#request(joined, { ...request, urgent: true }, both)),
      )
      for (const one of done) if (one.status === 'rejected') throw one.reason
    })
  }

  async call(action: string): Promise<void> {
    throw this.#cannot(`do ${action}`)
  }

  close(): Promise<void> {
    return this.#unit.close()
  }

  async #readSpan(
    joined: Joined,
    span: Span,
    within: readonly { readonly name: string; readonly signal: ModbusSignal }[],
    signal: AbortSignal,
  ): Promise<Record<string, Reading>> {
    const { clock, spec } = this.#options
    const what = `reading ${placeOf(span)}${span.count > 1 ? ` to ${span.address + span.count - 1}` : ''}`
    const startedMs = clock.monotonic()
    const sentMs = clock.now()
    const data = await this.#request(joined, { what, perform: (client) => readOf(client, span) }, signal)
    const time = sentMs / 1000 + (clock.monotonic() - startedMs) / 2000
    const source = { instrument: spec.name, command: what }
    return Object.fromEntries(
      within.map(({ name, signal: described }) => {
        const at = described.address - span.address
        return [name, { value: decode(described, data.slice(at, at + lengthOf(described)), source), time }]
      }),
    )
  }

  async #request<T>(
    joined: Joined,
    asked: Pick<ModbusRequest<T>, 'what' | 'perform' | 'urgent'>,
    signal: AbortSignal,
  ): Promise<T> {
    const { spec, config } = this.#options
    try {
      const { unit, timeoutMs } = config
      const answer = await joined.member.request({ ...asked, instrument: spec.name, unit, timeoutMs }, signal)
      this.#missing = 0
      return answer
    } catch (error) {
      const known = asLabError(error)
      if (known.code === 'instrument-silent') this.#missing += 1
      else if (known.kind === 'instrument') this.#missing = 0
      if (this.#missing > 1) this.#unit.lose(joined, known)
      throw error
    }
  }

  async #connect(signal: AbortSignal): Promise<Joined> {
    const { line, config } = this.#options
    const listeners: ((reason: LabError | undefined) => void)[] = []
    let ended: { readonly reason: LabError | undefined } | undefined
    const member = await line.join((reason) => {
      const known = reason === undefined ? undefined : lost(this.spec.name, reason)
      ended = { reason: known }
      for (const listener of listeners) listener(known)
    }, signal)
    const joined: Joined = {
      member,
      onClose: (listener) => {
        if (ended === undefined) listeners.push(listener)
        else listener(ended.reason)
      },
      close: () => member.leave(),
    }
    this.#missing = 0
    try {
      const [first] = spansOf(Object.values(config.signals).slice(0, 1))
      if (first !== undefined) {
        const perform = (client: ModbusClient) => readOf(client, first)
        await this.#request(joined, { what: `reading ${placeOf(first)}`, perform }, signal)
      }
    } catch (error) {
      await this.#unit.release(joined)
      throw error
    }
    return joined
  }

  #write(name: string, value: SignalValue) {
    const described = this.#signal(name, 'set')
    if (!described.writable) throw this.#cannot(`set ${name}`)
    return { what: `setting ${placeOf(described)} (${name})`, perform: writeOf(name, described, value) }
  }

  #signal(name: string, verb: string): ModbusSignal {
    const { signals } = this.#options.config
    const signal = Object.hasOwn(signals, name) ? signals[name] : undefined
    if (signal === undefined) throw this.#cannot(`${verb} ${name}`)
    return signal
  }

  #cannot(what: string): LabError {
    const { name } = this.spec
    const message = `${name} cannot ${what}`
    return new LabError({ code: 'signal-unknown', kind: 'caller', message, details: { instrument: name } })
  }
}

const placeOf = ({ table, address }: Pick<Span, 'table' | 'address'>): string => `${table} ${address}`

async function readOf(client: ModbusClient, { table, address, count }: Span): Promise<readonly (number | boolean)[]> {
  switch (table) {
    case 'holding':
      return (await client.readHoldingRegisters(address, count)).data
    case 'input':
      return (await client.readInputRegisters(address, count)).data
    case 'coil':
      return (await client.readCoils(address, count)).data
    case 'discrete':
      return (await client.readDiscreteInputs(address, count)).data
  }
}

function writeOf(name: string, signal: ModbusSignal, value: SignalValue): (client: ModbusClient) => Promise<unknown> {
  const { table, address, write } = signal
  if (table === 'coil') {
    if (typeof value !== 'boolean') {
      const message = `${name}: ${JSON.stringify(value)} is not true or false`
      throw new LabError({ code: 'value-unknown', kind: 'caller', message })
    }
    return write === 'single'
      ? (client) => client.writeCoil(address, value)
      : (client) => client.writeCoils(address, [value])
  }
  const words = encode(name, signal, value)
  const [only] = words
  return write === 'single' && words.length === 1 && only !== undefined
    ? (client) => client.writeRegister(address, only)
    : (client) => client.writeRegisters(address, words)
}

function lost(instrument: string, cause: Error): LabError {
  return new LabError({
    code: 'instrument-disconnected',
    kind: 'link',
    retry: 'later',
    message: `the connection to ${instrument} was lost: ${cause.message}`,
    studentMessage: 'An instrument of this bench has lost its connection. What was measured until then is kept.',
    details: { instrument },
    cause,
  })
}

/**
 * A Modbus line: one port, many units.
 *
 * INVARIANTS: one request is under way at a time, whichever unit it is for; an urgent one waits for it alone; the port is open while somebody has joined;
 * after an answer that did not come, or made no sense, nothing is sent until the line has been quiet; between two frames
 * are 3.5 characters of silence (Modbus over Serial Line V1.02, 2.5.1.1); when the port ends, all who joined are told.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { Lane } from '../sessions/lane.ts'
import type { OpenTransport, Transport, TransportConfig } from '../transports/transport.ts'
import { requestError } from './errors.ts'
import { MbapPort, RtuPort } from './ports.ts'

/** The library's client, which calls are made on. */
export type ModbusClient = InstanceType<typeof import('modbus-serial')['default']>

export type ModbusFraming = 'rtu' | 'tcp'

export interface ModbusLineOptions {
  readonly transport: TransportConfig
  readonly framing: ModbusFraming
  readonly openTransport: OpenTransport
  readonly clock: Clock
}

/** A request to a unit, in words and as a call of the library. */
export interface ModbusRequest<T> {
  readonly instrument: string
  readonly unit: number
  /** `reading holding 40`. */
  readonly what: string
  readonly timeoutMs: number
  readonly perform: (client: ModbusClient) => Promise<T>
  /** Before all that wait for the line and are not. */
  readonly urgent?: boolean
}

/** One who uses the line. */
export interface LineMember {
  /** Rejects with a LabError that says what the unit answered, or that it did not. */
  request<T>(request: ModbusRequest<T>, signal: AbortSignal): Promise<T>
  /** Lets go of the line; the last one closes the port. Idempotent. */
  leave(): Promise<void>
}

interface Opened {
  readonly transport: Transport
  readonly client: ModbusClient
  readonly members: Map<LineMember, (reason: Error | undefined) => void>
  /** Ends the request under way, when the port ends or a write fails; kept by itself, so that nothing of past ones is. */
  cut: ((reason: unknown) => void) | undefined
  /** When the last byte went or came. */
  activeMs: number
  /** Something may still come that belongs to nothing. */
  disturbed: boolean
}

const QUIET_MS = 60
const LONGEST_NOISE_MS = 2000

export class ModbusLine {
  readonly #options: ModbusLineOptions
  readonly #lane = new Lane()
  readonly #gapMs: number
  #opened: Opened | undefined

  constructor(options: ModbusLineOptions) {
    this.#options = options
    this.#gapMs = gapMs(options.transport)
  }

  /** Opens the port for the first; `onEnd` is called once, with the reason, when the port ends by itself. */
  async join(onEnd: (reason: Error | undefined) => void, signal: AbortSignal): Promise<LineMember> {
    return await this.#lane.alone(signal, async () => {
      this.#opened ??= await this.#open(signal)
      const opened = this.#opened
      const member: LineMember = {
        request: (request, aborted) => this.#request(opened, request, aborted),
        leave: () => this.#leave(opened, member),
      }
      opened.members.set(member, onEnd)
      return member
    })
  }

  async #leave(opened: Opened, member: LineMember): Promise<void> {
    opened.members.delete(member)
    if (opened.members.size > 0) return
    if (this.#opened === opened) this.#opened = undefined
    await opened.transport.close()
  }

  async #open(signal: AbortSignal): Promise<Opened> {
    const { transport: config, openTransport, framing, clock } = this.#options
    const { default: library } = await import('modbus-serial')
    const transport = await openTransport(config, signal)
    const members: Opened['members'] = new Map()
    const finish = (reason: Error | undefined) => {
      if (this.#opened === opened) this.#opened = undefined
      opened.cut?.(closed(reason))
      for (const onEnd of [...members.values()]) onEnd(reason)
      members.clear()
    }
    const fail = (error: unknown) => {
      finish(asLabError(error))
      void transport.close()
    }
    const client = new library.default(framing === 'rtu' ? new RtuPort(transport, fail) : new MbapPort(transport, fail))
    const opened: Opened = { transport, client, members, cut: undefined, activeMs: clock.monotonic(), disturbed: true }
    client.on('error', fail)
    client.open()
    transport.onData(() => {
      opened.activeMs = clock.monotonic()
    })
    transport.onClose(finish)
    return opened
  }

  async #request<T>(opened: Opened, request: ModbusRequest<T>, signal: AbortSignal): Promise<T> {
    const { clock } = this.#options
    const { instrument, unit, what, timeoutMs, perform, urgent = false } = request
    const work = async () => {
      if (this.#opened !== opened) throw requestError(closed(), request)
      await this.#untilQuiet(opened, signal)
      if (this.#opened !== opened) throw requestError(closed(), request)
      opened.client.setID(unit)
      // The deadline is ours, by the clock that is given.
      opened.client.setTimeout(0)
      const late = () =>
        new LabError({
          code: 'instrument-silent',
          kind: 'instrument',
          retry: 'later',
          message: `${instrument} (unit ${unit}) did not answer ${what} within ${timeoutMs} ms`,
          studentMessage: 'An instrument of this bench does not answer. What was measured until then is kept.',
          details: { instrument, unit, command: what, timeoutMs, elapsedMs: timeoutMs },
        })
      opened.disturbed = true
      try {
        const answer = await withDeadline(clock, timeoutMs, signal, late, () => uncut(opened, perform))
        opened.disturbed = false
        return answer
      } catch (error) {
        // A refusal is a whole answer.
        if (isException(error)) opened.disturbed = false
        throw signal.aborted ? error : requestError(error, request)
      } finally {
        opened.cut = undefined
        opened.activeMs = clock.monotonic()
      }
    }
    return await this.#lane.alone(signal, work, { urgent })
  }

  async #untilQuiet(opened: Opened, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const needMs = opened.disturbed ? Math.max(QUIET_MS, this.#gapMs) : this.#gapMs
    const endMs = clock.monotonic() + LONGEST_NOISE_MS
    for (;;) {
      const leftMs = opened.activeMs + needMs - clock.monotonic()
      if (leftMs <= 0 || clock.monotonic() > endMs) return
      await clock.sleep(leftMs, signal)
    }
  }
}

const uncut = <T>(opened: Opened, perform: (client: ModbusClient) => Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    opened.cut = reject
    perform(opened.client).then(resolve, reject)
  })

const isException = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'modbusCode' in error && error.modbusCode !== undefined

/** 3.5 characters of 11 bits, and 1.75 ms above 19 200 baud; nothing where frames have a header or no line. */
function gapMs(transport: TransportConfig): number {
  if (transport.kind !== 'serial') return 0
  return transport.baudRate > 19_200 ? 1.75 : Math.ceil((3.5 * 11_000) / transport.baudRate)
}

function closed(reason?: Error): LabError {
  const message = reason?.message ?? 'it is closed'
  return new LabError({ code: 'transport-closed', kind: 'link', retry: 'later', message, cause: reason })
}

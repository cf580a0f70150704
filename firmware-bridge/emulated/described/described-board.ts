/**
 * A board with fernlab-link that is made of its description alone, at its port: an emulated sibling of one that described
 * itself once. Frames and answers are those of the C library (firmware/fernlab-link); no firmware runs.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { descriptionLines } from '../../link/describe-lines.ts'
import type { BoardDescription } from '../../link/description.ts'
import { encodeFrame, type Frame, FrameReader } from '../../link/frames.ts'
import { MOST_READ, NO_SESSION, reply, request, samples, viewOf } from '../../link/messages.ts'
import type { Fault, WireDevice, WireEnd } from '../wire-device.ts'
import { BoardStream } from './board-stream.ts'
import { BoardValues, OK } from './board-values.ts'

export interface DescribedBoardOptions {
  readonly name: string
  readonly description: BoardDescription
  readonly clock: Clock
  /** Answers take no time. */
  readonly instant?: boolean
}

const UNKNOWN = 1
const LIMITS = 2
const MALFORMED = 4
/** Of a frame that the C library takes, in its smallest setting. */
const CREDIT_BYTES = 56
const LATENCY_MS = 1
/** How often its stream is looked after. */
const TICK_MS = 5
/** Quartz: the counter is a little fast. */
const DRIFT = 1 + 20e-6

/** One connection at a time, as a serial port; values stay between connections. */
export function createDescribedBoard(options: DescribedBoardOptions): WireDevice {
  let holder: Session | undefined
  let fault: Fault | undefined
  let faultLeft = 0
  const values = new BoardValues(options.description, options.name)
  const nextFault = () => {
    if (faultLeft <= 0) return undefined
    faultLeft -= 1
    return fault
  }
  return {
    name: options.name,
    connect: (end) => {
      if (holder !== undefined) throw busy(options.name)
      const session = new Session(options, values, end, nextFault)
      holder = session
      return {
        receive: (bytes) => session.receive(bytes),
        close: () => {
          session.close()
          if (holder === session) holder = undefined
        },
      }
    },
    setFault: (given) => {
      fault = given
      faultLeft = given === undefined ? 0 : (given.answers ?? Number.POSITIVE_INFINITY)
    },
    hangUp: () => holder?.hangUp(),
  }
}

class Session {
  readonly #options: DescribedBoardOptions
  readonly #values: BoardValues
  readonly #lines: ReadonlyMap<number, Uint8Array>
  readonly #end: WireEnd
  readonly #nextFault: () => Fault | undefined
  readonly #reader = new FrameReader()
  #session = 0
  #lastNumber = 0
  #lastStatus = OK
  #stream: BoardStream | undefined
  #cancelTick = () => {}
  #isOpen = true

  constructor(options: DescribedBoardOptions, values: BoardValues, end: WireEnd, nextFault: () => Fault | undefined) {
    this.#options = options
    this.#values = values
    this.#lines = descriptionLines(options.description)
    this.#end = end
    this.#nextFault = nextFault
  }

  receive(bytes: Uint8Array): void {
    if (!this.#isOpen) return
    for (const frame of this.#reader.push(bytes)) this.#take(frame)
  }

  hangUp(): void {
    this.#end.hangUp()
  }

  close(): void {
    this.#isOpen = false
    this.#cancelTick()
  }

  #take(frame: Frame): void {
    if (frame.kind === 0 || frame.kind >= reply) return
    if (frame.kind === request.credit) {
      this.#stream?.allow(frame.acknowledged + frame.credit)
      return
    }
    const [status, ...payload] = this.#answer(frame)
    this.#send({
      kind: reply | frame.kind,
      number: frame.number,
      payload: Uint8Array.from([status ?? MALFORMED, ...payload]),
    })
  }

  #answer(frame: Frame): number[] {
    const { kind, number, payload } = frame
    if (kind === request.connect && payload.length === 4) return this.#connect(payload, number)
    if (this.#session === 0) return [NO_SESSION]
    if (kind === request.set || kind === request.call || kind === request.stream) {
      // Once, however often it is asked.
      if (number !== this.#lastNumber) this.#lastStatus = this.#perform(frame)
      this.#lastNumber = number
      return [this.#lastStatus]
    }
    this.#lastNumber = number
    if (kind === request.read) return this.#read(payload)
    if (kind === request.describe) return this.#describe(payload)
    if (kind === request.time) return [OK, ...this.#time()]
    return [MALFORMED]
  }

  #connect(payload: Uint8Array, number: number): number[] {
    this.#session = viewOf(payload).getUint32(0, true)
    this.#stopStream()
    this.#lastNumber = number
    const { firmware, streamSignals } = this.#options.description
    const self = new Uint8Array(12)
    const view = viewOf(self)
    view.setUint32(0, this.#session, true)
    view.setUint16(4, 1, true)
    view.setUint32(6, Number.parseInt(firmware.hash, 16) >>> 0, true)
    self.set([this.#lines.size, streamSignals], 10)
    return [OK, ...self, ...new TextEncoder().encode(`${firmware.name}\0${firmware.version}`)]
  }

  #describe([line = 255]: Uint8Array): number[] {
    const entry = this.#lines.get(line)
    return entry === undefined ? [UNKNOWN] : [OK, ...entry]
  }

  #read(indexes: Uint8Array): number[] {
    if (indexes.length === 0 || indexes.length > MOST_READ) return [MALFORMED]
    const out = new Uint8Array(4 + 4 * indexes.length)
    const view = viewOf(out)
    view.setUint32(0, this.#counterUs(), true)
    for (const [i, index] of indexes.entries()) {
      const steps = this.#values.read(index, this.#timeS())
      if (steps === undefined) return [UNKNOWN]
      if (this.#values.signal(index)?.type === 'f32') view.setFloat32(4 + 4 * i, steps, true)
      else view.setInt32(4 + 4 * i, steps, true)
    }
    return [OK, ...out]
  }

  #time(): Uint8Array {
    const out = new Uint8Array(8)
    const view = viewOf(out)
    view.setUint32(0, this.#counterUs(), true)
    out.set([this.#reader.bad & 0xff, this.#stream?.nextFrame ?? 0], 4)
    view.setUint16(6, this.#stream?.nextSample ?? 0, true)
    return out
  }

  #perform({ kind, payload, credit }: Frame): number {
    const view = viewOf(payload)
    if (kind === request.stream) return this.#startStream(payload, credit)
    if (kind === request.set) {
      if (payload.length === 0 || payload.length % 5 !== 0) return MALFORMED
      const settings = Array.from({ length: payload.length / 5 }, (_, i) => {
        const index = payload[5 * i] ?? 255
        return [index, this.#steps(this.#values.signal(index)?.type, view, 5 * i + 1)] as const
      })
      return this.#values.set(settings)
    }
    const action = this.#options.description.actions.find((each) => each.index === payload[0])
    if (action === undefined) return UNKNOWN
    if (payload.length !== 1 + 4 * action.arguments.length) return MALFORMED
    const steps = action.arguments.map(({ type }, i) => this.#steps(type, view, 1 + 4 * i))
    return this.#values.call(action.index, steps)
  }

  #steps(type: string | undefined, view: DataView, at: number): number {
    return type === 'f32' ? view.getFloat32(at, true) : view.getInt32(at, true)
  }

  #startStream(payload: Uint8Array, credit: number): number {
    const { streamSignals } = this.#options.description
    const indexes = [...payload.subarray(4)]
    if (payload.length < 4 || indexes.length > streamSignals) return MALFORMED
    const periodUs = viewOf(payload).getUint32(0, true)
    if (indexes.length > 0 && periodUs === 0) return MALFORMED
    const signals = indexes.flatMap((index) => this.#values.signal(index) ?? [])
    if (signals.length !== indexes.length || signals.some(({ access }) => access === 'set')) return UNKNOWN
    if (signals.some(({ shortestUs }) => periodUs < shortestUs)) return LIMITS
    this.#stopStream()
    if (signals.length === 0) return OK
    this.#stream = new BoardStream(signals, periodUs, this.#counterUs(), credit)
    this.#tickLater()
    return OK
  }

  #stopStream(): void {
    this.#cancelTick()
    this.#stream = undefined
  }

  #tickLater(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      const read = (index: number, sinceUs: number) => this.#values.read(index, this.#timeS() - sinceUs / 1e6) ?? 0
      for (const { number, payload } of this.#stream?.until(this.#counterUs(), read) ?? [])
        this.#send({ kind: samples, number, payload })
      this.#tickLater()
    })
  }

  #send(frame: { readonly kind: number; readonly number: number; readonly payload: Uint8Array }): void {
    const bytes = encodeFrame({ ...frame, acknowledged: this.#lastNumber, credit: CREDIT_BYTES })
    const fault = this.#nextFault()
    if (fault?.kind === 'silent') return
    const ms = (this.#options.instant === true ? 0 : LATENCY_MS) + (fault?.kind === 'slow' ? fault.ms : 0)
    this.#options.clock.after(ms, () => {
      if (!this.#isOpen) return
      if (fault?.kind === 'disconnect') this.#end.hangUp()
      else if (fault?.kind === 'garbage') this.#end.data(bytes.map((byte) => byte ^ 0x55))
      else if (fault?.kind === 'truncated') this.#end.data(bytes.subarray(0, Math.floor(bytes.length / 2)))
      else this.#end.data(bytes)
    })
  }

  #timeS(): number {
    return this.#options.clock.monotonic() / 1000
  }

  #counterUs(): number {
    return Math.round(this.#options.clock.monotonic() * 1000 * DRIFT) % 2 ** 32
  }
}

function busy(name: string): LabError {
  return new LabError({
    code: 'transport-unreachable',
    kind: 'link',
    retry: 'later',
    message: `the port of the emulated board ${name} is in use; a serial port has one user at a time`,
  })
}

/**
 * One connection to a firmware that speaks the link: introduces, asks, streams, keeps time, and notices when it is gone.
 *
 * INVARIANTS: nothing is asked before `connect`, nor after the firmware has started anew until it is connected again;
 * a question that a reset has cut is never asked again by itself; at most one stream runs; the link ends once, with a
 * reason when nobody closed it.
 */
import { randomInt } from 'node:crypto'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transport } from '../transports/transport.ts'
import {
  type BoardAction,
  type BoardDescription,
  type BoardSignal,
  decodeValue,
  encodeValue,
  readDescription,
} from './description.ts'
import { encodeFrame, type Frame, FrameReader, LINK_VERSION } from './frames.ts'
import {
  hello,
  type Introduction,
  MOST_READ,
  MOST_SET,
  type RequestKind,
  readIntroduction,
  readTime,
  request,
  samples,
  viewOf,
} from './messages.ts'
import { type Answer, Requester } from './requester.ts'
import { SampleStream } from './sample-stream.ts'
import { TimeSync } from './time-sync.ts'

export interface FirmwareLinkOptions {
  readonly board: string
  readonly transport: Transport
  readonly clock: Clock
  /** Of the wire, where it is known: how soon a question is asked again. */
  readonly bytesPerS?: number
}

/** How well the wire does; counts since the link was made. */
export interface LinkHealth {
  /** Pieces that came and were no frames, and those that the firmware has had since it was connected to. */
  readonly badHere: number
  readonly badThere: number
  readonly driftPpm: number
  readonly timeUncertaintyMs: number
}

const ANSWER_MS = 1500
const HEARTBEAT_MS = 1000
const QUICK_EXCHANGES = 8
/** A question and the longest answer. */
const EXCHANGE_BYTES = 150

export class FirmwareLink {
  readonly #options: FirmwareLinkOptions
  readonly #reader = new FrameReader()
  readonly #requester: Requester
  readonly #resetListeners: ((introduction: Introduction | undefined) => void)[] = []
  readonly #endListeners: ((reason: LabError | undefined) => void)[] = []
  readonly #ending = new AbortController()
  #time = new TimeSync()
  #session = 0
  #introduction: Introduction | undefined
  #wrongVersion: ((reason: LabError) => void) | undefined
  #stream: SampleStream | undefined
  /** The stream that the firmware is known to run; what it says of its frames before is of another. */
  #running: SampleStream | undefined
  #badThere = 0
  /** The firmware's own count when it was last told; undefined before the first time of a session. */
  #lastBadThere: number | undefined
  #cancelHeartbeat = () => {}
  #isEnded = false

  constructor(options: FirmwareLinkOptions) {
    this.#options = options
    const { board, transport, clock, bytesPerS } = options
    this.#requester = new Requester({
      board,
      clock,
      send: (bytes) => transport.write(bytes),
      againMs: bytesPerS === undefined ? 60 : 20 + (2000 * EXCHANGE_BYTES) / bytesPerS,
      onSilence: (reason) => this.#end(reason),
      onNoSession: () => this.#hasReset(undefined),
    })
    transport.onData((bytes) => {
      for (const frame of this.#reader.push(bytes)) this.#receive(frame)
    })
    transport.onClose((reason) => {
      if (reason !== undefined) this.#end(disconnected(board, reason))
    })
  }

  /** The firmware has started anew by itself; it has to be connected again. */
  onReset(listener: (introduction: Introduction | undefined) => void): void {
    this.#resetListeners.push(listener)
  }

  /** Called once, with the reason unless it was `close`. */
  onEnd(listener: (reason: LabError | undefined) => void): void {
    this.#endListeners.push(listener)
  }

  get health(): LinkHealth {
    return {
      badHere: this.#reader.bad,
      badThere: this.#badThere,
      driftPpm: this.#time.driftPpm,
      timeUncertaintyMs: this.#time.uncertaintyMs,
    }
  }

  /** Asks until the firmware answers or the signal aborts; ends what an earlier session has left. */
  async connect(signal: AbortSignal): Promise<Introduction> {
    this.#cancelHeartbeat()
    this.#session = randomInt(1, 2 ** 32)
    this.#introduction = undefined
    this.#time = new TimeSync()
    this.#lastBadThere = undefined
    const payload = new Uint8Array(4)
    viewOf(payload).setUint32(0, this.#session, true)
    const wrongVersion = new AbortController()
    this.#wrongVersion = (reason) => wrongVersion.abort(reason)
    const either = AbortSignal.any([signal, wrongVersion.signal])
    const question = { kind: request.connect, payload, what: 'the greeting' }
    const answer = await this.#requester.ask(question, either)
    const introduction = readIntroduction(answer.payload)
    if (introduction?.session !== this.#session) throw this.#garbage('the greeting')
    this.#introduction = introduction
    for (let exchange = 0; exchange < QUICK_EXCHANGES; exchange++) await this.#askTime(signal)
    this.#heartbeatLater()
    return introduction
  }

  /** Resolves when the firmware has answered. */
  async isThere(signal: AbortSignal): Promise<void> {
    await this.#askTime(signal)
  }

  /** All that the board says that it can do. */
  async describe(signal: AbortSignal): Promise<BoardDescription> {
    const { firmware, entries, streamSignals } = this.#connected()
    const lines: Uint8Array[] = []
    for (let line = 0; line < entries; line++) {
      const what = `for line ${line} of its description`
      lines.push((await this.#ask(request.describe, Uint8Array.of(line), what, signal)).payload.slice())
    }
    return readDescription(this.#options.board, { firmware, streamSignals }, lines)
  }

  /** Values by the order of the signals, and when each was true on the host's steady clock, in ms. */
  async read(
    signals: readonly BoardSignal[],
    signal: AbortSignal,
  ): Promise<{ readonly values: readonly number[]; readonly timesMs: readonly number[] }> {
    const values: number[] = []
    const timesMs: number[] = []
    for (let at = 0; at < signals.length; at += MOST_READ) {
      const asked = signals.slice(at, at + MOST_READ)
      const what = `read ${asked.map(({ name }) => name).join(', ')}`
      const indexes = Uint8Array.from(asked, ({ index }) => index)
      const answer = await this.#ask(request.read, indexes, what, signal)
      if (answer.payload.length !== 4 + 4 * asked.length) throw this.#garbage(what)
      const view = viewOf(answer.payload)
      const saidMs = this.#time.hostMs(view.getUint32(0, true))
      // It was between question and answer, whatever the estimate says.
      const timeMs = Math.max(answer.sentMs, Math.min(answer.receivedMs, saidMs))
      for (const [i, each] of asked.entries()) {
        values.push(decodeValue(each, view, 4 + 4 * i, true))
        timesMs.push(timeMs)
      }
    }
    return { values, timesMs }
  }

  /** Sets in this order, as few frames as can be; those of one frame are set together or, when one is refused, none. */
  async set(settings: readonly (readonly [BoardSignal, number | boolean])[], signal: AbortSignal): Promise<void> {
    for (let at = 0; at < settings.length; at += MOST_SET) {
      const some = settings.slice(at, at + MOST_SET)
      const payload = new Uint8Array(5 * some.length)
      for (const [i, [to, value]] of some.entries()) {
        payload[5 * i] = to.index
        payload.set(encodeValue(to, value), 5 * i + 1)
      }
      const what = `set ${some.map(([{ name }, value]) => `${name} to ${value}`).join(', ')}`
      await this.#ask(request.set, payload, what, signal)
    }
  }

  /** Arguments are in the action's order. */
  async call(action: BoardAction, args: readonly (number | boolean)[], signal: AbortSignal): Promise<void> {
    const payload = new Uint8Array(1 + 4 * action.arguments.length)
    payload[0] = action.index
    for (const [i, argument] of action.arguments.entries()) {
      payload.set(encodeValue(argument, args[i] ?? 0), 1 + 4 * i)
    }
    await this.#ask(request.call, payload, `call ${action.name}`, signal)
  }

  /** Starts the one stream; it runs until it is ended, or the firmware is gone. */
  async stream(signals: readonly BoardSignal[], periodUs: number, signal: AbortSignal): Promise<SampleStream> {
    const { board, clock } = this.#options
    if (this.#stream !== undefined) throw taken(board)
    const stream: SampleStream = new SampleStream({
      board,
      clock,
      signals,
      periodUs,
      hostMs: (counter) => this.#time.hostMs(counter),
      allow: (acknowledged, credit) => this.#allow(acknowledged, credit),
      end: () => this.#endStream(stream),
    })
    this.#stream = stream
    try {
      const payload = new Uint8Array(4 + signals.length)
      viewOf(payload).setUint32(0, periodUs, true)
      payload.set(
        signals.map(({ index }) => index),
        4,
      )
      const what = `stream ${signals.map(({ name }) => name).join(', ')}`
      await this.#ask(request.stream, payload, what, signal, stream.credit)
      this.#running = stream
    } catch (thrown) {
      await stream.close()
      throw thrown
    }
    return stream
  }

  /** Ends the link and its transport; idempotent. */
  async close(): Promise<void> {
    this.#end(undefined)
    await this.#options.transport.close()
  }

  #receive(frame: Frame): void {
    if (frame.version !== LINK_VERSION) {
      this.#wrongVersion?.(otherVersion(this.#options.board, frame.version))
    } else if (frame.kind === hello) this.#greeted(readIntroduction(frame.payload))
    else if (frame.kind === samples) this.#stream?.receive(frame)
    else this.#requester.receive(frame)
  }

  /** A hello before the greeting was answered says that the firmware is ready for it. */
  #greeted(introduction: Introduction | undefined): void {
    if (introduction === undefined) return
    if (this.#introduction === undefined) this.#requester.again()
    else this.#hasReset(introduction)
  }

  #hasReset(introduction: Introduction | undefined): void {
    if (this.#introduction === undefined) return
    this.#introduction = undefined
    this.#cancelHeartbeat()
    const reason = reset(this.#options.board, introduction)
    this.#stream?.fail(reason)
    this.#stream = undefined
    this.#requester.fail(reason)
    for (const listener of this.#resetListeners) listener(introduction)
  }

  #connected(): Introduction {
    if (this.#introduction === undefined) throw reset(this.#options.board, undefined)
    return this.#introduction
  }

  async #ask(kind: RequestKind, payload: Uint8Array, what: string, signal: AbortSignal, credit = 0): Promise<Answer> {
    signal.throwIfAborted()
    this.#connected()
    return await this.#requester.ask({ kind, payload, what, credit, answerMs: ANSWER_MS }, signal)
  }

  async #askTime(signal: AbortSignal): Promise<void> {
    // As long as its answer with the status, so that both take the same time on the wire.
    const what = 'for its time'
    const answer = await this.#ask(request.time, new Uint8Array(9), what, signal)
    const time = readTime(answer.payload)
    if (time === undefined) throw this.#garbage(what)
    this.#time.add(answer.sentMs, answer.receivedMs, time.timeUs)
    this.#badThere += (time.bad - (this.#lastBadThere ?? time.bad)) & 0xff
    this.#lastBadThere = time.bad
    if (this.#running === this.#stream) this.#stream?.upTo(time.nextFrame)
  }

  #heartbeatLater(): void {
    this.#cancelHeartbeat = this.#options.clock.after(HEARTBEAT_MS, () => {
      this.#askTime(this.#ending.signal).then(
        () => {
          if (!this.#isEnded && this.#introduction !== undefined) this.#heartbeatLater()
        },
        (thrown: unknown) => {
          // A reset and the end have been told already.
          if (this.#isEnded || this.#introduction === undefined) return
          this.#end(asLabError(thrown))
        },
      )
    })
  }

  #allow(acknowledged: number, credit: number): void {
    const bytes = encodeFrame({ kind: request.credit, number: 0, acknowledged, credit, payload: new Uint8Array(0) })
    // A transport that can not send has ended, and says so itself.
    this.#options.transport.write(bytes).catch(() => {})
  }

  async #endStream(stream: SampleStream): Promise<void> {
    if (this.#stream !== stream) return
    try {
      if (this.#introduction !== undefined && !this.#isEnded) {
        await this.#ask(request.stream, new Uint8Array(4), 'end the stream', this.#ending.signal)
      }
    } finally {
      if (this.#stream === stream) this.#stream = undefined
    }
  }

  #end(reason: LabError | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#cancelHeartbeat()
    const why = reason ?? disconnected(this.#options.board)
    this.#ending.abort(why)
    this.#requester.end(why)
    this.#stream?.fail(why)
    this.#stream = undefined
    for (const listener of this.#endListeners) listener(reason)
  }

  #garbage(what: string): LabError {
    return new LabError({
      code: 'board-garbage',
      kind: 'instrument',
      retry: 'later',
      message: `${this.#options.board} answered ${what} with something else: its library does not match this node`,
    })
  }
}

function link(code: string, message: string, cause?: unknown): LabError {
  return new LabError({
    code,
    kind: 'link',
    retry: 'later',
    message,
    studentMessage: 'A board of this bench was lost. What was measured until then is kept.',
    ...(cause === undefined ? {} : { cause }),
  })
}

function disconnected(board: string, cause?: Error): LabError {
  const why = cause === undefined ? '' : `: ${cause.message}`
  return link('board-disconnected', `the connection to ${board} was lost${why}`, cause)
}

function reset(board: string, introduction: Introduction | undefined): LabError {
  const start = introduction === undefined ? '' : ` (start ${introduction.boots} since it had power)`
  return link('board-reset', `${board} has started anew${start}`)
}

function otherVersion(board: string, version: number): LabError {
  return new LabError({
    code: 'board-version',
    kind: 'configuration',
    message: `${board} speaks version ${version} of the link, this node version ${LINK_VERSION}: flash a firmware made with this node's library`,
  })
}

function taken(board: string): LabError {
  return new LabError({
    code: 'board-stream-taken',
    kind: 'caller',
    retry: 'later',
    message: `${board} streams already: it can record one list of signals at a time`,
  })
}

/**
 * An instrument that speaks lines, or bytes, of its own kind; it reconnects by itself and answers one message at a time.
 *
 * INVARIANTS, beside those of sessions/reconnecting.ts: an exchange ends by its deadline, whatever the instrument does; a
 * message without answer, and an urgent one with, is written at once even when the instrument is out of step (a safe state
 * must not wait for one); nothing else is sent before it is in step again, which is once it has been quiet and, where it
 * can be asked something, has given the right kind of answer to that.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { Connection, type Message, shownMessage } from '../sessions/connection.ts'
import { Reconnecting } from '../sessions/reconnecting.ts'
import type { OpenTransport, TransportConfig } from '../transports/transport.ts'
import { LineFraming, type LineFramingOptions, type LineReply } from './framing.ts'

/** A message and its answer; `parse` makes something of the answer's text (of bytes, their hexadecimal digits) or throws. */
export interface Question<T> {
  readonly message: Message
  /** How many bytes come back instead of a line. */
  readonly bytes?: number
  readonly timeoutMs?: number
  readonly parse: (text: string) => T
}

/** A message that is answered by what `parse` accepts, or by nothing where there is no `parse`. */
export type Order = Pick<Question<unknown>, 'message' | 'timeoutMs' | 'bytes'> &
  Partial<Pick<Question<unknown>, 'parse'>>

/** What an exchange can do while it has the line to itself. */
export interface LineExchange {
  ask<T>(question: Question<T>): Promise<T>
  /** Sends all before an answer is waited for, then waits for those that there are. */
  tell(orders: readonly Order[]): Promise<void>
}

/** Lines that an instrument says by itself. */
export interface UnaskedLines {
  /** A connection begins. */
  begin(): void
  /** True for a line that is no answer, which it takes. */
  take(line: string): boolean
  /** A line that came when nobody asked, and was not taken. */
  strange(line: string): void
}

export interface LineSessionOptions extends Omit<LineFramingOptions, 'talks'> {
  readonly unasked?: UnaskedLines
  readonly instrument: string
  readonly transport: TransportConfig
  readonly openTransport: OpenTransport
  readonly clock: Clock
  readonly log: Log
  /** Ends each text to the instrument. */
  readonly terminator: string
  /** Whether the instrument repeats each text before its answer. */
  readonly echoes: boolean
  /** Limit of each message, write and reply apart. */
  readonly timeoutMs: number
  /** How long the line must be silent before the instrument counts as quiet. */
  readonly quietMs: number
  /** Least pause between two messages. */
  readonly gapMs: number
  readonly backOffMs: { readonly first: number; readonly longest: number }
  /** What is asked to see that the right instrument is there and in step; undefined where it answers nothing. */
  readonly hello: Question<string> | undefined
  /** The error for an instrument that answers `hello` with another text. */
  readonly unexpected: (text: string) => LabError
  /** Pause between the opening of the port and the first message, as for a board that starts anew then. */
  readonly startMs: number
  /** Runs after every connection, before anything else is sent. */
  readonly initialise: (exchange: LineExchange) => Promise<void>
}

interface Line {
  readonly connection: Connection<LineReply>
  readonly framing: LineFraming
  /** When the last message was sent. */
  sentMs: number
  onClose: Connection<LineReply>['onClose']
  close(): Promise<void>
}

export class LineSession {
  readonly #options: LineSessionOptions
  readonly #line: Reconnecting<Line>
  #connected = false

  constructor(options: LineSessionOptions) {
    this.#options = options
    this.#line = new Reconnecting({ ...options, connect: (signal) => this.#connect(signal) })
  }

  /** Whether there has been a connection. */
  get connected(): boolean {
    return this.#connected
  }

  /** Called once when the connection is lost, with the reason, and once when it is back. */
  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#line.onConnection(listener)
  }

  /** Connects, greets, initialises; rejects when one of them fails, and may then be called again. */
  open(signal: AbortSignal): Promise<void> {
    return this.#line.open(signal)
  }

  /**
   * Runs `work` alone on the line. Rejects at once with a link-kind error while the instrument is not connected. One
   * `urgent` exchange in which the instrument does not answer leaves it connected, so that it can be told again.
   */
  async exchange<T>(
    work: (exchange: LineExchange) => Promise<T>,
    signal: AbortSignal,
    { urgent = false }: { readonly urgent?: boolean } = {},
  ): Promise<T> {
    return await this.#line.alone(signal, (line, both) => work(this.#exchangeOn(line, both, urgent)))
  }

  /** Ends what is under way and frees the port. */
  close(): Promise<void> {
    return this.#line.close()
  }

  #exchangeOn(line: Line, signal: AbortSignal, urgent = false): LineExchange {
    const { connection } = line
    const inStep = async () => {
      if (!connection.inStep) await this.#synchronise(line, signal, urgent)
    }
    return {
      ask: async (question) => {
        await inStep()
        return await this.#ask(line, question, signal)
      },
      tell: async (orders) => {
        const answered = orders.filter(isQuestion)
        const send = async () => {
          for (const { message, timeoutMs = this.#options.timeoutMs } of orders) {
            await this.#paced(line, signal)
            await connection.write(message, timeoutMs, signal)
          }
        }
        if (answered.length === 0) return await send()
        if (!connection.inStep && urgent) await send()
        await inStep()
        const [only] = answered
        if (orders.length === 1 && only !== undefined) await this.#ask(line, only, signal)
        else await this.#inOrder(line, answered, send, signal)
      },
    }
  }

  async #ask<T>(line: Line, question: Question<T>, signal: AbortSignal): Promise<T> {
    const { message, timeoutMs = this.#options.timeoutMs } = question
    await this.#paced(line, signal)
    this.#expect(line, question)
    const reply = await line.connection.ask(message, timeoutMs, signal)
    return this.#parsed(line.connection, question, reply)
  }

  /** The answers of several messages that are sent together, each with its text or its bytes at hand. */
  async #inOrder(
    { connection }: Line,
    questions: readonly Question<unknown>[],
    send: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { echoes } = this.#options
    const isEcho = (reply: LineReply) =>
      echoes && reply.kind === 'line' && questions.some(({ message }) => message === reply.text)
    connection.markOutOfStep()
    await connection.listening(async () => {
      await send()
      for (const question of questions) {
        const { message, timeoutMs = this.#options.timeoutMs } = question
        let reply = await connection.nextReply(message, timeoutMs, signal)
        // Sent together, the echoes stand between the answers.
        while (isEcho(reply)) reply = await connection.nextReply(message, timeoutMs, signal)
        this.#parsed(connection, question, reply)
      }
    })
    connection.markInStep()
  }

  #parsed<T>(connection: Connection<LineReply>, { message, bytes, parse }: Question<T>, reply: LineReply): T {
    const { instrument } = this.#options
    if (reply.kind === 'malformed' || (reply.kind === 'bytes') !== (bytes !== undefined)) {
      connection.markOutOfStep()
      const why = reply.kind === 'malformed' ? reply.reason : 'its form is another'
      throw new LabError({
        code: 'reply-garbled',
        kind: 'instrument',
        retry: 'later',
        message: `${instrument} garbled its reply to ${shownMessage(message)}: ${why}`,
        studentMessage: 'An instrument gave an answer that makes no sense. What was measured until then is kept.',
        details: { instrument, command: shownMessage(message) },
      })
    }
    try {
      return parse(reply.kind === 'bytes' ? Buffer.from(reply.bytes).toString('hex') : reply.text)
    } catch (error) {
      if (asLabError(error).code === 'reply-garbled') connection.markOutOfStep()
      throw error
    }
  }

  #expect(line: Line, { message, bytes }: Question<unknown>): void {
    line.framing.expect({
      ...(bytes === undefined ? {} : { bytes }),
      ...(this.#options.echoes && typeof message === 'string' ? { echo: message } : {}),
    })
  }

  /** Waits until the instrument can take another message. */
  async #paced(line: Line, signal: AbortSignal): Promise<void> {
    const { clock, gapMs } = this.#options
    const leftMs = line.sentMs + gapMs - clock.monotonic()
    if (leftMs > 0) await clock.sleep(leftMs, signal)
    line.sentMs = clock.monotonic()
  }

  async #synchronise(line: Line, signal: AbortSignal, urgent = false): Promise<void> {
    const { connection } = line
    const { log, instrument } = this.#options
    try {
      const dropped = await connection.listening(async () => await this.#untilInStep(line, signal))
      connection.markInStep()
      this.#line.heard()
      if (dropped > 0) log.debug({ instrument, dropped }, 'late replies were dropped')
    } catch (error) {
      // An aborted caller proves nothing about the instrument; anything else means that only a new connection helps.
      if (!signal.aborted && connection.alive) this.#line.mute(line, asLabError(error), { urgent })
      throw error
    }
  }

  /**
   * Gives how many late replies were dropped. Quiet before the greeting and after it: a late reply may look like the
   * greeting's.
   */
  async #untilInStep(line: Line, signal: AbortSignal): Promise<number> {
    const { hello } = this.#options
    const before = await this.#untilQuiet(line, signal)
    if (hello === undefined) return before
    const during = await this.#greet(line, hello, signal)
    return before + during + (await this.#untilQuiet(line, signal))
  }

  async #untilQuiet({ connection, framing }: Line, signal: AbortSignal): Promise<number> {
    const { clock, timeoutMs, quietMs, hello } = this.#options
    const endMs = clock.monotonic() + Math.max(timeoutMs, quietMs)
    let dropped = 0
    while (await isReply(connection.nextReply('(late replies)', quietMs, signal))) {
      dropped += 1
      if (clock.monotonic() > endMs) throw this.#outOfStep(hello?.message ?? '')
    }
    framing.reset()
    return dropped
  }

  /** Gives how many replies came before that to the greeting. */
  async #greet(line: Line, hello: Question<string>, signal: AbortSignal): Promise<number> {
    const { connection } = line
    const { message, timeoutMs = this.#options.timeoutMs } = hello
    await this.#paced(line, signal)
    this.#expect(line, hello)
    await connection.write(message, timeoutMs, signal)
    const answerBy = this.#options.clock.monotonic() + timeoutMs
    let dropped = 0
    for (let last: string | undefined; ; dropped++) {
      const reply = await this.#replyBy(connection, message, answerBy, signal).catch((error: unknown) => {
        if (last === undefined || asLabError(error).code !== 'instrument-silent') throw error
        throw this.#line.holds(line) ? this.#outOfStep(message) : this.#options.unexpected(last)
      })
      if (this.#isGreeting(connection, hello, reply)) return dropped
      last = reply.kind === 'line' ? reply.text : shownReply(reply)
    }
  }

  /** The next reply before a moment of the clock's. */
  async #replyBy(connection: Connection<LineReply>, message: Message, byMs: number, signal: AbortSignal) {
    const leftMs = Math.max(0, byMs - this.#options.clock.monotonic())
    return await connection.nextReply(message, leftMs, signal)
  }

  /** False for a late reply to something else. */
  #isGreeting(connection: Connection<LineReply>, hello: Question<string>, reply: LineReply): boolean {
    try {
      this.#parsed(connection, hello, reply)
      return true
    } catch (error) {
      if (asLabError(error).code === 'reply-garbled') return false
      throw error
    }
  }

  async #connect(signal: AbortSignal): Promise<Line> {
    const { instrument, transport, openTransport, clock, terminator, startMs, initialise } = this.#options
    const opened = await openTransport(transport, signal)
    const { end, unasked, ignores } = this.#options
    const framing = new LineFraming({
      end,
      talks: unasked !== undefined,
      ignores: (line) => ignores?.(line) === true || unasked?.take(line) === true,
    })
    unasked?.begin()
    const connection = new Connection({
      instrument,
      transport: opened,
      clock,
      terminator,
      framing,
      onUnasked: (reply) => unasked?.strange(reply.kind === 'line' ? reply.text : shownReply(reply)),
    })
    const line: Line = {
      connection,
      framing,
      sentMs: Number.NEGATIVE_INFINITY,
      onClose: (listener) => connection.onClose(listener),
      close: () => connection.close(),
    }
    try {
      if (startMs > 0) await clock.sleep(startMs, signal)
      await this.#synchronise(line, signal)
      await initialise(this.#exchangeOn(line, signal))
      signal.throwIfAborted()
    } catch (error) {
      await this.#line.release(line)
      throw error
    }
    this.#connected = true
    return line
  }

  #outOfStep(message: Message): LabError {
    const { instrument, timeoutMs } = this.#options
    const command = shownMessage(message)
    return new LabError({
      code: 'instrument-out-of-step',
      kind: 'instrument',
      retry: 'later',
      message: `${instrument} sends replies, but none that answers ${command}, within ${timeoutMs} ms`,
      studentMessage: 'An instrument of this bench gives confused answers. What was measured until then is kept.',
      details: { instrument, command, timeoutMs },
    })
  }
}

const shownReply = (reply: Exclude<LineReply, { kind: 'line' }>): string =>
  reply.kind === 'bytes' ? shownMessage(reply.bytes) : reply.reason

const isQuestion = (order: Order): order is Question<unknown> => order.parse !== undefined

/** False when nothing came in time. */
async function isReply(reply: Promise<LineReply>): Promise<boolean> {
  try {
    await reply
    return true
  } catch (error) {
    if (error instanceof LabError && error.code === 'instrument-silent') return false
    throw error
  }
}

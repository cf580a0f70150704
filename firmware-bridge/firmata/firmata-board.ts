/**
 * One connection to a board that speaks Firmata.
 *
 * INVARIANTS: Firmata acknowledges nothing, so every command is followed by a question for the state of a pin: boards
 * answer in order, and all that belongs to a command has come before that answer. At most `WINDOW` of these are under way,
 * for an AVR has room for 64 bytes, and those beside them on which people's safety hangs. One whose caller has gone keeps its place until it is answered. An answer that does not
 * come, and a board that introduces itself anew, end the connection.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transport } from '../transports/transport.ts'
import { MessageReader } from './message-reader.ts'
import { askPinState, type BoardMessage, type PinState } from './messages.ts'

export interface FirmataBoardOptions {
  /** As people call it. */
  readonly board: string
  readonly transport: Transport
  readonly clock: Clock
}

export interface Command {
  /** What is sent, decided as it is sent. */
  readonly bytes: () => readonly Uint8Array[]
  /** The pin whose state is asked for after it. */
  readonly pin: number
  /** For people. */
  readonly what: string
  /** Sent at once, whatever is not answered yet. */
  readonly isUrgent?: boolean
}

export interface Answer {
  readonly state: PinState
  /** What the board has said since the command before: texts, I2C replies, positions. */
  readonly heard: readonly BoardMessage[]
}

const WINDOW = 4
const ANSWER_MS = 3000
const MOST_HEARD = 64

interface UnderWay {
  readonly command: Command
  readonly resolve: (answer: Answer) => void
  readonly reject: (reason: unknown) => void
  readonly heard: BoardMessage[]
  cancel: () => void
}

type Kind = BoardMessage['kind']

export class FirmataBoard {
  readonly #options: FirmataBoardOptions
  readonly #reader = new MessageReader()
  readonly #levels = new Map<number, number>()
  readonly #listeners = new Set<(message: BoardMessage) => void>()
  readonly #endListeners: ((reason: LabError | undefined) => void)[] = []
  readonly #ended = new AbortController()
  #waiting: UnderWay[] = []
  #sent: UnderWay[] = []
  #endReason: LabError | undefined
  #isKnown = false

  constructor(options: FirmataBoardOptions) {
    this.#options = options
    options.transport.onData((bytes) => {
      for (const message of this.#reader.push(bytes)) this.#receive(message)
    })
    options.transport.onClose((reason) => this.#end(this.#disconnected(reason)))
  }

  /** Bytes and messages that were not understood. */
  get garbled(): number {
    return this.#reader.garbled
  }

  /** From now on a board that introduces itself has started anew. */
  markKnown(): void {
    this.#isKnown = true
  }

  /** The levels of a port's pins as last reported; low until then. */
  levels(port: number): number {
    return this.#levels.get(port) ?? 0
  }

  /** Called with each message until the function that it gives is called. */
  listen(listener: (message: BoardMessage) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The next message of that kind for which `holds`; rejects when the signal aborts or the connection ends. */
  async next<K extends Kind>(
    kind: K,
    holds: (message: Extract<BoardMessage, { kind: K }>) => boolean,
    signal: AbortSignal,
  ): Promise<Extract<BoardMessage, { kind: K }>> {
    signal.throwIfAborted()
    this.#ended.signal.throwIfAborted()
    return await new Promise((resolve, reject) => {
      const forget = () => {
        stop()
        signal.removeEventListener('abort', onAbort)
        this.#ended.signal.removeEventListener('abort', onEnd)
      }
      const fail = (reason: unknown) => {
        forget()
        reject(reason)
      }
      const onAbort = () => fail(signal.reason)
      const onEnd = () => fail(this.#ended.signal.reason)
      const stop = this.listen((message) => {
        if (message.kind !== kind) return
        const found = message as Extract<BoardMessage, { kind: K }>
        if (!holds(found)) return
        forget()
        resolve(found)
      })
      signal.addEventListener('abort', onAbort, { once: true })
      this.#ended.signal.addEventListener('abort', onEnd, { once: true })
    })
  }

  /** Sends what is not answered in its place; resolves when the operating system has it. */
  async send(...messages: readonly Uint8Array[]): Promise<void> {
    this.#ended.signal.throwIfAborted()
    await this.#options.transport.write(Buffer.concat(messages))
  }

  /** Performs the command and gives what was answered; when the signal aborts before it is sent it never is. */
  async perform(command: Command, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted()
    this.#ended.signal.throwIfAborted()
    return await new Promise<Answer>((resolve, reject) => {
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((each) => each !== underWay)
        reject(signal.reason)
      }
      const settled = () => signal.removeEventListener('abort', onAbort)
      const underWay: UnderWay = {
        command,
        heard: [],
        cancel: () => {},
        resolve: (answer) => {
          settled()
          resolve(answer)
        },
        reject: (reason) => {
          settled()
          reject(reason)
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      if (command.isUrgent === true) this.#sendNow(underWay)
      else this.#waiting.push(underWay)
      this.#sendWaiting()
    })
  }

  /** Called once, with the reason unless it was `close`; at once when it has ended already. */
  onClose(listener: (reason: LabError | undefined) => void): void {
    if (this.#ended.signal.aborted) listener(this.#endReason)
    else this.#endListeners.push(listener)
  }

  /** Gives the connection up for that reason. */
  fail(reason: LabError): void {
    this.#end(reason)
  }

  async close(): Promise<void> {
    this.#end(undefined)
    await this.#options.transport.close()
  }

  #sendWaiting(): void {
    while (this.#sent.length < WINDOW) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#sendNow(next)
    }
  }

  #sendNow(next: UnderWay): void {
    const { clock, board } = this.#options
    const { bytes, pin, what } = next.command
    this.#sent.push(next)
    next.cancel = clock.after(ANSWER_MS, () => this.#end(silent(board, what)))
    // A connection that takes nothing any more has ended, which everyone under way is told.
    this.send(...bytes(), askPinState(pin)).catch((reason) => this.#end(this.#disconnected(reason)))
  }

  #receive(message: BoardMessage): void {
    if (message.kind === 'firmware' && this.#isKnown) {
      this.#end(startedAnew(this.#options.board))
      return
    }
    if (message.kind === 'digital') this.#levels.set(message.port, message.bits)
    for (const listener of [...this.#listeners]) listener(message)
    if (message.kind === 'pin-state') this.#answer(message)
    else if (message.kind !== 'analog' && message.kind !== 'digital') {
      const heard = this.#sent[0]?.heard
      if (heard !== undefined && heard.length < MOST_HEARD) heard.push(message)
    }
  }

  /** Of one that was lost on the wire the next answer tells; it ends in its own time. */
  #answer(state: PinState): void {
    const at = this.#sent.findIndex(({ command }) => command.pin === state.pin)
    const [found] = at === -1 ? [] : this.#sent.splice(at, 1)
    if (found === undefined) return
    found.cancel()
    found.resolve({ state, heard: found.heard })
    this.#sendWaiting()
  }

  #end(reason: LabError | undefined): void {
    if (this.#ended.signal.aborted) return
    this.#endReason = reason
    const told = reason ?? this.#disconnected(undefined)
    this.#ended.abort(told)
    const left = [...this.#sent, ...this.#waiting]
    this.#sent = []
    this.#waiting = []
    for (const { cancel, reject } of left) {
      cancel()
      reject(told)
    }
    for (const listener of this.#endListeners) listener(reason)
  }

  #disconnected(cause: unknown): LabError {
    const { board } = this.#options
    return new LabError({
      code: 'instrument-disconnected',
      kind: 'link',
      retry: 'later',
      message: `the connection to ${board} was lost${cause instanceof Error ? `: ${cause.message}` : ''}`,
      studentMessage: 'An instrument of this bench has lost its connection. What was measured until then is kept.',
      details: { instrument: board },
      ...(cause instanceof Error ? { cause } : {}),
    })
  }
}

function silent(board: string, what: string): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'link',
    retry: 'later',
    message: `${board} did not answer within ${ANSWER_MS / 1000} s: ${what}`,
    studentMessage: 'A board of this bench does not answer. What was measured until then is kept.',
    details: { instrument: board, command: what },
  })
}

function startedAnew(board: string): LabError {
  return new LabError({
    code: 'board-reset',
    kind: 'link',
    retry: 'later',
    message: `${board} has started anew by itself: its pins were released; look at its supply`,
  })
}

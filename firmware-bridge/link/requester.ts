/**
 * Questions to a firmware, one at a time, asked again until they are answered.
 *
 * INVARIANTS: at most one question is on the wire; only an answer with its number and kind is its answer; a question
 * that is asked again keeps its number, by which the firmware does it once; one that was given up never meets its late
 * answer, since numbers go on.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { Lane } from '../sessions/lane.ts'
import { encodeFrame, type Frame } from './frames.ts'
import { hello, NO_SESSION, type RequestKind, refusal, reply } from './messages.ts'

export interface Question {
  readonly kind: RequestKind
  readonly payload: Uint8Array
  /** For people, in errors: `read temperature`. */
  readonly what: string
  /** For a start of a stream: how many frames of samples may come at first. */
  readonly credit?: number
  /** When the board counts as silent; without, only the signal ends it. */
  readonly answerMs?: number
}

export interface Answer {
  readonly payload: Uint8Array
  /** When it was asked first: which of several askings an answer belongs to is not to be seen. */
  readonly sentMs: number
  readonly receivedMs: number
}

export interface RequesterOptions {
  readonly board: string
  readonly clock: Clock
  readonly send: (bytes: Uint8Array) => Promise<void>
  /** When a question is asked again for the first time. */
  readonly againMs: number
  /** A question got no answer in time; the connection is of no use. */
  readonly onSilence: (reason: LabError) => void
  /** The firmware knows of no session. */
  readonly onNoSession: () => void
}

interface Asked {
  readonly question: Question
  readonly number: number
  readonly sentMs: number
  again(): void
  resolve(answer: Answer): void
  reject(reason: unknown): void
}

/** The pause before a question is asked again grows to so many times the first. */
const LONGEST_AGAIN = 2.5

export class Requester {
  readonly #options: RequesterOptions
  readonly #lane = new Lane()
  #number = 0
  #asked: Asked | undefined
  #ended: LabError | undefined

  constructor(options: RequesterOptions) {
    this.#options = options
  }

  /** What the firmware answers after its status; rejects with its refusal, or when the connection is of no use. */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    return await this.#lane.alone(signal, () => this.#exchange(question, signal))
  }

  /** Takes a frame that is an answer; false for others. */
  receive(frame: Frame): boolean {
    const asked = this.#asked
    if (frame.kind <= reply || frame.kind >= hello) return false
    if (asked === undefined || frame.number !== asked.number || frame.kind !== (reply | asked.question.kind))
      return true
    const [status = NO_SESSION] = frame.payload
    const { board, clock, onNoSession } = this.#options
    if (status === 0) {
      const { sentMs } = asked
      asked.resolve({ payload: frame.payload.subarray(1), sentMs, receivedMs: clock.monotonic() })
    } else if (status === NO_SESSION) onNoSession()
    else asked.reject(refusal(board, asked.question.what, status))
    return true
  }

  /** Asks the present question again at once. */
  again(): void {
    this.#asked?.again()
  }

  /** The present question gets no answer any more. */
  fail(reason: LabError): void {
    this.#asked?.reject(reason)
  }

  /** No question gets an answer from now on. */
  end(reason: LabError): void {
    this.#ended = reason
    this.fail(reason)
  }

  #exchange(question: Question, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted()
    if (this.#ended !== undefined) throw this.#ended
    const { clock, send, againMs, board, onSilence } = this.#options
    this.#number = (this.#number + 1) & 0xff
    const number = this.#number
    const { kind, payload, credit = 0, answerMs } = question
    const bytes = encodeFrame({ kind, number, acknowledged: 0, credit, payload })
    const beganMs = clock.monotonic()
    return new Promise((resolve, reject) => {
      let waitMs = againMs
      let cancel = () => {}
      const settle = (result: () => void) => {
        cancel()
        signal.removeEventListener('abort', onAbort)
        if (this.#asked === asked) this.#asked = undefined
        result()
      }
      const onAbort = () => asked.reject(signal.reason)
      const transmit = () => {
        cancel()
        send(bytes).catch((cause: unknown) => asked.reject(notSent(board, question.what, cause)))
        cancel = clock.after(waitMs, () => {
          waitMs = Math.min(2 * waitMs, LONGEST_AGAIN * againMs)
          const elapsedMs = clock.monotonic() - beganMs
          if (answerMs === undefined || elapsedMs < answerMs) return transmit()
          const reason = silent(board, question.what, elapsedMs)
          asked.reject(reason)
          onSilence(reason)
        })
      }
      const asked: Asked = {
        question,
        number,
        sentMs: beganMs,
        again: transmit,
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (reason) => settle(() => reject(reason)),
      }
      this.#asked = asked
      signal.addEventListener('abort', onAbort, { once: true })
      transmit()
    })
  }
}

function silent(board: string, what: string, elapsedMs: number): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'link',
    retry: 'later',
    message: `${board} did not answer ${what} within ${Math.round(elapsedMs)} ms`,
    studentMessage: 'A board of this bench does not answer. What was measured until then is kept.',
  })
}

function notSent(board: string, what: string, cause: unknown): LabError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new LabError({
    code: 'board-disconnected',
    kind: 'link',
    retry: 'later',
    message: `${what} could not be sent to ${board}${why}`,
    cause,
  })
}

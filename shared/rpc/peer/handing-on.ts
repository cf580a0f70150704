/**
 * Calls of a batch that are done in another process: those that follow one another go there in one message, instead of one
 * message for each.
 *
 * INVARIANTS: they are done in their order, one after another; what has no place in the answer any more is not done.
 */
import type { LabError } from '../../primitives/lab-error.ts'
import { thrownError } from '../errors.ts'
import type { RpcLimits } from '../limits.ts'
import { WrittenSize } from '../values.ts'
import type { BatchOutcome } from './batch.ts'
import type { CallContext } from './serving.ts'

/** Another process that does calls. */
export interface Onward {
  /** What became of each; rejects where that is not known, or where none was begun. */
  hand(calls: readonly HandedOn[], how: Handing): Promise<BatchOutcome[]>
}

export interface Handing {
  readonly context: CallContext
  /** After the first error the others are not done. */
  readonly stop: boolean
  readonly room: Room
}

/** What the answers may have together, as they will be written. */
export interface Room {
  readonly bytes: number
  readonly values: number
  readonly form: 'text' | 'binary'
}

/** What all calls of an action have in common. */
export interface HandedKind {
  /** As it is named where it does not end. */
  readonly name: string
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  readonly idempotent: boolean
  /** The error as its caller may see it. */
  readonly hide: (thrown: unknown) => LabError
}

/** What a service gives for a call of a batch instead of an answer. */
export class HandedOn {
  readonly kind: HandedKind
  /** The member `args` of its params. */
  readonly args: unknown
  /** What its answer goes through, once it is there; throws where it is none. */
  check: ((value: unknown) => unknown) | undefined

  constructor(kind: HandedKind, args: unknown) {
    this.kind = kind
    this.args = args
  }
}

/** In one message, so that a batch that is given up soon ends. */
const MOST_HANDED = 1024
/** Of a batch in whatever form: written anew it may have several times as many. */
const MOST_BYTES = 16 * 1024 * 1024

/** How many calls of a batch go in one message, when it has so many bytes; 0: nobody has counted them. */
export function mostHanded(bytes: number, params: readonly unknown[], limits: RpcLimits): number {
  if (bytes > 0) return bytes <= MOST_BYTES ? MOST_HANDED : 1
  try {
    new WrittenSize({ ...limits, messageBytes: MOST_BYTES }, 'binary').add(params, 1)
    return MOST_HANDED
  } catch (thrown) {
    if (thrownError(thrown).code !== 'message-too-large') throw thrown
    return 1
  }
}

/** The calls that wait to be handed on. */
export class Handed {
  readonly #most: number
  #calls: HandedOn[] = []
  #to: Onward | undefined

  constructor(most: number) {
    this.#most = most
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0
  }

  /** Whether one that goes there, or is done here, can be done before they are. */
  takes(to: Onward | undefined): boolean {
    return this.isEmpty || (to === this.#to && this.#calls.length < this.#most)
  }

  add(call: HandedOn, to: Onward | undefined): void {
    this.#to = to
    this.#calls.push(call)
  }

  /** Has them done; of each what became of it, in the words of who called. */
  async go(how: Handing): Promise<BatchOutcome[]> {
    const calls = this.#calls
    this.#calls = []
    let outcomes: BatchOutcome[]
    try {
      outcomes = (await this.#to?.hand(calls, how)) ?? []
    } catch (thrown) {
      // None was begun, or nobody knows which.
      outcomes = calls.map(() => ({ error: thrownError(thrown) }))
      if (how.stop && thrownError(thrown).code !== 'call-uncertain') outcomes.length = 1
    }
    return outcomes.map((outcome, n) => checked(outcome, calls[n] as HandedOn))
  }
}

function checked(outcome: BatchOutcome, { kind, check }: HandedOn): BatchOutcome {
  if ('error' in outcome) return { error: kind.hide(outcome.error) }
  if ('skipped' in outcome || check === undefined) return outcome
  try {
    return { result: check(outcome.result) }
  } catch (thrown) {
    return { error: thrownError(thrown) }
  }
}

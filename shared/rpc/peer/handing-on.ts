/**
 * Calls of a batch that are done in another process: those that follow one another go there in one message, instead of one
 * message for each.
 *
 * INVARIANTS: they are done in their order, one after another; what has no place in the answer any more is not done.
 */
import type { LabError } from '../../primitives/lab-error.ts'
import { readWireError, thrownError } from '../errors.ts'
import type { RpcLimits } from '../limits.ts'
import type { Batch, BatchAnswer } from '../messages.ts'
import { WrittenSize } from '../values.ts'
import type { CallContext } from './serving.ts'

/** Another process that does calls. */
export interface Onward {
  /** What became of each; rejects where that is not known, or where none was begun. */
  hand(calls: readonly HandedOn[], how: Handing): Promise<BatchAnswer>
}

/** How calls of one method go on, as long as nothing else has a turn. */
export interface OnwardMethod {
  readonly to: Onward
  /** Throws what is wrong with the arguments. */
  take(params: unknown): HandedOn
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

/** A call that is to be done in another process. */
export interface HandedOn {
  readonly kind: HandedKind
  /** The member `args` of its params. */
  readonly args: unknown
  /** What its answer goes through, once it is there; throws where it is none. */
  readonly check: (value: unknown) => unknown
}

/** Told of each call in their order. */
export interface Told {
  answered(value: unknown): void
  failed(thrown: unknown): void
  /** It and those after it were not done. */
  skipped(): void
  /** Of no more is to be told. */
  readonly isFull: boolean
}

/** In one message, so that a batch that is given up soon ends. */
const MOST_HANDED = 4096
/** Of a batch in whatever form: written anew it may have several times as many. */
const MOST_BYTES = 16 * 1024 * 1024

/** How many calls of a batch go in one message, when it has so many bytes; 0: nobody has counted them. */
export function mostHanded(bytes: number, params: Batch['params'], limits: RpcLimits): number {
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

  /** Of the kinds of its calls. */
  get names(): readonly string[] {
    return [...new Set(this.#calls.map(({ kind }) => kind.name))]
  }

  /** Whether one that goes there, or is done here, can be done before they are. */
  takes(to: Onward | undefined): boolean {
    return this.isEmpty || (to === this.#to && this.#calls.length < this.#most)
  }

  add(call: HandedOn, to: Onward | undefined): void {
    this.#to = to
    this.#calls.push(call)
  }

  /** Has them done, and tells what became of each, in the words of who called. */
  async go(how: Handing, told: Told): Promise<void> {
    const calls = this.#calls
    this.#calls = []
    let answer: BatchAnswer
    try {
      answer = (await this.#to?.hand(calls, how)) ?? { results: [], errors: [] }
    } catch (thrown) {
      // None was begun, or nobody knows which.
      const isOne = how.stop && thrownError(thrown).code !== 'call-uncertain'
      for (const { kind } of isOne ? calls.slice(0, 1) : calls) told.failed(kind.hide(thrown))
      return
    }
    const errors = new Map(answer.errors)
    for (const [n, { kind, check }] of calls.entries()) {
      if (told.isFull) return
      const error = errors.get(n)
      if (error !== undefined) told.failed(kind.hide(readWireError(error)))
      else if (n >= answer.results.length) return told.skipped()
      else {
        try {
          told.answered(check(answer.results[n]))
        } catch (thrown) {
          told.failed(thrown)
        }
      }
    }
  }
}

/** Many calls in one message, done one after another. */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { nextTurn } from '../../primitives/next-turn.ts'
import { readWireError, thrownError, tooLarge, type WireError, wireError } from '../errors.ts'
import type { RpcLimits } from '../limits.ts'
import { BATCH, type Batch, type BatchAnswer, readBatchAnswer } from '../messages.ts'
import { WrittenSize } from '../values.ts'
import { packed, rowOf, tableOf } from './columns.ts'
import { Handed, mostHanded, type OnwardMethod, type Room, type Told } from './handing-on.ts'
import {
  type CallContext,
  isAsyncIterable,
  isThenable,
  leaveStream,
  type Refusal,
  type Serve,
  ServedCall,
} from './serving.ts'
import { LONGEST_TURN_MS } from './turns.ts'

export type BatchCall = readonly [method: string, params?: unknown]

/**
 * What became of one call of a batch; `skipped` when an earlier one failed and the batch was to stop there, or when the
 * answers before it fill a message.
 */
export type BatchOutcome = { readonly result: unknown } | { readonly error: LabError } | { readonly skipped: true }

/** So often the clock is looked at: after so many calls, and after answers of so many bytes. */
const CHECK_EVERY = 64
const CHECK_BYTES = 4096

export interface BatchForm {
  /** After the first error the others are not done. */
  readonly stop: boolean
  /** The answer may have numbers as a typed array, and so may what is sent: in text they would be longer. */
  readonly packs: boolean
  /** The other end has said that it takes columns; ends of earlier versions can't read them. */
  readonly inColumns: boolean
}

/** The batch as it is sent. */
export function batchOf(calls: readonly BatchCall[], { stop, packs, inColumns }: BatchForm): Batch {
  const numbers = new Map<string, number>()
  const numbered: number[] = []
  const params: unknown[] = []
  for (const [method, given] of calls) {
    let number = numbers.get(method)
    if (number === undefined) {
      number = numbers.size
      numbers.set(method, number)
    }
    numbered.push(number)
    params.push(given ?? null)
  }
  return {
    methods: [...numbers.keys()],
    calls: inColumns && packs ? packed(numbered) : numbered,
    params: inColumns ? tableOf(params, packs ? 'packed' : 'listed') : params,
    stop,
    packs,
  }
}

export interface DoBatchOptions {
  readonly serve: Serve
  readonly context: CallContext
  readonly clock: Clock
  readonly limits: RpcLimits
  /** What the answers may have together: a message unless given. */
  readonly room?: Room
  /** How the answer is written. */
  readonly form: 'text' | 'binary'
  /** Of the batch as it came; 0: nobody has counted them. */
  readonly bytes?: number
  /** Resolves when others have had a turn; {@link nextTurn} unless given. */
  readonly next?: () => Promise<void>
}

/**
 * Does the calls in order; ends early, with the signal's reason, when nobody waits any more, and with `message-too-large` for
 * the call whose answer has no place any more beside the others: those after it are not done.
 */
export async function doBatch(batch: Batch, options: DoBatchOptions): Promise<BatchAnswer> {
  return await new Doing(batch, options).all()
}

class Doing {
  readonly #batch: Batch
  readonly #options: DoBatchOptions
  readonly #signal: AbortSignal
  readonly #gathered: Gathered
  readonly #handed: Handed
  readonly #results: unknown[] = []
  readonly #errors: [number, WireError][] = []
  /** What it is at: a call, or those that were handed on together. */
  #call: ServedCall | undefined
  #handedNames: readonly string[] = []
  /** Where calls of the method that was asked for last go on to; asked again when others had a turn. */
  #method: string | undefined
  #onward: OnwardMethod | undefined
  readonly #told: Told
  /** Others had a turn since the last call was begun. */
  #hadTurn = false

  constructor(batch: Batch, options: DoBatchOptions) {
    const { serve, context, limits, bytes = 0 } = options
    this.#batch = batch
    this.#options = options
    this.#signal = context.signal
    this.#gathered = new Gathered(options)
    this.#handed = new Handed(serve.onward === undefined ? 0 : mostHanded(bytes, batch.params, limits))
    const gathered = this.#gathered
    this.#told = {
      answered: (value) => this.#answered(value),
      failed: (thrown) => this.#failed(thrown),
      skipped: () => gathered.fill(),
      get isFull() {
        return gathered.isFull
      },
    }
    if (context instanceof ServedCall) context.judge = (refusal) => this.#judge(refusal)
    this.#signal.addEventListener('abort', () => this.#call?.giveUp(thrownError(this.#signal.reason)), { once: true })
  }

  async all(): Promise<BatchAnswer> {
    const { calls } = this.#batch
    const { clock } = this.#options
    let turnBegan = clock.monotonic()
    let seenBytes = 0
    for (let i = 0; i < calls.length && !this.#isOver; i++) {
      try {
        const done = this.#begin(i)
        if (isThenable(done)) {
          await done
          seenBytes = Number.NEGATIVE_INFINITY
        }
      } catch (thrown) {
        const isFirst = this.#handed.isEmpty
        await this.#go()
        if (isFirst || !this.#isOver) this.#failed(thrown)
      }
      if (this.#hadTurn) {
        turnBegan = clock.monotonic()
        this.#hadTurn = false
      }
      const { bytes } = this.#gathered
      if (i % CHECK_EVERY === 0 || bytes - seenBytes > CHECK_BYTES) {
        seenBytes = bytes
        if (clock.monotonic() - turnBegan > LONGEST_TURN_MS) {
          await this.#turn()
          turnBegan = clock.monotonic()
        }
      }
      this.#signal.throwIfAborted()
    }
    await this.#go()
    this.#signal.throwIfAborted()
    const packs = this.#batch.packs === true && this.#options.form === 'binary'
    return { results: packs ? packed(this.#results) : this.#results, errors: this.#errors }
  }

  get #isOver(): boolean {
    return this.#gathered.isFull || (this.#batch.stop && this.#errors.length > 0)
  }

  /** Does a call, or has it wait to be handed on with others; throws, or rejects, with what is wrong with it. */
  #begin(i: number): PromiseLike<void> | undefined {
    const { methods, calls, params } = this.#batch
    const method = methods[calls[i] as number] as string
    if (method !== this.#method) {
      this.#method = undefined
      this.#onward = this.#options.serve.onward?.(method)
      this.#method = method
    }
    const given = rowOf(params, i)
    // What is done here, is done after what was to be done before it.
    if (!this.#handed.takes(this.#onward?.to)) return this.#goAndBegin(i)
    if (this.#onward !== undefined) return void this.#handed.add(this.#onward.take(given), this.#onward.to)
    return this.#do(method, given)
  }

  /** Others have a turn between what was handed on and what comes next. */
  async #goAndBegin(i: number): Promise<void> {
    await this.#go()
    if (this.#isOver) return
    await this.#turn()
    this.#hadTurn = true
    this.#signal.throwIfAborted()
    return await this.#begin(i)
  }

  #do(method: string, params: unknown): PromiseLike<void> | undefined {
    const call = new ServedCall(undefined, method, Number.POSITIVE_INFINITY, 0, false)
    this.#call = call
    const done = doOne(call, params ?? undefined, this.#options.serve)
    if (isThenable(done)) {
      // Others have a turn.
      this.#method = undefined
      return done.then((value) => this.#answered(value))
    }
    return this.#answered(done)
  }

  /** Others have one; what was looked at before it, as who may call what in which process, may be otherwise then. */
  async #turn(): Promise<void> {
    const { next = nextTurn } = this.#options
    await this.#go()
    await next()
    this.#method = undefined
  }

  /** Hands on what waits for it. */
  async #go(): Promise<void> {
    if (this.#handed.isEmpty) return
    const { stop } = this.#batch
    const call = new ServedCall(undefined, BATCH, Number.POSITIVE_INFINITY, 0, false)
    this.#call = call
    if (this.#signal.aborted) call.giveUp(thrownError(this.#signal.reason))
    this.#handedNames = this.#handed.names
    // How the other process stands is looked at again.
    this.#method = undefined
    // Also where the batch is over by the first of them: what was done is told of.
    await this.#handed.go({ context: call, stop, room: this.#gathered.room }, this.#told)
    this.#handedNames = []
  }

  /** Those that come later are asked when they are begun. */
  #judge(refusal: Refusal): void {
    const call = this.#call
    if (call === undefined) return
    const names = call.method === BATCH ? this.#handedNames : [call.method]
    const error = names.map(refusal).find((one) => one !== undefined)
    if (error !== undefined) call.giveUp(error)
  }

  #answered(value: unknown): undefined {
    this.#results.push(this.#gathered.add(value))
    return undefined
  }

  #failed(thrown: unknown): void {
    this.#errors.push([this.#results.length, this.#gathered.addError(wireError(thrownError(thrown)))])
    this.#results.push(null)
  }
}

function doOne(call: ServedCall, params: unknown, serve: Serve): unknown {
  if (call.method.startsWith('rpc.')) throw notInBatch(call.method)
  const value = serve(call.method, params, call)
  return isThenable(value) ? value.then((given) => noStream(given, call)) : noStream(value, call)
}

function noStream(value: unknown, call: ServedCall): unknown {
  if (!isAsyncIterable(value)) return value
  const error = leaveStream(value, call.method)
  call.giveUp(error)
  throw error
}

/** Of the message around the answers, and the error that says that no more have a place. */
const ROOM_BYTES = 1024
const ROOM_VALUES = 32
/** How deep the list of the answers is: in the answer of the batch, in the message. */
const LIST_DEPTH = 2

/** What the answers of a batch have together. */
class Gathered {
  isFull = false
  readonly #size: WrittenSize
  readonly #messageBytes: number
  readonly #form: Room['form']

  constructor({ limits, form, room }: DoBatchOptions) {
    this.#messageBytes = limits.messageBytes
    this.#form = form
    const { messageBytes, values } = limits
    const { bytes, values: most } = room ?? { bytes: messageBytes - ROOM_BYTES, values: values - ROOM_VALUES }
    this.#size = new WrittenSize({ ...limits, messageBytes: bytes, values: most }, form)
  }

  /** What is left of it. */
  get room(): Room {
    return { ...this.#size.left, form: this.#form }
  }

  /** About how many bytes they have by now. */
  get bytes(): number {
    return this.#size.bytes
  }

  /** The other process has found no place for one more. */
  fill(): void {
    this.isFull = true
  }

  /** The value as it stands in the answer. Throws when it can't be written, or not beside the others. */
  add(value: unknown): unknown {
    this.#add(value)
    return value ?? null
  }

  /** The error as it stands there, or that there is no place for it. */
  addError(error: WireError): WireError {
    if (this.isFull) return error
    try {
      this.#add(null)
      this.#add([0, error])
      return error
    } catch (thrown) {
      return wireError(thrownError(thrown))
    }
  }

  #add(member: unknown): void {
    try {
      this.#size.addMember(member, LIST_DEPTH)
    } catch (thrown) {
      if (!(thrown instanceof LabError && thrown.code === 'message-too-large')) throw thrown
      this.isFull = true
      throw tooLarge('the answers of the batch are more than one message carries: ask for fewer', this.#messageBytes)
    }
  }
}

/** What became of each call. Throws `rpc-unreadable` for what answers no batch of so many calls. */
export function readOutcomes(answer: unknown, calls: number): BatchOutcome[] {
  const { results, errors } = readBatchAnswer(answer, calls)
  const outcomes: BatchOutcome[] = []
  for (const result of results as Iterable<unknown>) outcomes.push({ result })
  while (outcomes.length < calls) outcomes.push({ skipped: true })
  for (const [call, error] of errors) outcomes[call] = { error: readWireError(error) }
  return outcomes
}

const notInBatch = (method: string) =>
  new LabError({ code: 'call-invalid', kind: 'caller', message: `a batch can't hold ${method}` })

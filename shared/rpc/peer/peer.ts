/**
 * One end of a link. Both ends are alike: each calls the other, and does what the other calls.
 *
 * INVARIANTS: whatever comes over the link, nothing is thrown into it and no call is done twice; a message that can't be
 * read does no call, and nothing does once there were too many of these; when the link ends all that belongs to it is
 * freed, and each call of this end settles.
 */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { thrownError, wireError } from '../errors.ts'
import { type Frame, frameBytes } from '../formats.ts'
import { defaultLimits, type RpcLimits } from '../limits.ts'
import type { Link } from '../link.ts'
import {
  BATCH,
  CALLBACK,
  CANCEL,
  type CallId,
  calledBy,
  ITEMS,
  kindOf,
  LINGER,
  type Message,
  MORE,
  type OneWay,
  PING,
  RESUME,
  readBatch,
  readCallbackCall,
  readCancel,
  readItems,
  readLinger,
  readMore,
  readTakes,
  type Takes,
} from '../messages.ts'
import { type BatchCall, type BatchOutcome, batchOf, doBatch, readOutcomes } from './batch.ts'
import { Callbacks } from './callbacks.ts'
import { type CallOptions, Calls } from './calls.ts'
import type { Lingering } from './lingering.ts'
import { Outbox } from './outbox.ts'
import { Inbox } from './pieces.ts'
import { ReceivedStream, type StreamPlace } from './received-stream.ts'
import { ServedStreams } from './served-streams.ts'
import { type CallContext, type Refusal, type Serve, ServedCall, Serving } from './serving.ts'
import type { TakeRoom } from './shared-room.ts'
import { ownTurns, type Turns } from './turns.ts'
import { writtenAnswer } from './written-answer.ts'

export interface StreamOptions extends CallOptions {
  /** How many items may be on the way; 64 unless given. */
  readonly credit?: number
  /** About how many bytes of items; as many as `credit` has unless given. */
  readonly windowBytes?: number
  /** How long the other end keeps the stream when the link ends; not at all unless given. */
  readonly lingerMs?: number
}

export interface BatchOptions extends CallOptions {
  /** After the first error the others are not done. */
  readonly stop?: boolean
}

export interface Peer {
  readonly link: Pick<Link, 'kind' | 'format'>
  /** Rejects with the error of the other end, `deadline-exceeded`, `link-busy`, `call-uncertain` or `link-ended`. */
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>
  /** Sends without an answer: nobody says whether it was done. */
  send(method: string, params?: unknown): void
  /** Items as they are taken; leaving the loop ends the stream at the other end. */
  stream(method: string, params?: unknown, options?: StreamOptions): ReceivedStream
  /** Goes on with a stream of an earlier link, without a gap; rejects its first item with `stream-gone`. */
  resume(place: StreamPlace, options?: StreamOptions): ReceivedStream
  /** Does the calls one after another at the other end; in a shorter form once that has answered a {@link PING}. */
  batch(calls: readonly BatchCall[], options?: BatchOptions): Promise<BatchOutcome[]>
  /** Ends what the other end has under way here and is refused by now; it is answered with why. */
  judge(refusal: Refusal): void
  /** How much is under way, for tests and for whoever watches a node. */
  readonly underWay: { readonly calls: number; readonly served: number; readonly callbacks: number }
  /** Called once, at once if it has ended. */
  onEnd(listener: (error: LabError) => void): void
  close(why?: string): Promise<void>
}

export interface CreatePeerOptions {
  readonly link: Link
  readonly clock: Clock
  /** Does what the other end calls; without, it may call nothing. */
  readonly serve?: Serve
  readonly limits?: RpcLimits
  /** Where streams stay when their link ends. */
  readonly lingering?: Lingering
  /** Answers {@link SIGN_IN} of the other end; without, there is nothing to sign in to. */
  readonly signIn?: (params: unknown, context: CallContext) => unknown
  /**
   * Who is at the other end, once that is known: only the same one goes on with a stream that lingers. Where it is
   * undefined when the link ends, nothing lingers.
   */
  readonly owner?: () => string | undefined
  /** Whether that one may go on no more, also once the link has ended: asked when the streams that linger are judged. */
  readonly isOver?: () => boolean
  /** Throws when that one may not call the method any more by which a stream was begun that is to be gone on with. */
  readonly mayResume?: (method: string) => void
  /**
   * Room that links share, besides what the link itself may have: for messages that come in pieces, for the arguments of
   * calls under way, for what the other end does not take, and for what streams keep that linger. Where it refuses, the
   * call, the answer or the stream is, and a link that sends in pieces, or takes no answer, is closed.
   */
  readonly takeRoom?: TakeRoom
  /** When calls may begin that take this process long, and go on; without, the link shares it with no other. */
  readonly turns?: Turns
  /** A one-way call failed, or a message could not be read: for a log. */
  readonly onTrouble?: (error: LabError, method: string | undefined) => void
}

export { PING }

const CREDIT = 64
const TAKES: Takes = { columns: true }
/** Who calls says who that is: `{token}`. */
export const SIGN_IN = 'rpc.sign-in'

const servesNothing: Serve = (method) => {
  throw methodUnknown(method)
}

/** The error of a service that has no such method. */
export const methodUnknown = (method: string): LabError =>
  new LabError({ code: 'method-unknown', kind: 'caller', message: `there is no ${method}` })

/** Takes the link for itself. */
export function createPeer(options: CreatePeerOptions): Peer {
  return new LinkPeer(options)
}

class LinkPeer implements Peer {
  readonly link: Link
  readonly #limits: RpcLimits
  readonly #clock: Clock
  readonly #serve: Serve
  readonly #turns: Turns
  readonly #signIn: ((params: unknown, context: CallContext) => unknown) | undefined
  readonly #onTrouble: (error: LabError, method: string | undefined) => void
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  readonly #callbacks: Callbacks
  readonly #calls: Calls
  readonly #serving: Serving
  readonly #endListeners: ((error: LabError) => void)[] = []
  #ended: LabError | undefined
  /** The other end, as it has said. */
  #takes: Takes = {}
  #unreadable = 0
  #isLeft = false

  constructor(options: CreatePeerOptions) {
    const { link, clock, serve, signIn, limits = defaultLimits, lingering, onTrouble } = options
    const { owner = () => '', isOver = () => false, mayResume = () => {}, takeRoom } = options
    this.link = link
    this.#limits = limits
    this.#clock = clock
    this.#serve = serve ?? servesNothing
    this.#turns = options.turns ?? ownTurns
    this.#signIn = signIn
    this.#onTrouble = onTrouble ?? (() => {})
    this.#inbox = new Inbox({ limits, clock, takeRoom: options.takeRoom, onLate: (error) => this.#leave(error) })
    this.#outbox = new Outbox(link, limits, options.takeRoom)
    this.#callbacks = new Callbacks(limits)
    const onStuck = (error: LabError) => void link.close(error.message)
    this.#calls = new Calls({ outbox: this.#outbox, callbacks: this.#callbacks, limits, clock, onStuck })
    this.#serving = new Serving({
      serve: (method, params, context) => this.#do(method, params, context),
      outbox: this.#outbox,
      streams: new ServedStreams({
        outbox: this.#outbox,
        limits,
        lingering,
        takeRoom,
        owner,
        isOver,
        mayResume,
        onStuck,
      }),
      limits,
      clock,
      takeRoom,
      onUnanswered: (method, error) => this.#onTrouble(error, method),
      onStuck,
    })
    link.listen({
      frame: (frame) => this.#frame(frame),
      drained: () => this.#outbox.drained(),
      ended: (error) => this.#end(error),
    })
  }

  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#calls.begin(method, params, options, (error, result) => {
        if (error !== undefined) return reject(error)
        if (method === PING) this.#takes = readTakes(result)
        resolve(result)
      })
    })
  }

  send(method: string, params?: unknown): void {
    if (this.#ended !== undefined) throw this.#ended
    this.#outbox.send(params === undefined ? { method } : { method, params }, 'ours', undefined)
  }

  stream(method: string, params?: unknown, options: StreamOptions = {}): ReceivedStream {
    return this.#stream(method, params, options, undefined)
  }

  resume(place: StreamPlace, options: StreamOptions = {}): ReceivedStream {
    return this.#stream(RESUME, { ...place }, options, place)
  }

  async batch(calls: readonly BatchCall[], { stop = false, ...options }: BatchOptions = {}): Promise<BatchOutcome[]> {
    const form = { stop, packs: this.link.format.name !== 'json', inColumns: this.#takes.columns === true }
    return readOutcomes(await this.call(BATCH, batchOf(calls, form), options), calls.length)
  }

  get underWay() {
    return { calls: this.#calls.size, served: this.#serving.size, callbacks: this.#callbacks.size }
  }

  judge(refusal: Refusal): void {
    this.#serving.judge(refusal)
  }

  onEnd(listener: (error: LabError) => void): void {
    if (this.#ended === undefined) this.#endListeners.push(listener)
    else listener(this.#ended)
  }

  close(why?: string): Promise<void> {
    return this.link.close(why)
  }

  #stream(method: string, params: unknown, options: StreamOptions, place: StreamPlace | undefined): ReceivedStream {
    const { lingerMs = 0, windowBytes } = options
    const most = Math.min(options.credit ?? CREDIT, this.#limits.streamItems)
    let id: CallId | undefined
    const port = {
      more: (upTo: number, seen: number) => {
        // What ends the link, ends the stream with an error of its own.
        if (this.#ended !== undefined || id === undefined) return
        try {
          this.#outbox.send({ method: MORE, params: { id, upTo, seen } }, 'ours', id)
        } catch (thrown) {
          // Without it the stream would wait for ever.
          void this.link.close(thrownError(thrown).message)
        }
      },
      cancel: () => {
        if (id !== undefined)
          this.#calls.cancel(
            id,
            new LabError({ code: 'call-cancelled', kind: 'caller', message: `${method} was left` }),
          )
      },
    }
    const received = new ReceivedStream(port, { credit: most, windowBytes }, place)
    const { credit } = received
    id = this.#calls.begin(method, params, options, (error) => received.end(error), { received, credit, lingerMs })
    return received
  }

  #frame(frame: Frame): void {
    if (this.#isLeft) return
    try {
      const whole = this.#inbox.take(frame)
      if (whole !== undefined) this.#take(whole)
    } catch (thrown) {
      this.#notRead(thrownError(thrown))
    }
  }

  #take(frame: Frame): void {
    const read = this.link.format.read(frame, this.#limits, (id) => this.#callbackOf(id))
    let whole: Message
    try {
      whole = kindOf(read, this.#limits)
    } catch (thrown) {
      const id = calledBy(read)
      if (id === undefined) throw thrown
      const error = thrownError(thrown)
      this.#onTrouble(error, undefined)
      return void this.#refuse(id, error)
    }
    const { kind, message } = whole
    if (kind === 'result') this.#calls.result(message)
    else if (kind === 'request') this.#serving.request(message, frameBytes(frame))
    else if (kind === 'one-way') this.#oneWay(message, frameBytes(frame))
    else if (!this.#calls.failure(message) && message.id === null) {
      this.#onTrouble(new LabError({ code: 'rpc-unreadable', kind: 'link', message: message.error.message }), undefined)
    }
  }

  #oneWay(message: OneWay, bytes: number): void {
    const { method, params } = message
    if (method === ITEMS) this.#calls.items(readItems(params), bytes)
    else if (method === MORE) this.#serving.more(readMore(params))
    else if (method === CANCEL) this.#serving.cancel(readCancel(params))
    else if (method === LINGER) this.#calls.linger(readLinger(params))
    // Of a later version, which can do without an answer.
    else if (!method.startsWith('rpc.') || method === CALLBACK) this.#serving.oneWay(message, bytes)
  }

  #do(method: string, params: unknown, context: CallContext): unknown {
    const time = this.#turns.before(method)
    return time === undefined ? this.#begin(method, params, context) : this.#doLater(time, method, params, context)
  }

  async #doLater(time: Promise<void>, method: string, params: unknown, context: CallContext): Promise<unknown> {
    await time
    context.signal.throwIfAborted()
    return await this.#begin(method, params, context)
  }

  #begin(method: string, params: unknown, context: CallContext): unknown {
    if (!method.startsWith('rpc.')) return this.#serve(method, params, context)
    if (method === PING) return TAKES
    if (method === SIGN_IN && this.#signIn !== undefined) return this.#signIn(params, context)
    if (method === BATCH) return this.#doBatch(params, context)
    if (method !== CALLBACK) throw methodUnknown(method)
    const { callback, args } = readCallbackCall(params)
    return this.#callbacks.get(callback)(...args)
  }

  #doBatch(params: unknown, context: CallContext): Promise<object> {
    const limits = this.#limits
    const clock = this.#clock
    const { format } = this.link
    const form = format.name === 'json' ? 'text' : 'binary'
    const bytes = context instanceof ServedCall ? context.bytes : 0
    const next = () => this.#turns.next()
    const { signal } = context
    const done = doBatch(readBatch(params, limits), { serve: this.#serve, context, clock, limits, form, bytes, next })
    return done.then((answer) => writtenAnswer(answer, { format, limits, clock, next, signal }))
  }

  #callbackOf(callback: number): (...args: unknown[]) => Promise<unknown> {
    return (...args) => this.call(CALLBACK, { callback, args })
  }

  #notRead(error: LabError): void {
    if (error.code === 'link-busy') return void this.#leave(error)
    this.#onTrouble(error, undefined)
    if (this.#ended !== undefined) return
    this.#unreadable++
    if (this.#unreadable > this.#limits.unreadable) {
      this.#isLeft = true
      void this.link.close(`more than ${this.#limits.unreadable} messages could not be read`)
      return
    }
    this.#refuse(null, error)
  }

  /** Says why, and takes nothing more: the rest of a message that was dropped would be none. */
  #leave(error: LabError): void {
    this.#onTrouble(error, undefined)
    if (this.#ended !== undefined || this.#isLeft) return
    this.#isLeft = true
    this.#refuse(null, error)
    void this.link.close(error.message)
  }

  #refuse(id: CallId | null, error: LabError): void {
    try {
      this.#outbox.send({ id, error: wireError(error) }, 'theirs', id ?? undefined)
    } catch (thrown) {
      void this.link.close(thrownError(thrown).message)
    }
  }

  #end(error: LabError): void {
    this.#ended = error
    this.#serving.end(error)
    this.#calls.end(error)
    this.#outbox.end()
    this.#inbox.clear()
    for (const listener of this.#endListeners.splice(0)) {
      try {
        listener(error)
      } catch (thrown) {
        this.#onTrouble(thrownError(thrown), undefined)
      }
    }
  }
}

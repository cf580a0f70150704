/** The streams that this end sends over one link. */
import type { LabError } from '../../primitives/lab-error.ts'
import { thrownError, wireError } from '../errors.ts'
import type { RpcLimits } from '../limits.ts'
import { type CallId, ITEMS, LINGER, type More, type Resume } from '../messages.ts'
import type { Lingering } from './lingering.ts'
import type { Outbox } from './outbox.ts'
import { SentStream, type StreamSink } from './sent-stream.ts'
import type { TakeRoom } from './shared-room.ts'

export interface ServedStreamsOptions {
  readonly outbox: Outbox
  readonly limits: RpcLimits
  /** Streams that outlive their link; without, none does. */
  readonly lingering: Lingering | undefined
  /** For what is kept of those, besides a little of each. */
  readonly takeRoom: TakeRoom | undefined
  /** Whose link it is; undefined while nobody knows. */
  readonly owner: () => string | undefined
  /** Whether whoever was there last may go on no more, also once the link has ended. */
  readonly isOver: () => boolean
  /** Throws when the owner may not call that method any more. */
  readonly mayResume: (method: string) => void
  readonly onStuck: (error: LabError) => void
}

interface Open {
  readonly stream: SentStream
  readonly token: string | undefined
}

export interface BeginStream {
  readonly id: CallId
  readonly source: AsyncIterable<unknown>
  readonly credit: number
  readonly lingerMs: number
  readonly call: { readonly method: string; giveUp(reason: LabError): void }
  readonly onOver: () => void
}

export interface ResumeStream {
  readonly id: CallId
  readonly place: Resume
  readonly credit: number
  readonly onOver: () => void
}

export class ServedStreams {
  readonly #options: ServedStreamsOptions
  readonly #open = new Map<CallId, Open>()

  constructor(options: ServedStreamsOptions) {
    this.#options = options
  }

  begin({ id, source, credit, lingerMs, call, onOver }: BeginStream): void {
    const { lingering, limits, takeRoom } = this.#options
    const owner = this.#options.owner()
    let token: string | undefined
    const stream = new SentStream({
      source,
      sink: this.#sink(id, onOver),
      credit,
      limits,
      takeRoom,
      onOver: () => {
        if (token !== undefined) lingering?.forget(token)
      },
      onStop: (reason) => call.giveUp(reason),
    })
    if (lingerMs > 0 && owner !== undefined)
      token = lingering?.keep({ stream, method: call.method, owner, lingerMs, isOver: this.#options.isOver })
    this.#open.set(id, { stream, token })
    if (token !== undefined) this.#keep(id, stream, token)
    void stream.run()
  }

  /**
   * The method of its call; undefined when it is not there any more, or another's. Throws what `mayResume` throws, or
   * `link-busy`: it waits on then.
   */
  resume({ id, place: { token, seen }, credit, onOver }: ResumeStream): string | undefined {
    const { lingering, mayResume } = this.#options
    const owner = this.#options.owner()
    const found = owner === undefined ? undefined : lingering?.find(token, owner)
    if (found === undefined) return undefined
    mayResume(found.method)
    const { stream } = found
    this.#open.set(id, { stream, token })
    lingering?.attached(token, this.#options.isOver)
    let isThere = false
    try {
      isThere = stream.attach(this.#sink(id, onOver), seen, credit)
    } catch (thrown) {
      lingering?.detach(token)
      throw thrown
    } finally {
      if (!isThere) this.#open.delete(id)
    }
    if (!isThere && !stream.isAttached) lingering?.stop(token)
    return isThere ? found.method : undefined
  }

  more({ id, upTo, seen }: More): void {
    this.#open.get(id)?.stream.more(upTo, seen)
  }

  /** Whether the stream of that call goes on without the link. */
  isKept(id: CallId): boolean {
    return this.#open.get(id)?.token !== undefined
  }

  /** Nobody wants it any more; false when there is none of that call. */
  stop(id: CallId): boolean {
    const open = this.#open.get(id)
    if (open === undefined) return false
    this.#open.delete(id)
    if (open.token !== undefined) this.#options.lingering?.forget(open.token)
    open.stream.stop()
    return true
  }

  /** The link has ended; nothing stays of an owner whom nobody knows any more. */
  end(): void {
    const isOver = this.#options.owner() === undefined
    for (const [id, { token }] of [...this.#open]) {
      if (token === undefined || isOver) this.stop(id)
      else this.#options.lingering?.detach(token)
    }
  }

  #keep(id: CallId, stream: SentStream, token: string): void {
    stream.linger()
    try {
      this.#options.outbox.send({ method: LINGER, params: { id, token } }, 'theirs', id)
    } catch (thrown) {
      this.#options.onStuck(thrownError(thrown))
    }
  }

  #sink(id: CallId, onOver: () => void): StreamSink {
    const { outbox, onStuck } = this.#options
    return {
      items: (from, items) => outbox.send({ method: ITEMS, params: { id, from, items } }, 'theirs', id),
      get hasRoom() {
        return outbox.hasRoom
      },
      room: () => outbox.room(),
      end: (error, items) => {
        try {
          const answer = error === undefined ? { id, result: { items } } : { id, error: wireError(error) }
          outbox.send(answer, 'theirs', id)
        } catch (thrown) {
          onStuck(thrownError(thrown))
        }
      },
      over: () => {
        this.#open.delete(id)
        onOver()
      },
    }
  }
}

/** Ends a source that was never asked for anything. */
export function discard(source: AsyncIterable<unknown>): void {
  // What it says of its end interests nobody.
  void (async () => source[Symbol.asyncIterator]().return?.())().then(undefined, () => {})
}

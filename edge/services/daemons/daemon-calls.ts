/**
 * What is under way in a daemon, and whose it is.
 *
 * INVARIANTS: all persons together have at most MOST_TOGETHER calls and streams under way; each may have as many as half of
 * what is free, and never more than MOST_CALLS, so that nobody takes what others need: where n have all that they may, each
 * has 1024 / (n + 2) and twice as much is free; a call that was given up counts until the daemon has ended it.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { whenAborted } from '@fernlab/shared/primitives/lazy-abort'
import { busy } from '@fernlab/shared/rpc/errors'
import type { CallContext } from '@fernlab/shared/rpc/peer/serving'
import { countedStream } from '../counted-stream.ts'

/** Of one person, by however many connections. */
export const MOST_CALLS = 256
/** What the link to the daemon's process carries. */
const MOST_TOGETHER = 1024
/** With more calls than this that were given up so long ago and have not ended, a daemon is started again. */
export const MOST_STUCK = 128
const STUCK_MS = 10_000
const MOST_NAMED = 3

interface UnderWay {
  readonly method: string
  /** Monotonic. */
  givenUpAtMs: number | undefined
}

export interface DaemonCallsOptions {
  /** As it is named in errors. */
  readonly daemon: string
  readonly clock: Pick<Clock, 'monotonic'>
  /** Tells the process that nobody waits for that call any more. */
  readonly giveUp: (call: number) => void
}

/** Whether somebody waits for a call still. */
export type Waited = Pick<CallContext, 'signal'>

/** What one person has under way. */
export interface Share {
  /** `begin` has the number by which the process knows the call. Rejects with `link-busy` where it is one too many. */
  call<T>(method: string, context: Waited, begin: (call: number) => Promise<T>): Promise<T>
  /** Counts it until it has ended or is left; throws `link-busy`. */
  stream(open: () => AsyncIterable<unknown>): AsyncIterableIterator<unknown>
}

export class DaemonCalls {
  readonly #options: DaemonCallsOptions
  readonly #persons = new Map<string, number>()
  readonly #calls = new Map<number, UnderWay>()
  #together = 0
  #last = 0

  constructor(options: DaemonCallsOptions) {
    this.#options = options
  }

  /** Of all, and of one person. */
  underWay(person?: string): number {
    return person === undefined ? this.#together : (this.#persons.get(person) ?? 0)
  }

  /** Why the daemon is to be started again: too much that nobody waits for does not end. */
  stuck(): string | undefined {
    const before = this.#options.clock.monotonic() - STUCK_MS
    const methods = new Map<string, number>()
    let all = 0
    for (const { method, givenUpAtMs } of this.#calls.values()) {
      if (givenUpAtMs === undefined || givenUpAtMs > before) continue
      all++
      methods.set(method, (methods.get(method) ?? 0) + 1)
    }
    if (all <= MOST_STUCK) return undefined
    const most = [...methods].sort(([, one], [, other]) => other - one).slice(0, MOST_NAMED)
    const named = most.map(([method, times]) => `${times} of ${method}`).join(', ')
    return `${all} calls that were given up have not ended: ${named}${methods.size > MOST_NAMED ? ' and others' : ''}`
  }

  share(person: string): Share {
    return {
      call: (method, context, begin) => this.#call(person, method, context, begin),
      stream: (open) => this.#stream(person, open),
    }
  }

  #call<T>(person: string, method: string, context: Waited, begin: (call: number) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const free = this.#take(person)
      const call: UnderWay = { method, givenUpAtMs: undefined }
      const number = ++this.#last
      let isBegun = false
      let isLeft = false
      const forget = whenAborted(context, (reason) => {
        isLeft = true
        reject(reason)
        if (!isBegun) return
        call.givenUpAtMs = this.#options.clock.monotonic()
        this.#options.giveUp(number)
      })
      if (isLeft) return free()
      this.#calls.set(number, call)
      const end = () => {
        forget()
        this.#calls.delete(number)
        free()
      }
      isBegun = true
      try {
        begin(number).then(
          (value) => {
            end()
            resolve(value)
          },
          (thrown) => {
            end()
            reject(thrown)
          },
        )
      } catch (thrown) {
        end()
        throw thrown
      }
    })
  }

  #stream(person: string, open: () => AsyncIterable<unknown>): AsyncIterableIterator<unknown> {
    const over = this.#take(person)
    try {
      return countedStream(open(), over)
    } catch (thrown) {
      over()
      throw thrown
    }
  }

  /** The returned function gives the place back, once. */
  #take(person: string): () => void {
    const own = this.underWay(person)
    const isTooMuch = own >= Math.min(MOST_CALLS, (MOST_TOGETHER - this.#together) / 2)
    if (isTooMuch) {
      const { daemon } = this.#options
      throw busy(
        own === 0
          ? `others have ${this.#together} calls under way in daemon ${daemon}, and more can not be: try again`
          : `you have ${own} calls under way in daemon ${daemon} already, and may have no more while others have ${this.#together - own}: wait for answers`,
      )
    }
    this.#count(person, 1)
    let isOver = false
    return () => {
      if (!isOver) this.#count(person, -1)
      isOver = true
    }
  }

  #count(person: string, by: 1 | -1): void {
    this.#together += by
    const own = this.underWay(person) + by
    if (own === 0) this.#persons.delete(person)
    else this.#persons.set(person, own)
  }
}

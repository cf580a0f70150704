/**
 * The nearest way that answers.
 *
 * INVARIANTS: a further way is begun only once the nearer ones failed or have been silent for HEAD_START_MS; of those that
 * have answered the nearest kind wins, and of one kind the one whose answers took least; each link that was opened and not
 * chosen is closed.
 */
import type { Clock } from '../../primitives/clock.ts'
import { asLabError, LabError } from '../../primitives/lab-error.ts'
import type { Link } from '../../rpc/link.ts'
import { createPeer, type Peer, PING } from '../../rpc/peer/peer.ts'
import { type Candidate, unreachable } from './ways/way.ts'

/** What was chosen, and how it was measured. */
export interface Reached {
  readonly peer: Peer
  readonly kind: Link['kind']
  /** That of its candidate. */
  readonly rank: number
  readonly address: string
  /** Median of three answers. */
  readonly roundTripMs: number
}

export interface NearestOptions {
  /** What is reached, for the error. */
  readonly what: string
  readonly candidates: readonly Candidate[]
  /** Those that can't be tried at all, for the error. */
  readonly refused: readonly { readonly address: string; readonly why: string }[]
  /** Makes an end of a link usable; what it rejects with counts as no answer, unless `isFinal` says otherwise. */
  readonly signIn: (peer: Peer) => Promise<void>
  /** Errors that would be the same on every way. */
  readonly isFinal: (error: LabError) => boolean
  readonly clock: Clock
  readonly signal: AbortSignal
}

export const HEAD_START_MS = 250
const ANSWER_MS = 5000
/** How long others of the same kind are waited for, once one has answered. */
const PATIENCE_MS = 50

/** Rejects with `node-unreachable` and what each way said, with what `isFinal` took for final, or the signal's reason. */
export function nearest(options: NearestOptions): Promise<Reached> {
  return new Race(options).result
}

class Race {
  readonly result: Promise<Reached>
  readonly #options: NearestOptions
  readonly #waiting: Candidate[]
  readonly #stop = new AbortController()
  readonly #reached: Reached[] = []
  readonly #failed: { readonly address: string; readonly why: string }[]
  #running = 0
  #isOver = false
  #cancelNext = () => {}
  #cancelPatience: (() => void) | undefined
  #resolve!: (reached: Reached) => void
  #reject!: (error: unknown) => void

  constructor(options: NearestOptions) {
    this.#options = options
    this.#waiting = [...options.candidates]
    this.#failed = [...options.refused]
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const { signal } = options
    const onAbort = () => this.#fail(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#stop.signal.addEventListener('abort', () => signal.removeEventListener('abort', onAbort))
    if (signal.aborted) onAbort()
    else this.#next()
  }

  /** Begins the nearest kind that was not begun. */
  #next(): void {
    this.#cancelNext()
    const [first] = this.#waiting
    if (first === undefined) {
      if (this.#running === 0 && this.#reached.length === 0) this.#fail(unreachable(this.#options.what, this.#failed))
      return
    }
    const group = this.#waiting.filter(({ way }) => way.kind === first.way.kind)
    this.#waiting.splice(0, group.length)
    this.#running += group.length
    for (const candidate of group) void this.#try(candidate)
    this.#cancelNext = this.#options.clock.after(HEAD_START_MS, () => this.#next())
  }

  async #try(candidate: Candidate): Promise<void> {
    const { clock, signIn, isFinal } = this.#options
    const late = new AbortController()
    const cancel = clock.after(ANSWER_MS, () => late.abort(new LabError(silent(ANSWER_MS))))
    const signal = AbortSignal.any([this.#stop.signal, late.signal])
    let peer: Peer | undefined
    try {
      peer = createPeer({ link: await candidate.way.connect(candidate.address, signal), clock })
      const leave = () => void peer?.close('another way is nearer')
      signal.addEventListener('abort', leave, { once: true })
      await signIn(peer)
      const roundTripMs = await measured(peer, clock)
      signal.removeEventListener('abort', leave)
      if (this.#isOver) return void peer.close('another way is nearer')
      this.#running--
      const { way, address, rank } = candidate
      this.#answered({ peer, kind: way.kind, rank, address, roundTripMs })
    } catch (thrown) {
      void peer?.close('it was of no use')
      if (this.#isOver) return
      this.#running--
      const error = asLabError(thrown)
      if (isFinal(error)) return this.#fail(error)
      this.#failed.push({ address: candidate.address, why: error.message })
      if (this.#running > 0) return
      if (this.#reached.length > 0) this.#choose()
      else this.#next()
    } finally {
      cancel()
    }
  }

  #answered(reached: Reached): void {
    this.#reached.push(reached)
    this.#cancelNext()
    if (this.#running === 0) this.#choose()
    else this.#cancelPatience ??= this.#options.clock.after(PATIENCE_MS, () => this.#choose())
  }

  #choose(): void {
    const [best, ...others] = this.#reached.sort((a, b) => a.rank - b.rank || a.roundTripMs - b.roundTripMs)
    if (best === undefined || this.#isOver) return
    this.#end()
    for (const { peer } of others) void peer.close('another way is nearer')
    this.#resolve(best)
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    this.#end()
    for (const { peer } of this.#reached) void peer.close('it was given up')
    this.#reject(error)
  }

  #end(): void {
    this.#isOver = true
    this.#cancelNext()
    this.#cancelPatience?.()
    this.#stop.abort(new LabError({ code: 'call-cancelled', kind: 'caller', message: 'another way was chosen' }))
  }
}

async function measured(peer: Peer, clock: Clock): Promise<number> {
  const took: number[] = []
  for (let time = 0; time < 3; time++) {
    const began = clock.monotonic()
    await peer.call(PING, undefined, { timeoutMs: ANSWER_MS, idempotent: true })
    took.push(clock.monotonic() - began)
  }
  return took.sort((a, b) => a - b)[1] ?? 0
}

const silent = (ms: number) =>
  ({ code: 'link-unreachable', kind: 'link', retry: 'later', message: `no answer within ${ms / 1000} s` }) as const

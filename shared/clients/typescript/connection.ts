/**
 * A client's connection with one node, whatever carries it at the moment.
 *
 * INVARIANTS: a call is never done twice unless its caller said that it may be: what was sent and not answered when the way
 * broke is `call-uncertain`; what was not sent, or may be repeated, goes by the next way, within its time. A stream that
 * lingers goes on where it was. The token is new before it ends, and the link stays.
 */
import type { Clock } from '../../primitives/clock.ts'
import { asLabError, LabError } from '../../primitives/lab-error.ts'
import { unlessAborted } from '../../primitives/unless-aborted.ts'
import type { Link } from '../../rpc/link.ts'
import type { BatchCall, BatchOutcome } from '../../rpc/peer/batch.ts'
import type { CallOptions } from '../../rpc/peer/calls.ts'
import { TIMEOUT_MS } from '../../rpc/peer/calls.ts'
import { type BatchOptions, type Peer, PING, SIGN_IN, type StreamOptions } from '../../rpc/peer/peer.ts'
import type { ReceivedStream } from '../../rpc/peer/received-stream.ts'
import { type Access, EARLY_MS, KeptAccess } from './kept-access.ts'
import { nearest, type Reached } from './nearest.ts'
import { candidates, type Way } from './ways/way.ts'

/** Which way is used now. */
export interface WayInUse {
  readonly kind: Link['kind']
  readonly address: string
  readonly roundTripMs: number
}

export interface CreateConnectionOptions {
  /** The node, for errors. */
  readonly node: string
  readonly ways: readonly Way[]
  /** Asked at the first call, when every way failed, and before a token ends. */
  readonly access: (signal: AbortSignal) => Promise<Access>
  /** How long the node holds what this client has locked when its links are gone; 10 s unless given. */
  readonly graceS?: number
  /** This program's id, by which the node knows its links from those of other programs of the same person. */
  readonly program?: string
  readonly clock: Clock
  /** How long ways are begun anew to a node that was not reached before; as long as the call has unless given. */
  readonly patienceMs?: number
  /** Told of each way that is taken, and with undefined when one broke. */
  readonly onWay?: (way: WayInUse | undefined) => void
}

/** Looks at whether a service is still what its caller takes it for, before it is called over a link; rejects where it is not. */
export interface Verified {
  readonly verify?: (peer: Peer, timeoutMs: number) => Promise<void>
}

export interface Connection {
  readonly node: string
  readonly way: WayInUse | undefined
  /** Rejects with the service's error, `call-uncertain`, `deadline-exceeded` or `node-unreachable`. */
  call(method: string, params?: unknown, options?: CallOptions & Verified): Promise<unknown>
  stream(method: string, params?: unknown, options?: StreamOptions & Verified): AsyncGenerator<unknown, void, void>
  batch(calls: readonly BatchCall[], options?: BatchOptions & Verified): Promise<BatchOutcome[]>
  /** Asks for access anew and signs in with it, as after a lock was taken; calls under way go on. */
  renew(): Promise<void>
  /** A link is there, and another when it breaks, until the returned function is called: what is locked needs one. */
  keep(): Promise<() => void>
  /** Closes the link; the next call opens another. */
  leave(): Promise<void>
  close(): Promise<void>
}

const FIRST_WAIT_MS = 100
const LAST_WAIT_MS = 2000
/** A link whose other end has gone without a word is found out by asking: so often, and so long after which it has ended. */
const ASK_MS = 10_000
/** A node that its hub does not hear of either has as long to come as one that was started again. */
const GONE_MS = 5000

/** Opens nothing until it is used. */
export function createConnection(options: CreateConnectionOptions): Connection {
  return new NodeConnection(options)
}

class NodeConnection implements Connection {
  readonly node: string
  readonly #options: CreateConnectionOptions
  readonly #clock: Clock
  readonly #closing = new AbortController()
  readonly #access: KeptAccess
  #reached: Reached | undefined
  #wasReached = false
  #renewing: Promise<void> = Promise.resolve()
  /** How many want a link to be there. */
  #kept = 0
  #reaching: Promise<Reached> | undefined
  #cancelRenewal = () => {}
  #cancelAsking = () => {}

  constructor(options: CreateConnectionOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#access = new KeptAccess(options.access, options.clock)
    this.node = options.node
  }

  get way(): WayInUse | undefined {
    if (this.#reached === undefined) return undefined
    const { kind, address, roundTripMs } = this.#reached
    return { kind, address, roundTripMs }
  }

  call(method: string, params?: unknown, { verify, ...options }: CallOptions & Verified = {}): Promise<unknown> {
    const how = { ...options, ...(verify === undefined ? {} : { verify }) }
    return this.#within(how, (peer, left) => peer.call(method, params, { ...options, ...left }))
  }

  batch(calls: readonly BatchCall[], { verify, ...options }: BatchOptions & Verified = {}): Promise<BatchOutcome[]> {
    const how = { ...options, ...(verify === undefined ? {} : { verify }) }
    return this.#within(how, (peer, left) => peer.batch(calls, { ...options, ...left }))
  }

  async *stream(
    method: string,
    params?: unknown,
    { verify, ...options }: StreamOptions & Verified = {},
  ): AsyncGenerator<unknown, void, void> {
    const { lingerMs = 0, signal } = options
    let { peer } = await this.#ready(signal, undefined)
    await verify?.(peer, TIMEOUT_MS)
    let received: ReceivedStream = peer.stream(method, params, options)
    for (;;) {
      try {
        for await (const item of received) yield item
        return
      } catch (thrown) {
        const { place } = received
        if (place === undefined || this.#reached?.peer === peer || !hasBroken(thrown)) throw thrown
        // Whoever sends it keeps it no longer than that.
        const how = { timeoutMs: lingerMs, ...(signal && { signal }), ...(verify && { verify }) }
        peer = await this.#within(how, async (next) => next)
        received = peer.resume(place, options)
      }
    }
  }

  renew(): Promise<void> {
    // One after another: the newest is shown last.
    this.#renewing = this.#renewing.catch(() => {}).then(() => this.#renew()) // each tells its own caller
    return this.#renewing
  }

  async #renew(): Promise<void> {
    const access = await this.#access.renew(this.#closing.signal)
    // One that is being reached looks at its end whether it has shown the newest.
    if (this.#reached !== undefined) await this.#signIn(this.#reached.peer, access)
  }

  async keep(): Promise<() => void> {
    this.#kept++
    let isOver = false
    const letGo = () => {
      if (!isOver) this.#kept--
      isOver = true
    }
    try {
      await this.#ready(undefined, undefined)
    } catch (error) {
      letGo()
      throw error
    }
    return letGo
  }

  async leave(): Promise<void> {
    this.#access.doubt()
    await this.#reached?.peer.close('the client is done')
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(
      new LabError({ code: 'link-ended', kind: 'link', message: `the connection with ${this.node} was closed` }),
    )
    this.#cancelRenewal()
    this.#cancelAsking()
    const reached = this.#reached
    this.#reached = undefined
    await reached?.peer.close('the client is done')
  }

  async #within<Result>(
    { timeoutMs = TIMEOUT_MS, signal, verify }: CallOptions & Verified,
    work: (peer: Peer, left: { readonly timeoutMs: number }) => Promise<Result>,
  ): Promise<Result> {
    const until = this.#clock.monotonic() + timeoutMs
    for (;;) {
      const { peer } = await this.#ready(signal, until)
      const leftMs = until - this.#clock.monotonic()
      if (leftMs <= 0) throw notSent(this.node)
      try {
        await verify?.(peer, leftMs)
        return await work(peer, { timeoutMs: leftMs })
      } catch (thrown) {
        // Not sent, or it may be repeated: the next way takes it. A service may say the same of a link of its own.
        const isOurs = this.#reached?.peer !== peer && !this.#closing.signal.aborted
        if (!isOurs || !(thrown instanceof LabError) || thrown.code !== 'link-ended') throw thrown
        if (this.#clock.monotonic() >= until) throw thrown
      }
    }
  }

  /** The way in use, or a new one; tries until `until` (monotonic ms), and once without it. */
  async #ready(signal: AbortSignal | undefined, until: number | undefined): Promise<Reached> {
    signal?.throwIfAborted()
    const began = this.#clock.monotonic()
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)) {
      this.#closing.signal.throwIfAborted()
      if (this.#reached !== undefined) return this.#reached
      this.#reaching ??= this.#reach().finally(() => {
        this.#reaching = undefined
      })
      try {
        return await this.#inTime(this.#reaching, signal, until)
      } catch (thrown) {
        const { retry } = asLabError(thrown)
        if (retry === 'never' || until === undefined || this.#clock.monotonic() + waitMs >= this.#lastTry(began, until))
          throw thrown
      }
      await this.#clock.sleep(waitMs, signal)
    }
  }

  /** Until when (monotonic ms) a way is looked for. */
  #lastTry(began: number, until: number): number {
    if (this.#wasReached) return until
    const { patienceMs = Number.POSITIVE_INFINITY } = this.#options
    const isAway = this.#access.newest?.goneSince !== undefined
    return Math.min(until, began + (isAway ? Math.min(patienceMs, GONE_MS) : patienceMs))
  }

  async #reach(): Promise<Reached> {
    const { signal } = this.#closing
    const known = this.#access.newest
    const access = await this.#access.get(signal)
    try {
      return await this.#reachWith(access)
    } catch (thrown) {
      this.#access.doubt()
      // What was kept may have been replaced or revoked meanwhile; what was asked for just now was not.
      if (access !== known || asLabError(thrown).kind !== 'caller' || signal.aborted) throw thrown
      return await this.#reachWith(await this.#access.get(signal))
    }
  }

  async #reachWith(access: Access): Promise<Reached> {
    const { node, ways, clock, onWay } = this.#options
    const { open, refused } = candidates(access.addresses, ways)
    const reached = await nearest({
      what:
        access.goneSince === undefined ? node : `${node}, which its hub has not heard of since ${access.goneSince},`,
      candidates: open,
      refused,
      signIn: (peer) => this.#signIn(peer, access),
      isFinal: ({ kind, code }) => kind === 'caller' && code !== 'call-cancelled',
      clock,
      signal: this.#closing.signal,
    })
    let shown: Access | undefined = access
    while (this.#access.newest !== undefined && this.#access.newest !== shown) {
      shown = this.#access.newest
      await this.#signIn(reached.peer, shown).catch((error: unknown) => {
        void reached.peer.close('it was of no use')
        throw error
      })
    }
    this.#reached = reached
    this.#wasReached = true
    reached.peer.onEnd(() => this.#broke(reached))
    this.#askAfter(reached.peer)
    if (this.#reached === reached) onWay?.(this.way)
    return reached
  }

  async #signIn(peer: Peer, access: Access): Promise<void> {
    const { graceS, program } = this.#options
    // Whoever owns the machine needs no token.
    if (access.token === undefined && program === undefined) return
    const said = {
      ...(access.token === undefined ? {} : { token: access.token }),
      ...(graceS === undefined ? {} : { graceS }),
      ...(program === undefined ? {} : { program }),
    }
    await peer.call(SIGN_IN, said, { idempotent: true })
    if (access.token === undefined) return
    this.#cancelRenewal()
    if (access.lastsMs === undefined) return
    const { leftMs } = this.#access
    this.#renewAfter(Math.max(leftMs - EARLY_MS, leftMs / 2), FIRST_WAIT_MS)
  }

  #renewAfter(ms: number, waitMs: number): void {
    this.#cancelRenewal = this.#clock.after(ms, () => {
      // The hub may be away: the token goes on until its end, and until then this is tried.
      this.renew().catch(() => {
        if (this.#reached !== undefined) this.#renewAfter(waitMs, Math.min(2 * waitMs, EARLY_MS / 4))
      })
    })
  }

  #askAfter(peer: Peer): void {
    this.#cancelAsking = this.#clock.after(ASK_MS, () => {
      peer.call(PING, undefined, { timeoutMs: ASK_MS, idempotent: true }).then(
        () => {
          if (this.#reached?.peer === peer) this.#askAfter(peer)
        },
        (thrown: unknown) => {
          // One that is full is there.
          if (asLabError(thrown).code === 'link-busy') this.#askAfter(peer)
          else void peer.close('it has not answered any more')
        },
      )
    })
  }

  #broke(reached: Reached): void {
    if (this.#reached !== reached) return
    this.#reached = undefined
    this.#cancelRenewal()
    this.#cancelAsking()
    this.#options.onWay?.(undefined)
    if (this.#kept > 0) void this.#reachAgain()
  }

  /** Until a link is there, or nobody wants one; what is wrong meanwhile the next call says. */
  async #reachAgain(): Promise<void> {
    const { signal } = this.#closing
    for (let waitMs = FIRST_WAIT_MS; this.#kept > 0 && !signal.aborted; waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)) {
      const isThere = await this.#ready(undefined, undefined).then(
        () => true,
        () => false,
      )
      if (isThere) return
      await this.#clock.sleep(waitMs, signal).catch(() => {}) // closed: the loop ends
    }
  }

  /** The promise, but no longer than until the signal or the time says so; it goes on for others. */
  #inTime<Result>(
    promise: Promise<Result>,
    signal: AbortSignal | undefined,
    until: number | undefined,
  ): Promise<Result> {
    const bounded = unlessAborted(promise, signal)
    if (until === undefined) return bounded
    return new Promise((resolve, reject) => {
      const leftMs = Math.max(0, until - this.#clock.monotonic())
      const cancel = this.#clock.after(leftMs, () => reject(notSent(this.node)))
      bounded.then(resolve, reject).finally(cancel)
    })
  }
}

const hasBroken = (thrown: unknown): boolean =>
  thrown instanceof LabError && ['link-ended', 'call-uncertain'].includes(thrown.code)

const notSent = (node: string): LabError =>
  new LabError({
    code: 'deadline-exceeded',
    kind: 'link',
    retry: 'later',
    message: `${node} was not reached in time; nothing was sent`,
  })

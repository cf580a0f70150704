/**
 * A page's own connection with one service: what is read of it, what is done to it, who has it.
 *
 * INVARIANTS: signals are read one after another, and by nobody when the page is out of sight; what was called stands in
 * `calls` with how it came out; a lock that has ended by itself says why; after `close` nothing is read or held any more.
 */

import type { Scalar } from '@fernlab/shared/capabilities/signals'
import type { Client, Lock, Service } from '@fernlab/shared/clients/typescript/client'
import type { WayInUse } from '@fernlab/shared/clients/typescript/connection'
import type { AskedLog, ServiceLog } from '@fernlab/shared/contracts/service-log'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import type { SignalStore } from '../panel/signal-store.ts'

export interface WayNote {
  readonly at: number
  /** The way that was taken; undefined when the one before broke. */
  readonly way: WayInUse | undefined
}

/** Something that this page has done. */
export interface Call {
  readonly id: number
  readonly at: number
  readonly what: 'set' | 'call' | 'lock' | 'release' | 'unlock'
  /** Signal or action. */
  readonly target: string
  /** What was set, or the arguments by name. */
  readonly given: unknown
  readonly outcome: 'under-way' | 'done' | 'failed'
  /** What it answered; of what gives items, how many and the last. */
  readonly result?: unknown
  readonly items?: number
  readonly error?: unknown
  readonly ms?: number
}

export interface HeardEvent {
  readonly id: number
  readonly at: number
  readonly name: string
  readonly value: unknown
}

export interface LinkState {
  readonly way: WayInUse | undefined
  readonly ways: readonly WayNote[]
  /** Why its signals are not read, or it is not reached. */
  readonly unread: unknown
  /** A reading is under way for so long that what was read before may be old. */
  readonly isLate: boolean
  readonly lock: 'none' | 'taking' | 'held' | 'releasing'
  /** Until when a bench is held unless it is renewed, RFC 3339. */
  readonly until: string | undefined
  /** Why the lock has ended, or was not given. */
  readonly lockError: unknown
  readonly calls: readonly Call[]
  readonly events: readonly HeardEvent[]
  /** Why they are not heard. */
  readonly unheard: unknown
}

export interface ServiceLink {
  readonly state: LinkState
  subscribe(listener: () => void): () => void
  set(signal: string, value: Scalar): Promise<Call>
  call(action: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Call>
  lock(reason: string): Promise<void>
  release(): Promise<void>
  /**
   * Ends the hold of another that is held since then, with a part of a bench that of the bench; `reason` may be empty for other
   * services. Fails with `hold-changed` where it is held since another time.
   */
  unlock(reason: string, since?: string): Promise<Call>
  /** What its daemon has written; rejects with `right-missing` for who may not end its locks. */
  log(asked: AskedLog, signal: AbortSignal): Promise<ServiceLog>
  /** What the directory says of it from now on: what has come back is looked for at once. */
  heard(presence: Presence): void
  close(): Promise<void>
}

/** `away`: its node is not connected with the hub; `left`: the directory has it not, and it is not asked. */
export type Presence = 'here' | 'away' | 'left'

interface Options {
  readonly id: string
  readonly contract: ServiceContract
  readonly client: (told: { onWay: (way: WayInUse | undefined) => void; onHold: (until: string) => void }) => Client
  readonly store: SignalStore
  /** Whether anybody looks. */
  readonly isSeen: () => boolean
  readonly presence: Presence
  readonly clock: Clock
}

const READ_EVERY_MS = 250
/** Of what could not be read. */
const AGAIN_MS = 2000
/**
 * Of what is away. A browser lets a page that has opened many links in vain wait for seconds before each further one: who
 * knocks seldom is let in at once when the node is back.
 */
const AWAY_MS = 60_000
const READ_MS = 10_000
const LATE_MS = 3000
const MOST_KEPT = 100
const MOST_WAYS = 8
/** What takes long says so, else that much is long. */
const CALL_MS = 60_000

const nothing: LinkState = {
  way: undefined,
  ways: [],
  unread: undefined,
  isLate: false,
  lock: 'none',
  until: undefined,
  lockError: undefined,
  calls: [],
  events: [],
  unheard: undefined,
}

/** Begins to read at once. */
export function openServiceLink(options: Options): ServiceLink {
  return new PageLink(options)
}

class PageLink implements ServiceLink {
  state = nothing
  readonly #options: Options
  readonly #client: Client
  readonly #closing = new AbortController()
  readonly #listeners = new Set<() => void>()
  #service: Promise<Service<ServiceContract>> | undefined
  #lock: Lock | undefined
  #presence: Presence
  #wake = () => {}
  #ids = 0

  constructor(options: Options) {
    this.#options = options
    this.#presence = options.presence
    this.#client = options.client({
      onWay: (way) => {
        const ways = [{ at: options.clock.now(), way }, ...this.state.ways].slice(0, MOST_WAYS)
        this.#change({ way, ways })
      },
      onHold: (until) => this.#change({ until }),
    })
    void this.#readOn()
    if (Object.keys(options.contract.events).length > 0) void this.#hearOn()
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  set(signal: string, value: Scalar): Promise<Call> {
    return this.#done({ what: 'set', target: signal, given: value }, async () => {
      await (await this.#found()).set(signal, value)
      this.#options.store.askedFor({ [signal]: value })
    })
  }

  call(action: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Call> {
    const { items, typicalS = 0 } = this.#options.contract.actions[action] ?? {}
    return this.#done({ what: 'call', target: action, given: args }, async (told) => {
      const done = (await this.#found()).do as Readonly<Record<string, (...given: unknown[]) => unknown>>
      const answer = done[action]?.(
        args,
        items === undefined ? { signal, timeoutMs: CALL_MS + 3000 * typicalS } : { signal },
      )
      if (items === undefined) return await answer
      let last: unknown
      let count = 0
      for await (const item of answer as AsyncIterable<unknown>) {
        last = item
        told({ result: item, items: ++count })
      }
      return last
    })
  }

  async lock(reason: string): Promise<void> {
    if (this.state.lock !== 'none') return
    this.#change({ lock: 'taking', lockError: undefined, until: undefined })
    const taken = await this.#done({ what: 'lock', target: '', given: reason }, async () => {
      this.#lock = await this.#client.lock([this.#options.id], { reason, signal: this.#closing.signal })
    })
    if (taken.outcome === 'failed') return this.#change({ lock: 'none', lockError: taken.error, until: undefined })
    const lock = this.#lock
    const lost = () => {
      if (this.#lock !== lock) return
      this.#lock = undefined
      this.#change({ lock: 'none', lockError: lock?.lost.reason, until: undefined })
    }
    lock?.lost.addEventListener('abort', lost, { once: true })
    // What others were asked to leave alone is read now.
    const isBusy = this.state.unread instanceof LabError && this.state.unread.code === 'bench-busy'
    this.#change({ lock: 'held', ...(isBusy ? { unread: undefined } : {}) })
    if (lock?.lost.aborted === true) lost()
  }

  async release(): Promise<void> {
    const lock = this.#lock
    if (lock === undefined) return
    this.#lock = undefined
    this.#change({ lock: 'releasing' })
    const { error } = await this.#done({ what: 'release', target: '', given: undefined }, () => lock.release())
    this.#change({ lock: 'none', lockError: error, until: undefined })
  }

  unlock(reason: string, since?: string): Promise<Call> {
    const { id } = this.#options
    const seen = since === undefined ? {} : { [id]: since }
    return this.#done({ what: 'unlock', target: '', given: reason }, () => this.#client.unlock([id], { reason, seen }))
  }

  async log(asked: AskedLog, signal: AbortSignal): Promise<ServiceLog> {
    const { id } = this.#options
    await this.#untilInReach(signal)
    const args = { service: id.slice(id.indexOf('/') + 1), ...asked }
    const found = await this.#found()
    return (await found.ofNode('log', args, { idempotent: true, timeoutMs: READ_MS, signal })) as ServiceLog
  }

  heard(presence: Presence): void {
    if (presence === this.#presence) return
    this.#presence = presence
    this.#wake()
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    await this.#client.close()
  }

  #change(change: Partial<LinkState>): void {
    if (this.#closing.signal.aborted) return
    this.state = { ...this.state, ...change }
    for (const listener of this.#listeners) listener()
  }

  /** Asked again when it could not be found. */
  #found(): Promise<Service<ServiceContract>> {
    this.#service ??= this.#client.service(this.#options.id).catch((error: unknown) => {
      this.#service = undefined
      throw error
    })
    return this.#service
  }

  async #readOn(): Promise<void> {
    const { clock, isSeen, store, contract } = this.#options
    const { signal } = this.#closing
    const names = Object.entries(contract.signals).flatMap(([name, { access, dtype }]) =>
      access === 'set' || dtype === 'array' ? [] : [name],
    )
    while (!signal.aborted) {
      let waitMs = names.length === 0 ? AGAIN_MS : READ_EVERY_MS
      if (isSeen() && this.#presence !== 'left') {
        const began = clock.monotonic()
        const inTime = clock.after(LATE_MS, () => this.#change({ isLate: true }))
        try {
          const found = await this.#found()
          // Where there is nothing to read, whether it is reached is known all the same.
          if (names.length === 0) await found.ofNode('locks', {}, { idempotent: true, timeoutMs: READ_MS })
          else store.take(samplesOf(await found.read(names, { timeoutMs: READ_MS, signal }), contract))
          if (this.state.unread !== undefined) this.#change({ unread: undefined })
          waitMs = Math.max(0, waitMs - (clock.monotonic() - began))
        } catch (error) {
          this.#change({ unread: error })
          waitMs = this.#isInReach ? AGAIN_MS : AWAY_MS
        } finally {
          inTime()
          if (this.state.isLate) this.#change({ isLate: false })
        }
      }
      await this.#rest(waitMs)
    }
  }

  /** Whether a link is likely to open. */
  get #isInReach(): boolean {
    return this.#presence === 'here' || (this.#presence === 'away' && this.state.way !== undefined)
  }

  async #untilInReach(signal: AbortSignal): Promise<void> {
    while (!this.#isInReach) await this.#options.clock.sleep(AGAIN_MS, signal)
  }

  /** As long, or until the directory says something else of it, or this is closed. */
  async #rest(ms: number): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    const { clock } = this.#options
    await clock.sleep(ms, AbortSignal.any([this.#closing.signal, woken.signal])).catch(() => {}) // who waits looks why
    this.#wake = () => {}
  }

  async #hearOn(): Promise<void> {
    const { clock, contract } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        await this.#untilInReach(signal)
        const heard = (await this.#found()).events(Object.keys(contract.events), { signal })
        for await (const one of heard) {
          const { event, value } = one as { event: string; value: unknown }
          const line = { id: ++this.#ids, at: clock.now(), name: event, value }
          this.#change({ unheard: undefined, events: [line, ...this.state.events].slice(0, MOST_KEPT) })
        }
      } catch (error) {
        // That it is not reached is said by what reads.
        if (!signal.aborted && asLabError(error).kind !== 'link') this.#change({ unheard: error })
      }
      await clock.sleep(AGAIN_MS, signal).catch(() => {}) // closed: the loop ends
    }
  }

  async #done(
    call: Pick<Call, 'what' | 'target' | 'given'>,
    work: (told: (more: Partial<Call>) => void) => Promise<unknown>,
  ): Promise<Call> {
    const { clock } = this.#options
    const began = clock.monotonic()
    let line: Call = { ...call, id: ++this.#ids, at: clock.now(), outcome: 'under-way' }
    this.#change({ calls: [line, ...this.state.calls].slice(0, MOST_KEPT) })
    const told = (more: Partial<Call>) => {
      line = { ...line, ...more }
      this.#change({ calls: this.state.calls.map((one) => (one.id === line.id ? line : one)) })
    }
    const outcome: Partial<Call> = await work(told).then(
      (result) => ({ outcome: 'done', result }),
      (error: unknown) => ({ outcome: 'failed', error }),
    )
    told({ ...outcome, ms: clock.monotonic() - began })
    return line
  }
}

type Readings = Readonly<Record<string, { readonly value: unknown; readonly time: number }>>

function samplesOf(readings: Readings, { signals }: ServiceContract) {
  return Object.fromEntries(
    Object.entries(readings).flatMap(([name, { value, time }]) =>
      ['number', 'string', 'boolean'].includes(typeof value)
        ? [[name, { unit: signals[name]?.unit ?? '1', time: [time], values: [value as Scalar] }]]
        : [],
    ),
  )
}

/**
 * What a program has of a lab: the directory, services as objects, and locks.
 *
 * INVARIANTS: a client has one connection with each bench it uses, and one with the other services of each node; a lock is
 * all of what was asked for, or nothing.
 */
import type { Clock } from '../../primitives/clock.ts'
import { newId } from '../../primitives/ids.ts'
import { asLabError, LabError } from '../../primitives/lab-error.ts'
import { unlessAborted } from '../../primitives/unless-aborted.ts'
import { requireCompatible } from '../../rpc/contract/compare-contracts.ts'
import { type ActionsOf, createProxy, type Proxy as ServiceProxy } from '../../rpc/contract/proxy.ts'
import type { ServiceContract } from '../../rpc/contract/service-contract.ts'
import type { CallOptions } from '../../rpc/peer/calls.ts'
import type { BatchOptions } from '../../rpc/peer/peer.ts'
import { type AnyCall, batchServices, type Checked, type OutcomesOfAll, type Reaching } from './batch-services.ts'
import { type Connection, createConnection, type WayInUse } from './connection.ts'
import { type Directory, type Found, named, requireName, requireNames, requireSeenOf } from './directory.ts'
import { endLocks, seenOfBenches } from './end-locks.ts'
import type { Access } from './kept-access.ts'
import { sameContract } from './same-contract.ts'
import { endsLease, type Group } from './take.ts'
import { takeAll } from './take-all.ts'
import type { Way } from './ways/way.ts'
import { WhoHasIt } from './who-has-it.ts'

/** A service as an object: its actions are methods, beside `read`, `set`, `follow` and `events`. */
export type Service<Contract extends ServiceContract> = Omit<
  ActionsOf<Contract>,
  keyof ServiceProxy<Contract> | keyof About
> &
  ServiceProxy<Contract> &
  About<Contract>

interface About<Contract = ServiceContract> {
  /** `<node>/<service>`. */
  readonly id: string
  readonly contract: Contract
  /** How its node is reached now; undefined before the first call, and while no way is open. */
  readonly way: WayInUse | undefined
  /** Calls the service `node` of its node over the same connection, such as `unlock`. */
  ofNode(action: string, args: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<unknown>
}

export interface LockOptions {
  /** What for: others are told. */
  readonly reason?: string
  /** The id of an own live session: the bench is the one that it has, for as long as it has it. */
  readonly session?: string
  readonly signal?: AbortSignal
}

export interface UnlockOptions extends Pick<LockOptions, 'signal'> {
  /** Why: whoever had it is told. */
  readonly reason?: string
  /** By name as it is given: since when it is locked, as `lockedBy` of a directory's entry has it. */
  readonly seen?: Readonly<Record<string, string>>
}

/** A lock that was taken; it ends with the program, too, after a moment. */
export interface Lock extends AsyncDisposable {
  /** `<node>/<service>` of each, in order. */
  readonly services: readonly string[]
  /** Aborts when it was taken away, with why: staff has ended it, or the node was out of reach for too long, or started again. */
  readonly lost: AbortSignal
  /** Benches go to their safe state. */
  release(): Promise<void>
}

export interface Client extends AsyncDisposable {
  readonly directory: Directory
  /** The service of that name or address, as it describes itself. */
  service(name: string): Promise<Service<ServiceContract>>
  /** Typed by a contract that the program knows; rejects with `contract-changed` where the service's would be misunderstood. */
  service<const Contract extends ServiceContract>(name: string, contract: Contract): Promise<Service<Contract>>
  /**
   * Calls of several services in one message, done one after another: each `[service, name, arguments]`. The services are
   * parts of one bench, or others of one node; without a hub, any of one node.
   */
  batch<const Calls extends readonly AnyCall[]>(
    calls: Calls & Checked<Calls>,
    options?: BatchOptions,
  ): Promise<OutcomesOfAll<Calls>>
  /**
   * Locks services, and with a part of a bench the bench; all of them, or none. `*` and `?` in a name stand for any text and
   * letter: `bench3.*`, `pi/*`. Given up by its signal it rejects at once, and what it got is given back after that.
   */
  lock(names: readonly string[], options?: LockOptions): Promise<Lock>
  /**
   * Ends locks of the same person, of whatever program; with the right, and of benches with a reason, those of others. What is
   * in `seen` is ended only where it is locked since then; rejects with `hold-changed`, which says who has it now. Nothing is
   * ended where the directory says that a bench is held since another time; benches are then ended one after another, and
   * services of each node together: what is refused ends nothing from there on.
   */
  unlock(names: readonly string[], options?: UnlockOptions): Promise<void>
  close(): Promise<void>
}

export interface CreateClientOptions {
  readonly directory: Directory
  readonly ways: readonly Way[]
  readonly clock: Clock
  /** What a service says of itself, checked; throws where that is no contract. A page takes the word of its lab's nodes. */
  readonly readContract: (said: unknown) => ServiceContract
  /** How long a node holds what is locked while no way leads to it, in seconds, 0 to 600; 10 unless given. */
  readonly graceS?: number
  /** How long ways are begun anew to a node that was not reached before; as long as the call has unless given. */
  readonly patienceMs?: number
  /** Told when a node is reached by another way, and with undefined when one broke. */
  readonly onWay?: (node: string, way: WayInUse | undefined) => void
}

/** How long a client that is closed waits for nodes that are silent. */
const CLOSE_WAITS_MS = 2000

/** How long streams of signals and events are kept for us when a way breaks. */
const LINGER_MS = 30_000

export function createClient(options: CreateClientOptions): Client {
  return new LabClient(options)
}

class LabClient implements Client {
  readonly directory: Directory
  readonly #options: CreateClientOptions
  readonly #groups = new Map<string, Group>()
  readonly #locks = new Set<Lock>()
  readonly #taking = new Set<Promise<Lock>>()
  /** What is given back with nobody waiting. */
  readonly #owed = new Set<Promise<unknown>>()
  readonly #who: WhoHasIt
  readonly #met = new WeakMap<object, Reaching>()
  /** Its node knows this program's links by it. */
  readonly #program: string
  readonly #closing = new AbortController()

  constructor(options: CreateClientOptions) {
    this.#options = options
    this.#program = newId(options.clock.now())
    this.directory = options.directory
    this.#who = new WhoHasIt(async (service) => await this.directory.whoHas?.(service))
  }

  async service<const Contract extends ServiceContract>(name: string, known?: Contract): Promise<Service<Contract>> {
    requireName(name)
    const found = await this.directory.get(name)
    if (known !== undefined) requireCompatible(found.id, known, found.contract)
    const contract = known ?? (found.contract as Contract)
    const { connection } = await this.#groupOf(found)
    const verify = sameContract(found.name, contract, this.#options.readContract)
    const proxy = createProxy(caller(connection, verify, this.#saying(found.id)), found.name, contract)
    const about = {
      id: found.id,
      contract,
      get way() {
        return connection.way
      },
      ofNode: (action: string, args: Readonly<Record<string, unknown>>, options?: CallOptions) =>
        connection.call(`node/${action}`, args, options),
    }
    // What has the name of a member is reached as `do.<name>`.
    const members = { ...proxy.do, ...proxy }
    const service = Object.freeze(Object.defineProperties(members, Object.getOwnPropertyDescriptors(about)))
    this.#met.set(service, { name: found.name, contract, connection, verify })
    return service as never
  }

  async batch<const Calls extends readonly AnyCall[]>(
    calls: Calls & Checked<Calls>,
    options?: BatchOptions,
  ): Promise<OutcomesOfAll<Calls>> {
    return (await batchServices((service) => this.#met.get(service), calls, options)) as never
  }

  async lock(names: readonly string[], options?: LockOptions): Promise<Lock> {
    const taking = this.#lock(names, options)
    this.#taking.add(taking)
    try {
      return await taking
    } finally {
      this.#taking.delete(taking)
    }
  }

  async #lock(names: readonly string[], { reason = '', session, ...options }: LockOptions = {}): Promise<Lock> {
    requireNames(names)
    const closing = this.#closing.signal
    const signal = options.signal === undefined ? closing : AbortSignal.any([closing, options.signal])
    const meant = await Promise.all(names.map((name) => named(this.directory, name, signal)))
    const found = await Promise.all([...new Set(meant.flat())].map((name) => this.directory.get(name, signal)))
    // In one order for everybody: two who want the same never wait for each other with half of it.
    found.sort((a, b) => compare(a.bench ?? a.id, b.bench ?? b.id) || compare(a.id, b.id))
    const lost = new AbortController()
    const { clock, graceS } = this.#options
    const together = (some: readonly Found[]) => this.#together(some)
    const { directory } = this
    const owe = (work: Promise<unknown>) => this.#owe(work)
    const all = { found, together, directory, clock, graceS, session, reason, lost, signal, closing, owe }
    const takeBack = await takeAll(all).catch(async (thrown: unknown) => {
      throw await unlessAborted(this.#saidWho(thrown, found), signal).catch(() => thrown)
    })
    const lock: Lock = {
      services: found.map(({ id }) => id),
      lost: lost.signal,
      release: async () => {
        if (!this.#locks.delete(lock)) return
        await takeBack()
      },
      [Symbol.asyncDispose]: () => lock.release(),
    }
    this.#locks.add(lock)
    return lock
  }

  async unlock(names: readonly string[], { reason = '', seen = {}, signal }: UnlockOptions = {}): Promise<void> {
    requireNames(names)
    requireSeenOf(names, seen)
    const found = await Promise.all(
      [...new Set(names)].map(async (name) => ({ ...(await this.directory.get(name, signal)), seen: seen[name] })),
    )
    for (const [bench, since] of seenOfBenches(found))
      await this.directory.release(bench, { reason: reason === '' ? undefined : reason, since })
    for (const node of new Set(found.filter(({ bench }) => bench === undefined).map(({ node }) => node))) {
      const own = found.filter((one) => one.node === node && one.bench === undefined)
      const { connection } = await this.#together(own)
      await endLocks({ connection, locks: own, reason, signal })
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(closed())
    // They reject at once, and what they may have got is owed.
    await Promise.allSettled(this.#taking)
    await Promise.allSettled([...this.#locks].map((lock) => lock.release()))
    await Promise.allSettled([...this.#groups.values()].map(({ unknown }) => unknown?.giveBack()))
    await this.#paid()
    await Promise.all([...this.#groups.values()].map(({ connection }) => connection.close()))
    this.#groups.clear()
    await this.directory.close?.()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #owe(work: Promise<unknown>): void {
    this.#owed.add(work)
    void work.finally(() => this.#owed.delete(work))
  }

  /** What a node that stays silent has of this program ends by itself, a moment after its links. */
  async #paid(): Promise<void> {
    const patience = new AbortController()
    const late = this.#options.clock.sleep(CLOSE_WAITS_MS, patience.signal).catch(() => {}) // it was in time
    await Promise.race([Promise.all(this.#owed), late])
    patience.abort()
  }

  /** Of what was asked for, that which another has. */
  #saidWho(thrown: unknown, found: readonly Found[]): Promise<unknown> {
    // The reason of the caller's signal is told as it is.
    if (!(thrown instanceof LabError)) return Promise.resolve(thrown)
    const error = thrown
    const { service } = error.details
    const refused = found.find(({ name }) => name === service) ?? (found.length === 1 ? found[0] : undefined)
    return refused === undefined ? Promise.resolve(error) : this.#who.amended(error, refused.id)
  }

  #saying(service: string): (thrown: unknown) => Promise<never> {
    return async (thrown) => {
      throw thrown instanceof LabError ? await this.#who.amended(thrown, service) : thrown
    }
  }

  /** With the service among what its connection is open for. */
  async #groupOf({ node, bench, name }: Found): Promise<Group> {
    if (this.#closing.signal.aborted) throw closed()
    const key = bench ?? `${node}/`
    const known = this.#groups.get(key)
    if (known !== undefined) {
      if (known.names.has(name)) return known
      known.names.add(name)
      await known.connection.renew().catch((error: unknown) => {
        known.names.delete(name)
        throw error
      })
      return known
    }
    const { ways, clock, graceS, patienceMs, onWay } = this.#options
    const group: Group = {
      node,
      names: new Set([name]),
      lease: undefined,
      onLost: undefined,
      unknown: undefined,
      unnamed: undefined,
      connection: createConnection({
        node,
        ways,
        clock,
        access: (signal) => this.#access(group, signal),
        program: this.#program,
        ...(graceS === undefined ? {} : { graceS }),
        ...(patienceMs === undefined ? {} : { patienceMs }),
        ...(onWay === undefined ? {} : { onWay: (way) => onWay(node, way) }),
      }),
    }
    this.#groups.set(key, group)
    return group
  }

  /** What opens the group's node: a lease that has ended, and services that have left, do not keep the others from it. */
  async #access(group: Group, signal: AbortSignal): Promise<Access> {
    const ask = () => this.directory.access(group.node, [...group.names].sort(), group.lease, signal)
    try {
      return await ask()
    } catch (thrown) {
      const error = asLabError(thrown)
      if (endsLease(error) && group.lease !== undefined) group.onLost?.(error)
      else if (error.code !== 'service-unknown' || !(await this.#forgetGone(group, signal))) throw thrown
      return await ask()
    }
  }

  /** False where nothing is left, or nothing has gone. */
  async #forgetGone(group: Group, signal: AbortSignal): Promise<boolean> {
    const { names, node } = group
    const before = names.size
    for (const name of [...names]) {
      await this.directory.get(`${node}/${name}`, signal).catch((thrown: unknown) => {
        if (asLabError(thrown).code !== 'service-unknown') throw thrown
        names.delete(name)
      })
    }
    return names.size > 0 && names.size < before
  }

  async #together(found: readonly Found[]): Promise<Group> {
    let group: Group | undefined
    for (const one of found) group = await this.#groupOf(one)
    if (group === undefined) throw new LabError({ code: 'internal-error', kind: 'bug', message: 'nothing to lock' })
    return group
  }
}

/** Streams outlive a way that breaks, unless their caller wants it otherwise. */
const caller = (
  connection: Connection,
  verify: ReturnType<typeof sameContract>,
  refused: (thrown: unknown) => Promise<never>,
) => ({
  call: (method: string, params?: unknown, options = {}) =>
    connection.call(method, params, { ...options, verify }).catch(refused),
  stream: (method: string, params?: unknown, options = {}) =>
    connection.stream(method, params, { lingerMs: LINGER_MS, ...options, verify }) as never,
  batch: (calls: Parameters<Connection['batch']>[0], options = {}) => connection.batch(calls, { ...options, verify }),
})

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const closed = () => new LabError({ code: 'client-closed', kind: 'caller', message: 'this client was closed' })

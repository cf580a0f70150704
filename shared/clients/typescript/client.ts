/**
 * What a program has of a lab: the directory, services as objects, and locks.
 *
 * INVARIANTS: a client has one connection with each bench it uses, and one with the other services of each node; a lock is
 * all of what was asked for, or nothing.
 */
import type { Clock } from '../../primitives/clock.ts'
import { asLabError, LabError } from '../../primitives/lab-error.ts'
import { requireCompatible } from '../../rpc/contract/compare-contracts.ts'
import { type ActionsOf, createProxy, type Proxy as ServiceProxy } from '../../rpc/contract/proxy.ts'
import type { ServiceContract } from '../../rpc/contract/service-contract.ts'
import { type Connection, createConnection, type WayInUse } from './connection.ts'
import type { Directory, Found } from './directory.ts'
import type { Way } from './way.ts'

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
}

export interface LockOptions {
  /** What for: others are told. */
  readonly reason?: string
  readonly signal?: AbortSignal
}

/** A lock that was taken; it ends with the program, too, after a moment. */
export interface Lock extends AsyncDisposable {
  /** `<node>/<service>` of each, in order. */
  readonly services: readonly string[]
  /** Benches go to their safe state. */
  release(): Promise<void>
}

export interface Client extends AsyncDisposable {
  readonly directory: Directory
  /** The service of that name or address, as it describes itself. */
  service(name: string): Promise<Service<ServiceContract>>
  /** Typed by a contract that the program knows; rejects with `contract-changed` where the service's would be misunderstood. */
  service<const Contract extends ServiceContract>(name: string, contract: Contract): Promise<Service<Contract>>
  /** Locks services, and with a part of a bench the bench; all of them, or none. */
  lock(names: readonly string[], options?: LockOptions): Promise<Lock>
  close(): Promise<void>
}

export interface CreateClientOptions {
  readonly directory: Directory
  readonly ways: readonly Way[]
  readonly clock: Clock
  /** Told when a node is reached by another way, and with undefined when one broke. */
  readonly onWay?: (node: string, way: WayInUse | undefined) => void
}

/** How long streams of signals and events are kept for us when a way breaks. */
const LINGER_MS = 30_000
const RENEW_MS = 60_000

/** Services that are reached over one connection: a bench's, or a node's others. */
interface Group {
  readonly node: string
  readonly names: Set<string>
  readonly connection: Connection
  lease: string | undefined
}

export function createClient(options: CreateClientOptions): Client {
  return new LabClient(options)
}

class LabClient implements Client {
  readonly directory: Directory
  readonly #options: CreateClientOptions
  readonly #groups = new Map<string, Group>()
  readonly #locks = new Set<Lock>()

  constructor(options: CreateClientOptions) {
    this.#options = options
    this.directory = options.directory
  }

  async service<const Contract extends ServiceContract>(name: string, known?: Contract): Promise<Service<Contract>> {
    const found = await this.directory.get(name)
    if (known !== undefined) requireCompatible(found.id, known, found.contract)
    const contract = known ?? (found.contract as Contract)
    const { connection } = await this.#groupOf(found)
    const proxy = createProxy(caller(connection), found.name, contract)
    const about = {
      id: found.id,
      contract,
      get way() {
        return connection.way
      },
    }
    // What has the name of a member is reached as `do.<name>`.
    const members = { ...proxy.do, ...proxy }
    return Object.freeze(Object.defineProperties(members, Object.getOwnPropertyDescriptors(about))) as never
  }

  async lock(names: readonly string[], { reason = '', signal }: LockOptions = {}): Promise<Lock> {
    const found = await Promise.all([...new Set(names)].map((name) => this.directory.get(name, signal)))
    // In one order for everybody: two who want the same never wait for each other with half of it.
    found.sort((a, b) => compare(a.bench ?? a.id, b.bench ?? b.id) || compare(a.id, b.id))
    const undo: (() => Promise<void>)[] = []
    try {
      for (const bench of new Set(found.flatMap(({ bench }) => bench ?? []))) {
        undo.push(await this.#hold(bench, found, signal))
      }
      for (const node of new Set(found.filter(({ bench }) => bench === undefined).map(({ node }) => node))) {
        const own = found.filter((one) => one.node === node && one.bench === undefined)
        undo.push(await this.#lockOwn(own, reason, signal))
      }
    } catch (error) {
      await Promise.allSettled(undo.map((back) => back()))
      throw error
    }
    const services = found.map(({ id }) => id)
    const lock: Lock = {
      services,
      release: async () => {
        if (!this.#locks.delete(lock)) return
        const failed = (await Promise.allSettled(undo.map((back) => back()))).find(
          ({ status }) => status === 'rejected',
        )
        if (failed?.status === 'rejected') throw failed.reason
      },
      [Symbol.asyncDispose]: () => lock.release(),
    }
    this.#locks.add(lock)
    return lock
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#locks].map((lock) => lock.release()))
    await Promise.all([...this.#groups.values()].map(({ connection }) => connection.close()))
    this.#groups.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** With the service among what its connection is open for. */
  async #groupOf({ node, bench, name }: Found): Promise<Group> {
    const key = bench ?? `${node}/`
    const known = this.#groups.get(key)
    if (known !== undefined) {
      if (known.names.has(name)) return known
      known.names.add(name)
      await known.connection.renew()
      return known
    }
    const { ways, clock, onWay } = this.#options
    const group: Group = {
      node,
      names: new Set([name]),
      lease: undefined,
      connection: createConnection({
        node,
        ways,
        clock,
        access: (signal) => this.directory.access(node, [...group.names].sort(), group.lease, signal),
        ...(onWay === undefined ? {} : { onWay: (way) => onWay(node, way) }),
      }),
    }
    this.#groups.set(key, group)
    return group
  }

  /** Takes a bench; resolves with what gives it back. */
  async #hold(bench: string, found: readonly Found[], signal: AbortSignal | undefined): Promise<() => Promise<void>> {
    const group = await this.#together(found.filter((one) => one.bench === bench))
    if (group.lease !== undefined) {
      throw new LabError({ code: 'locked-already', kind: 'caller', message: `this program has ${bench} already` })
    }
    const { lease } = await this.directory.hold(bench, undefined, signal)
    group.lease = lease
    let cancel = () => {}
    const renew = () => {
      cancel = this.#options.clock.after(RENEW_MS, () => {
        // While its hub is away the node itself goes on holding it.
        this.directory.hold(bench, lease).then(renew, renew)
      })
    }
    const release = async () => {
      cancel()
      group.lease = undefined
      // The node closes links of a hold that has ended: this one goes on without it.
      await group.connection.renew().catch(() => {}) // a hub that is away says so next
      try {
        await this.directory.release(bench, lease)
      } catch (thrown) {
        if (asLabError(thrown).kind !== 'link') throw thrown
        // Then the node frees the bench by itself, a moment after its holder has gone.
        await group.connection.leave()
      }
    }
    try {
      await group.connection.renew()
    } catch (error) {
      await Promise.allSettled([release()])
      throw error
    }
    renew()
    return release
  }

  async #lockOwn(own: readonly Found[], reason: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
    const { connection } = await this.#together(own)
    const services = own.map(({ name }) => name)
    await connection.call('node/lock', { services, ...(reason === '' ? {} : { reason }) }, { signal })
    return async () => void (await connection.call('node/unlock', { services }, { idempotent: true }))
  }

  async #together(found: readonly Found[]): Promise<Group> {
    let group: Group | undefined
    for (const one of found) group = await this.#groupOf(one)
    if (group === undefined) throw new LabError({ code: 'internal-error', kind: 'bug', message: 'nothing to lock' })
    return group
  }
}

/** Streams outlive a way that breaks, unless their caller wants it otherwise. */
const caller = (connection: Connection) => ({
  call: (...call: Parameters<Connection['call']>) => connection.call(...call),
  stream: (method: string, params?: unknown, options = {}) =>
    connection.stream(method, params, { lingerMs: LINGER_MS, ...options }) as never,
})

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

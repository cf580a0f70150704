/** Puts together what can be called straight at this node: its sources, the gate before them, and the links to it. */
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ListenEntry } from '@fernlab/shared/contracts/node-file'
import type { EndedHold, EndedLock, NodeServices, Revoked, ServiceLock } from '@fernlab/shared/contracts/services'
import type { LocalDoor } from '@fernlab/shared/links/local/local-door'
import { listenUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { isLoopback } from '@fernlab/shared/programs/loopback'
import type { Link } from '@fernlab/shared/rpc/link'
import type { SettingsFile } from '@fernlab/shared/storage/settings-file'
import { writeDurably } from '@fernlab/shared/storage/settings-file'
import type { Bench } from '../benches/bench.ts'
import type { NodeConfig } from '../config/config.ts'
import type { Queue } from '../queue/queue.ts'
import type { NodeSettings } from '../settings/settings.ts'
import { createAnnouncements } from './announcements.ts'
import { createGate, type Gate } from './gate/gate.ts'
import type { Listening } from './gate/listen.ts'
import { createOwnTokens, type EndedOwn, type OwnClaims } from './gate/own-tokens.ts'
import { openRevocations } from './gate/revocations.ts'
import { createServiceKeys, type HubSays } from './gate/service-keys.ts'
import { refused } from './gate/tokens.ts'
import { EndedHolds } from './locks/ended-holds.ts'
import { createHoldWatch, isHeld } from './locks/hold-watch.ts'
import { createLocks, isOf } from './locks/locks.ts'
import { createSeatHolds } from './locks/seat-holds.ts'
import type { NetworkTelling } from './network/tell-network.ts'
import { createNodeService } from './node-service.ts'
import { type BenchPartsOptions, createBenchParts } from './parts/bench-parts.ts'
import { NODE_SERVICE, type ServiceSource } from './service-source.ts'
import { createServiceTable } from './service-table.ts'

export interface OpenServicesOptions {
  readonly site: string
  readonly config: Pick<NodeConfig, 'file' | 'folder'>
  /** Where that was read, which commands on this machine may edit. */
  readonly nodeFile?: string
  readonly dataFolder: string
  readonly settings: SettingsFile<NodeSettings>
  readonly benches: ReadonlyMap<string, Bench>
  /** Whether runs wait for the bench. */
  readonly isAwaited: (bench: string) => boolean
  /** Of an attempt that is a session. */
  readonly seat: Queue['seat']
  /** Whether a hub decides who gets the benches. */
  readonly hasHub: boolean
  /** The node's clock minus the hub's. */
  readonly clockOffsetMs: () => number | undefined
  readonly onValue: BenchPartsOptions['onValue']
  /** A hold of the hub's has ended here: the hub is to hear of the bench, also where it is as the hub last heard. */
  readonly onHoldEnded: (bench: Bench) => void
  readonly send: (services: NodeServices) => void
  readonly clock: Clock
  readonly log: Log
}

export interface Services {
  /** Where clients come, and how much they have under way. */
  readonly addresses: readonly string[]
  readonly counts: Gate['counts']
  /** For programs in this process. */
  readonly door: LocalDoor
  /** Who has locked a service of a daemon. */
  lockOf(service: string): ServiceLock | undefined
  /** From now on calls are taken, those of the sources besides parts of benches too. */
  start(sources: readonly ServiceSource[]): void
  /** The hub is there again. */
  announce(): void
  /** Takes a link of somebody who has to sign in, by whatever way it came. */
  take(link: Link): void
  /** What the hub says of itself at each welcome. */
  takeHub(hub: HubSays): void
  revoke(revoked: Revoked): Promise<number>
  /** Somebody else ends a hold of the hub's: who had it is told so, once it has ended. */
  holdEnds(lease: string, ended: EndedHold): void
  close(): Promise<void>
}

const SOCKET = 'services.sock'
const ENDPOINTS = 'services.json'
/** Of the newest locks that were ended for another, for the hub. */
const MOST_ENDED = 100

/** Opens the node's own socket and, where node.yaml says so, a port; rejects with `services-listen-wrong`. */
export async function openServices(options: OpenServicesOptions): Promise<Services> {
  const { site, config, dataFolder, settings, benches, clock, log, clockOffsetMs } = options
  const { file, folder } = config
  const keys = createServiceKeys({ site, node: file.node, settings })
  const ownTokens = createOwnTokens({ audience: keys.audience, settings })
  const endedLocks: EndedLock[] = []
  const locks = createLocks({
    benches,
    // Those of a hub are ids to a node.
    namesPeople: !options.hasHub,
    notOurs: ({ name }) => {
      if (options.hasHub)
        return refused('bench-of-hub', `the hub decides who gets bench ${name}: take it there (fernlab bench lease)`)
      return options.isAwaited(name) ? refused('bench-busy', `bench ${name} has a run`, 'later') : undefined
    },
    onEnded: (ended) => {
      endedLocks.push({ id: newId(clock.now()), at: new Date(clock.now()).toISOString(), ...ended })
      endedLocks.splice(0, endedLocks.length - MOST_ENDED)
    },
    clock,
    log,
  })
  const endedHolds = new EndedHolds()
  const holds = createHoldWatch({ benches, onEnded: options.onHoldEnded, clock, log })
  const seats = createSeatHolds({ benches, seat: options.seat, onOver: () => gate.judgeHolds() })
  const parts = createBenchParts({
    benches,
    seatOf: seats.of,
    entries: file.instruments,
    hasLocked: ({ person }, bench, lease) => locks.has(person, bench, lease),
    lockOf: locks.of,
    onValue: options.onValue,
    clock,
  })
  const table = createServiceTable({ sources: [parts], locks })
  let isUp = false
  let isClosed = false
  const gate = createGate({
    audience: keys.audience,
    keys: () => keys.trusted,
    revocations: await openRevocations(dataFolder, log),
    ownTokens,
    timeOf: (issuer) => {
      const offset = issuer === keys.audience ? undefined : clockOffsetMs()
      if (offset === undefined) return { nowMs: clock.now(), by: "this node's clock" }
      return { nowMs: clock.now() - offset, by: "the hub's clock" }
    },
    holdEnded: (hold) => endedHolds.errorOf(hold),
    // The node's own tokens have their rights whoever has the bench.
    benchToTake: (service, issuer) =>
      issuer === keys.audience ? undefined : table.list().find(({ name }) => name === service)?.bench,
    isHeld: (hold) => seats.of(hold) !== undefined || isHeld(benches, hold),
    find: (name, caller) => {
      if (!isUp)
        throw new LabError({ code: 'node-starting', kind: 'link', retry: 'later', message: 'the node is starting' })
      if (name !== NODE_SERVICE) return table.find(name, caller)
      const tokens = {
        isKnown: (person: string) => ownTokens.isKnown(person),
        sign: (claims: OwnClaims) => ownTokens.sign(claims, clock.now()),
        end: (ended: EndedOwn) => gate.revokeOwn(ended),
      }
      return createNodeService({ site, node: file.node, addresses, caller, table, locks, tokens, clock })
    },
    requireUnlocked: table.requireUnlocked,
    attendance: { came: locks.came, left: locks.left, holdCame: holds.came, holdLeft: holds.left },
    clock,
    log,
  })
  for (const bench of benches.values()) bench.onChange(() => gate.judgeHolds())
  locks.onChange((targets) => {
    const services = table.list().filter((service) => isOf(targets, service))
    gate.judgeLocks(services.map(({ name }) => name))
  })

  const take =
    (from: 'owner' | 'anyone') =>
    (link: Link): void =>
      void gate.take(link, from)
  const listening = file.services.listen === undefined ? undefined : await listen(file.services.listen)
  async function listen(entry: ListenEntry): Promise<Listening> {
    // Loaded when needed: most nodes listen nowhere.
    const { listenForServices } = await import('./gate/listen.ts')
    return await listenForServices({
      entry,
      folder,
      pageOrigin: () => keys.pageOrigin,
      clock,
      onLink: (link, enter) => gate.take(link, 'anyone', enter),
    })
  }
  const telling = listening === undefined ? undefined : await tell(file.services.listen, listening)
  async function tell(entry: ListenEntry | undefined, { host, port }: Listening): Promise<NetworkTelling | undefined> {
    if (entry === undefined || !(entry.announce ?? !isLoopback(host))) return undefined
    const { tellNetwork } = await import('./network/tell-network.ts')
    const alias = entry.address === undefined ? {} : { address: entry.address }
    const tls = entry.address?.startsWith('wss:') ?? entry.tls !== undefined
    return tellNetwork({ told: { site, node: file.node, port, tls, ...alias }, host, clock, log })
  }
  const addresses = listening?.addresses ?? []
  const path = join(dataFolder, SOCKET)
  const socket = await listenUnixSocket({ path, clock, onLink: take('owner') }).catch((thrown: unknown) => {
    // A data folder with a long path: benches and hub need no socket.
    log.error({ error: asLabError(thrown).message }, 'services can not be called on this machine')
    return undefined
  })
  const { nodeFile } = options
  const endpoints = {
    ...(socket === undefined ? {} : { socket: path }),
    addresses,
    ...(nodeFile === undefined ? {} : { nodeFile: resolve(nodeFile) }),
  }
  await writeDurably(join(dataFolder, ENDPOINTS), `${JSON.stringify(endpoints, null, 2)}\n`)
  log.info(endpoints, 'services can be called')

  const announcements = createAnnouncements({
    current: () => ({ addresses: [...addresses], services: [...table.list()], endedLocks: [...endedLocks] }),
    send: options.send,
    clock,
    log,
  })
  table.onChange(announcements.changed)
  return {
    addresses,
    get counts() {
      return gate.counts
    },
    door: {
      site,
      node: file.node,
      take: (link, from) => {
        if (isClosed) {
          const message = `node ${site}/${file.node} of this process has stopped`
          throw new LabError({ code: 'link-unreachable', kind: 'link', retry: 'later', message })
        }
        gate.take(link, from)
      },
    },
    lockOf: (name) => locks.of({ name }),
    start: (sources) => {
      for (const source of sources) table.add(source)
      isUp = true
    },
    announce: announcements.all,
    take: take('anyone'),
    takeHub: (told) => {
      keys.tell(told).catch((thrown: unknown) => {
        log.error({ error: asLabError(thrown).message }, "the hub's keys for services and its page were not kept")
      })
    },
    revoke: gate.revoke,
    holdEnds: (lease, ended) => endedHolds.add(lease, ended),
    close: async () => {
      isUp = false
      isClosed = true
      announcements.close()
      locks.close()
      holds.close()
      await gate.close()
      await telling?.close()
      await Promise.all([listening?.close(), socket?.close()])
      const files = [SOCKET, ENDPOINTS, `${ENDPOINTS}.bak`]
      await Promise.all(files.map((name) => rm(join(dataFolder, name), { force: true })))
    },
  }
}

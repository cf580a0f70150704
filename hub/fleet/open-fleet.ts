/** The fleet, put together: who is there (presence, inventories), who may come (enrolment), who drives (leases). */
import { benchStatusSchema, nodeHealthSchema } from '@fernlab/shared/contracts/node-status'
import { type Inventory, inventorySchema, SYNC_VERSION } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { benchId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { namesOf } from '../accounts/names-of.ts'
import type { BenchChecks } from '../bench-care/bench-checks.ts'
import type { ProtocolChecks } from '../bench-care/protocol-checks.ts'
import { createLossLog } from '../broker/loss-log.ts'
import type { Maintenance } from '../maintenance/maintenance.ts'
import type { Store } from '../store/store.ts'
import { type CompatibilityCache, whyNot } from './compatible.ts'
import { type CreateDirectRecordOptions, createDirectRecord } from './direct-record.ts'
import { createEnrollment, type Enrollment } from './enrollment.ts'
import type { BenchViewer, Fleet } from './fleet.ts'
import { type BookedBench, type FleetBook, noMore } from './fleet-book.ts'
import { createKeptRows } from './kept-rows.ts'
import { createLeaseEnds } from './lease-ends.ts'
import { createLeases } from './leases.ts'
import type { NodeCalls } from './node-calls.ts'
import { benchView, type CheckDetails, compatibleView, nodeView } from './views.ts'

export interface OpenFleet extends Fleet {
  readonly enrollment: Enrollment
  /** Takes a node's inventory; it is ready for runs from then on. */
  inventory(node: string, message: unknown): Inventory
  /** Takes `nodes/<node>/status`. */
  status(node: string, payload: string): void
  /** Takes `nodes/<node>/health`; rejects what is not of its schema. */
  health(node: string, message: unknown): void
  /** Takes `nodes/<node>/benches/<bench>`. */
  benchStatus(node: string, bench: string, message: unknown): void
  close(): Promise<void>
}

export interface CreateFleetOptions {
  readonly book: FleetBook
  readonly compatible: CompatibilityCache
  readonly store: Store
  readonly calls: NodeCalls
  /** What becomes of what nodes tell of their checks. */
  readonly checks: Pick<BenchChecks, 'announced' | 'reported'>
  readonly checkDetails: CheckDetails
  readonly giveWay: ProtocolChecks['giveWay']
  readonly originOf: CreateDirectRecordOptions['originOf']
  readonly space: Pick<Maintenance, 'requireSpace' | 'hasSpace'>
  readonly isSuspended: (personId: string) => boolean
  readonly clock: Clock
  readonly log: Log
  /** A credential no longer holds: cut the node's connection. */
  readonly onShutOut: (node: string) => void
  /** A node was shut out for good: resolves when its runs have ended on disk. */
  readonly onRevoked: (node: string) => Promise<void>
}

/** The fleet over its book. */
export function createFleet(options: CreateFleetOptions): OpenFleet {
  const { book, compatible, store, calls, checks, checkDetails, giveWay, originOf, space } = options
  const { clock, log, onShutOut, onRevoked } = options
  const listeners = new Set<(what: { node: string; bench?: string }) => void>()
  const enrollment = createEnrollment({ store, clock })
  const changed = (node: string, bench?: string) => {
    for (const listener of listeners) listener(bench === undefined ? { node } : { node, bench })
  }
  const record = createDirectRecord({ store, originOf, hasSpace: space.hasSpace, clock, log })
  const leaseEnds = createLeaseEnds(store)
  const leases = createLeases({
    book,
    store,
    calls,
    giveWay,
    record,
    leaseEnds,
    requireSpace: space.requireSpace,
    isSuspended: options.isSuspended,
    clock,
    log,
    onChange: (bench) => changed(bench.node, bench.id),
  })

  const keep = (work: Promise<unknown>, what: string) => {
    work.catch((error: unknown) => log.error({ error: String(error) }, `${what} could not be kept`))
  }

  const setOnline = (id: string, online: boolean) => {
    const node = book.node(id)
    if (online || node.online) node.lastSeenAt = clock.now()
    if (node.online === online) return
    node.online = online
    if (!online) Object.assign(node, { ready: false, awaySince: clock.monotonic() })
    log.info({ node: id }, online ? 'a node is online' : 'a node is offline')
    keep(
      store.db
        .updateTable('node')
        .set({ online: online ? 1 : 0, last_seen_at: clock.now() })
        .where('id', '=', id)
        .execute(),
      'presence',
    )
    changed(id)
  }

  const rows = createKeptRows({ store, book, log, onKept: (bench) => changed(bench.node, bench.id) })
  const losses = createLossLog(log)

  /** Takes benches over into the book; those that the node has no more stay, without parts. */
  const takeBenches = (node: string, benches: Inventory['benches']): BookedBench[] => {
    const seen = new Set<string>()
    const touched: BookedBench[] = []
    for (const told of benches) {
      const { name, title, parts, limits = {}, labs, state, reason, fence = 0 } = told
      const { checks: announced = [], interlocks = [] } = told
      const id = benchId(node, name)
      seen.add(id)
      const known = book.benches.get(id)
      const next = { title: title ?? null, parts, labs, reported: state, reason: reason ?? null }
      if (known === undefined) {
        const bench: BookedBench = {
          id,
          node,
          name,
          ...next,
          limits,
          since: clock.now(),
          stored: false,
          fence,
          runId: null,
          lease: undefined,
          refusedUntil: 0,
          refusal: undefined,
          gone: false,
          plans: [],
          out: undefined,
          checks: new Map(),
          failing: undefined,
          interlocks,
        }
        book.benches.set(id, bench)
        checks.announced(bench, announced)
        touched.push(bench)
        continue
      }
      const { title: wasTitle, parts: wasParts, labs: wasLabs, reported, reason: wasReason } = known
      const before = JSON.stringify([wasTitle, wasParts, wasLabs ?? null, reported, wasReason])
      known.refusedUntil = 0
      known.gone = false
      known.limits = limits
      known.interlocks = interlocks
      checks.announced(known, announced)
      const raised = fence > known.fence
      if (raised) {
        log.warn({ bench: id, fence, known: known.fence }, 'a bench has seen more than this hub remembers')
        known.fence = fence
      }
      if (!raised && before === JSON.stringify([next.title, next.parts, next.labs ?? null, next.reported, next.reason]))
        continue
      Object.assign(known, next)
      touched.push(known)
    }
    for (const bench of book.benches.values()) {
      if (bench.node !== node || seen.has(bench.id) || bench.reported === 'offline') continue
      Object.assign(bench, { reported: 'offline', reason: noMore, parts: {}, gone: true })
      touched.push(bench)
    }
    return touched
  }

  const confirm = (bench: BookedBench) => {
    leases.confirm(bench).catch((error: unknown) => {
      const fields = { bench: bench.id, error: asLabError(error).message }
      losses.lost('leases', fields, 'the end of a lease could not be kept; it is tried again')
    })
  }

  const holdersOf = async (benches: readonly BookedBench[], viewer: BenchViewer | undefined) => {
    const holders = new Set(benches.flatMap(({ lease }) => lease?.holder ?? []))
    return viewer?.seesPeople === true ? await namesOf(store, [...holders]) : new Map<string, string>()
  }

  let cancelExpiry = () => {}
  const expire = () => {
    leases.expire().then(
      () => losses.recovered('leases', {}, 'ends of leases are kept again'),
      (error: unknown) => {
        const { message } = asLabError(error)
        losses.lost('leases', { error: message }, 'the end of a lease could not be kept; it is tried again')
      },
    )
    rows.again()
    cancelExpiry = clock.after(1000, expire)
  }
  cancelExpiry = clock.after(1000, expire)

  return {
    enrollment,
    ...leases,
    benches: async (viewer) => {
      const names = await holdersOf([...book.benches.values()], viewer)
      return [...book.benches.values()].map((bench) => benchView(book, bench, { viewer, names, checkDetails }))
    },
    bench: async (id, viewer) => {
      const names = await holdersOf([book.benches.get(id) ?? []].flat(), viewer)
      const bench = book.benches.get(id)
      return bench === undefined ? undefined : benchView(book, bench, { viewer, names, checkDetails })
    },
    nodes: async () => [...book.nodes.values()].map((node) => nodeView(book, node)),
    node: async (id) => {
      const node = book.nodes.get(id)
      return node === undefined ? undefined : nodeView(book, node)
    },
    compatibleBenches: async (lab) => {
      const ids = compatible.benchesFor(lab)
      return [...book.benches.values()].filter(({ id }) => ids.has(id)).map((bench) => compatibleView(book, bench))
    },
    whyNotCompatible: async (lab) => {
      const reasons = [...book.benches.values()].map((bench) => [bench.id, whyNot(book, bench, lab)] as const)
      return new Map(reasons.filter(([, issues]) => issues.length > 0))
    },
    createEnrollment: enrollment.createCode,
    enroll: async (code, id) => {
      const credential = await enrollment.enroll(code, id)
      const node = book.node(id)
      node.enrolledAt = clock.now()
      node.revokedAt = null
      onShutOut(id)
      changed(id)
      log.info({ node: id }, 'a node was enrolled')
      return credential
    },
    rotate: async (id, by) => {
      if (!book.nodes.has(id)) throw unknownNode(id)
      const credential = await enrollment.issue(id, by)
      book.node(id).revokedAt = null
      onShutOut(id)
      return credential
    },
    revoke: async (id, by) => {
      const node = book.nodes.get(id)
      if (node === undefined) throw unknownNode(id)
      const now = clock.now()
      await enrollment.revoke(id, by)
      node.revokedAt = now
      node.online = false
      node.ready = false
      onShutOut(id)
      changed(id)
      log.info({ node: id }, 'a node was shut out')
      await onRevoked(id)
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    inventory: (id, message) => {
      const inventory = inventorySchema.parse(message)
      if (inventory.version !== SYNC_VERSION) {
        throw new LabError({
          code: 'sync-version-unknown',
          kind: 'configuration',
          message: `node ${id} speaks version ${inventory.version} of the sync, this hub ${SYNC_VERSION}; update the older`,
        })
      }
      const node = book.node(id)
      if (node.revokedAt !== null) {
        throw new LabError({ code: 'node-revoked', kind: 'caller', message: `node ${id} is shut out` })
      }
      const before = JSON.stringify([...node.instruments.values()])
      const after = JSON.stringify(inventory.instruments)
      node.instruments = new Map(inventory.instruments.map((instrument) => [instrument.name, instrument]))
      node.bootId = inventory.bootId
      node.version = inventory.nodeVersion
      if (before !== after) node.stored = false
      const touched = takeBenches(id, inventory.benches)
      if (before !== after || touched.length > 0) book.shape++
      setOnline(id, true)
      node.ready = true
      rows.keep({ node, benches: touched })
      changed(id)
      return inventory
    },
    status: (id, payload) => {
      // The last word of a node that was removed.
      if (payload !== 'online' && !book.nodes.has(id)) return
      setOnline(id, payload === 'online')
    },
    health: (id, message) => {
      const health = nodeHealthSchema.parse(message)
      const node = book.node(id)
      node.health = health
      node.lastSeenAt = clock.now()
      keep(
        store.db
          .updateTable('node')
          .set({ health: JSON.stringify(health), last_seen_at: clock.now() })
          .where('id', '=', id)
          .execute(),
        'health',
      )
      changed(id)
    },
    benchStatus: (node, name, message) => {
      const status = benchStatusSchema.parse(message)
      const bench = book.benches.get(benchId(node, name))
      if (bench === undefined) return
      checks.reported(bench, status.checks ?? [])
      if (status.state === 'free') confirm(bench)
      // Who holds the bench is the hub's own knowledge; free and busy are one here.
      const usable = (state: string) => state === 'free' || state === 'busy'
      const { interlocks = [], reason = null } = status
      const interlocksMoved = JSON.stringify(interlocks) !== JSON.stringify(bench.interlocks)
      if (interlocksMoved) bench.interlocks = interlocks
      const sameState = bench.reported === status.state || (usable(bench.reported) && usable(status.state))
      // What an interlock waits for is in the reason.
      if (sameState && (usable(status.state) || !interlocksMoved || bench.reason === reason)) {
        if (interlocksMoved) changed(node, bench.id)
        return
      }
      bench.reported = status.state
      bench.reason = reason
      if (!sameState) bench.since = clock.now()
      rows.keep({ benches: [bench] })
      log.info({ bench: bench.id, state: status.state, reason: status.reason }, 'a bench changed its state')
      changed(node, bench.id)
    },
    close: async () => {
      cancelExpiry()
      listeners.clear()
      await record.settled()
    },
  }
}

function unknownNode(id: string): LabError {
  return new LabError({ code: 'node-unknown', kind: 'caller', message: `there is no node ${id}` })
}

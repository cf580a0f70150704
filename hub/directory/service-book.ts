/**
 * What nodes have told of their services, now and before they went.
 *
 * INVARIANTS: a service is there only while its node is connected and has told of it over that connection; what a node
 * no longer tells of has left; what is remembered is on disk, at the latest by the next word of its node; a message that
 * is refused changes nothing.
 */
import { type AnnouncedService, nodeServicesSchema } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { createLossLog } from '../broker/loss-log.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { Store, StoreQuery } from '../store/store.ts'
import { createEndedLocks } from './ended-locks.ts'
import type { KnownService } from './entries.ts'

interface Told {
  addresses: readonly string[]
  /** By name. */
  services: ReadonlyMap<string, AnnouncedService>
  at: number
  /** Over the connection that its node has now. */
  present: boolean
}

/** The services of each node as they are on disk, by name. */
type OnDisk = Map<string, ReadonlyMap<string, string>>

export interface ServiceBook {
  /** Takes a node's word over; throws where it does not fit, or a name is in it twice. */
  told(node: string, message: unknown): void
  /** Looks whether the node is still there. */
  look(node: string): void
  /** Forgets a node that was removed; its rows are somebody else's to delete. */
  forget(node: string): void
  all(): KnownService[]
  /** Where the node is reached straight. */
  addressesOf(node: string): readonly string[]
  /** Resolves when what was told is on disk, or failed to get there. */
  settled(): Promise<void>
}

export interface ServiceBookOptions {
  readonly store: Store
  readonly book: FleetBook
  readonly clock: Clock
  readonly log: Log
}

/** Opens it with what is on disk: all of that is gone until its node says otherwise. */
export async function openServiceBook({ store, book, clock, log }: ServiceBookOptions): Promise<ServiceBook> {
  const { nodes, onDisk } = await load(store)
  const losses = createLossLog(log)
  const endedLocks = createEndedLocks(store, clock)
  let writing: Promise<void> = Promise.resolve()

  const keep = async (node: string, now: Told): Promise<void> => {
    // A newer word is to be written instead, or the node was removed.
    if (nodes.get(node) !== now || isShutOut(node)) return
    const texts = new Map([...now.services].map(([name, service]) => [name, JSON.stringify(service)]))
    try {
      await store.write(writesOf(store, node, now, { texts, kept: onDisk.get(node) }))
      onDisk.set(node, texts)
      losses.recovered(node, { node }, 'services are kept again')
    } catch (error) {
      const fields = { node, error: asLabError(error).message }
      losses.lost(node, fields, 'the services of a node could not be kept; it is tried with its next word')
    }
  }
  const isShutOut = (node: string) => book.nodes.get(node)?.revokedAt !== null
  const onlineNow = (node: string) => book.nodes.get(node)?.online === true

  return {
    told: (node, message) => {
      if (isShutOut(node)) {
        throw new LabError({ code: 'node-revoked', kind: 'caller', message: `node ${node} is shut out` })
      }
      const { addresses, services, endedLocks: ended = [] } = nodeServicesSchema.parse(message)
      const byName = new Map(services.map((service) => [service.name, service]))
      if (byName.size < services.length) {
        const twice = services.find(({ name }, at) => services.findIndex((other) => other.name === name) < at)
        const what = `${node} tells of ${twice?.name} twice; a name is one service's`
        throw new LabError({ code: 'service-twice', kind: 'caller', message: what })
      }
      const now: Told = { addresses, services: byName, at: clock.now(), present: true }
      nodes.set(node, now)
      writing = writing
        .then(() => keep(node, now))
        .then(() => endedLocks.keep(node, ended))
        .catch((error: unknown) => {
          log.error({ node, error: asLabError(error).message }, 'the end of a lock is not in the audit log yet')
        })
    },
    look: (node) => {
      const known = nodes.get(node)
      if (known?.present === true && !onlineNow(node)) known.present = false
    },
    forget: (node) => {
      nodes.delete(node)
      onDisk.delete(node)
    },
    all: () =>
      [...nodes].flatMap(([node, { addresses, services, at, present }]) =>
        [...services.values()].map((told) => ({
          node,
          told,
          addresses,
          present: present && onlineNow(node),
          lastSeenAt: Math.max(at, book.nodes.get(node)?.lastSeenAt ?? 0),
          bench: told.bench === undefined ? undefined : book.benches.get(`${node}.${told.bench}`),
        })),
      ),
    addressesOf: (node) => nodes.get(node)?.addresses ?? [],
    settled: () => writing,
  }
}

/** The queries that make the node's rows what it has told; those that are so already are left. */
function writesOf(
  { db }: Store,
  node: string,
  now: Told,
  { texts, kept }: { texts: ReadonlyMap<string, string>; kept: ReadonlyMap<string, string> | undefined },
): StoreQuery[] {
  const left = [...(kept?.keys() ?? [])].filter((name) => !texts.has(name))
  const changed = [...texts].filter(([name, told]) => kept?.get(name) !== told)
  const row = { addresses: JSON.stringify(now.addresses), told_at: now.at }
  return [
    db
      .insertInto('directory_node')
      .values({ node, ...row })
      .onConflict((conflict) => conflict.column('node').doUpdateSet(row)),
    ...left.map((name) => db.deleteFrom('directory_service').where('node', '=', node).where('name', '=', name)),
    ...changed.map(([name, told]) =>
      db
        .insertInto('directory_service')
        .values({ node, name, told })
        .onConflict((conflict) => conflict.columns(['node', 'name']).doUpdateSet({ told })),
    ),
  ]
}

async function load({ db }: Store): Promise<{ nodes: Map<string, Told>; onDisk: OnDisk }> {
  const onDisk = new Map<string, Map<string, string>>()
  for (const { node, name, told } of await db.selectFrom('directory_service').selectAll().execute()) {
    const own = onDisk.get(node) ?? new Map<string, string>()
    onDisk.set(node, own.set(name, told))
  }
  const nodes = new Map<string, Told>()
  for (const { node, addresses, told_at: at } of await db.selectFrom('directory_node').selectAll().execute()) {
    const services = [...(onDisk.get(node) ?? [])].map(([name, told]) => [name, JSON.parse(told)] as const)
    nodes.set(node, { addresses: JSON.parse(addresses), services: new Map(services), at, present: false })
  }
  return { nodes, onDisk }
}

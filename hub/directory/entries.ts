/** What the directory shows of a service: its node's word, and what the hub knows better; pure. */
import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import type { AnnouncedService, ServiceLock, ServiceState } from '@fernlab/shared/contracts/services'
import type { BookedBench } from '../fleet/fleet-book.ts'

/** A service as it stands in the directory. */
export interface KnownService {
  readonly node: string
  readonly told: AnnouncedService
  readonly addresses: readonly string[]
  /** Its node is connected, and has told of it since it is. */
  readonly present: boolean
  /** Epoch ms. */
  readonly lastSeenAt: number
  /** The bench of which it is a part, as the hub knows it. */
  readonly bench: BookedBench | undefined
}

/** How a service stands, and who has it. */
export interface Standing {
  readonly state: ServiceState
  readonly reason?: string
  readonly lock?: ServiceLock
}

/** A bench's run or lease is the hub's to know; whether a service answers is its node's. */
export function standingOf({ node, told, present, bench }: KnownService): Standing {
  if (!present) return { state: 'gone', reason: `${node} is not connected` }
  const { state, reason, lock } = told
  const said = { state, ...(reason === undefined ? {} : { reason }), ...(lock === undefined ? {} : { lock }) }
  if (state === 'gone' || state === 'unhealthy') return said
  if (bench === undefined) return said
  if (bench.runId !== null) return { state: 'busy', reason: 'a run or a session is on its bench' }
  if (bench.lease === undefined) return said
  const { holder } = bench.lease
  // The node may know why.
  if (lock?.owner === holder) return { state: 'locked', lock }
  return { state: 'locked', lock: { owner: holder, since: new Date(bench.since).toISOString() } }
}

/** Who looks: `personId`, and the names of people where this one may know them. */
export interface Viewer {
  readonly personId: string
  readonly names: ReadonlyMap<string, string> | undefined
}

/** The entry as the viewer sees it. */
export function entryOf(site: string, known: KnownService, viewer: Viewer): DirectoryEntry {
  const { node, told, addresses, bench, lastSeenAt } = known
  const { state, reason, lock } = standingOf(known)
  const { name, daemon, description, tags, metadata = {}, contract } = told
  return {
    id: `${node}/${name}`,
    name,
    node,
    site,
    address: `fernlab://${site}/${node}/${name}`,
    ...(bench === undefined ? {} : { bench: bench.id }),
    ...(daemon === undefined ? {} : { daemon }),
    state,
    ...(reason === undefined ? {} : { reason }),
    addresses: [...addresses],
    ...(description === undefined ? {} : { description }),
    tags: [...tags],
    metadata,
    kind: contract.kind,
    version: contract.version,
    ...(lock === undefined ? {} : { lockedBy: lockedBy(lock, viewer) }),
    lastSeen: new Date(lastSeenAt).toISOString(),
  }
}

function lockedBy({ owner, reason, since }: ServiceLock, { personId, names }: Viewer) {
  const mine = owner === personId
  const name = names?.get(owner)
  return {
    ...(name === undefined ? {} : { person: { id: owner, name } }),
    ...(mine ? { mine: true as const } : {}),
    // Words of somebody who stays unnamed may name them.
    ...(reason !== undefined && (mine || names !== undefined) ? { reason } : {}),
    since,
  }
}

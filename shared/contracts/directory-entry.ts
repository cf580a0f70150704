/** What a directory shows of a service, that of a hub and that of a node alike. */
import type { DirectoryEntry } from './directory.ts'
import type { AnnouncedService, ServiceLock, ServiceState } from './services.ts'

/** How a service stands, and who has it. */
export interface Standing {
  readonly state: ServiceState
  readonly reason?: string
  readonly lock?: ServiceLock
}

/** Who looks: `personId`, and the names of people where this one may know them. */
export interface Viewer {
  readonly personId: string
  readonly names: ReadonlyMap<string, string> | undefined
}

export interface DescribedService {
  readonly site: string
  readonly node: string
  readonly told: AnnouncedService
  readonly addresses: readonly string[]
  /** `<node>.<bench>` of a part of a bench. */
  readonly bench: string | undefined
  readonly standing: Standing
  /** When its node was last heard, in epoch ms. */
  readonly lastSeenAt: number
}

/** The entry as the viewer sees it. */
export function directoryEntry(described: DescribedService, viewer: Viewer): DirectoryEntry {
  const { site, node, told, addresses, bench, lastSeenAt } = described
  const { state, reason, lock } = described.standing
  const { name, daemon, description, tags, metadata = {}, contract } = told
  // Its node goes on without it; what the node's clock says is never later than the node's own last word.
  const seenAt = told.lastSeen === undefined ? lastSeenAt : Math.min(Date.parse(told.lastSeen), lastSeenAt)
  return {
    id: `${node}/${name}`,
    name,
    node,
    site,
    address: `fernlab://${site}/${node}/${name}`,
    ...(bench === undefined ? {} : { bench }),
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
    lastSeen: new Date(seenAt).toISOString(),
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

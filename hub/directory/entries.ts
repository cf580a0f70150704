/** What the directory shows of a service: its node's word, and what the hub knows better; pure. */
import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { directoryEntry, type Standing, type Viewer } from '@fernlab/shared/contracts/directory-entry'
import type { AnnouncedService } from '@fernlab/shared/contracts/services'
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

/** A bench's run or lease is the hub's to know; whether a service answers is its node's. */
export function standingOf({ node, told, present, bench }: KnownService): Standing {
  if (!present) return { state: 'gone', reason: `${node} is not connected` }
  const { state, reason, lock } = told
  const said = { state, ...(reason === undefined ? {} : { reason }), ...(lock === undefined ? {} : { lock }) }
  if (state === 'gone' || state === 'unhealthy') return said
  if (bench === undefined) return said
  if (bench.runId !== null) return { state: 'busy', reason: 'a run or a session is on its bench' }
  if (bench.lease === undefined) return said
  const { holder, reason: forWhat } = bench.lease
  const held = { owner: holder, since: new Date(bench.lease.since).toISOString() }
  // The node may know why.
  const why = forWhat ?? (lock?.owner === holder ? lock.reason : undefined)
  return { state: 'locked', lock: { ...held, ...(why === undefined ? {} : { reason: why }) } }
}

/** The entry as the viewer sees it. */
export function entryOf(site: string, known: KnownService, viewer: Viewer): DirectoryEntry {
  const { node, told, addresses, bench, lastSeenAt } = known
  const standing = standingOf(known)
  return directoryEntry({ site, node, told, addresses, bench: bench?.id, standing, lastSeenAt }, viewer)
}

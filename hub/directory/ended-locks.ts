/**
 * Locks at nodes that somebody has ended for another, in the audit log.
 *
 * INVARIANTS: each is written once, however often its node tells of it, also after a restart of the hub; what could not be
 * written is tried with the node's next word; why the lock of somebody was ended who has left since is not written.
 */
import type { EndedLock } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'

const ACTION = 'services.lock-ended'
/** A node tells of at most 100. */
const LOOKED_AT = 1000

export interface EndedLocks {
  /** Writes those of the node that are not written yet; rejects when that fails. Not twice at once for a node. */
  keep(node: string, told: readonly EndedLock[]): Promise<void>
}

export function createEndedLocks(store: Store, clock: Clock): EndedLocks {
  const audit = auditEntries(store, clock)
  /** By node. */
  const known = new Map<string, ReadonlySet<string>>()
  return {
    keep: async (node, told) => {
      if (told.length === 0) return
      const before = known.get(node) ?? (await writtenOf(store, node))
      const fresh = told.filter(({ id }) => !before.has(id))
      // Who it was is as the node says: the entry is by nobody of the hub.
      const gone = await withoutAccount(store, fresh)
      const entries = fresh.map(({ reason, ...lock }) => {
        const isTold = reason !== undefined && !gone.has(lock.owner)
        return audit(null, ACTION, node, isTold ? { ...lock, reason } : lock)
      })
      if (entries.length > 0) await store.write(entries)
      known.set(node, new Set(told.map(({ id }) => id)))
    },
  }
}

/** Owners who have closed their account before the hub heard of it: what was written about them is not kept. */
async function withoutAccount({ db }: Store, locks: readonly EndedLock[]): Promise<ReadonlySet<string>> {
  if (locks.length === 0) return new Set()
  const owners = [...new Set(locks.map(({ owner }) => owner))]
  const rows = await db
    .selectFrom('user')
    .select('id')
    .where('id', 'in', owners)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('person').select('person.id').whereRef('person.id', '=', 'user.id'))),
    )
    .execute()
  return new Set(rows.map(({ id }) => id))
}

async function writtenOf({ db }: Store, node: string): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('audit')
    .select('detail')
    .where('subject', '=', node)
    .where('action', '=', ACTION)
    .orderBy('id', 'desc')
    .limit(LOOKED_AT)
    .execute()
  return new Set(rows.map(({ detail }) => (JSON.parse(detail) as EndedLock).id))
}

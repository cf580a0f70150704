/** Ending locks that a node gives, those of others too: no other than was meant, at nodes of earlier versions as well. */
import { heldBy } from '../../contracts/held-by.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { isRecord } from '../../rpc/errors.ts'
import type { CallOptions } from '../../rpc/peer/calls.ts'
import type { Connection } from './connection.ts'
import type { Found } from './directory.ts'
import { nodeLocks } from './node-locks.ts'

export interface EndLocks {
  readonly connection: Connection
  /** All of them, or none; `seen`: since when the lock is that is meant, undefined: whichever there is. */
  readonly locks: readonly { readonly name: string; readonly seen: string | undefined }[]
  /** Empty for no reason. */
  readonly reason: string
  readonly signal: AbortSignal | undefined
}

/** Ends them; rejects as the node does, with `hold-changed` where one is locked since another time. */
export async function endLocks({ connection, locks, reason, signal }: EndLocks): Promise<void> {
  const options: CallOptions = signal === undefined ? {} : { signal }
  const seen = locks.flatMap(({ name, seen: since }) => (since === undefined ? [] : [{ service: name, since }]))
  const isCompared = seen.length === 0 || (await nodeLocks(connection, options)).takesSeen
  // A node of an earlier version ends whatever there is: it is compared here, right before.
  if (!isCompared) requireSeen(seen, await connection.call('node/locks', {}, { ...options, idempotent: true }))
  const args = {
    services: locks.map(({ name }) => name),
    ...(reason === '' ? {} : { reason }),
    ...(isCompared && seen.length > 0 ? { seen } : {}),
  }
  await connection.call('node/unlock', args, options)
}

/** What the directory says of a part of a bench, and since when it is held that is meant. */
type SeenPart = Pick<Found, 'bench' | 'lockedBy'> & { readonly seen: string | undefined }

/**
 * Pure: since when each bench is held that is meant, where a part of it says so. Throws where two parts say two times, and
 * with `hold-changed` where the directory, which of a bench is the first to know, has it since another.
 */
export function seenOfBenches(parts: readonly SeenPart[]): ReadonlyMap<string, string | undefined> {
  const benches = new Map<string, string | undefined>()
  for (const { bench, seen, lockedBy } of parts) {
    if (bench === undefined) continue
    if (seen !== undefined && lockedBy !== undefined) requireSame(bench, lockedBy, seen)
    const before = benches.get(bench)
    if (before !== undefined && seen !== undefined && Date.parse(before) !== Date.parse(seen)) {
      const message = `seen: ${bench} is held since ${before} or since ${seen}, not both: no hold was ended`
      throw new LabError({ code: 'call-invalid', kind: 'caller', message })
    }
    benches.set(bench, before ?? seen)
  }
  return benches
}

function requireSame(bench: string, lockedBy: NonNullable<Found['lockedBy']>, seen: string): void {
  if (Date.parse(lockedBy.since) === Date.parse(seen)) return
  const { said, details } = heldBy({ ...lockedBy, by: lockedBy.person?.name }, 'you have it')
  const message = `no hold was ended: that of ${bench} is another than was meant, ${said}`
  throw new LabError({ code: 'hold-changed', kind: 'caller', message, details })
}

/** Throws where one is locked since another time; that one is locked no more is for the node to say. */
function requireSeen(seen: readonly { readonly service: string; readonly since: string }[], told: unknown): void {
  for (const { service, since } of seen) {
    const found = Array.isArray(told) ? told.find((one) => isRecord(one) && one.service === service) : undefined
    if (!isRecord(found?.lock)) continue
    const now = String(found.lock.since)
    if (Date.parse(now) === Date.parse(since)) continue
    const owner = typeof found.lock.owner === 'string' ? found.lock.owner : undefined
    throw new LabError({
      code: 'hold-changed',
      kind: 'caller',
      message: `no lock was ended: ${service} is locked by ${owner ?? 'somebody else'} since ${now}, which is another lock than was meant`,
      details: { since: now, ...(owner === undefined ? {} : { owner }) },
    })
  }
}

/**
 * Locking services of a node that are no parts of benches, and giving them back.
 *
 * INVARIANTS: what may be locked is given back until its node has answered, by the id of its taking, so that nothing that was
 * locked before or after is ended; where a node knows no ids it is tried once, and what is locked next waits for that.
 */
import { asLabError } from '../../primitives/lab-error.ts'
import { unlessAborted } from '../../primitives/unless-aborted.ts'
import { LASTS_MS } from './asked-hold.ts'
import type { Connection } from './connection.ts'
import { giveBackLater } from './give-back-later.ts'
import { nodeLocks } from './node-locks.ts'
import { kept, type Taking } from './take.ts'
import { watchLocks } from './watch-locks.ts'

/** Rejects as the node refuses, or at once with the signal's reason; the way back is in `undo` before anything is locked. */
export async function takeServices(
  taking: Taking & {
    readonly services: readonly string[]
    readonly graceS: number | undefined
    /** Of this taking alone: what other programs of the same person have locked stays theirs. */
    readonly id: string
  },
): Promise<void> {
  const { group, services, reason, graceS, id, undo, signal, closing, clock, owe, lost } = taking
  const { connection } = group
  const letGo = await kept(connection, signal)
  const args = { services, ...(reason === '' ? {} : { reason }), ...(graceS === undefined ? {} : { graceS }) }
  /** What it is given back by, once it may have been taken. */
  let asked: { readonly id?: string } | undefined
  const locking = (async () => {
    const node = await nodeLocks(connection, { signal })
    if (!node.takesId) await unlessAborted(group.unnamed ?? Promise.resolve(), signal)
    signal.throwIfAborted()
    asked = node.takesId ? { id } : {}
    // By its id the same is taken, where the answer was lost.
    await connection.call('node/lock', { ...args, ...asked }, { idempotent: node.takesId })
    return node
  })()
  const over = new AbortController()
  const gone = new Set<string>()
  const unlock = async () => {
    const isRefused = await locking.then(
      () => false,
      (thrown: unknown) => asLabError(thrown).kind !== 'link',
    )
    // What was lost may be another's by now.
    const left = services.filter((service) => !gone.has(service))
    if (!isRefused && asked !== undefined) await unlockAll(connection, left, asked)
  }
  const askedMs = clock.monotonic()
  const again = async () => {
    // A node that could not be reached for so long has ended it by itself.
    if (asked?.id !== undefined && clock.monotonic() - askedMs < LASTS_MS) await unlock()
  }
  undo.push(async () => {
    letGo()
    over.abort()
    const first = unlock()
    owe(giveBackLater({ first: orRefused(first), again: () => orRefused(again()), clock, signal: closing }))
    if (asked?.id === undefined) group.unnamed = Promise.all([group.unnamed, first.catch(() => {})])
    await first
  })
  const { tells } = await unlessAborted(locking, signal)
  if (tells === 'nothing') return
  const watched = tells === 'each taking' ? id : undefined
  void watchLocks({ connection, services, id: watched, gone, lost, clock, signal: over.signal })
}

/** Resolves also where its node has answered that it will not: that is for nobody to try again. */
const orRefused = (unlocked: Promise<void>): Promise<void> =>
  unlocked.catch((thrown: unknown) => {
    if (asLabError(thrown).kind === 'link') throw thrown
  })

/**
 * Its node has ended one by itself that it says not to be locked. Of several of which it refuses one it ends none, so that each
 * is told alone; rejects with the first refusal of these.
 */
async function unlockAll(
  connection: Connection,
  services: readonly string[],
  asked: { readonly id?: string },
): Promise<void> {
  if (services.length === 0) return
  try {
    await connection.call('node/unlock', { services, ...asked }, { idempotent: true })
  } catch (thrown) {
    const { kind, code } = asLabError(thrown)
    if (kind !== 'link' && services.length > 1) {
      const each = await Promise.allSettled(services.map((service) => unlockAll(connection, [service], asked)))
      for (const one of each) if (one.status === 'rejected') throw one.reason
    } else if (code !== 'not-locked') throw thrown
  }
}

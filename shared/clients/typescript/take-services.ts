import { asLabError } from '../../primitives/lab-error.ts'
import { unlessAborted } from '../../primitives/unless-aborted.ts'
import { LASTS_MS } from './asked-hold.ts'
import { giveBackLater } from './give-back-later.ts'
import { nodeLocks } from './node-locks.ts'
import { kept, type Taking } from './take.ts'
import { watchLocks } from './watch-locks.ts'

/** Locks services of one node that are no parts of benches. */
export async function takeServices(
  taking: Taking & {
    readonly services: readonly string[]
    readonly reason: string
    readonly graceS: number | undefined
    /** Of this taking alone: what other programs of the same person have locked stays theirs. */
    readonly id: string
    readonly lost: AbortController
  },
): Promise<void> {
  const { group, services, reason, graceS, id, undo, signal, closing, clock, lost } = taking
  const { connection } = group
  await unlessAborted(group.givingBack ?? Promise.resolve(), signal)
  const letGo = await kept(connection, signal)
  const args = { services, ...(reason === '' ? {} : { reason }), ...(graceS === undefined ? {} : { graceS }) }
  /** What it is given back by, once it may have been taken. */
  let asked: { readonly id?: string } | undefined
  const locking = (async () => {
    const node = await nodeLocks(connection, { signal })
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
    if (isRefused || asked === undefined || left.length === 0) return
    const given = { services: left, ...asked }
    await connection.call('node/unlock', given, { idempotent: true }).catch((thrown: unknown) => {
      // Its node has ended it already.
      if (asLabError(thrown).code !== 'not-locked') throw thrown
    })
  }
  undo.push(async (why) => {
    letGo()
    over.abort()
    if (why === 'released' || !signal.aborted) return await unlock()
    const askedMs = clock.monotonic()
    const back = giveBackLater(
      () =>
        unlock().catch((thrown: unknown) => {
          // A node that could not be reached for so long has ended it by itself.
          if (asLabError(thrown).kind === 'link' && clock.monotonic() - askedMs < LASTS_MS) throw thrown
        }),
      clock,
      closing,
    )
    group.givingBack = Promise.all([group.givingBack, back])
  })
  const { tells } = await unlessAborted(locking, signal)
  if (tells === 'nothing') return
  const watched = tells === 'each taking' ? id : undefined
  void watchLocks({ connection, services, id: watched, gone, lost, clock, signal: over.signal })
}

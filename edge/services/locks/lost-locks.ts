/** Locks that have ended otherwise than their owner's link had it, and why, for owners who ask or wait for it. */
import { endedBy } from '@fernlab/shared/contracts/ended-by'
import type { AnnouncedService } from '@fernlab/shared/contracts/services'
import type { Locks } from './locks.ts'

/** How a lock has ended. */
export type LockEnding =
  /** Its owner had no link for its grace. */
  | 'grace-over'
  | 'token-ended'
  /** The owner has unlocked it, by whatever program. */
  | 'unlocked'
  | 'ended-by-other'
  /** The bench itself has ended it, as an interlock does. */
  | 'bench-ended'
  /** The node knows of no such lock: it keeps none over a start. */
  | 'not-known'

export interface EndedOf {
  readonly why: LockEnding
  readonly message: string
  /** Who has ended it. */
  readonly by?: string
  /** What they said. */
  readonly reason?: string
}

/** The lock of the target was ended by somebody else than its owner. */
export function endedByOther(target: string, ended: { readonly by?: string; readonly reason?: string }): EndedOf {
  const { message, details } = endedBy(`the lock of ${target}`, ended)
  return { ...details, message }
}

/** Of the newest of one owner that have ended: nobody's are pushed out by those of others. */
const MOST_OF_OWNER = 200
/** Those whose locks ended last. */
const MOST_OWNERS = 200

/** How locks have ended, by owner and target, until the same is locked again. */
export class EndedLocks {
  /** The owner whose lock ended last is last, and of each the lock that did. */
  readonly #ended = new Map<string, Map<string, EndedOf>>()

  add(owner: string, target: string, ended: EndedOf, id?: string): void {
    const own = this.#ended.get(owner) ?? new Map<string, EndedOf>()
    this.#ended.delete(owner)
    this.#ended.set(owner, own)
    dropOldest(this.#ended, MOST_OWNERS)
    const key = keyOf(target, id)
    own.delete(key)
    own.set(key, ended)
    dropOldest(own, MOST_OF_OWNER)
  }

  forget(owner: string, target: string, id?: string): void {
    const own = this.#ended.get(owner)
    own?.delete(keyOf(target, id))
    if (own?.size === 0) this.#ended.delete(owner)
  }

  of(owner: string, target: string, id?: string): EndedOf {
    const message = `${target} is not locked by its owner at this node, which keeps no locks over a start`
    return this.#ended.get(owner)?.get(keyOf(target, id)) ?? { why: 'not-known', message }
  }
}

const keyOf = (target: string, id = '') => JSON.stringify([target, id])

function dropOldest(all: Map<string, unknown>, most: number): void {
  const [oldest] = all.keys()
  if (all.size > most && oldest !== undefined) all.delete(oldest)
}

/** What a caller has locked, or has had. */
export interface Watched {
  readonly locks: Pick<Locks, 'isTaken' | 'endedOf' | 'onChange'>
  readonly services: readonly Pick<AnnouncedService, 'name' | 'bench'>[]
  readonly owner: string
  /** Whether the owner is told who has ended the lock of the service. */
  readonly seesWho: (service: string) => boolean
  /** Of one taking; without, however often the owner has taken it. */
  readonly id?: string
  readonly signal: AbortSignal
}

/** Gives each of the services once its owner does not have it any more; ends with the last. */
export async function* lostLocks(watched: Watched): AsyncGenerator<object, void, void> {
  const { locks, services, owner, seesWho, id, signal } = watched
  let changed = () => {}
  const stop = locks.onChange(() => changed(), services)
  const wake = () => changed()
  signal.addEventListener('abort', wake, { once: true })
  try {
    for (let left = [...services]; left.length > 0 && !signal.aborted; ) {
      const change = new Promise<void>((resolve) => {
        changed = resolve
      })
      const lost = left.filter((service) => !locks.isTaken(owner, service, id))
      left = left.filter((service) => !lost.includes(service))
      for (const service of lost) {
        yield { service: service.name, ...locks.endedOf(owner, service, id, seesWho(service.name)) }
      }
      if (lost.length === 0) await change
    }
  } finally {
    stop()
    signal.removeEventListener('abort', wake)
  }
}

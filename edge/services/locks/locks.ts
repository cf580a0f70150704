/**
 * Who has locked what at this node.
 *
 * INVARIANTS: what is locked is one bench or one service of a daemon; a bench is locked by its lease, and by nothing else;
 * several are locked together or none; a lock ends when its owner's last link has been gone for its grace, or at once when
 * the owner's token has ended; what nobody holds any more is driven to its safe state by the bench itself.
 */
import type { AnnouncedService, EndedLock, ServiceLock } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Bench } from '../../benches/bench.ts'
import type { Lease } from '../../benches/lease.ts'
import { refused } from '../gate/tokens.ts'

export interface LocksOptions {
  readonly benches: ReadonlyMap<string, Bench>
  /** Why the bench is not for this node to give away; undefined: it is. */
  readonly notOurs: (bench: Bench) => LabError | undefined
  /** Somebody has ended the lock of another. */
  readonly onEnded: (ended: Omit<EndedLock, 'id' | 'at'>) => void
  readonly clock: Clock
  readonly log: Log
}

export interface LockRequest {
  readonly owner: string
  readonly services: readonly Pick<AnnouncedService, 'name' | 'bench'>[]
  readonly reason: string
  readonly graceMs: number
}

export interface LockEnd {
  readonly person: string
  readonly mayEndOthers: boolean
  /** Why another's is ended; empty for no reason. */
  readonly reason: string
}

export interface Locks {
  /** Locks all of them, those that are the owner's already included; throws `service-locked`, `bench-*`. */
  take(request: LockRequest): void
  /** Ends locks; resolves when benches were driven to their safe state. Throws `not-locked`, `service-locked`. */
  end(services: LockRequest['services'], by: LockEnd): Promise<void>
  of(service: Pick<AnnouncedService, 'name' | 'bench'>): ServiceLock | undefined
  /** Whether the owner has the bench by that lease. */
  has(owner: string, bench: string, lease: Lease): boolean
  /** The owner has a link. */
  came(owner: string): void
  left(owner: string, isOver: boolean): void
  onChange(listener: () => void): void
  close(): void
}

interface Lock {
  readonly target: string
  readonly owner: string
  readonly since: string
  readonly bench: Bench | undefined
  readonly lease: Lease | undefined
  reason: string
  graceMs: number
  cancel: () => void
}

export function createLocks({ benches, notOurs, onEnded, clock, log }: LocksOptions): Locks {
  const locks = new Map<string, Lock>()
  const listeners: (() => void)[] = []
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const drop = async (lock: Lock): Promise<void> => {
    if (locks.get(lock.target) !== lock) return
    locks.delete(lock.target)
    lock.cancel()
    changed()
    if (lock.lease !== undefined) await lock.bench?.release(lock.lease)
  }
  const held = (target: string, owner: string): Lock | undefined => {
    const lock = locks.get(target)
    if (lock !== undefined && lock.owner !== owner) throw lockedBy(target, lock)
    return lock
  }
  const lockNew = ({ owner, reason, graceMs }: LockRequest, target: string): Lock => {
    const bench = target.startsWith('bench ') ? benches.get(target.slice(6)) : undefined
    const refusal = bench === undefined ? undefined : notOurs(bench)
    if (refusal !== undefined) throw refusal
    const lease = bench?.acquire({ kind: 'direct', id: owner })
    const since = new Date(clock.now()).toISOString()
    return { target, owner, since, bench, lease, reason, graceMs, cancel: () => {} }
  }
  // Its interlock may have ended the lease.
  for (const bench of benches.values()) {
    bench.onChange(() => {
      const lock = locks.get(targetOf({ name: '', bench: bench.name }))
      if (lock?.lease?.active === false) void drop(lock)
    })
  }

  return {
    take: (request) => {
      const targets = [...new Set(request.services.map(targetOf))].sort()
      const fresh: Lock[] = []
      try {
        for (const target of targets)
          if (held(target, request.owner) === undefined) fresh.push(lockNew(request, target))
      } catch (error) {
        // Nothing was moved by them: they are free at once.
        for (const { bench, lease } of fresh) if (lease !== undefined) void bench?.release(lease)
        throw error
      }
      for (const lock of fresh) locks.set(lock.target, lock)
      for (const target of targets) {
        const lock = locks.get(target)
        if (lock !== undefined) Object.assign(lock, { reason: request.reason, graceMs: request.graceMs })
      }
      changed()
    },
    end: async (services, { person, mayEndOthers, reason }) => {
      const ending = [...new Set(services.map(targetOf))].sort().map((target) => {
        const lock = locks.get(target)
        if (lock === undefined) throw refused('not-locked', `${target} is not locked at this node`)
        if (lock.owner !== person && !mayEndOthers) throw lockedBy(target, lock)
        return lock
      })
      for (const { target, owner } of ending) {
        if (owner === person) continue
        const ended = { target, owner, by: person, ...(reason === '' ? {} : { reason }) }
        log.warn(ended, 'somebody has ended the lock of another')
        onEnded(ended)
      }
      await Promise.all(ending.map(drop))
    },
    of: (service) => {
      const lock = locks.get(targetOf(service))
      if (lock === undefined) return undefined
      const { owner, reason, since } = lock
      return { owner, since, ...(reason === '' ? {} : { reason }) }
    },
    has: (owner, bench, lease) => {
      const lock = locks.get(targetOf({ name: '', bench }))
      return lock !== undefined && lock.owner === owner && lock.lease === lease
    },
    came: (owner) => {
      for (const lock of locks.values()) if (lock.owner === owner) lock.cancel()
    },
    left: (owner, isOver) => {
      for (const lock of locks.values()) {
        if (lock.owner !== owner) continue
        lock.cancel()
        lock.cancel = clock.after(isOver ? 0 : lock.graceMs, () => {
          log.info({ target: lock.target, owner }, 'a lock has ended: its owner is gone')
          void drop(lock)
        })
      }
    },
    onChange: (listener) => void listeners.push(listener),
    close: () => {
      for (const lock of locks.values()) lock.cancel()
      locks.clear()
    },
  }
}

const targetOf = ({ name, bench }: Pick<AnnouncedService, 'name' | 'bench'>): string =>
  bench === undefined ? `service ${name}` : `bench ${bench}`

/** Pure; the owner is an id, not a name. */
function lockedBy(target: string, { owner, since, reason }: Lock): LabError {
  const why = reason === '' ? '' : ` (${reason})`
  return new LabError({
    code: 'service-locked',
    kind: 'caller',
    retry: 'later',
    message: `${target} is locked by ${owner} since ${since}${why}`,
    details: { owner, since },
  })
}

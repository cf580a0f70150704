/**
 * Who has locked what at this node.
 *
 * INVARIANTS: what is locked is one bench or one service of a daemon; a bench is locked by its lease, and by nothing else;
 * several are locked together or none; a lock ends when its owner's last link has been gone for its grace, or at once when
 * the owner's token has ended; what nobody holds any more is driven to its safe state by the bench itself.
 */
import type { AnnouncedService, EndedLock, ServiceLock } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Bench } from '../../benches/bench.ts'
import type { Lease } from '../../benches/lease.ts'
import { refused } from '../gate/tokens.ts'
import { EndedLocks, type EndedOf } from './lost-locks.ts'
import { lockedBy, type Viewer } from './seen-lock.ts'

export interface LocksOptions {
  readonly benches: ReadonlyMap<string, Bench>
  /** Why the bench is not for this node to give away; undefined: it is. */
  readonly notOurs: (bench: Bench) => LabError | undefined
  /** Somebody has ended the lock of another. */
  readonly onEnded: (ended: Omit<EndedLock, 'id' | 'at'>) => void
  readonly clock: Clock
  readonly log: Log
}

type Lockable = Pick<AnnouncedService, 'name' | 'bench'>

export interface LockRequest {
  /** Whose the locks become, and who is told why they do not. */
  readonly caller: Viewer
  readonly services: readonly Lockable[]
  readonly reason: string
  readonly graceMs: number
}

export interface LockEnd {
  /** Ends own locks, and where the right `unlock` is had for them those of others. */
  readonly caller: Viewer
  /** Why another's is ended; empty for no reason. */
  readonly reason: string
}

export interface Locks {
  /** Locks all of them, those that are the owner's already included; throws `service-locked`, `bench-*`. */
  take(request: LockRequest): void
  /** Ends locks; resolves when benches were driven to their safe state. Throws `not-locked`, `service-locked`. */
  end(services: LockRequest['services'], by: LockEnd): Promise<void>
  of(service: Lockable): ServiceLock | undefined
  /** How the owner's lock of it has ended last. */
  endedOf(owner: string, service: Lockable): EndedOf
  /** Whether the owner has the bench by that lease. */
  has(owner: string, bench: string, lease: Lease): boolean
  /** The owner has a link. */
  came(owner: string): void
  left(owner: string, isOver: boolean): void
  /** Until the returned function is called. */
  onChange(listener: () => void): () => void
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
  /** What an interlock said that ended it. */
  tripped: string | undefined
  cancel: () => void
}

export function createLocks({ benches, notOurs, onEnded, clock, log }: LocksOptions): Locks {
  const locks = new Map<string, Lock>()
  const ended = new EndedLocks()
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of [...listeners]) listener()
  }
  const drop = async (lock: Lock, how: EndedOf): Promise<void> => {
    if (locks.get(lock.target) !== lock) return
    locks.delete(lock.target)
    ended.add(lock.owner, lock.target, how)
    lock.cancel()
    changed()
    if (lock.lease !== undefined) await lock.bench?.release(lock.lease)
  }
  const held = (service: Lockable, caller: Viewer): Lock | undefined => {
    const lock = locks.get(targetOf(service))
    if (lock !== undefined && lock.owner !== caller.person) throw lockedBy(caller, service, toldOf(lock))
    return lock
  }
  const lockNew = ({ caller, reason, graceMs }: LockRequest, service: Lockable): Lock => {
    const owner = caller.person
    const target = targetOf(service)
    const bench = service.bench === undefined ? undefined : benches.get(service.bench)
    const refusal = bench === undefined ? undefined : notOurs(bench)
    if (refusal !== undefined) throw refusal
    const lease = bench?.acquire({ kind: 'direct', id: owner })
    const since = new Date(clock.now()).toISOString()
    const lock: Lock = { target, owner, since, bench, lease, reason, graceMs, tripped: undefined, cancel: () => {} }
    if (lease !== undefined) {
      lease.onTrip = ({ message }) => {
        lock.tripped = message
      }
    }
    return lock
  }
  // Its interlock may have ended the lease.
  for (const bench of benches.values()) {
    bench.onChange(() => {
      const lock = locks.get(targetOf({ name: '', bench: bench.name }))
      if (lock?.lease?.active !== false) return
      const message = lock.tripped ?? `bench ${bench.name} has ended the lock`
      void drop(lock, { why: 'bench-ended', message })
    })
  }

  return {
    take: (request) => {
      const services = byTarget(request.services)
      const fresh: Lock[] = []
      try {
        for (const service of services)
          if (held(service, request.caller) === undefined) fresh.push(lockNew(request, service))
      } catch (error) {
        // Nothing was moved by them: they are free at once.
        for (const { bench, lease } of fresh) if (lease !== undefined) void bench?.release(lease)
        throw error
      }
      for (const lock of fresh) {
        locks.set(lock.target, lock)
        ended.forget(lock.owner, lock.target)
      }
      for (const service of services) {
        const lock = locks.get(targetOf(service))
        if (lock !== undefined) Object.assign(lock, { reason: request.reason, graceMs: request.graceMs })
      }
      changed()
    },
    end: async (services, { caller, reason }) => {
      const ending = byTarget(services).map((service) => {
        const lock = locks.get(targetOf(service))
        if (lock === undefined) throw refused('not-locked', `${targetOf(service)} is not locked at this node`)
        if (lock.owner !== caller.person && !caller.may('unlock', service.name))
          throw lockedBy(caller, service, toldOf(lock))
        return lock
      })
      for (const { target, owner } of ending) {
        if (owner === caller.person) continue
        const told = { target, owner, by: caller.person, ...(reason === '' ? {} : { reason }) }
        log.warn(told, 'somebody has ended the lock of another')
        onEnded(told)
      }
      const why = reason === '' ? '' : `: ${reason}`
      await Promise.all(
        ending.map((lock) =>
          drop(
            lock,
            lock.owner === caller.person
              ? { why: 'unlocked', message: `${lock.target} was unlocked by its owner${why}` }
              : {
                  why: 'ended-by-other',
                  message: `the lock of ${lock.target} was ended by somebody with the right to${why}`,
                },
          ),
        ),
      )
    },
    of: (service) => {
      const lock = locks.get(targetOf(service))
      return lock === undefined ? undefined : toldOf(lock)
    },
    endedOf: (owner, service) => ended.of(owner, targetOf(service)),
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
          const { target, graceMs } = lock
          log.info({ target, owner }, 'a lock has ended: its owner is gone')
          const message = `no link of the owner of ${target} was there for ${graceMs / 1000} s`
          const over = { why: 'token-ended', message: `the token of the owner of ${target} has ended` } as const
          void drop(lock, isOver ? over : { why: 'grace-over', message })
        })
      }
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: () => {
      for (const lock of locks.values()) lock.cancel()
      locks.clear()
    },
  }
}

const targetOf = ({ name, bench }: Lockable): string => (bench === undefined ? `service ${name}` : `bench ${bench}`)

/** Each target once, in one order for everybody. */
const byTarget = (services: readonly Lockable[]): readonly Lockable[] =>
  [...new Map(services.map((service) => [targetOf(service), service]))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, service]) => service)

const toldOf = ({ owner, since, reason }: Lock): ServiceLock => ({ owner, since, ...(reason === '' ? {} : { reason }) })

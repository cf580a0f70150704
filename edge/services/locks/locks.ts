/**
 * Who has locked what at this node.
 *
 * INVARIANTS: what is locked is one bench or one service of a daemon; a bench is locked by its lease, and by nothing else;
 * several are locked together or none; programs of one person each take a lock for themselves, and it ends with the last of
 * these takings; a taking ends by its own id, when the last link of its program has been gone for its grace, or at once when
 * that link's token has ended; what nobody holds any more is driven to its safe state by the bench itself.
 */
import type { AnnouncedService, EndedLock, ServiceLock } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Bench } from '../../benches/bench.ts'
import type { Lease } from '../../benches/lease.ts'
import { refused } from '../gate/tokens.ts'
import { type Caller, LOCAL } from '../service-source.ts'
import { EndedLocks, type EndedOf, endedByOther } from './lost-locks.ts'
import { heldMeanwhile, lockedBy, type Told, type Viewer } from './seen-lock.ts'

export interface LocksOptions {
  readonly benches: ReadonlyMap<string, Bench>
  /** Whether people are called by names here, and not by a hub's ids. */
  readonly namesPeople: boolean
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
  readonly caller: Taker
  /** Of the taking: the same again changes it. Without, each program has one taking. */
  readonly id?: string
  readonly services: readonly Lockable[]
  readonly reason: string
  readonly graceMs: number
}

export interface LockEnd {
  /** Ends own locks, and where the right `unlock` is had for them those of others. */
  readonly caller: Viewer
  /** Why another's is ended; empty for no reason. */
  readonly reason: string
  /** By service, since when the lock is that is meant: that of another time is not ended. */
  readonly seen?: ReadonlyMap<string, string>
  /** Ends this taking of the caller's alone; without, all of whoever has it. */
  readonly id?: string
}

export interface Locks {
  /** Locks all of them, those that are the owner's already included; throws `service-locked`, `bench-*`. The taking's id. */
  take(request: LockRequest): string
  /** Ends locks; resolves when benches were driven to their safe state. Throws `not-locked`, `service-locked`, `hold-changed`. */
  end(services: LockRequest['services'], by: LockEnd): Promise<void>
  of(service: Lockable): ServiceLock | undefined
  /** Throws `service-locked` where another has locked it. */
  requireUnlocked(service: Lockable, caller: Viewer): void
  /** How the owner's lock of it has ended last. */
  endedOf(owner: string, service: Lockable, id: string | undefined, seesWho: boolean): EndedOf
  /** Whether the owner has locked it, by that taking where one is named. */
  isTaken(owner: string, service: Lockable, id?: string): boolean
  /** Whether the owner has the bench by that lease. */
  has(owner: string, bench: string, lease: Lease): boolean
  /** The program has a link. */
  came(program: string): void
  /** It has none any more; for how many milliseconds anything of it is kept until it comes back. */
  left(program: string, isOver: boolean): number
  /**
   * Of whatever is locked, or of these alone where they are named; until the returned function is called. Told what has
   * changed, as `isOf` knows it.
   */
  onChange(listener: (targets: readonly string[]) => void, of?: readonly Lockable[]): () => void
  close(): void
}

interface Lock {
  readonly target: string
  readonly owner: string
  readonly since: string
  readonly bench: Bench | undefined
  readonly lease: Lease | undefined
  /** What an interlock said that ended it. */
  tripped: string | undefined
  /** By id, the oldest first; at least one. */
  readonly takings: Map<string, Taking>
}

/** A lock as one program has it. */
interface Taking {
  readonly program: string
  /** Whether its program has named it. */
  readonly isNamed: boolean
  readonly reason: string
  readonly graceMs: number
  cancel: () => void
}

/** Who takes, as one of its programs. */
export type Taker = Viewer & Pick<Caller, 'program'>

/** Of one lock. */
const MOST_TAKINGS = 64

export function createLocks({ benches, namesPeople, notOurs, onEnded, clock, log }: LocksOptions): Locks {
  const locks = new Map<string, Lock>()
  const ended = new EndedLocks()
  type Listener = (targets: readonly string[]) => void
  const listeners = new Set<Listener>()
  const listenersOf = new Map<string, Set<Listener>>()
  const changed = (targets: readonly string[]) => {
    const told = new Set(listeners)
    for (const target of targets) for (const listener of listenersOf.get(target) ?? []) told.add(listener)
    for (const listener of told) listener(targets)
  }
  const drop = async (lock: Lock, how: EndedOf): Promise<void> => {
    if (locks.get(lock.target) !== lock) return
    locks.delete(lock.target)
    ended.add(lock.owner, lock.target, how)
    for (const [id, { cancel }] of lock.takings) {
      ended.add(lock.owner, lock.target, how, id)
      cancel()
    }
    changed([lock.target])
    if (lock.lease !== undefined) await lock.bench?.release(lock.lease)
  }
  /** The lock ends with the last. */
  const dropTaking = async (lock: Lock, id: string, how: EndedOf): Promise<void> => {
    const taking = lock.takings.get(id)
    if (taking === undefined) return
    if (lock.takings.size === 1) return drop(lock, how)
    taking.cancel()
    lock.takings.delete(id)
    ended.add(lock.owner, lock.target, how, id)
    // Why it is locked may be another reason now.
    changed([lock.target])
  }
  const idOfUnnamed = (program: string): string | undefined => {
    for (const { takings } of locks.values())
      for (const [id, taking] of takings) if (!taking.isNamed && taking.program === program) return id
    return undefined
  }
  const ofLock = (viewer: Viewer, service: Lockable, lock: Lock): Told => ({
    viewer,
    service,
    lock: toldOf(lock),
    namesPeople,
  })
  const requireUnlocked: Locks['requireUnlocked'] = (service, caller) => {
    const lock = locks.get(targetOf(service))
    if (lock !== undefined && lock.owner !== caller.person) throw lockedBy(ofLock(caller, service, lock))
  }
  const held = (service: Lockable, caller: Viewer, id: string): Lock | undefined => {
    requireUnlocked(service, caller)
    const lock = locks.get(targetOf(service))
    if (lock !== undefined && !lock.takings.has(id) && lock.takings.size >= MOST_TAKINGS)
      throw refused('too-many-locks', `${lock.target} is locked by ${MOST_TAKINGS} programs of yours`, 'later')
    return lock
  }
  const lockNew = ({ caller }: LockRequest, service: Lockable): Lock => {
    const owner = caller.person
    const target = targetOf(service)
    const bench = service.bench === undefined ? undefined : benches.get(service.bench)
    const refusal = bench === undefined ? undefined : notOurs(bench)
    if (refusal !== undefined) throw refusal
    const lease = bench?.acquire({ kind: 'direct', id: owner })
    const since = new Date(clock.now()).toISOString()
    const lock: Lock = { target, owner, since, bench, lease, tripped: undefined, takings: new Map() }
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
      const { program } = request.caller
      const id = request.id ?? idOfUnnamed(program) ?? newId(clock.now())
      const fresh: Lock[] = []
      try {
        for (const service of services)
          if (held(service, request.caller, id) === undefined) fresh.push(lockNew(request, service))
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
        const takings = locks.get(targetOf(service))?.takings
        takings?.get(id)?.cancel()
        ended.forget(request.caller.person, targetOf(service), id)
        const { reason, graceMs } = request
        takings?.set(id, { program, isNamed: request.id !== undefined, reason, graceMs, cancel: () => {} })
      }
      changed(services.map(targetOf))
      return id
    },
    end: async (services, { caller, reason, seen, id }) => {
      for (const service of services) {
        const lock = locks.get(targetOf(service))
        const since = seen?.get(service.name)
        if (lock !== undefined && since !== undefined && Date.parse(since) !== Date.parse(lock.since))
          throw heldMeanwhile(ofLock(caller, service, lock))
      }
      const ending = byTarget(services).map((service) => {
        const lock = locks.get(targetOf(service))
        const isTaken = id === undefined || isTakenBy(lock, caller.person, id)
        if (lock === undefined || !isTaken)
          throw refused('not-locked', `${targetOf(service)} is not locked at this node`)
        if (lock.owner !== caller.person && !caller.may('unlock', service.name))
          throw lockedBy(ofLock(caller, service, lock), 'its end')
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
        ending.map((lock) => {
          const unlocked = { why: 'unlocked', message: `${lock.target} was unlocked by its owner${why}` } as const
          if (id !== undefined) return dropTaking(lock, id, unlocked)
          const by = { ...(namesPeople ? { by: nameOf(caller.person) } : {}), ...(reason === '' ? {} : { reason }) }
          return drop(lock, lock.owner === caller.person ? unlocked : endedByOther(lock.target, by))
        }),
      )
    },
    requireUnlocked,
    of: (service) => {
      const lock = locks.get(targetOf(service))
      return lock === undefined ? undefined : toldOf(lock)
    },
    endedOf: (owner, service, id, seesWho) => {
      const target = targetOf(service)
      const { by, reason, ...how } = ended.of(owner, target, id)
      if (how.why === 'ended-by-other' && !seesWho) return endedByOther(target, reason === undefined ? {} : { reason })
      return { ...how, ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) }
    },
    isTaken: (owner, service, id) => isTakenBy(locks.get(targetOf(service)), owner, id),
    has: (owner, bench, lease) => {
      const lock = locks.get(targetOf({ name: '', bench }))
      return lock !== undefined && lock.owner === owner && lock.lease === lease
    },
    came: (program) => {
      for (const { takings } of locks.values())
        for (const taking of takings.values()) if (taking.program === program) taking.cancel()
    },
    left: (program, isOver) => {
      let keptMs = 0
      for (const lock of locks.values()) {
        for (const [id, taking] of lock.takings) {
          if (taking.program !== program) continue
          if (!isOver) keptMs = Math.max(keptMs, taking.graceMs)
          taking.cancel()
          taking.cancel = clock.after(isOver ? 0 : taking.graceMs, () => {
            const { target, owner } = lock
            log.info({ target, owner }, 'a lock has ended: the program that took it is gone')
            const message = `no link of the owner of ${target} was there for ${taking.graceMs / 1000} s`
            const over = { why: 'token-ended', message: `the token of the owner of ${target} has ended` } as const
            void dropTaking(lock, id, isOver ? over : { why: 'grace-over', message })
          })
        }
      }
      return keptMs
    },
    onChange: (listener, of) => {
      if (of === undefined) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      }
      const targets = of.map(targetOf)
      for (const target of targets) {
        const those = listenersOf.get(target) ?? new Set()
        listenersOf.set(target, those.add(listener))
      }
      return () => {
        for (const target of targets) {
          const those = listenersOf.get(target)
          if (those?.delete(listener) === true && those.size === 0) listenersOf.delete(target)
        }
      }
    },
    close: () => {
      for (const { takings } of locks.values()) for (const { cancel } of takings.values()) cancel()
      locks.clear()
    },
  }
}

const targetOf = ({ name, bench }: Lockable): string => (bench === undefined ? `service ${name}` : `bench ${bench}`)

/** Whether a lock of one of these is one of the service. */
export const isOf = (targets: readonly string[], service: Lockable): boolean => targets.includes(targetOf(service))

const nameOf = (person: string): string => (person === LOCAL ? "the owner of the node's machine" : person)

/** Each target once, in one order for everybody. */
const byTarget = (services: readonly Lockable[]): readonly Lockable[] =>
  [...new Map(services.map((service) => [targetOf(service), service]))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, service]) => service)

const isTakenBy = (lock: Lock | undefined, owner: string, id: string | undefined): boolean =>
  lock !== undefined && lock.owner === owner && (id === undefined || lock.takings.has(id))

/** Why, as who took it first says. */
function toldOf({ owner, since, takings }: Lock): ServiceLock {
  const [first] = takings.values()
  return { owner, since, ...(first === undefined || first.reason === '' ? {} : { reason: first.reason }) }
}

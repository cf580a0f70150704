/**
 * Who is told whose a lock is. One rule wherever a node speaks of one, in entries and in refusals, and the same as a hub's:
 * whoever may read a service is told that it is locked and since when; by whom and why are told to that person, and with the
 * right `unlock`, since the words of somebody who stays unnamed may name them.
 */
import type { AnnouncedService, ServiceLock } from '@fernlab/shared/contracts/services'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../service-source.ts'

export type Viewer = Pick<Caller, 'person' | 'may'>
type Lockable = Pick<AnnouncedService, 'name' | 'bench'>
export type SeenLock = Partial<ServiceLock> & Pick<ServiceLock, 'since'>

/** Whether the viewer is told who has locked the service, and why. */
export const seesOwner = (viewer: Viewer, service: string, owner: string): boolean =>
  owner === viewer.person || viewer.may('unlock', service)

/** The lock of the service as the viewer is told of it. */
export const seenLock = (viewer: Viewer, service: string, lock: ServiceLock): SeenLock =>
  seesOwner(viewer, service, lock.owner) ? lock : { since: lock.since }

/** A bench that somebody has. */
export interface UsedBench {
  readonly bench: string
  /** A run's is nobody's to be named. */
  readonly by: 'run' | 'direct'
  readonly since: string
  /** Of a lock that this node gave; whose a hub's is, the hub tells. */
  readonly lock: ServiceLock | undefined
  /** Whether it is the viewer's own, by another link than this. */
  readonly isOwn: boolean
}

/** Why the viewer may not use the service, or not read it beside whoever has its bench. */
export function inUse(
  viewer: Viewer,
  service: string,
  { bench, by, since, lock, isOwn }: UsedBench,
  code: 'bench-held' | 'bench-busy',
): LabError {
  const seen: Partial<ServiceLock> = lock === undefined ? {} : seenLock(viewer, service, lock)
  const why = seen.reason === undefined ? '' : ` (${seen.reason})`
  const who = isOwn ? 'you have it in another program or page,' : `${seen.owner ?? 'somebody else'} has it`
  const what = by === 'run' ? `a run has it since ${since}` : `${who} since ${since}${why}`
  const next = by === 'run' ? 'wait until it is over' : isOwn ? 'give it back there' : 'wait until it is given back'
  return new LabError({
    code,
    kind: 'caller',
    retry: 'later',
    message: `bench ${bench} is in use: ${what}; ${next}`,
    details: {
      since,
      ...(by === 'run' ? { run: true } : {}),
      ...(isOwn ? { mine: true } : {}),
      ...(seen.owner === undefined ? {} : { by: seen.owner }),
      ...(seen.reason === undefined ? {} : { reason: seen.reason }),
    },
  })
}

/** Why the viewer does not get what another has locked, or may not end the lock. */
export function lockedBy(
  viewer: Viewer,
  service: Lockable,
  lock: ServiceLock,
  wanted: 'it' | 'its end' = 'it',
): LabError {
  const { owner, since, reason, said } = wordsOf(viewer, service, lock)
  return new LabError({
    code: 'service-locked',
    kind: 'caller',
    retry: 'later',
    message: `${said}${wanted === 'it' ? '' : ": to end another's lock takes a token with the right unlock"}`,
    details: {
      service: service.name,
      since,
      ...(owner === undefined ? {} : { owner }),
      ...(reason === undefined ? {} : { reason }),
    },
  })
}

/** It is locked by another than whose lock was to be ended, or again. */
export function heldMeanwhile(viewer: Viewer, service: Lockable, lock: ServiceLock): LabError {
  const { owner, since, said } = wordsOf(viewer, service, lock)
  return new LabError({
    code: 'hold-changed',
    kind: 'caller',
    message: `no lock was ended: ${said}, which is another lock than was meant`,
    details: { since, ...(owner === undefined ? {} : { owner }) },
  })
}

function wordsOf(viewer: Viewer, { name, bench }: Lockable, lock: ServiceLock) {
  const { owner, since, reason } = seenLock(viewer, name, lock)
  const why = reason === undefined ? '' : ` (${reason})`
  const target = bench === undefined ? `service ${name}` : `bench ${bench}`
  return { owner, since, reason, said: `${target} is locked by ${owner ?? 'somebody else'} since ${since}${why}` }
}

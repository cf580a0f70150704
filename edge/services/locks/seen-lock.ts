/**
 * Who is told whose a lock is. One rule wherever a node speaks of one, in entries and in refusals, and the same as a hub's:
 * whoever may read a service is told that it is locked and since when; by whom and why are told to that person, and with the
 * right `unlock`, since the words of somebody who stays unnamed may name them.
 */
import { heldBy } from '@fernlab/shared/contracts/held-by'
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
  const ofRun = { said: `a run has it since ${since}`, next: 'wait until it is over', details: { since, run: true } }
  const { said, next, details } =
    by === 'run' ? ofRun : heldBy({ since, mine: isOwn, by: seen.owner, reason: seen.reason })
  return new LabError({
    code,
    kind: 'caller',
    retry: 'later',
    message: `bench ${bench} is in use: ${said}; ${next}`,
    details,
  })
}

/** Of whom it is told whose a lock is. */
export interface Told {
  readonly viewer: Viewer
  readonly service: Lockable
  readonly lock: ServiceLock
  /** Whether people are called by names here, and not by a hub's ids. */
  readonly namesPeople: boolean
}

/** Why the viewer does not get what another has locked, or may not end the lock. */
export function lockedBy(told: Told, wanted: 'it' | 'its end' = 'it'): LabError {
  const { said, details } = wordsOf(told)
  return new LabError({
    code: 'service-locked',
    kind: 'caller',
    retry: 'later',
    message: `${said}${wanted === 'it' ? '' : ": to end another's lock takes a token with the right unlock"}`,
    details: { service: told.service.name, ...details },
  })
}

/** It is locked by another than whose lock was to be ended, or again. */
export function heldMeanwhile(told: Told): LabError {
  const { said, details } = wordsOf(told)
  const message = `no lock was ended: ${said}, which is another lock than was meant`
  return new LabError({ code: 'hold-changed', kind: 'caller', message, details })
}

function wordsOf({ viewer, service: { name, bench }, lock, namesPeople }: Told) {
  const { owner, since, reason } = seenLock(viewer, name, lock)
  const why = reason === undefined ? '' : ` (${reason})`
  const target = bench === undefined ? `service ${name}` : `bench ${bench}`
  return {
    said: `${target} is locked by ${owner ?? 'somebody else'} since ${since}${why}`,
    details: {
      since,
      // An id of a hub's people is no name, which its directory tells.
      ...(owner === undefined ? {} : { owner, ...(namesPeople ? { by: owner } : {}) }),
      ...(reason === undefined ? {} : { reason }),
    },
  }
}

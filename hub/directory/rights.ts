/** What a token for services may let a person do; pure. */
import type { ServiceRight } from '@fernlab/shared/contracts/services'
import type { Caller } from '../accounts/caller.ts'
import { type Action, can } from '../accounts/can.ts'

/** Whoever may have a session may use what it has. */
const OF_SESSION: Action = 'runs.submit'
const needs: Readonly<Record<ServiceRight, Action>> = {
  read: 'services.read',
  use: 'benches.drive',
  lock: 'benches.drive',
  unlock: 'benches.maintain',
}

/** What the token is asked for. */
export interface AskedFor {
  /** A lease of the person's own comes with it, or an own session. */
  readonly hold: boolean
  readonly session?: boolean
  /** Services among them that are no part of a bench. */
  readonly own: boolean
}

/** The rights that the person is given; parts of a bench are used with a hold of it alone. */
export function rightsFor(caller: Caller, { hold, own, session = false }: AskedFor): ServiceRight[] {
  const wanted: ServiceRight[] = [
    'read',
    ...(hold || own ? ['use' as const] : []),
    ...(own ? ['lock' as const] : []),
    'unlock',
  ]
  return wanted.filter((right) => can(caller, needed(right, session)))
}

/** Whether the person may still have all of them. */
export const mayHave = (caller: Caller, rights: readonly ServiceRight[], session = false): boolean =>
  rights.every((right) => can(caller, needed(right, session)))

const needed = (right: ServiceRight, session: boolean): Action =>
  session && right === 'use' ? OF_SESSION : needs[right]

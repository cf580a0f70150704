/**
 * What somebody may: of the permissions that hold, the most generous for each term. Pure.
 *
 * Adding a permission never takes anything away, and their order does not matter.
 */
import type { Term, Terms } from '@fernlab/shared/contracts/permissions'
import { priorities } from '@fernlab/shared/contracts/run-state'
import { termNames } from '@fernlab/shared/contracts/terms'
import type { Role } from '../accounts/caller.ts'

/** A permission as decisions see it. */
export interface HeldPermission {
  readonly id: string
  readonly kind: 'everyone' | 'role' | 'group' | 'person'
  /** Role, group or person; empty for everyone. */
  readonly subject: string
  readonly lab: string | null
  readonly protocols: readonly string[] | null
  /** Epoch ms; from the first on, until before the second. */
  readonly fromMs: number | null
  readonly untilMs: number | null
  readonly gives: Terms
}

export interface Who {
  readonly personId: string
  readonly role: Role
  /** In which they count now. */
  readonly groups: ReadonlySet<string>
}

export interface Effective {
  readonly gives: Terms
  /** The permission that gives a term; the first by id where several give as much. */
  readonly sources: Readonly<Partial<Record<Term, string>>>
  /** Ids of those that hold, in order. */
  readonly holding: readonly string[]
}

/** What nobody gave. */
export const nothing: Terms = {
  mayQueue: false,
  mayBook: false,
  mayBeBumped: true,
  priority: priorities.latest,
  sessionS: 0,
  mostOpen: 0,
  dayS: 0,
  weekS: 0,
  bookAheadS: 0,
  mostBookings: 0,
  countsSetup: true,
}

/** What an admin may. */
export const everything: Terms = {
  mayQueue: true,
  mayBook: true,
  mayBeBumped: false,
  priority: priorities.soonest,
  sessionS: null,
  mostOpen: null,
  dayS: null,
  weekS: null,
  bookAheadS: null,
  mostBookings: null,
  countsSetup: false,
}

/** Larger is more generous. */
function generosity(term: Term, gives: Terms): number {
  switch (term) {
    case 'mayQueue':
    case 'mayBook':
      return gives[term] ? 1 : 0
    case 'mayBeBumped':
    case 'countsSetup':
      return gives[term] ? 0 : 1
    case 'priority':
      return -gives.priority
    default:
      return gives[term] ?? Number.POSITIVE_INFINITY
  }
}

/** Whether the permission is for this person. Guests look on, whatever permissions there are. */
export function isFor({ kind, subject }: HeldPermission, { personId, role, groups }: Who): boolean {
  if (role === 'guest') return false
  switch (kind) {
    case 'everyone':
      return true
    case 'role':
      return subject === role
    case 'group':
      return groups.has(subject)
    case 'person':
      return subject === personId
  }
}

export function holdsAt({ fromMs, untilMs }: HeldPermission, nowMs: number): boolean {
  return (fromMs ?? nowMs) <= nowMs && nowMs < (untilMs ?? Number.POSITIVE_INFINITY)
}

/** What the permissions together give the person in the lab now; without a protocol, in any of them. */
export function effective(
  permissions: readonly HeldPermission[],
  who: Who,
  lab: string,
  protocol: string | undefined,
  nowMs: number,
): Effective {
  const holding = permissions
    .filter(
      (one) =>
        (one.lab === null || one.lab === lab) &&
        (protocol === undefined || one.protocols === null || one.protocols.includes(protocol)) &&
        holdsAt(one, nowMs) &&
        isFor(one, who),
    )
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const sources: Partial<Record<Term, string>> = {}
  const gives: Record<string, unknown> = { ...nothing }
  for (const term of termNames) {
    let most = Number.NEGATIVE_INFINITY
    for (const one of holding) {
      const given = generosity(term, one.gives)
      if (given <= most) continue
      most = given
      gives[term] = one.gives[term]
      sources[term] = one.id
    }
  }
  return { gives: gives as Terms, sources, holding: holding.map(({ id }) => id) }
}

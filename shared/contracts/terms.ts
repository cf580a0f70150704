/** Terms of permissions, for who needs no schema of them. */
import type { Term, Terms } from './permissions.ts'

export const subjectKinds = ['everyone', 'role', 'group', 'person'] as const

/** What a permission gives where it does not say. */
export const usualTerms: Terms = {
  mayQueue: true,
  mayBook: true,
  mayBeBumped: false,
  priority: 5,
  sessionS: 1800,
  mostOpen: null,
  dayS: null,
  weekS: null,
  bookAheadS: 14 * 86_400,
  mostBookings: 3,
  countsSetup: false,
}

export const termNames = Object.keys(usualTerms) as readonly Term[]

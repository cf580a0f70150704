/** Roles, what each entitles to, and how invitations stand; the same for hub, page and command line. */

/** From the one who may most. */
export const roles = ['admin', 'instructor', 'builder', 'student', 'guest'] as const
export type Role = (typeof roles)[number]

export const groupKinds = ['group', 'course'] as const
/** What somebody is in a group. */
export const groupRoles = ['member', 'instructor'] as const

/** Roles that people may be given who register themselves. */
export const selfRegisteredRoles = ['student', 'guest'] as const

/** True for those who look after others' runs and benches. */
export const isStaff = (role: Role | undefined): boolean => role === 'admin' || role === 'instructor'

/** To which roles the person may invite: instructors their students and guests, admins anybody. */
export function mayInvite({ role }: { readonly role: Role }, to: Role): boolean {
  return role === 'admin' || (role === 'instructor' && (to === 'student' || to === 'guest'))
}

/** Whether people may still join by an invitation, and if not, why. */
export function invitationState(
  invitation: {
    readonly revokedAt?: string | undefined
    readonly used: number
    readonly most: number
    readonly expiresAt: string
  },
  nowMs: number,
): 'open' | 'takenBack' | 'full' | 'ended' {
  if (invitation.revokedAt !== undefined) return 'takenBack'
  if (invitation.used >= invitation.most) return 'full'
  return Date.parse(invitation.expiresAt) <= nowMs ? 'ended' : 'open'
}

/** In one list that is imported: more than a university takes in a year. */
export const MOST_IMPORTED = 50_000
export const tooManyPeople = `has more than ${MOST_IMPORTED} people; import it in parts`
/** Characters of a list: ten times what as many people need. */
export const LONGEST_LIST = 20_000_000
export const tooLongList = `is longer than ${LONGEST_LIST / 1e6} million characters; import it in parts`

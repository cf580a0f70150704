import { mayInvite, type Role, roles } from '@fernlab/shared/contracts/people'

/** From the one who may least to the one who may most. */
export const allRoles: readonly Role[] = [...roles].reverse()

/** To which roles somebody of this role may invite. */
export const invitable = (role: Role | undefined): readonly Role[] =>
  role === undefined ? [] : allRoles.filter((to) => mayInvite({ role }, to))

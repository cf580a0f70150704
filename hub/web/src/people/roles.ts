import type { Me } from '@fernlab/shared/contracts/api'

type Role = Me['role']

/** From the one who may least to the one who may most. */
export const allRoles: readonly Role[] = ['guest', 'student', 'builder', 'instructor', 'admin']

/** To which roles somebody of this role may invite; the hub decides. */
export const invitable = (role: Role | undefined): readonly Role[] =>
  role === 'admin' ? allRoles : role === 'instructor' ? ['guest', 'student'] : []

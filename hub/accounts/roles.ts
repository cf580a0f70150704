/** Roles of people, and what goes with them. */
import { mayInvite, roles } from '@fernlab/shared/contracts/people'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { ExpressionBuilder } from 'kysely'
import { auditEntries } from '../store/audit-entries.ts'
import type { HubSchema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import type { Caller, Role } from './caller.ts'

/**
 * Gives the person the role, and takes back their invitations to which it does not entitle, unless that leaves no admin who
 * can sign in: then it throws `last-admin`, also when two admins take the role from each other at once. Throws
 * `person-unknown`.
 */
export async function setRole(options: {
  store: Store
  clock: Clock
  by: Caller
  personId: string
  role: Role
}): Promise<void> {
  const { store, clock, by, personId, role } = options
  const person = await store.db.selectFrom('person').select('role').where('id', '=', personId).executeTakeFirst()
  if (person === undefined) throw personUnknown(personId)
  if (person.role === role) return
  const change = store.db
    .updateTable('person')
    .set({ role })
    .where('id', '=', personId)
    .where((eb) => eb.or([eb('role', '!=', 'admin'), anotherAdmin(eb, personId)]))
  try {
    await store.write([
      { query: change, expect: 1 },
      revokeInvitations({ store, clock, of: personId, but: roles.filter((to) => mayInvite({ role }, to)) }),
      auditEntries(store, clock)(by.personId, 'person.role', personId, { from: person.role, to: role }),
    ])
  } catch (error) {
    if (asLabError(error).code !== 'precondition-failed') throw error
    throw lastAdmin()
  }
}

/** The query that takes back the person's invitations, but those to these roles. */
export function revokeInvitations(options: { store: Store; clock: Clock; of: string; but?: readonly Role[] }) {
  const { store, clock, of, but = [] } = options
  return store.db
    .updateTable('invitation')
    .set({ revoked_at: clock.now() })
    .where('created_by', '=', of)
    .where('revoked_at', 'is', null)
    .$if(but.length > 0, (query) => query.where('role', 'not in', but))
}

/** True while somebody else is admin who can sign in. */
export function anotherAdmin(eb: ExpressionBuilder<HubSchema, 'person'>, than: string) {
  return eb.exists(
    eb
      .selectFrom('person as other')
      .innerJoin('account', 'account.userId', 'other.id')
      .select('other.id')
      .where('other.role', '=', 'admin')
      .where('other.suspended_at', 'is', null)
      .where('other.id', '!=', than)
      .where('account.providerId', '=', 'credential'),
  )
}

export function personUnknown(personId: string): LabError {
  return new LabError({ code: 'person-unknown', kind: 'caller', message: `there is no person ${personId}` })
}

export function lastAdmin(): LabError {
  return new LabError({
    code: 'last-admin',
    kind: 'caller',
    message: 'this is the only admin who can sign in',
    studentMessage: 'This is the only admin who can sign in. Make somebody else admin first.',
  })
}

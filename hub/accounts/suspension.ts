/**
 * Shutting people out for a while, and letting them in again.
 *
 * INVARIANTS: while `person.suspended_at` is set, no sign-in, token, passkey or invitation of the person opens anything;
 * what was open by one is told to end within the call. There is always an admin who can sign in.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { FaultHook } from '../fault-point.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { Identity } from './identity.ts'
import { anotherAdmin, lastAdmin, personUnknown } from './roles.ts'
import type { Tokens } from './tokens.ts'

type By = { readonly personId: string }

export interface Suspension {
  /** True from the moment in which nothing more may be begun for this person. */
  isSuspended(personId: string): boolean
  /**
   * Ends every sign-in of the person, the trust in browsers and links that are on their way; tokens work no more until the
   * person is let in again. Throws `person-unknown`, `last-admin`, and `suspend-yourself`.
   */
  suspend(by: By, personId: string): Promise<void>
  /** Lets the person sign in again; tokens work as before. Throws `person-unknown`. */
  restore(by: By, personId: string): Promise<void>
}

/** Opens suspensions on the store, as they were when the hub was last up. */
export async function createSuspension(options: {
  store: Store
  identity: Pick<Identity, 'forget'>
  tokens: Pick<Tokens, 'forget'>
  clock: Clock
  faultPoint?: FaultHook | undefined
}): Promise<Suspension> {
  const { store, identity, tokens, clock, faultPoint } = options
  const { db } = store
  const audit = auditEntries(store, clock)
  const before = await db.selectFrom('person').select('id').where('suspended_at', 'is not', null).execute()
  const suspended = new Set(before.map(({ id }) => id))

  const find = async (personId: string) => {
    const query = db.selectFrom('person').select(['id', 'suspended_at']).where('id', '=', personId)
    const person = await query.executeTakeFirst()
    if (person === undefined) throw personUnknown(personId)
    return person
  }
  const forget = (personId: string) => {
    tokens.forget()
    identity.forget(personId)
  }
  const endSignIns = (personId: string) => [
    db.deleteFrom('session').where('userId', '=', personId),
    db.deleteFrom('trusted_browser').where('person_id', '=', personId),
    db.deleteFrom('one_time').where('subject', '=', personId),
    db.deleteFrom('address_link').where('person_id', '=', personId),
  ]

  return {
    isSuspended: (personId) => suspended.has(personId),
    suspend: async (by, personId) => {
      if (by.personId === personId) throw yourself()
      if ((await find(personId)).suspended_at !== null) return
      const shutOut = db
        .updateTable('person')
        .set({ suspended_at: clock.now() })
        .where('id', '=', personId)
        .where('suspended_at', 'is', null)
        .where((eb) => eb.or([eb('role', '!=', 'admin'), anotherAdmin(eb, personId)]))
      faultPoint?.('before-suspend-commit')
      try {
        await store.write([
          { query: shutOut, expect: 1 },
          ...endSignIns(personId),
          audit(by.personId, 'person.suspended', personId),
        ])
      } catch (error) {
        if (asLabError(error).code !== 'precondition-failed') throw error
        if ((await find(personId)).suspended_at === null) throw lastAdmin()
        return
      }
      faultPoint?.('after-suspend-commit')
      suspended.add(personId)
      forget(personId)
    },
    restore: async (by, personId) => {
      if ((await find(personId)).suspended_at === null) return
      const letIn = db
        .updateTable('person')
        .set({ suspended_at: null })
        .where('id', '=', personId)
        .where('suspended_at', 'is not', null)
      try {
        await store.write([
          { query: letIn, expect: 1 },
          // A sign-in that was under way when the person was suspended may have left one.
          ...endSignIns(personId),
          audit(by.personId, 'person.restored', personId),
        ])
      } catch (error) {
        if (asLabError(error).code !== 'precondition-failed') throw error
        await find(personId)
        return
      }
      suspended.delete(personId)
      forget(personId)
    },
  }
}

/** What is refused to somebody who is suspended. */
export function accountSuspended(personId: string): LabError {
  return new LabError({
    code: 'account-suspended',
    kind: 'caller',
    message: `the account ${personId} is suspended`,
    studentMessage: 'This account is suspended. Ask the staff of this site.',
  })
}

const yourself = () =>
  new LabError({
    code: 'suspend-yourself',
    kind: 'caller',
    message: 'nobody suspends the account with which they ask',
    studentMessage: 'You can not suspend your own account. Another admin can.',
  })

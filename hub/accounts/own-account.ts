/**
 * What people do with accounts of their own: another name, signing out everywhere, taking their data, leaving.
 *
 * INVARIANTS: a closed account has no row in `person`, and without one no session, token or link opens anything: also one
 * that was being made while the account was closed.
 */
import type { Traces } from '@fernlab/shared/contracts/account-export'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { sql } from 'kysely'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { Identity } from './identity.ts'
import { tracesOf } from './own-traces.ts'
import { withoutOwnWords } from './own-words.ts'
import { withoutPasskeys } from './passkeys.ts'
import { anotherAdmin, lastAdmin, personUnknown, revokeInvitations } from './roles.ts'
import { withoutSecondFactor } from './second-factor.ts'
import type { Tokens } from './tokens.ts'
import { wrongPassword } from './wrong-password.ts'

export interface OwnAccount {
  /** Throws `person-unknown` for an account that was closed meanwhile. */
  rename(personId: string, name: string): Promise<void>
  /** Ends every session of the person, here and elsewhere, and the trust in browsers; tokens stay. */
  signOutEverywhere(personId: string): Promise<void>
  /** What the hub keeps of the person besides the account and its runs. */
  traces(personId: string): Promise<Traces>
  /**
   * Closes the account for good: the name, the address, notes, the password, sessions and tokens are gone; runs and their
   * data stay, of nobody who can be named. Throws `wrong-credentials`, `last-admin`, and `runs-open` while runs wait or run.
   */
  close(personId: string, password: string): Promise<void>
}

export interface OwnAccountOptions {
  readonly store: Store
  readonly identity: Identity
  readonly tokens: Tokens
  readonly clock: Clock
  readonly log: Log
}

const open = ['queued', 'assigned', 'running'] as const

/** People's own accounts in the store. */
export function createOwnAccount({ store, identity, tokens, clock, log }: OwnAccountOptions): OwnAccount {
  const { db } = store
  const audit = (personId: string, action: string) => auditEntries(store, clock)(personId, action, personId)

  const openRuns = async (personId: string): Promise<number> => {
    const query = db.selectFrom('run').select(({ fn }) => fn.countAll<number>().as('count'))
    const row = await query.where('person_id', '=', personId).where('state', 'in', open).executeTakeFirstOrThrow()
    return row.count
  }

  return {
    rename: async (personId, name) => {
      const updatedAt = new Date(clock.now()).toISOString()
      const query = db
        .updateTable('user')
        .set({ name, updatedAt })
        .where('id', '=', personId)
        .where(({ exists, selectFrom }) =>
          exists(selectFrom('person').select('person.id').where('person.id', '=', personId)),
        )
      try {
        await store.write([{ query, expect: 1 }, audit(personId, 'person.renamed')])
      } catch (error) {
        if (asLabError(error).code !== 'precondition-failed') throw error
        throw personUnknown(personId)
      }
      tokens.forget()
      identity.forget(personId)
    },
    signOutEverywhere: async (personId) => {
      await store.write([
        db.deleteFrom('session').where('userId', '=', personId),
        db.deleteFrom('trusted_browser').where('person_id', '=', personId),
        audit(personId, 'session.ended-all'),
      ])
      identity.forget(personId)
    },
    traces: (personId) => tracesOf(store, personId),
    close: async (personId, password) => {
      if (!(await identity.verifyPassword(personId, password))) throw wrongPassword()
      const now = clock.now()
      const leave = db
        .deleteFrom('person')
        .where('id', '=', personId)
        .where((eb) => eb.or([eb('role', '!=', 'admin'), anotherAdmin(eb, personId)]))
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('run').select('run.id').where('run.person_id', '=', personId).where('run.state', 'in', open),
            ),
          ),
        )
      const nobody = { name: 'Former member', email: `${personId}@former.fernlab.invalid`, image: null }
      try {
        await store.write([
          { query: leave, expect: 1 },
          db
            .deleteFrom('address_link')
            .where(({ or, eb, selectFrom }) =>
              or([
                eb('person_id', '=', personId),
                eb('email', '=', selectFrom('user').select('email').where('id', '=', personId)),
              ]),
            ),
          db
            .updateTable('user')
            .set({ ...nobody, updatedAt: new Date(now).toISOString() })
            .where('id', '=', personId),
          db.deleteFrom('account').where('userId', '=', personId),
          db.deleteFrom('session').where('userId', '=', personId),
          db.deleteFrom('token').where('person_id', '=', personId),
          db.deleteFrom('one_time').where('subject', '=', personId),
          db.deleteFrom('account_letter').where('person_id', '=', personId),
          ...withoutSecondFactor(store, personId),
          withoutPasskeys(store, personId),
          ...withoutOwnWords(store, personId),
          db.deleteFrom('idempotency').where('person_id', '=', personId),
          db.deleteFrom('group_member').where('person_id', '=', personId),
          db.deleteFrom('permission').where('subject_kind', '=', 'person').where('subject', '=', personId),
          db.deleteFrom('live_partner').where('person_id', '=', personId),
          db.deleteFrom('live_chat').where('person_id', '=', personId),
          db.deleteFrom('bench_letters').where('person_id', '=', personId),
          db.deleteFrom('booking_notice').where('person_id', '=', personId),
          db
            .updateTable('run')
            .set({ note: null, client_address: null, idempotency_key: null, request_hash: null })
            .where('person_id', '=', personId)
            .where(({ or, eb }) =>
              or([
                eb('note', 'is not', null),
                eb('client_address', 'is not', null),
                eb('idempotency_key', 'is not', null),
              ]),
            ),
          db
            .updateTable('direct_use')
            .set({ client_address: null })
            .where('person_id', '=', personId)
            .where('client_address', 'is not', null),
          db
            .updateTable('direct_command')
            .set({ client_address: null })
            .where('client_address', 'is not', null)
            .where('use_id', 'in', db.selectFrom('direct_use').select('id').where('person_id', '=', personId)),
          db
            .updateTable('booking')
            .set({ state: 'cancelled', cancelled_at: now })
            .where('person_id', '=', personId)
            .where('state', '=', 'booked')
            .where('ends_at', '>', now),
          db.updateTable('booking').set({ note: null }).where('person_id', '=', personId).where('note', 'is not', null),
          db
            .updateTable('recurring')
            .set({ paused_for: 'owner-left', due_at: null, name: sql<string>`protocol` })
            .where('person_id', '=', personId),
          revokeInvitations({ store, clock, of: personId }),
          db.updateTable('invitation').set({ note: null }).where('created_by', '=', personId),
          audit(personId, 'person.left'),
          // Also of this entry.
          db
            .updateTable('audit')
            .set({ address: null })
            .where('person_id', '=', personId)
            .where('address', 'is not', null),
        ])
      } catch (error) {
        if (asLabError(error).code !== 'precondition-failed') throw error
        if ((await openRuns(personId)) === 0) throw lastAdmin()
        throw new LabError({
          code: 'runs-open',
          kind: 'caller',
          message: 'some of the person’s runs wait or are under way',
          studentMessage:
            'You have runs that wait or are under way. Stop them or let them end, then close the account.',
        })
      }
      tokens.forget()
      identity.forget(personId)
      // The write-ahead log would hold what was just removed for a while.
      await store.database.checkpoint()
      log.info({ person: personId }, 'a person closed their account')
    },
  }
}

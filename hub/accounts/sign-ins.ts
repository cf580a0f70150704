/** Where people are signed in, and how they end that from elsewhere. */
import type { OwnSignIn } from '@fernlab/shared/contracts/sign-ins'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import { browserName } from './browser-name.ts'
import type { Caller } from './caller.ts'
import type { Identity } from './identity.ts'
import type { LastSeen } from './last-seen.ts'

export interface SignIns {
  /** Whose it is, as long as it has not ended. */
  holder(id: string): Promise<string | undefined>
  /** Those of the caller that have not ended, the last seen first. */
  list(caller: Caller): Promise<OwnSignIn[]>
  /** Ends one of the caller's at once; throws `sign-in-unknown`. */
  end(caller: Caller, id: string): Promise<void>
  /** Ends all but the one that asks, and the trust in browsers. */
  endOthers(caller: Caller): Promise<void>
}

export interface SignInsOptions {
  readonly store: Store
  readonly identity: Identity
  readonly lastSeen: LastSeen
  readonly clock: Clock
}

/** Reads and ends sessions in the store. */
export function createSignIns({ store, identity, lastSeen, clock }: SignInsOptions): SignIns {
  const { db } = store
  const audit = auditEntries(store, clock)
  return {
    holder: async (id) => {
      const row = await db
        .selectFrom('session')
        .select('userId')
        .where('id', '=', id)
        .where('expiresAt', '>', new Date(clock.now()).toISOString())
        .executeTakeFirst()
      return row?.userId
    },
    list: async ({ personId, sessionId }) => {
      const rows = await db
        .selectFrom('session')
        .select(['id', 'ipAddress', 'userAgent', 'createdAt', 'updatedAt', 'expiresAt'])
        .where('userId', '=', personId)
        .where('expiresAt', '>', new Date(clock.now()).toISOString())
        .execute()
      return rows
        .map(({ id, ipAddress, userAgent, createdAt: since, updatedAt, expiresAt }) => ({
          id,
          ...browserName(userAgent ?? ''),
          ...(ipAddress ? { address: ipAddress } : {}),
          since,
          lastSeenAt: lastSeen.of(id) ?? updatedAt,
          expiresAt,
          here: id === sessionId,
        }))
        .sort((a, b) => (a.lastSeenAt < b.lastSeenAt ? 1 : -1))
    },
    end: async ({ personId }, id) => {
      const query = db.deleteFrom('session').where('id', '=', id).where('userId', '=', personId)
      try {
        await store.write([{ query, expect: 1 }, audit(personId, 'session.ended', personId)])
      } catch (error) {
        if (asLabError(error).code !== 'precondition-failed') throw error
        throw new LabError({ code: 'sign-in-unknown', kind: 'caller', message: `you have no sign-in ${id}` })
      }
      identity.forget(personId)
    },
    endOthers: async ({ personId, sessionId = '' }) => {
      await store.write([
        db.deleteFrom('session').where('userId', '=', personId).where('id', '!=', sessionId),
        db.deleteFrom('trusted_browser').where('person_id', '=', personId),
        audit(personId, 'session.ended-others', personId),
      ])
      identity.forget(personId)
    },
  }
}

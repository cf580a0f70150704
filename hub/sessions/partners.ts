/** Who takes part in a session beside its owner, and the link by which they come. */
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { hashSecret, newSecret } from '../accounts/secret-text.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import type { OpenSessions } from './open-sessions.ts'
import type { LiveSessionTable } from './tables.ts'

export interface PartnersOptions {
  readonly store: Store
  readonly sessions: Pick<OpenSessions, 'open'>
  readonly turn: Pick<Turn, 'mustBeOpen'>
  readonly clock: Pick<Clock, 'now'>
}

export interface Partners {
  /** In the order in which they joined. */
  of(id: string): Promise<Session['partners']>
  isPartner(id: string, personId: string): Promise<boolean>
  /** The token of a link by which they come; one made before stops working. */
  invite(id: string): Promise<string>
  /** Makes somebody a partner of the session that the link leads to, whose id is answered; throws `link-used-or-expired`. */
  join(personId: string, token: string): Promise<string>
}

/** The partners of this hub's sessions. */
export function createPartners({ store, sessions, turn, clock }: PartnersOptions): Partners {
  /** The session, or the rest of it that is open. */
  const openRest = async ({
    run_id,
    next_id,
  }: Pick<LiveSessionTable, 'run_id' | 'next_id'>): Promise<OpenRun | undefined> => {
    const run = sessions.open(run_id)
    if (run !== undefined || next_id === null) return run
    const next = store.db.selectFrom('live_session').select(['run_id', 'next_id']).where('run_id', '=', next_id)
    const row = await next.executeTakeFirst()
    return row === undefined ? undefined : await openRest(row)
  }

  /** Those of which the session is the rest. */
  const sessionsBefore = async (id: string): Promise<string[]> => {
    const before = store.db.selectFrom('live_session').select('run_id').where('next_id', '=', id)
    const row = await before.executeTakeFirst()
    return row === undefined ? [] : [row.run_id, ...(await sessionsBefore(row.run_id))]
  }

  return {
    of: (id) =>
      store.db
        .selectFrom('live_partner')
        .innerJoin('user', 'user.id', 'live_partner.person_id')
        .select(['user.id', 'user.name'])
        .where('live_partner.run_id', '=', id)
        .orderBy('live_partner.joined_at')
        .execute(),
    isPartner: async (id, personId) => {
      const row = await store.db
        .selectFrom('live_partner')
        .select('run_id')
        .where('run_id', '=', id)
        .where('person_id', '=', personId)
        .executeTakeFirst()
      return row !== undefined
    },
    invite: async (id) => {
      if (sessions.open(id) === undefined) {
        turn.mustBeOpen()
        throw new LabError({ code: 'session-ended', kind: 'caller', message: `session ${id} has ended` })
      }
      const token = newSecret()
      const link = (hash: string | null, of: string) =>
        store.db.updateTable('live_session').set({ invite_hash: hash }).where('run_id', '=', of)
      const replaced = (await sessionsBefore(id)).map((before) => link(null, before))
      await store.write([...replaced, link(hashSecret(token), id)])
      return token
    },
    join: async (personId, token) => {
      const row = await store.db
        .selectFrom('live_session')
        .select(['run_id', 'next_id'])
        .where('invite_hash', '=', hashSecret(token))
        .executeTakeFirst()
      const run = row === undefined ? undefined : await openRest(row)
      if (run === undefined) {
        turn.mustBeOpen()
        throw new LabError({
          code: 'link-used-or-expired',
          kind: 'caller',
          message: 'this link leads to no open session',
          studentMessage: 'This session is over, or the link was replaced. Ask for a new one.',
        })
      }
      if (run.personId !== personId) {
        await store.write([
          store.db
            .insertInto('live_partner')
            .values({ run_id: run.id, person_id: personId, joined_at: clock.now() })
            .onConflict((conflict) => conflict.doNothing()),
        ])
      }
      return run.id
    },
  }
}

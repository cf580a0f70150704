/**
 * How people end sessions.
 *
 * INVARIANTS: who ends a session that its bench is failing at the same moment gets no rest of it: what was asked for is
 * kept before it is answered, and a rest that was made before that is given up while it has not begun.
 */
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../accounts/caller.ts'
import type { FaultHook } from '../fault-point.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { Runs } from '../runs/runs.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import type { ActiveRun, OpenSessions } from './open-sessions.ts'
import type { Partners } from './partners.ts'
import type { SessionUpkeep } from './session-upkeep.ts'

export interface SessionEndsOptions {
  readonly store: Pick<Store, 'db'>
  readonly sessions: OpenSessions
  readonly runs: Pick<Runs, 'cancel'>
  readonly ledger: Pick<Ledger, 'progress'>
  readonly turn: Pick<Turn, 'open' | 'mustBeOpen' | 'kept'>
  readonly partners: Pick<Partners, 'isPartner'>
  readonly calls: NodeCalls
  readonly release: SessionUpkeep['release']
  readonly faultPoint?: FaultHook | undefined
}

export interface SessionEnds {
  /** See `Sessions.finish`. */
  finish(id: string, by: Caller): Promise<void>
}

/** Over the sessions that are open. */
export function createSessionEnds(options: SessionEndsOptions): SessionEnds {
  const { store, sessions, runs, ledger, turn, partners, calls, release, faultPoint } = options

  const takeNoRest = async (run: OpenRun): Promise<void> => {
    const { session } = run
    if (session?.activeAt != null && session.endsAt !== null) ledger.progress(run, { ...session, endsAt: null })
    await turn.kept()
  }

  /** One that has begun is another session, which nobody has asked to end. */
  const finishRest = async (id: string, by: Caller): Promise<void> => {
    const row = await store.db.selectFrom('live_session').select('next_id').where('run_id', '=', id).executeTakeFirst()
    const next = row?.next_id ?? undefined
    if (next === undefined) return
    const rest = sessions.open(next)
    if (rest === undefined || rest.session?.stage === 'preparing') await finish(next, by)
  }

  const cancel = async (id: string, by: Caller, isPartner: boolean): Promise<void> => {
    // That somebody else ends it is the staff's doing, but for partners.
    if (!isPartner) return void (await runs.cancel(id, by))
    turn.mustBeOpen()
    const left = sessions.open(id)
    if (left !== undefined) release(left, 'cancelled on request')
    await turn.kept()
  }

  const finishActive = async ({ id, attempt, hold }: ActiveRun, by: Caller, isPartner: boolean): Promise<void> => {
    let cancelled = false
    try {
      faultPoint?.('before-finish')
      await calls.call(sessions.nodeOf({ hold }), 'session.finish', { runId: id, attempt, by: by.personId })
      faultPoint?.('after-finish')
    } catch (error) {
      // The node has ended it already, or is told again until it has.
      cancelled = asLabError(error).code !== 'session-not-active'
      if (cancelled) await cancel(id, by, isPartner)
    }
    turn.mustBeOpen()
    const left = sessions.open(id)
    if (left === undefined) await finishRest(id, by)
    else if (left.attempt === attempt && !cancelled) await takeNoRest(left)
  }

  const finish = async (id: string, by: Caller): Promise<void> => {
    turn.mustBeOpen()
    const asked = sessions.open(id)
    if (asked === undefined) return await finishRest(id, by)
    if (asked.session?.stage === 'finishing') return await takeNoRest(asked)
    const isPartner = by.personId !== asked.personId && (await partners.isPartner(id, by.personId))
    // As it is now: it may be over, or memory have been read again.
    const run = sessions.open(id)
    if (run === undefined) return await finishRest(id, by)
    const takesPart = isPartner || by.personId === run.personId
    const { hold } = run
    if (!takesPart || run.session?.stage !== 'active' || hold === undefined) await cancel(id, by, isPartner)
    else await finishActive({ ...run, hold }, by, isPartner)
  }

  return { finish }
}

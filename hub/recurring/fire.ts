/**
 * Makes the runs of recurring runs at their due times.
 *
 * INVARIANTS: what came of a due time, the run that it made and the next due time are one commit, so a hub that is killed
 * anywhere has done all of it or none; a due time has one row, so none gets two runs, also when the clock shows it again;
 * a due time that could not be decided stays due.
 */
import type { DueOutcome, PauseCause } from '@fernlab/shared/contracts/recurring'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Caller } from '../accounts/caller.ts'
import { can } from '../accounts/can.ts'
import type { FaultHook } from '../fault-point.ts'
import type { Runs } from '../runs/runs.ts'
import { auditEntries } from '../store/audit-entries.ts'
import { type Store, type StoreQuery, toStatement } from '../store/store.ts'
import { type DueDecision, decideDue } from './decide-due.ts'
import type { RecurringTable } from './tables.ts'

/** Refused so often in a row, it is paused: nobody looks at what fails every night. */
export const mostRefusals = 5
/** With `queue`, no more runs of one wait or are under way. */
const mostQueued = 10

type Due = Extract<DueDecision, { kind: 'due' }>
type Fired = Pick<Due, 'due' | 'missedBefore'> & { readonly byHand?: true }

export interface FireOptions {
  readonly store: Store
  readonly runs: Pick<Runs, 'submit'>
  readonly clock: Clock
  readonly log: Log
  /** The recurring run was paused since it was refused so often. */
  readonly onPaused: (row: RecurringTable, error: LabError) => void
  readonly faultPoint?: FaultHook | undefined
}

/** Decides and does what is due of each. */
export function createFire({ store, runs, clock, log, onPaused, faultPoint }: FireOptions) {
  const { db } = store
  const audit = auditEntries(store, clock)

  const ownerOf = async (id: string): Promise<Caller | undefined> => {
    const person = await db
      .selectFrom('person')
      .innerJoin('user', 'user.id', 'person.id')
      .select(['person.id', 'person.role', 'user.name', 'user.email'])
      .where('person.id', '=', id)
      .executeTakeFirst()
    if (person === undefined) return undefined
    const { name, email, role } = person
    return { personId: person.id, name, email, role, scopes: 'all', via: 'session' }
  }

  /** Moves on to the next due time, unless somebody changed or paused it meanwhile. */
  const moveOn = (
    row: RecurringTable,
    next: number | undefined,
    refusals: number,
    paused: PauseCause | null = null,
  ) => ({
    query: db
      .updateTable('recurring')
      .set({
        due_at: paused === null ? (next ?? null) : null,
        decided_at: clock.now(),
        refusals,
        paused_for: paused,
      })
      .where('id', '=', row.id)
      .where('due_at', 'is not distinct from', row.due_at)
      .where('paused_for', 'is', null),
    expect: 1,
  })
  const keep = (
    row: RecurringTable,
    { due, missedBefore, byHand }: Fired,
    outcome: DueOutcome,
    what: { run?: string; error?: LabError } = {},
  ) =>
    db.insertInto('recurring_time').values({
      recurring_id: row.id,
      due_at: due,
      at: clock.now(),
      outcome,
      run_id: what.run ?? null,
      by_hand: byHand === true ? 1 : 0,
      missed_before: missedBefore,
      error: what.error === undefined ? null : JSON.stringify(what.error),
    })
  const openRuns = async (id: string): Promise<number> => {
    const query = db.selectFrom('run').select(({ fn }) => fn.countAll<number>().as('count'))
    const open = query.where('recurring_id', '=', id).where('state', 'in', ['queued', 'assigned', 'running'])
    return (await open.executeTakeFirstOrThrow()).count
  }

  /** Submits as the owner; `claims` are in the commit of the run. */
  const submit = async (
    row: RecurringTable,
    owner: Caller,
    fired: Fired,
    claims: readonly StoreQuery[],
  ): Promise<void> => {
    if (!can(owner, 'runs.submit')) throw mayNotSubmit(owner)
    const body = {
      lab: row.lab,
      protocol: row.protocol,
      parameters: JSON.parse(row.parameters),
      note: row.name,
      ...(row.wanted_bench === null ? {} : { bench: row.wanted_bench }),
      ...(row.priority === null ? {} : { priority: row.priority }),
    }
    await runs.submit(owner, body, {
      recurring: {
        id: row.id,
        claims: (run) => [keep(row, fired, 'run', { run }), ...claims].map(toStatement),
      },
    })
  }

  const refuse = async (row: RecurringTable, fired: Due, error: LabError) => {
    const refusals = row.refusals + 1
    const paused = refusals >= mostRefusals ? 'refusals' : null
    await store.write([
      keep(row, fired, 'refused', { error }),
      moveOn(row, fired.next, refusals, paused),
      ...(paused === null ? [] : [audit(null, 'recurring.paused', row.id, { refusals, error: error.message })]),
    ])
    log.info({ recurring: row.id, code: error.code, refusals }, 'a recurring run was refused')
    if (paused !== null) onPaused(row, error)
  }

  const fire = async (row: RecurringTable, fired: Due): Promise<void> => {
    const owner = await ownerOf(row.person_id)
    if (owner === undefined) {
      await store.write([
        moveOn(row, undefined, row.refusals, 'owner-left'),
        audit(null, 'recurring.paused', row.id, { owner: 'left' }),
      ])
      return
    }
    if (fired.late && row.missed === 'skip') {
      await store.write([keep(row, fired, 'missed'), moveOn(row, fired.next, row.refusals)])
      return
    }
    const open = await openRuns(row.id)
    if (open >= (row.overlap === 'skip' ? 1 : mostQueued)) {
      await store.write([keep(row, fired, 'skipped'), moveOn(row, fired.next, row.refusals)])
      return
    }
    faultPoint?.('before-recurring-commit')
    try {
      await submit(row, owner, fired, [moveOn(row, fired.next, 0)])
    } catch (thrown) {
      const error = asLabError(thrown)
      if (error.code === 'precondition-failed' || error.code === 'constraint-failed') throw error
      if (error.kind !== 'caller' && error.code !== 'runs-refused') throw error
      await refuse(row, fired, error)
    }
    faultPoint?.('after-recurring-commit')
  }

  const decide = async (row: RecurringTable): Promise<void> => {
    const decision = decideDue(row, clock.now())
    try {
      if (decision.kind === 'wait') await store.write([moveOn(row, decision.next, row.refusals)])
      else await fire(row, decision)
    } catch (thrown) {
      const { code } = asLabError(thrown)
      // Somebody changed it meanwhile: what holds now is looked at by the next tick.
      if (code === 'precondition-failed') return
      if (code !== 'constraint-failed' || decision.kind === 'wait') throw thrown
      // The clock went back and shows a time again that is done with.
      await store.write([moveOn(row, decision.next, row.refusals)])
    }
  }

  return {
    /** Does all that is due. */
    due: async (): Promise<void> => {
      const now = clock.now()
      const rows = await db
        .selectFrom('recurring')
        .selectAll()
        .where('paused_for', 'is', null)
        .where((eb) => eb.or([eb('due_at', '<=', now), eb('decided_at', '>', now)]))
        .orderBy('due_at')
        .execute()
      for (const row of rows) await decide(row)
    },
    /** A run besides the due times. */
    now: async (row: RecurringTable, queries: readonly StoreQuery[]): Promise<void> => {
      const owner = await ownerOf(row.person_id)
      if (owner === undefined) throw ownerLeft(row.name)
      const now = clock.now()
      // Due times lie on whole minutes, and no other may take the place of one.
      const due = now % 60_000 === 0 ? now + 1 : now
      await submit(row, owner, { due, missedBefore: 0, byHand: true }, queries)
    },
  }
}

/** What is refused where a recurring run's owner has no account any more. */
export function ownerLeft(name: string): LabError {
  return new LabError({
    code: 'owner-left',
    kind: 'caller',
    message: `the owner of ${JSON.stringify(name)} has no account any more`,
    studentMessage: 'Whose this was has closed their account. Make a recurring run of your own in its place.',
  })
}

function mayNotSubmit({ role }: Caller): LabError {
  return new LabError({
    code: 'not-permitted',
    kind: 'caller',
    message: `a ${role} may not submit runs`,
    studentMessage: 'You may not run this. The lab’s page says what you may, and whom to ask.',
  })
}

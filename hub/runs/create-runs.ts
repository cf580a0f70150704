/**
 * Runs over the ledger and the database.
 *
 * INVARIANTS: `submit` and `cancel` resolve only after the commit of what they answer; a run with an idempotency key is
 * made once per person and key, by the database's own unique index.
 */
import { createHash } from 'node:crypto'
import type { Run, SubmitRun } from '@fernlab/shared/contracts/api'
import { finalStates } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { canonicalJson } from '@fernlab/shared/protocol/digest'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import type { WriteStatement } from '@fernlab/shared/storage/database'
import { sql } from 'kysely'
import type { Caller } from '../accounts/caller.ts'
import { accountSuspended } from '../accounts/suspension.ts'
import type { Catalogue, CatalogueLab } from '../catalogue/catalogue.ts'
import type { FaultHook } from '../fault-point.ts'
import { whenCut } from '../ingest/judge-stop.ts'
import { callersAddress } from '../store/calling-from.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import type { Admission, Admitted } from './admission.ts'
import type { KnownLabs } from './known-labs.ts'
import type { Ledger } from './ledger.ts'
import { addRun, type NewRun, newRun } from './new-run.ts'
import type { OpenRun } from './open-runs.ts'
import type { NewRunRow, RunStatements } from './run-statements.ts'
import { type RunRow, runView } from './run-view.ts'
import type { Runs, SubmitOptions } from './runs.ts'
import type { Waiting } from './waiting.ts'

export interface CreateRunsOptions {
  readonly store: Store
  readonly turn: Turn
  readonly statements: RunStatements
  readonly ledger: Ledger
  readonly admission: Admission
  readonly waiting: Waiting
  readonly catalogue: Pick<Catalogue, 'version'>
  readonly labs: KnownLabs
  /** What is kept of where somebody asks from. */
  readonly originOf: (address: string | undefined) => Pick<NewRunRow, 'client_address' | 'country'>
  /** Whose runs are neither begun nor go on. */
  readonly isSuspended: (personId: string) => boolean
  readonly sendCancel: (run: OpenRun, reason: string) => void
  /** See `BookingStarts`. */
  readonly leftOf: (run: OpenRun) => number | undefined
  readonly clock: Clock
  readonly faultPoint?: FaultHook | undefined
}

/** Reasons outlive the account of who gave them: the audit log says who of the staff it was. */
const cancelledOnRequest = 'cancelled on request'
const cancelledByStaff = 'cancelled by the staff'
const ownerSuspended = 'the account was suspended'
const givenUpByStaff = 'given up by the staff'

/** The runs of this hub. */
export function createRuns(options: CreateRunsOptions): Runs {
  const { store, turn, statements, ledger, admission, waiting, catalogue, labs, clock, faultPoint } = options
  const { runs } = ledger

  const made = (
    { personId, address }: Caller,
    { protocol: name, note, bench }: SubmitRun,
    { lab, protocol, parameters, estimatedS, priority }: Admitted,
    session: SubmitOptions['session'],
  ): NewRun =>
    newRun(
      runs,
      {
        ...{ personId, lab, protocol: name, found: protocol, parameters, estimatedS, priority, note, bench, session },
        origin: options.originOf(address),
      },
      clock.now(),
    )

  const fresh = (caller: Caller, row: NewRunRow, run: OpenRun): Run => {
    const full: RunRow = {
      ...row,
      state: run.state,
      attempt: run.attempt,
      bench: run.hold?.bench ?? null,
      booking_id: run.booking,
      fence: run.hold?.fence ?? null,
      assigned_at: run.hold?.assignedAtMs ?? null,
      started_at: run.startedAt,
      ended_at: null,
      bumped_at: null,
      bumped_for: null,
      cancel_requested: 0,
      reason: null,
      error: null,
      outputs: '{}',
      missing_outputs: '{}',
      rows: '{}',
      data_removed_at: null,
      unnamed_at: null,
    }
    const wait = runs.get(row.id) === run ? waiting.of(run) : undefined
    return runView(full, { personName: caller.name, lab: run.lab, live: undefined, wait })
  }

  const queue = async (wanted: NewRun): Promise<void> => {
    addRun(turn, statements, ledger, wanted)
    faultPoint?.('before-submit-commit')
    turn.afterCommit(() => faultPoint?.('after-submit-commit'))
    await turn.kept()
  }

  /** Queues by a write of its own, since the database may refuse it. */
  const queueAlone = async (row: NewRunRow, run: OpenRun, claims: readonly WriteStatement[] = []): Promise<void> => {
    faultPoint?.('before-submit-commit')
    const event = ledger.firstEvent(run)
    runs.use.opened(run)
    try {
      await turn.alone([
        { sql: statements.insertRun.sql, params: statements.insertRun.bind(row) },
        { sql: statements.insertEvent.sql, params: statements.insertEvent.bind(event) },
        ...claims,
      ])
    } catch (error) {
      runs.use.closed(run)
      throw error
    }
    faultPoint?.('after-submit-commit')
    // Memory that is about to be read again will hold the run without this.
    if (!turn.open) return
    runs.add(run)
    ledger.appeared(run)
    // The person was shut out while the database wrote.
    if (options.isSuspended(run.personId)) stop(run, ownerSuspended)
  }

  /** Nothing for one that ends already, but that it does not come back after a booking. */
  const stop = (run: OpenRun, reason: string): void => {
    const isLeaving = run.bumped !== undefined && run.cancelRequested
    // It was to come back after a booking.
    if (run.bumped !== undefined) ledger.spare(run)
    if (run.state === 'queued') {
      ledger.finish(run, { state: 'cancelled', reason, endedAt: clock.now() })
    } else if (!isLeaving && !run.cancelRequested) {
      ledger.requestCancel(run, reason)
      turn.afterCommit(() => options.sendCancel(run, reason))
    }
  }

  /** False where the key has a run already. */
  const queueOnce = async (row: NewRunRow, run: OpenRun): Promise<boolean> => {
    try {
      await queueAlone(row, run)
      return true
    } catch (error) {
      if (error instanceof LabError && error.code === 'constraint-failed') return false
      throw error
    }
  }

  const replay = async (caller: Caller, key: string, hash: string): Promise<Run | undefined> => {
    const known = await store.db
      .selectFrom('run')
      .select(['id', 'request_hash'])
      .where('person_id', '=', caller.personId)
      .where('idempotency_key', '=', key)
      .executeTakeFirst()
    if (known === undefined) return undefined
    if (known.request_hash !== hash) {
      throw new LabError({
        code: 'idempotency-key-reused',
        kind: 'caller',
        message: `the idempotency key ${JSON.stringify(key)} was used for another run (${known.id})`,
      })
    }
    return existing(known.id)
  }

  /** One place per person and lab. */
  const openSession = (personId: string, lab: string): OpenRun | undefined => {
    for (const run of runs.byId.values()) {
      if (run.session !== undefined && run.personId === personId && run.lab.id === lab) return run
    }
    return undefined
  }

  /** Kept in this turn's write. */
  const audit = ({ personId }: Caller, action: string, subject: string) =>
    turn.add(statements.insertAudit, {
      ...{ at: clock.now(), personId, action, subject, detail: '{}' },
      address: callersAddress() ?? null,
    })

  const rows = () =>
    store.db
      .selectFrom('run')
      .leftJoin('user', 'user.id', 'run.person_id')
      .selectAll('run')
      .select('user.name as person_name')

  /** Mostly the newest version, which is at hand. */
  const labOf = async ({ lab, lab_version }: RunRow): Promise<CatalogueLab | undefined> => {
    const newest = labs.peek(lab)
    return newest?.version === lab_version ? newest : catalogue.version(lab, lab_version)
  }

  const view = async (row: RunRow & { person_name: string | null }): Promise<Run> => {
    const run = runs.get(row.id)
    const present = run !== undefined && run.attempt === row.attempt
    return runView(row, {
      personName: row.person_name ?? '',
      lab: run?.lab ?? (await labOf(row)),
      live: present && row.state === 'running' ? run.live : undefined,
      wait: present && row.state === 'queued' ? waiting.of(run) : undefined,
    })
  }

  const get = async (id: string): Promise<Run | undefined> => {
    const row = await rows().where('run.id', '=', id).executeTakeFirst()
    return row === undefined ? undefined : view(row)
  }

  const existing = async (id: string): Promise<Run> => {
    const run = await get(id)
    if (run !== undefined) return run
    throw new LabError({ code: 'run-unknown', kind: 'caller', message: `there is no run ${id}` })
  }

  return {
    submit: async (caller, body, { idempotencyKey, session, recurring } = {}) => {
      const hash = idempotencyKey === undefined ? null : createHash('sha256').update(canonicalJson(body)).digest('hex')
      if (idempotencyKey !== undefined && hash !== null) {
        const before = await replay(caller, idempotencyKey, hash)
        if (before !== undefined) return { id: before.id, run: before, replayed: true }
      }
      turn.mustBeOpen()
      const admitted = await admission.admit(caller, body)
      turn.mustBeOpen()
      const open = session === undefined ? undefined : openSession(caller.personId, body.lab)
      if (open !== undefined) return { id: open.id, run: await existing(open.id), replayed: true }
      // From here to the run's place in memory nothing is awaited: two can not take the last one.
      if (options.isSuspended(caller.personId)) throw accountSuspended(caller.personId)
      admitted.requirePlace()
      const wanted = made(caller, body, admitted, session)
      const { row, run } = wanted
      if (recurring !== undefined) {
        const claimed = { ...row, recurring_id: recurring.id }
        await queueAlone(claimed, run, recurring.claims(row.id))
      } else if (idempotencyKey === undefined || hash === null) {
        await queue(wanted)
      } else if (!(await queueOnce({ ...row, idempotency_key: idempotencyKey, request_hash: hash }, run))) {
        const before = await replay(caller, idempotencyKey, hash)
        if (before !== undefined) return { id: before.id, run: before, replayed: true }
        throw new LabError({ code: 'run-lost', kind: 'bug', message: `run ${row.id} was refused by the database` })
      }
      let view: Run | undefined
      return {
        id: row.id,
        get run() {
          view ??= fresh(caller, row, run)
          return view
        },
        replayed: false,
      }
    },
    get,
    list: async ({ open, person, people, lab, state, sessions, recurring, checksOf, limit, cursor }) => {
      let query = rows()
        .orderBy('run.id', 'desc')
        .limit(limit + 1)
      if (person !== undefined) query = query.where('run.person_id', '=', person)
      if (people !== undefined)
        query = query.where(
          'run.person_id',
          'in',
          sql<string>`(SELECT value FROM json_each(${JSON.stringify(people)}))`,
        )
      query =
        checksOf === undefined
          ? query.where('run.bench_check', 'is', null)
          : query.where('run.bench_check', 'is not', null).where('run.wanted_bench', '=', checksOf)
      if (lab !== undefined) query = query.where('run.lab', '=', lab)
      if (recurring !== undefined) query = query.where('run.recurring_id', '=', recurring)
      if (sessions !== undefined) query = query.where('run.protocol', '=', SESSION_PROTOCOL)
      if (open !== undefined) query = query.where('run.state', 'not in', finalStates)
      if (state !== undefined) query = query.where('run.state', '=', state)
      if (cursor !== undefined) query = query.where('run.id', '<', cursor)
      const found = await query.execute()
      const items = await Promise.all(found.slice(0, limit).map(view))
      const last = items.at(-1)
      return { items, ...(found.length > limit && last !== undefined ? { cursor: last.id } : {}) }
    },
    cancel: async (id, by) => {
      turn.mustBeOpen()
      const run = runs.get(id)
      if (run === undefined || (run.cancelRequested && run.bumped === undefined)) return existing(id)
      const own = by.personId === run.personId
      stop(run, own ? cancelledOnRequest : cancelledByStaff)
      if (!own) audit(by, 'run.cancelled', id)
      faultPoint?.('before-cancel-commit')
      await turn.kept()
      faultPoint?.('after-cancel-commit')
      return existing(id)
    },
    stopAllOf: async (personId) => {
      turn.mustBeOpen()
      for (const run of [...runs.byId.values()]) if (run.personId === personId) stop(run, ownerSuspended)
      faultPoint?.('before-suspended-stop-commit')
      await turn.kept()
      faultPoint?.('after-suspended-stop-commit')
    },
    giveUp: async (id, by) => {
      turn.mustBeOpen()
      const unreturned = runs.unreturned.get(id)
      if (unreturned !== undefined) {
        ledger.giveBack(unreturned, { reason: givenUpByStaff })
        audit(by, 'run.given-up', id)
        await turn.kept()
      }
      const run = runs.get(id)
      if (run === undefined) return existing(id)
      const { hold } = run
      if (hold === undefined) {
        throw new LabError({
          code: 'run-not-assigned',
          kind: 'caller',
          message: `run ${id} is still queued: cancel it`,
        })
      }
      const endedAt = clock.now()
      const cut = whenCut(run, givenUpByStaff, { atMs: endedAt, bookingS: options.leftOf(run) })
      ledger.finish(run, { state: 'interrupted', ...cut, endedAt })
      // A node that is there after all would go on.
      turn.afterCommit(() => options.sendCancel({ ...run, hold }, givenUpByStaff))
      audit(by, 'run.given-up', id)
      await turn.kept()
      return existing(id)
    },
    live: (id) => runs.get(id)?.live,
    waitOf: (id) => {
      const run = runs.get(id)
      return run === undefined ? undefined : waiting.of(run)
    },
    queues: () => {
      const queueOf = waiting.now()
      return (lab) => {
        const known = labs.peek(lab)
        return known === undefined ? { length: 0, estimatedWaitS: null } : queueOf(known)
      }
    },
    counts: () => runs.counts(),
    onChange: ledger.onChange,
  }
}

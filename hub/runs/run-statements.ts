/**
 * Every change of a run, an attempt or a bench's hold that the hub makes while runs flow, compiled once. Each transition
 * is conditional on the state it leaves, so that what memory believes is checked by the database.
 */
import type { SessionStage } from '@fernlab/shared/contracts/session-columns'
import type { SqlValue } from '@fernlab/shared/storage/database'
import type { Compilable, Kysely } from 'kysely'
import type { SessionProgress } from '../sessions/stage.ts'
import { precompile } from '../store/precompile.ts'
import type { DocumentTable, HubSchema, RunTable } from '../store/schema.ts'
import type { TurnStatement } from '../store/turn.ts'

type RunState = RunTable['state']

/** The statements, ranked in the order in which one turn performs them. */
export function runStatements(db: Kysely<HubSchema>) {
  let rank = 0
  const statement = <Values extends { readonly [Name in keyof Values]: SqlValue }>(
    build: (values: Values) => Compilable,
    { conditional = true } = {},
  ): TurnStatement<Values> => {
    const { sql, bind } = precompile(build)
    return { sql, bind, rank: rank++, conditional }
  }
  return {
    insertRun: statement((v: NewRunRow) => db.insertInto('run').values({ ...columns(v, newRunColumns), attempt: 1 })),
    insertSession: statement((v: { runId: string; stage: SessionStage; seconds: number }) =>
      db.insertInto('live_session').values({ run_id: v.runId, stage: v.stage, seconds: v.seconds }),
    ),
    insertDocument: statement((v: DocumentRow) => db.insertInto('document').values(columns(v, documentColumns))),
    startRun: statement((v: StartedRunRow) =>
      db
        .updateTable('run')
        .set({ state: 'running', started_at: v.at })
        .where('id', '=', v.id)
        .where('attempt', '=', v.attempt)
        .where('state', '=', 'assigned'),
    ),
    keepRows: statement((v: { id: string; attempt: number; rows: string }) =>
      db.updateTable('run').set({ rows: v.rows }).where('id', '=', v.id).where('attempt', '=', v.attempt),
    ),
    /** Of a session that nobody asked for: where its person came from first. */
    comeFrom: statement(
      (v: { id: string } & Pick<NewRunRow, 'client_address' | 'country'>) =>
        db
          .updateTable('run')
          .set({ client_address: v.client_address, country: v.country })
          .where('id', '=', v.id)
          .where('client_address', 'is', null)
          .where('country', 'is', null)
          .where('unnamed_at', 'is', null),
      { conditional: false },
    ),
    keepSession: statement((v: KeptSessionRow) =>
      db
        .updateTable('live_session')
        .set({ stage: v.stage, seconds: v.seconds, active_at: v.activeAt, ends_at: v.endsAt })
        .where('run_id', '=', v.runId),
    ),
    bump: statement((v: { id: string; attempt: number; at: number | null; place: string | null }) =>
      db
        .updateTable('run')
        .set({ bumped_at: v.at, bumped_for: v.place })
        .where('id', '=', v.id)
        .where('attempt', '=', v.attempt),
    ),
    finishRun: statement((v: FinishedRunRow) =>
      db
        .updateTable('run')
        .set({
          state: v.state as RunState,
          ended_at: v.endedAt,
          started_at: v.startedAt,
          reason: v.reason,
          error: v.error,
          outputs: v.outputs,
          missing_outputs: v.missingOutputs,
          rows: v.rows,
        })
        .where('id', '=', v.id)
        .where('attempt', '=', v.attempt)
        .where('state', '=', v.from as RunState),
    ),
    requeueRun: statement((v: RequeuedRunRow) =>
      db
        .updateTable('run')
        .set({
          state: 'queued',
          attempt: v.next,
          bench: null,
          fence: null,
          assigned_at: null,
          started_at: null,
          rows: '{}',
          reason: v.reason,
          counts_from: v.countsFrom,
          cancel_requested: 0,
          bumped_at: null,
          bumped_for: null,
        })
        .where('id', '=', v.id)
        .where('attempt', '=', v.attempt)
        .where('state', '=', v.from as RunState),
    ),
    requestCancel: statement((v: { id: string; reason: string }) =>
      db
        .updateTable('run')
        .set({ cancel_requested: 1, reason: v.reason })
        .where('id', '=', v.id)
        .where('state', 'in', ['assigned', 'running']),
    ),
    continueSession: statement((v: { runId: string; next: string }) =>
      db
        .updateTable('live_session')
        .set({ next_id: v.next })
        .where('run_id', '=', v.runId)
        .where('next_id', 'is', null),
    ),
    /** Who took part in a session takes part in the rest of it. */
    carryPartners: statement(
      (v: { runId: string; next: string }) =>
        db
          .insertInto('live_partner')
          .columns(['run_id', 'person_id', 'joined_at'])
          .expression(
            db
              .selectFrom('live_partner')
              .select((eb) => [eb.val(v.next).as('run_id'), 'person_id', 'joined_at'])
              .where('run_id', '=', v.runId),
          ),
      { conditional: false },
    ),
    /** The rest of a session was asked for from where that was. */
    carryOrigin: statement((v: { runId: string; next: string }) =>
      db
        .updateTable('run')
        .set((eb) => {
          const before = eb.selectFrom('run as before').where('before.id', '=', v.runId)
          return { client_address: before.select('before.client_address'), country: before.select('before.country') }
        })
        .where('id', '=', v.next),
    ),
    advanceAttempt: statement((v: { runId: string; attempt: number; nextSeq: number; before: number }) =>
      db
        .updateTable('attempt')
        .set({ next_seq: v.nextSeq })
        .where('run_id', '=', v.runId)
        .where('attempt', '=', v.attempt)
        .where('next_seq', '=', v.before),
    ),
    endAttempt: statement((v: { runId: string; attempt: number; nextSeq: number; state: string; at: number }) =>
      db
        .updateTable('attempt')
        .set({ next_seq: v.nextSeq, state: v.state, ended_at: v.at })
        .where('run_id', '=', v.runId)
        .where('attempt', '=', v.attempt)
        .where('ended_at', 'is', null),
    ),
    freeBench: statement((v: { id: string; runId: string; at: number }) =>
      db.updateTable('bench').set({ run_id: null, since: v.at }).where('id', '=', v.id).where('run_id', '=', v.runId),
    ),
    takeOutBench: statement((v: { id: string; reason: string }) =>
      db.updateTable('bench').set({ out_reason: v.reason }).where('id', '=', v.id),
    ),
    assignRun: statement((v: AssignedRunRow) =>
      db
        .updateTable('run')
        .set({
          state: 'assigned',
          bench: v.bench,
          fence: v.fence,
          assigned_at: v.at,
          booking_id: v.booking,
          reason: null,
        })
        .where('id', '=', v.id)
        .where('attempt', '=', v.attempt)
        .where('state', '=', 'queued'),
    ),
    holdBench: statement((v: { id: string; runId: string; fence: number; before: number; at: number }) =>
      db
        .updateTable('bench')
        .set({ run_id: v.runId, fence: v.fence, since: v.at })
        .where('id', '=', v.id)
        .where('run_id', 'is', null)
        .where('lease', 'is', null)
        .where('out_reason', 'is', null)
        .where('fence', '=', v.before),
    ),
    insertAttempt: statement(
      (v: { runId: string; attempt: number; node: string; bench: string; fence: number; at: number }) =>
        db.insertInto('attempt').values({
          run_id: v.runId,
          attempt: v.attempt,
          node: v.node,
          bench: v.bench,
          fence: v.fence,
          next_seq: 0,
          state: 'assigned',
          assigned_at: v.at,
        }),
    ),
    insertEvent: statement((v: EventRow) =>
      db.insertInto('run_event').values({ run_id: v.runId, number: v.number, at: v.at, name: v.name, data: v.data }),
    ),
    /** `personId` null: the hub itself. */
    insertAudit: statement(
      (v: {
        at: number
        personId: string | null
        action: string
        subject: string
        detail: string
        address: string | null
      }) =>
        db.insertInto('audit').values({
          ...{ at: v.at, person_id: v.personId, action: v.action, subject: v.subject, detail: v.detail },
          address: v.address,
        }),
    ),
  }
}

export type RunStatements = ReturnType<typeof runStatements>

const newRunColumns = [
  'id',
  'person_id',
  'lab',
  'lab_version',
  'protocol',
  'protocol_digest',
  'restart',
  'parameters',
  'note',
  'wanted_bench',
  'priority',
  'created_at',
  'counts_from',
  'estimated_s',
  'idempotency_key',
  'request_hash',
  'recurring_id',
  'booking_id',
  'bench_check',
  'state',
  'bench',
  'fence',
  'assigned_at',
  'client_address',
  'country',
] as const satisfies readonly (keyof RunTable)[]
export type NewRunRow = Pick<RunTable, (typeof newRunColumns)[number]>

export interface KeptSessionRow extends SessionProgress {
  readonly runId: string
}

export interface AssignedRunRow {
  readonly id: string
  readonly attempt: number
  readonly bench: string
  readonly fence: number
  readonly at: number
  /** The booking whose bench it is. */
  readonly booking: string | null
}

export interface RequeuedRunRow {
  readonly id: string
  readonly attempt: number
  readonly next: number
  readonly from: string
  readonly reason: string
  readonly countsFrom: number
}

export interface StartedRunRow {
  readonly id: string
  readonly attempt: number
  readonly at: number
}

const documentColumns = [
  'run_id',
  'attempt',
  'seq',
  'name',
  'stream',
  'first_row',
  'row_count',
  'first_time',
  'last_time',
  'body',
] as const
export type DocumentRow = Omit<DocumentTable, 'id'>

export interface EventRow {
  readonly runId: string
  readonly number: number
  readonly at: number
  readonly name: string
  /** JSON. */
  readonly data: string
}

export interface FinishedRunRow {
  readonly id: string
  readonly attempt: number
  readonly from: string
  readonly state: string
  readonly startedAt: number | null
  readonly endedAt: number
  readonly reason: string | null
  /** JSON. */
  readonly error: string | null
  readonly outputs: string
  readonly missingOutputs: string
  readonly rows: string
}

/** The named properties, one by one: the source may be a stand-in that has no keys of its own. */
function columns<Row, Name extends keyof Row>(row: Row, names: readonly Name[]): Pick<Row, Name> {
  return Object.fromEntries(names.map((name) => [name, row[name]])) as unknown as Pick<Row, Name>
}

import { newRunId } from '@fernlab/shared/primitives/ids'
import type { CatalogueLab, CatalogueProtocol } from '../catalogue/catalogue.ts'
import { newSession } from '../sessions/stage.ts'
import type { Turn } from '../store/turn.ts'
import type { Ledger } from './ledger.ts'
import type { OpenRun, OpenRuns } from './open-runs.ts'
import type { NewRunRow, RunStatements } from './run-statements.ts'

export interface WantedRun {
  readonly personId: string
  readonly lab: CatalogueLab
  /** Under its name in the lab. */
  readonly protocol: string
  readonly found: CatalogueProtocol
  readonly parameters: OpenRun['parameters']
  readonly estimatedS: number
  readonly priority: number
  readonly note?: string | undefined
  readonly bench?: string | undefined
  /** Of a live session: how long it is. */
  readonly session?: { readonly seconds: number } | undefined
  /** The check of the bench that it is for: such a run never starts again by itself. */
  readonly check?: string | undefined
  /** From where it was asked for, where a person did. */
  readonly origin?: Pick<NewRunRow, 'client_address' | 'country'>
}

/** A run in its first state, as row and in memory. */
export interface NewRun {
  readonly row: NewRunRow
  readonly run: OpenRun
}

/** A run that is in no queue yet. */
export function newRun(runs: OpenRuns, wanted: WantedRun, nowMs: number): NewRun {
  const { personId, lab, protocol, found, parameters, estimatedS, priority, session } = wanted
  const row: NewRunRow = {
    id: newRunId(nowMs),
    person_id: personId,
    lab: lab.id,
    lab_version: lab.version,
    protocol,
    protocol_digest: found.digest,
    restart: wanted.check === undefined ? found.definition.restart : 'never',
    parameters: JSON.stringify(parameters),
    note: wanted.note ?? null,
    wanted_bench: wanted.bench ?? null,
    priority,
    created_at: nowMs,
    counts_from: runs.waiting.countsFrom(personId, lab.id, nowMs),
    estimated_s: estimatedS,
    idempotency_key: null,
    request_hash: null,
    recurring_id: null,
    booking_id: null,
    bench_check: wanted.check ?? null,
    state: 'queued',
    bench: null,
    fence: null,
    assigned_at: null,
    client_address: wanted.origin?.client_address ?? null,
    country: wanted.origin?.country ?? null,
  }
  const run: OpenRun = {
    id: row.id,
    personId,
    lab,
    protocol,
    protocolDigest: row.protocol_digest,
    restart: row.restart,
    parameters,
    wantedBench: row.wanted_bench,
    priority,
    createdAt: nowMs,
    countsFrom: row.counts_from ?? nowMs,
    estimatedS,
    state: 'queued',
    attempt: 1,
    hold: undefined,
    booking: null,
    check: row.bench_check,
    startedAt: null,
    bumped: undefined,
    cancelRequested: false,
    cancelReason: null,
    restarts: 0,
    unready: [],
    live: undefined,
    session: session === undefined ? undefined : newSession(session.seconds),
    events: 0,
  }
  return { row, run }
}

/** Queues it in this turn's write; it may be assigned in the same commit. */
export function addRun(turn: Turn, statements: RunStatements, ledger: Ledger, { row, run }: NewRun): void {
  run.insertion = turn.add(statements.insertRun, row)
  if (run.session !== undefined) {
    const { stage, seconds } = run.session
    turn.add(statements.insertSession, { runId: run.id, stage, seconds })
  }
  ledger.runs.add(run)
  ledger.queued(run)
}

import type { Run } from '@fernlab/shared/contracts/api'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import type { Selectable } from 'kysely'
import { CHECKS_PERSON } from '../bench-care/check-person.ts'
import { type CatalogueLab, protocolIn } from '../catalogue/catalogue.ts'
import type { RunTable } from '../store/schema.ts'
import type { LiveRun, RunWait } from './runs.ts'

export type RunRow = Selectable<RunTable>

export interface RunExtras {
  readonly personName: string
  readonly lab: CatalogueLab | undefined
  readonly live: LiveRun | undefined
  readonly wait: RunWait | undefined
}

const iso = (ms: number): string => new Date(ms).toISOString()

const titlesOf = (outputs: Protocol['outputs']) =>
  Object.fromEntries(Object.entries(outputs).map(([name, { title }]) => [name, title])) as NonNullable<
    Run['outputTitles']
  >

/** A run as the API shows it. */
export function runView(row: RunRow, { personName, lab, live, wait }: RunExtras): Run {
  const protocol = lab === undefined ? undefined : protocolIn(lab, row.protocol)
  return {
    id: row.id,
    state: row.state,
    attempt: row.attempt,
    lab: row.lab,
    ...(lab === undefined ? {} : { labTitle: lab.lab.title }),
    labVersion: row.lab_version,
    protocol: row.protocol,
    ...(row.protocol === SESSION_PROTOCOL ? { session: true as const } : {}),
    ...(protocol === undefined
      ? {}
      : {
          protocolTitle: protocol.definition.title as NonNullable<Run['protocolTitle']>,
          outputTitles: titlesOf(protocol.definition.outputs),
        }),
    protocolDigest: row.protocol_digest,
    restart: row.restart,
    bench: row.bench,
    ...(row.wanted_bench === null || row.bench_check !== null ? {} : { wantedBench: row.wanted_bench }),
    parameters: JSON.parse(row.parameters),
    ...(row.note === null ? {} : { note: row.note }),
    ...(row.recurring_id === null ? {} : { recurring: row.recurring_id }),
    ...(row.bench_check === null ? {} : { check: row.bench_check }),
    person: { id: row.person_id, name: row.bench_check === null ? personName : CHECKS_PERSON.name },
    priority: row.priority,
    ...(wait === undefined ? {} : { position: wait.position, waitReason: wait.reason }),
    ...(wait?.estimatedStart === undefined ? {} : { estimatedStart: wait.estimatedStart }),
    ...(row.estimated_s === null ? {} : { estimatedS: row.estimated_s }),
    ...(live === undefined
      ? {}
      : {
          progress: {
            fraction: live.fraction,
            step: live.step,
            ...(live.secondsLeft === undefined ? {} : { secondsLeft: live.secondsLeft }),
          },
        }),
    createdAt: iso(row.created_at),
    ...(row.assigned_at === null ? {} : { assignedAt: iso(row.assigned_at) }),
    ...(row.started_at === null ? {} : { startedAt: iso(row.started_at) }),
    ...(row.ended_at === null ? {} : { endedAt: iso(row.ended_at) }),
    cancelRequested: row.cancel_requested === 1,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.error === null ? {} : { error: JSON.parse(row.error) }),
    outputs: JSON.parse(row.outputs),
    missingOutputs: JSON.parse(row.missing_outputs),
    rows: JSON.parse(row.rows),
    ...(row.data_removed_at === null ? {} : { dataRemovedAt: iso(row.data_removed_at) }),
  }
}

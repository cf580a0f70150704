/** Recurring runs as the API shows them. */
import type { DueTime, Recurring } from '@fernlab/shared/contracts/recurring'
import type { RunState } from '@fernlab/shared/contracts/run-state'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import { protocolIn } from '../catalogue/catalogue.ts'
import type { Store } from '../store/store.ts'
import { nextDues } from './decide-due.ts'
import type { RecurringTable, RecurringTimeTable } from './tables.ts'

export type RecurringRow = RecurringTable & { readonly person_name: string | null }
type TimeRow = RecurringTimeTable & { readonly run: string | null; readonly state: RunState | null }

const timesShown = 10
export const nextShown = 5
const iso = (ms: number): string => new Date(ms).toISOString()

/** All that are kept, with the names of their owners. */
export const recurringRows = ({ db }: Pick<Store, 'db'>) =>
  db
    .selectFrom('recurring')
    .leftJoin('user', 'user.id', 'recurring.person_id')
    .selectAll('recurring')
    .select('user.name as person_name')

/** What came of the last due times, the newest first. */
export async function lastTimes({ db }: Pick<Store, 'db'>, id: string): Promise<DueTime[]> {
  const rows: TimeRow[] = await db
    .selectFrom('recurring_time')
    .leftJoin('run', 'run.id', 'recurring_time.run_id')
    .selectAll('recurring_time')
    .select(['run.id as run', 'run.state'])
    .where('recurring_time.recurring_id', '=', id)
    .orderBy('due_at', 'desc')
    .limit(timesShown)
    .execute()
  return rows.map(timeView)
}

function timeView({ due_at, outcome, run, state, by_hand, missed_before, error }: TimeRow): DueTime {
  return {
    due: iso(due_at),
    outcome,
    ...(run === null || state === null ? {} : { run: { id: run, state } }),
    ...(by_hand === 1 ? { byHand: true as const } : {}),
    ...(missed_before === 0 ? {} : { missedBefore: missed_before }),
    ...(error === null ? {} : { error: JSON.parse(error) }),
  }
}

/** One with its next and last times. */
export function recurringView(
  row: RecurringRow,
  { lab, last, nowMs }: { lab: CatalogueLab | undefined; last: DueTime[]; nowMs: number },
): Recurring {
  const protocol = lab === undefined ? undefined : protocolIn(lab, row.protocol)
  const next = row.paused_for === null ? nextDues(row, nowMs, nextShown) : []
  const isOver = row.paused_for === null && next.length === 0
  return {
    id: row.id,
    name: row.name,
    state: row.paused_for !== null ? 'paused' : isOver ? 'over' : 'active',
    ...(row.paused_for === null ? {} : { pausedFor: row.paused_for }),
    lab: row.lab,
    ...(lab === undefined ? {} : { labTitle: lab.lab.title }),
    protocol: row.protocol,
    ...(protocol === undefined
      ? {}
      : { protocolTitle: protocol.definition.title as NonNullable<Recurring['protocolTitle']> }),
    parameters: JSON.parse(row.parameters),
    ...(row.wanted_bench === null ? {} : { bench: row.wanted_bench }),
    ...(row.priority === null ? {} : { priority: row.priority }),
    cron: row.cron,
    timeZone: row.time_zone,
    ...(row.starts_at === null ? {} : { from: iso(row.starts_at) }),
    ...(row.ends_at === null ? {} : { until: iso(row.ends_at) }),
    overlap: row.overlap,
    missed: row.missed,
    person: { id: row.person_id, name: row.person_name ?? '' },
    next: next.map(iso),
    last,
    createdAt: iso(row.created_at),
  }
}

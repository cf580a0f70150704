import type { DueOutcome, PauseCause } from '@fernlab/shared/contracts/recurring'
import type { Migration } from '@fernlab/shared/storage/database'

/** A run that is made anew at each due time. */
export interface RecurringTable {
  id: string
  person_id: string
  name: string
  lab: string
  protocol: string
  /** JSON, as they were given. */
  parameters: string
  /** `<node>.<bench>`; null: any that serves the lab. */
  wanted_bench: string | null
  priority: number | null
  cron: string
  time_zone: string
  starts_at: number | null
  ends_at: number | null
  overlap: 'skip' | 'queue'
  missed: 'once' | 'skip'
  paused_for: PauseCause | null
  /** Null: none is to come, or it is paused. */
  due_at: number | null
  /** What the clock showed when `due_at` was worked out. */
  decided_at: number
  /** Due times in a row that were refused. */
  refusals: number
  created_at: number
}

/** What came of each due time: no two of the same. */
export interface RecurringTimeTable {
  recurring_id: string
  due_at: number
  at: number
  outcome: DueOutcome
  run_id: string | null
  by_hand: number
  missed_before: number
  /** JSON LabError. */
  error: string | null
}

export interface RecurringSchema {
  recurring: RecurringTable
  recurring_time: RecurringTimeTable
}

export const recurringMigration: Migration = {
  name: '012-recurring',
  sql: `
CREATE TABLE recurring (
  id TEXT PRIMARY KEY, person_id TEXT NOT NULL, name TEXT NOT NULL, lab TEXT NOT NULL, protocol TEXT NOT NULL,
  parameters TEXT NOT NULL, wanted_bench TEXT, priority INTEGER, cron TEXT NOT NULL, time_zone TEXT NOT NULL,
  starts_at INTEGER, ends_at INTEGER, overlap TEXT NOT NULL, missed TEXT NOT NULL, paused_for TEXT, due_at INTEGER,
  decided_at INTEGER NOT NULL, refusals INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX recurring_of_person ON recurring (person_id, id);
CREATE TABLE recurring_time (
  recurring_id TEXT NOT NULL, due_at INTEGER NOT NULL, at INTEGER NOT NULL, outcome TEXT NOT NULL, run_id TEXT,
  by_hand INTEGER NOT NULL DEFAULT 0, missed_before INTEGER NOT NULL DEFAULT 0, error TEXT,
  PRIMARY KEY (recurring_id, due_at)
) STRICT, WITHOUT ROWID;
ALTER TABLE run ADD COLUMN recurring_id TEXT;
CREATE INDEX run_of_recurring ON run (recurring_id, id) WHERE recurring_id IS NOT NULL;
`,
}

/** The tables of what is planned for benches and of what became of them. */
import type { Migration } from '@fernlab/shared/storage/database'
import type { Generated } from 'kysely'

export interface BenchOutageTable {
  id: string
  bench: string
  reason: string
  at_once: number
  /** Null for a weekly one. */
  from_at: number | null
  until_at: number | null
  /** JSON Weekly, or null. */
  weekly: string | null
  created_by: string
  created_at: number
  ended_at: number | null
  ended_by: string | null
}

/** Each change of a bench between being of use and not. */
export interface BenchHistoryTable {
  id: Generated<number>
  bench: string
  at: number
  state: 'up' | 'maintenance' | 'offline' | 'fault'
  reason: string | null
  /** Whether staff are to get a letter about it. */
  letter: 'none' | 'due' | 'sent'
}

/** The newest outcome of each check protocol. */
export interface BenchCheckTable {
  bench: string
  name: string
  due_at: number
  /** In a row. */
  failures: number
  passed: number | null
  reason: string | null
  checked_at: number | null
  run_id: string | null
}

export interface BenchCareSchema {
  bench_outage: BenchOutageTable
  bench_history: BenchHistoryTable
  bench_check: BenchCheckTable
}

export const benchCareMigration: Migration = {
  name: '010-bench-care',
  sql: `
CREATE TABLE bench_outage (
  id TEXT PRIMARY KEY, bench TEXT NOT NULL, reason TEXT NOT NULL, at_once INTEGER NOT NULL, from_at INTEGER,
  until_at INTEGER, weekly TEXT, created_by TEXT NOT NULL, created_at INTEGER NOT NULL, ended_at INTEGER, ended_by TEXT
) STRICT;
CREATE INDEX bench_outage_open ON bench_outage (bench) WHERE ended_at IS NULL;
CREATE TABLE bench_history (
  id INTEGER PRIMARY KEY AUTOINCREMENT, bench TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT,
  letter TEXT NOT NULL
) STRICT;
CREATE INDEX bench_history_of_bench ON bench_history (bench, at);
CREATE INDEX bench_history_letters ON bench_history (id) WHERE letter = 'due';
CREATE TABLE bench_check (
  bench TEXT NOT NULL, name TEXT NOT NULL, due_at INTEGER NOT NULL, failures INTEGER NOT NULL DEFAULT 0, passed INTEGER,
  reason TEXT, checked_at INTEGER, run_id TEXT, PRIMARY KEY (bench, name)
) STRICT, WITHOUT ROWID;
`,
}

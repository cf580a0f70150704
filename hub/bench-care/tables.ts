/** The tables of what is planned for benches and of what became of them. */

import type { benchCauses, benchConditions } from '@fernlab/shared/contracts/bench-checks'
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
  state: (typeof benchConditions)[number]
  cause: (typeof benchCauses)[number]
  reason: string | null
  /** The run of a check that made it so. */
  run_id: Generated<string | null>
  /** Null for the site itself. */
  by: string | null
  /** Whether staff are to get a letter about it. */
  letter: 'none' | 'due' | 'sending' | 'sent'
}

/** How each check of a bench stands. */
export interface BenchCheckTable {
  bench: string
  name: string
  /** The newest outcome; null before the first. */
  passed: number | null
  /** In a row; one of the two is 0. */
  failures: number
  passes: number
  reason: string | null
  checked_at: number | null
  /** Since when it keeps the bench from runs. */
  failing_since: number | null
  /** So many failures in a row had been when somebody put the bench back. */
  forgiven: number
  /** Of a check that is a run: the run of its newest outcome, how many tries have failed since, and whether somebody asked. */
  run_id: string | null
  tries: number
  asked: number
}

/** Who has said whether they want letters about benches. */
export interface BenchLettersTable {
  person_id: string
  wanted: number
}

export interface BenchCareSchema {
  bench_outage: BenchOutageTable
  bench_history: BenchHistoryTable
  bench_check: BenchCheckTable
  bench_letters: BenchLettersTable
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

/** Nothing was kept in either table before. */
export const benchChecksMigration: Migration = {
  name: '015-bench-checks',
  sql: `
DROP TABLE bench_check;
CREATE TABLE bench_check (
  bench TEXT NOT NULL, name TEXT NOT NULL, passed INTEGER, failures INTEGER NOT NULL, passes INTEGER NOT NULL, reason TEXT,
  checked_at INTEGER, failing_since INTEGER, forgiven INTEGER NOT NULL, PRIMARY KEY (bench, name)
) STRICT, WITHOUT ROWID;
DROP TABLE bench_history;
CREATE TABLE bench_history (
  id INTEGER PRIMARY KEY AUTOINCREMENT, bench TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, cause TEXT NOT NULL,
  reason TEXT, by TEXT, letter TEXT NOT NULL
) STRICT;
CREATE INDEX bench_history_of_bench ON bench_history (bench, at);
CREATE INDEX bench_history_letters ON bench_history (id) WHERE letter = 'due';
`,
}

export const benchLettersMigration: Migration = {
  name: '015-bench-letters',
  sql: `
CREATE TABLE bench_letters (person_id TEXT PRIMARY KEY, wanted INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`,
}

export const protocolChecksMigration: Migration = {
  name: '016-protocol-checks',
  sql: `
ALTER TABLE bench_check ADD COLUMN run_id TEXT;
ALTER TABLE bench_check ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bench_check ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bench_history ADD COLUMN run_id TEXT;
ALTER TABLE run ADD COLUMN bench_check TEXT;
CREATE INDEX run_of_check ON run (wanted_bench, id) WHERE bench_check IS NOT NULL;
`,
}

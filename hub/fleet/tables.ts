import type { DirectEnd, ExchangeWay } from '@fernlab/shared/contracts/direct-use'
import type { Migration } from '@fernlab/shared/storage/database'
import type { Generated } from 'kysely'

/** A time in which somebody of the staff drove a bench by hand. */
export interface DirectUseTable {
  /** Begins with the time of making. */
  id: string
  person_id: string
  /** `<node>.<bench>`. */
  bench: string
  /** Where the bench was taken from, while addresses are kept. */
  client_address: string | null
  /** As of a run. */
  country: string | null
  started_at: number
  /** Null: it lasts. */
  ended_at: number | null
  ended_why: DirectEnd | null
  /** How many there were, also once they are no longer kept. */
  exchanges: Generated<number>
  /** Since when it has a pseudonym instead of its person. */
  unnamed_at: number | null
}

/** One exchange of a direct use. */
export interface DirectCommandTable {
  id: Generated<number>
  use_id: string
  at: number
  /** JSON: what was to be set, by `part.signal`. */
  sets: string
  /** JSON: what was to be read. */
  reads: string
  /** JSON: what was read; null where it failed. */
  answer: string | null
  error: string | null
  took_ms: number
  way: Generated<ExchangeWay>
  /** Where it came from, while addresses are kept. */
  client_address: Generated<string | null>
}

export interface FleetSchema {
  direct_use: DirectUseTable
  direct_command: DirectCommandTable
}

export const directUseMigration: Migration = {
  name: '025-direct-use',
  sql: `
CREATE TABLE direct_use (
  id TEXT PRIMARY KEY, person_id TEXT NOT NULL, bench TEXT NOT NULL, client_address TEXT, country TEXT,
  started_at INTEGER NOT NULL, ended_at INTEGER, ended_why TEXT, exchanges INTEGER NOT NULL DEFAULT 0, unnamed_at INTEGER
) STRICT;
CREATE INDEX direct_use_open ON direct_use (bench) WHERE ended_at IS NULL;
CREATE INDEX direct_use_of_person ON direct_use (person_id, id);
CREATE INDEX direct_use_by_time ON direct_use (started_at);
CREATE INDEX direct_use_by_end ON direct_use (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX direct_use_with_address ON direct_use (started_at) WHERE client_address IS NOT NULL;
CREATE INDEX direct_use_with_name ON direct_use (ended_at) WHERE unnamed_at IS NULL AND ended_at IS NOT NULL;
CREATE TABLE direct_command (
  id INTEGER PRIMARY KEY, use_id TEXT NOT NULL, at INTEGER NOT NULL, sets TEXT NOT NULL, reads TEXT NOT NULL,
  answer TEXT, error TEXT, took_ms REAL NOT NULL
) STRICT;
CREATE INDEX direct_command_of_use ON direct_command (use_id, id);
CREATE INDEX direct_command_by_time ON direct_command (at);
`,
}

/** How each exchange came, and from where; those before it came through the API. */
export const exchangeWayMigration: Migration = {
  name: '030-exchange-way',
  sql: `
ALTER TABLE direct_command ADD COLUMN way TEXT NOT NULL DEFAULT 'api';
ALTER TABLE direct_command ADD COLUMN client_address TEXT;
CREATE INDEX direct_command_with_address ON direct_command (at) WHERE client_address IS NOT NULL;
`,
}

/** What a bench is driven for, for as long as it is. */
export const leaseReasonMigration: Migration = {
  name: '036-lease-reason',
  sql: 'ALTER TABLE bench ADD COLUMN lease_reason TEXT',
}

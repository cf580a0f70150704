import type { Migration } from '@fernlab/shared/storage/database'
import type { Generated } from 'kysely'

/** Results of a run that somebody took away as a file. */
export interface RunDownloadTable {
  id: Generated<number>
  run_id: string
  person_id: string
  at: number
  /** As the address names it: `data.csv`. */
  what: string
}

export interface UsageSchema {
  run_download: RunDownloadTable
}

/** `run.client_address` is where it was asked for; `run.country` is looked up then, and stays when the address goes. */
export const usageMigration: Migration = {
  name: '018-usage',
  sql: `
ALTER TABLE run ADD COLUMN client_address TEXT;
ALTER TABLE run ADD COLUMN country TEXT;
CREATE INDEX run_with_address ON run (created_at) WHERE client_address IS NOT NULL;
CREATE INDEX attempt_by_time ON attempt (assigned_at);
CREATE TABLE run_download (
  id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, person_id TEXT NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL
) STRICT;
CREATE INDEX run_download_of_run ON run_download (run_id, at);
CREATE INDEX run_download_of_person ON run_download (person_id, at);
`,
}

/** `run.unnamed_at`: since when it has a pseudonym instead of its person. */
export const pseudonymsMigration: Migration = {
  name: '018-usage-pseudonyms',
  sql: `
ALTER TABLE run ADD COLUMN unnamed_at INTEGER;
CREATE INDEX run_with_name ON run (ended_at) WHERE unnamed_at IS NULL AND ended_at IS NOT NULL;
`,
}

import type { Migration } from '@fernlab/shared/storage/database'
import type { Generated } from 'kysely'

/** A piece of what a camera has recorded of a session (shared/contracts/recordings). */
export interface RecordingTable {
  id: Generated<number>
  run_id: string
  attempt: number
  part: string
  /** Counts up within the part. */
  number: number
  /** When each picture was seen, epoch seconds: 64-bit floats, little end first. */
  times: Uint8Array
  pictures: Uint8Array
}

export interface CamerasSchema {
  recording: RecordingTable
}

export const recordingsMigration: Migration = {
  name: '034-recordings',
  sql: `
CREATE TABLE recording (
  id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, attempt INTEGER NOT NULL, part TEXT NOT NULL, number INTEGER NOT NULL,
  times BLOB NOT NULL, pictures BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX recording_key ON recording (run_id, attempt, part, number);
`,
}

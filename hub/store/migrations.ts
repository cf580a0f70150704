import type { Migration } from '@fernlab/shared/storage/database'
import { auditAddressMigration, auditMigration } from '../accounts/audit-log.ts'
import {
  accountLettersMigration,
  accountsMigration,
  invitationsMigration,
  signInMigration,
  suspendedMigration,
} from '../accounts/tables.ts'
import {
  benchCareMigration,
  benchChecksMigration,
  benchLettersMigration,
  protocolChecksMigration,
} from '../bench-care/tables.ts'
import {
  bookingLettersMigration,
  bookingStartsMigration,
  bookingsMigration,
  limitsMigration,
  takenBackMigration,
} from '../bookings/tables.ts'
import { recordingsMigration } from '../cameras/tables.ts'
import { directoryMigration } from '../directory/tables.ts'
import { directUseMigration, exchangeWayMigration, leaseReasonMigration } from '../fleet/tables.ts'
import { groupsMigration } from '../groups/tables.ts'
import { permissionsMigration } from '../permissions/tables.ts'
import { recurringMigration } from '../recurring/tables.ts'
import { bumpingMigration, schedulingMigration } from '../runs/tables.ts'
import { chatMigration, sessionsMigration } from '../sessions/tables.ts'
import { pseudonymsMigration, usageMigration } from '../usage/tables.ts'

/** In order; a released one is never changed. better-auth's tables are written as its schema wants them. */
export const migrations: readonly Migration[] = [
  {
    name: '001-spine',
    sql: `
CREATE TABLE run (
  id TEXT PRIMARY KEY, person_id TEXT NOT NULL, lab TEXT NOT NULL, lab_version INTEGER NOT NULL,
  protocol TEXT NOT NULL, protocol_digest TEXT NOT NULL, restart TEXT NOT NULL, parameters TEXT NOT NULL, note TEXT,
  wanted_bench TEXT, priority INTEGER NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, bench TEXT, fence INTEGER,
  created_at INTEGER NOT NULL, assigned_at INTEGER, started_at INTEGER, ended_at INTEGER, estimated_s REAL,
  cancel_requested INTEGER NOT NULL DEFAULT 0, reason TEXT, error TEXT,
  outputs TEXT NOT NULL DEFAULT '{}', missing_outputs TEXT NOT NULL DEFAULT '{}', rows TEXT NOT NULL DEFAULT '{}',
  data_removed_at INTEGER, idempotency_key TEXT, request_hash TEXT
) STRICT;
CREATE UNIQUE INDEX run_idempotency ON run (person_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX run_open ON run (state, priority, created_at, id) WHERE state IN ('queued', 'assigned', 'running');
CREATE INDEX run_of_person ON run (person_id, id);
CREATE INDEX run_of_lab ON run (lab, id);
CREATE TABLE run_event (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL
) STRICT;
CREATE INDEX run_event_of_run ON run_event (run_id, id);
CREATE TABLE document (
  id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, attempt INTEGER NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL,
  stream TEXT, first_row INTEGER, row_count INTEGER, first_time REAL, last_time REAL, body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX document_key ON document (run_id, attempt, seq);
CREATE INDEX document_rows ON document (run_id, attempt, stream, first_row) WHERE name = 'event_page';
CREATE TABLE attempt (
  run_id TEXT NOT NULL, attempt INTEGER NOT NULL, node TEXT NOT NULL, bench TEXT NOT NULL, fence INTEGER NOT NULL,
  next_seq INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, assigned_at INTEGER NOT NULL, ended_at INTEGER,
  PRIMARY KEY (run_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_open ON attempt (node, state) WHERE ended_at IS NULL;
CREATE TABLE lab (
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, digest TEXT NOT NULL, pushed_at INTEGER NOT NULL, pushed_by TEXT,
  removed_at INTEGER
) STRICT;
CREATE TABLE lab_version (
  lab TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, bundle TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (lab, version)
) STRICT;
CREATE TABLE lab_file (
  lab TEXT NOT NULL, version INTEGER NOT NULL, path TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (lab, version, path)
) STRICT;
CREATE TABLE node (
  id TEXT PRIMARY KEY, credential_hash TEXT, enrolled_at INTEGER, revoked_at INTEGER, last_seen_at INTEGER,
  online INTEGER NOT NULL DEFAULT 0, boot_id TEXT, version TEXT, instruments TEXT NOT NULL DEFAULT '[]', health TEXT
) STRICT;
CREATE TABLE enrollment (
  code_hash TEXT PRIMARY KEY, node TEXT NOT NULL, created_by TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, used_at INTEGER
) STRICT;
CREATE TABLE bench (
  id TEXT PRIMARY KEY, node TEXT NOT NULL, name TEXT NOT NULL, title TEXT, parts TEXT NOT NULL, labs TEXT,
  state TEXT NOT NULL, reason TEXT, since INTEGER NOT NULL, fence INTEGER NOT NULL DEFAULT 0, run_id TEXT,
  leased_by TEXT, lease TEXT, lease_expires_at INTEGER
) STRICT;
CREATE INDEX bench_of_node ON bench (node);
CREATE TABLE token (
  id TEXT PRIMARY KEY, person_id TEXT NOT NULL, name TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER, last_used_at INTEGER, revoked_at INTEGER
) STRICT;
CREATE TABLE person (id TEXT PRIMARY KEY, role TEXT NOT NULL, language TEXT) STRICT;
CREATE TABLE one_time (
  token_hash TEXT PRIMARY KEY, purpose TEXT NOT NULL, subject TEXT, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, used_at INTEGER
) STRICT;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL, changed_at INTEGER NOT NULL, changed_by TEXT) STRICT;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, person_id TEXT, action TEXT NOT NULL, subject TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
`,
  },
  accountsMigration,
  {
    // Numbered by run and stored in that order: a reader asks for one run's events, and writing one touches one tree.
    name: '003-events-by-run',
    sql: `
CREATE TABLE run_event_by_run (
  run_id TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO run_event_by_run SELECT run_id, id, at, name, data FROM run_event ORDER BY run_id, id;
DROP TABLE run_event;
ALTER TABLE run_event_by_run RENAME TO run_event;
`,
  },
  invitationsMigration,
  groupsMigration,
  schedulingMigration,
  signInMigration,
  benchCareMigration,
  permissionsMigration,
  sessionsMigration,
  bookingsMigration,
  auditMigration,
  recurringMigration,
  benchChecksMigration,
  bookingStartsMigration,
  usageMigration,
  pseudonymsMigration,
  benchLettersMigration,
  protocolChecksMigration,
  bookingLettersMigration,
  bumpingMigration,
  limitsMigration,
  chatMigration,
  directUseMigration,
  auditAddressMigration,
  takenBackMigration,
  suspendedMigration,
  exchangeWayMigration,
  accountLettersMigration,
  {
    name: '033-pictures',
    sql: `
CREATE INDEX document_pictures ON document (run_id, attempt, stream, first_row) WHERE name = 'picture';
`,
  },
  recordingsMigration,
  directoryMigration,
  leaseReasonMigration,
]

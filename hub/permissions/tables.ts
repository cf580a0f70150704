import type { Migration } from '@fernlab/shared/storage/database'

export interface PermissionTable {
  id: string
  subject_kind: 'everyone' | 'role' | 'group' | 'person'
  /** Role, group or person; empty for everyone. */
  subject: string
  /** Null: every lab. */
  lab: string | null
  /** JSON list; null: every protocol. */
  protocols: string | null
  starts_at: number | null
  ends_at: number | null
  note: string | null
  /** JSON of the terms. */
  gives: string
  created_at: number
}

export interface PermissionTemplateTable {
  id: string
  title: string
  gives: string
}

export interface PermissionsSchema {
  permission: PermissionTable
  permission_template: PermissionTemplateTable
}

/** As hubs were before there were permissions: whoever is signed in may queue. */
export const FIRST_PERMISSION = 'everyone'

export const permissionsMigration: Migration = {
  name: '006-permissions',
  sql: `
CREATE TABLE permission (
  id TEXT PRIMARY KEY, subject_kind TEXT NOT NULL, subject TEXT NOT NULL, lab TEXT, protocols TEXT, starts_at INTEGER,
  ends_at INTEGER, note TEXT, gives TEXT NOT NULL, created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX permission_of_subject ON permission (subject_kind, subject);
CREATE TABLE permission_template (id TEXT PRIMARY KEY, title TEXT NOT NULL, gives TEXT NOT NULL) STRICT;
INSERT INTO permission VALUES ('${FIRST_PERMISSION}', 'everyone', '', NULL, NULL, NULL, NULL, NULL,
  '{"mayQueue":true,"mayBook":true,"mayBeBumped":false,"priority":5,"sessionS":1800,"mostOpen":null,"dayS":null,"weekS":null,"bookAheadS":1209600,"mostBookings":3,"countsSetup":false}',
  0);
INSERT INTO permission_template VALUES ('class', 'A class',
  '{"mayQueue":true,"mayBook":true,"mayBeBumped":false,"priority":5,"sessionS":1800,"mostOpen":5,"dayS":7200,"weekS":18000,"bookAheadS":1209600,"mostBookings":2,"countsSetup":false}');
INSERT INTO permission_template VALUES ('try-out', 'To try it out',
  '{"mayQueue":true,"mayBook":false,"mayBeBumped":true,"priority":20,"sessionS":600,"mostOpen":1,"dayS":1800,"weekS":3600,"bookAheadS":0,"mostBookings":0,"countsSetup":false}');
INSERT INTO permission_template VALUES ('staff', 'Staff',
  '{"mayQueue":true,"mayBook":true,"mayBeBumped":false,"priority":2,"sessionS":null,"mostOpen":null,"dayS":null,"weekS":null,"bookAheadS":null,"mostBookings":null,"countsSetup":false}');
`,
}

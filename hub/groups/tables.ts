import type { Migration } from '@fernlab/shared/storage/database'

export interface PeopleGroupTable {
  id: string
  name: string
  kind: 'group' | 'course'
  within: string | null
  starts_at: number | null
  ends_at: number | null
  created_at: number
}

export interface GroupMemberTable {
  group_id: string
  person_id: string
  role: 'member' | 'instructor'
  added_at: number
}

export interface GroupsSchema {
  people_group: PeopleGroupTable
  group_member: GroupMemberTable
}

export const groupsMigration: Migration = {
  name: '005-groups',
  sql: `
CREATE TABLE people_group (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, within TEXT, starts_at INTEGER, ends_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX people_group_name ON people_group (name COLLATE NOCASE);
CREATE TABLE group_member (
  group_id TEXT NOT NULL REFERENCES people_group (id) ON DELETE CASCADE, person_id TEXT NOT NULL, role TEXT NOT NULL,
  added_at INTEGER NOT NULL, PRIMARY KEY (group_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_of_person ON group_member (person_id);
ALTER TABLE invitation ADD COLUMN group_id TEXT;
ALTER TABLE invitation ADD COLUMN may_register INTEGER NOT NULL DEFAULT 1;
`,
}

import type { Migration } from '@fernlab/shared/storage/database'

/** A lower priority is sooner now: 0 was usual and 9 the soonest, 5 is usual and 1 the soonest. */
export const schedulingMigration: Migration = {
  name: '009-scheduling',
  sql: `
ALTER TABLE run ADD COLUMN counts_from INTEGER;
UPDATE run SET priority = max(1, 5 - priority);
`,
}

/** `run.bumped_at`: when it has to leave its bench for the place of a booking; `live_session.next_id`: has the rest of its time. */
export const bumpingMigration: Migration = {
  name: '019-bumping',
  sql: `
ALTER TABLE run ADD COLUMN bumped_at INTEGER;
ALTER TABLE run ADD COLUMN bumped_for TEXT;
ALTER TABLE live_session ADD COLUMN next_id TEXT;
`,
}

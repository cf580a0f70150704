import type { Migration } from '@fernlab/shared/storage/database'

/** A lower priority is sooner now: 0 was usual and 9 the soonest, 5 is usual and 1 the soonest. */
export const schedulingMigration: Migration = {
  name: '009-scheduling',
  sql: `
ALTER TABLE run ADD COLUMN counts_from INTEGER;
UPDATE run SET priority = max(1, 5 - priority);
`,
}

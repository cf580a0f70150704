import type { BookingNoticeKind } from '@fernlab/shared/contracts/booking-notices'
import type { Migration } from '@fernlab/shared/storage/database'
import type { Generated } from 'kysely'

/** A bench of a lab that is kept for somebody at a time. */
export interface BookingTable {
  id: string
  series_id: string | null
  person_id: string
  lab: string
  /** `<node>.<bench>`; null: any that serves the lab. */
  wanted_bench: string | null
  starts_at: number
  ends_at: number
  /** How long the bench needs afterwards, for the lab's clean-up. */
  clean_up_ms: number
  /** Benches at once. */
  places: number
  /** Whose people may use it besides its person. */
  group_id: string | null
  note: string | null
  /** `booked` until something else is known: what time it is decides between to come, now and over. */
  state: 'booked' | 'cancelled' | 'over' | 'missed'
  /** When its session was opened. */
  began_at: number | null
  /** That session. */
  run_id: string | null
  /** When its person was first heard of in it. */
  seen_at: number | null
  /** When the time was given back. */
  ended_at: number | null
  created_at: number
  created_by: string
  cancelled_at: number | null
  /** Why, where nobody has cancelled it. */
  cancel_reason: string | null
  /** When another was made in its place, with what was cancelled of its series. */
  taken_back_at: number | null
}

/** The same time every week; its bookings are rows of their own. */
export interface BookingSeriesTable {
  id: string
  person_id: string
  lab: string
  /** JSON: days, time of day, time zone, first and last day. */
  weekly: string
  created_at: number
}

/** What somebody is told of a booking; the outbox of letters about it. */
export interface BookingNoticeTable {
  id: string
  booking_id: string
  /** Null: of everybody who learns in the group. */
  person_id: string | null
  group_id: string | null
  what: BookingNoticeKind
  at: number
  /** JSON NoticeDetail. */
  detail: string
  /** `spread`: a row for each of the group is to be made. */
  letter: 'spread' | 'due' | 'sent' | 'none'
  /** When its person has put it away. */
  read_at: Generated<number | null>
}

export interface BookingsSchema {
  booking_notice: BookingNoticeTable
  booking: BookingTable
  booking_series: BookingSeriesTable
}

export const bookingsMigration: Migration = {
  name: '013-bookings',
  sql: `
CREATE TABLE booking (
  id TEXT PRIMARY KEY, series_id TEXT, person_id TEXT NOT NULL, lab TEXT NOT NULL, wanted_bench TEXT,
  starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL CHECK (ends_at > starts_at), clean_up_ms INTEGER NOT NULL,
  places INTEGER NOT NULL, note TEXT, state TEXT NOT NULL, created_at INTEGER NOT NULL, created_by TEXT NOT NULL,
  cancelled_at INTEGER
) STRICT;
CREATE INDEX booking_by_time ON booking (starts_at, id);
CREATE INDEX booking_to_come ON booking (ends_at) WHERE state = 'booked';
CREATE INDEX booking_of_person ON booking (person_id, starts_at, id);
CREATE INDEX booking_of_series ON booking (series_id) WHERE series_id IS NOT NULL;
CREATE TABLE booking_series (
  id TEXT PRIMARY KEY, person_id TEXT NOT NULL, lab TEXT NOT NULL, weekly TEXT NOT NULL, created_at INTEGER NOT NULL
) STRICT;
`,
}

/** `run.booking_id`: the booking whose bench the run has. */
export const bookingStartsMigration: Migration = {
  name: '014-booking-starts',
  sql: `
ALTER TABLE booking ADD COLUMN group_id TEXT;
ALTER TABLE booking ADD COLUMN began_at INTEGER;
ALTER TABLE booking ADD COLUMN run_id TEXT;
ALTER TABLE booking ADD COLUMN seen_at INTEGER;
ALTER TABLE booking ADD COLUMN ended_at INTEGER;
ALTER TABLE run ADD COLUMN booking_id TEXT;
`,
}

/** `person.time_zone`: in which the person is told of times. */
export const bookingLettersMigration: Migration = {
  name: '020-booking-letters',
  sql: `
CREATE TABLE booking_notice (
  id TEXT PRIMARY KEY, booking_id TEXT NOT NULL, person_id TEXT, group_id TEXT, what TEXT NOT NULL,
  at INTEGER NOT NULL, detail TEXT NOT NULL, letter TEXT NOT NULL, read_at INTEGER
) STRICT;
CREATE INDEX booking_notice_open ON booking_notice (person_id, id) WHERE read_at IS NULL;
CREATE INDEX booking_notice_letters ON booking_notice (id) WHERE letter IN ('spread', 'due');
CREATE INDEX booking_notice_of_booking ON booking_notice (booking_id);
ALTER TABLE person ADD COLUMN time_zone TEXT;
ALTER TABLE person ADD COLUMN booking_letters INTEGER NOT NULL DEFAULT 1;
`,
}

export const limitsMigration: Migration = {
  name: '021-limits',
  sql: 'ALTER TABLE booking ADD COLUMN cancel_reason TEXT;',
}

export const takenBackMigration: Migration = {
  name: '028-taken-back',
  sql: 'ALTER TABLE booking ADD COLUMN taken_back_at INTEGER;',
}

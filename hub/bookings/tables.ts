import type { Migration } from '@fernlab/shared/storage/database'

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

export interface BookingsSchema {
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

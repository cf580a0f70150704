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
  note: string | null
  state: 'booked' | 'cancelled'
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

/** The load that a hub has recorded, to be played again. */
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { loadSqlite } from '@fernlab/shared/storage/sqlite'
import { closedS } from './closing.ts'
import { type Arrival, admitted, type Load, type WantedTime } from './load.ts'
import { recordedBenches, recordedClosed, recordedFailures } from './recorded-benches.ts'
import { recordedLeave } from './recorded-permissions.ts'

/**
 * Reads a hub's database: each run as it came and as long as it held its bench, each booking with when its time was given
 * back; what ran within a booking is the booking's, and checks of benches are nobody's. Benches were closed and failed when
 * they did. Who was bumped, or whose permissions say so, may be.
 */
export async function recordedLoad(path: string): Promise<Load> {
  const { DatabaseSync } = await loadSqlite()
  const open = () => {
    try {
      return new DatabaseSync(path, { readOnly: true })
    } catch (error) {
      const message = `${path} could not be opened as a hub's database: ${asLabError(error).message}`
      throw new LabError({ code: 'bad-database', kind: 'caller', message })
    }
  }
  const database = open()
  try {
    const benches = recordedBenches(database)
    const ran = database.prepare(
      `SELECT run.id, run.person_id, run.lab, run.created_at, run.estimated_s, run.priority, run.restart, run.protocol,
        run.bumped_at IS NOT NULL OR EXISTS (SELECT 1 FROM attempt WHERE run_id = run.id AND state = 'bumped') AS bumped,
        live_session.run_id AS session,
        MAX(attempt.ended_at) AS ended_at,
        SUM(attempt.ended_at - attempt.assigned_at) / 1000.0 AS lasts_s
      FROM run JOIN attempt ON attempt.run_id = run.id LEFT JOIN live_session ON live_session.run_id = run.id
      WHERE run.booking_id IS NULL AND run.bench_check IS NULL AND attempt.ended_at IS NOT NULL AND attempt.state NOT IN ('refused', 'broken', 'unready', 'bumped') GROUP BY run.id ORDER BY run.created_at, run.id`,
    )
    const rows = ran.all()
    const mayBeBumped = recordedLeave(database)
    const arrivals = rows.map((row): Arrival => {
      const [personId, lab, atMs] = [String(row.person_id), String(row.lab), Number(row.created_at)]
      return {
        ...{ id: String(row.id), personId, lab, atMs },
        estimatedS: Number(row.estimated_s ?? row.lasts_s),
        lastsS: Number(row.lasts_s),
        priority: Number(row.priority),
        kind: row.session !== null ? 'session' : row.restart === 'safe' ? 'again' : 'once',
        mayBeBumped: row.bumped === 1 || mayBeBumped({ personId, lab, protocol: String(row.protocol), atMs }),
      }
    })
    const booked = database
      .prepare(
        `SELECT id, lab, created_at, starts_at, ends_at, places, COALESCE(ended_at, cancelled_at, ends_at) AS left_at FROM booking
        WHERE (state != 'cancelled' OR cancelled_at > starts_at) AND starts_at <= (SELECT MAX(ended_at) FROM attempt)
        ORDER BY created_at, id`,
      )
      .all()
      .flatMap((row): WantedTime[] => {
        const [startMs, endMs] = [Number(row.starts_at), Number(row.ends_at)]
        const leavesMs = Math.min(endMs, Math.max(startMs, Number(row.left_at)))
        return Array.from({ length: Number(row.places) }, (_, at) => ({
          id: at === 0 ? String(row.id) : `${row.id}-${at + 1}`,
          lab: String(row.lab),
          createdAt: Number(row.created_at),
          ...{ startMs, endMs, leavesMs },
        }))
      })
    const begins = [...arrivals.map(({ atMs }) => atMs), ...booked.map(({ startMs }) => startMs)]
    const ends = [...rows.map((row) => Number(row.ended_at)), ...booked.map(({ leavesMs }) => leavesMs)]
    if (begins.length === 0) {
      const message = `${path} has no run that has ended`
      throw new LabError({ code: 'nothing-recorded', kind: 'caller', message })
    }
    const earliest = begins.reduce((first, at) => Math.min(first, at))
    const latest = ends.reduce((last, at) => Math.max(last, at))
    const closed = recordedClosed(database, benches)
    return {
      benches,
      arrivals,
      // Its calendar took them; what was closed when it did is not asked again.
      bookings: admitted(booked, { benches }),
      openS: Math.max(1, (latest - earliest) / 1000),
      closed,
      closedS: closedS(closed, [{ from: earliest, until: latest }]),
      failures: recordedFailures(database, benches),
    }
  } finally {
    database.close()
  }
}

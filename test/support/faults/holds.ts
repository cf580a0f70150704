/** Who holds which bench, as the hub's database file has it at any moment. */
import * as assert from 'uvu/assert'
import { query } from './query.ts'

/** Fails unless every bench that is held is held by one attempt that has it, and every attempt under way has its bench. */
export async function assertHoldsAreSound(databasePath: string): Promise<void> {
  const [benches = [], runs = [], attempts = [], bookings = []] = await query(databasePath, [
    { sql: 'SELECT id, run_id, fence FROM bench WHERE run_id IS NOT NULL ORDER BY id', params: [] },
    { sql: "SELECT id, bench, attempt, state FROM run WHERE state IN ('assigned', 'running')", params: [] },
    { sql: 'SELECT run_id, attempt, bench, fence FROM attempt WHERE ended_at IS NULL', params: [] },
    {
      sql: "SELECT booking.id, run.id AS run, run.booking_id FROM booking LEFT JOIN run ON run.id = booking.run_id WHERE booking.state = 'booked' AND booking.run_id IS NOT NULL",
      params: [],
    },
  ])
  const sorted = (holds: readonly (readonly unknown[])[]) => holds.map((hold) => hold.join(' ')).sort()
  const open = sorted(runs.map(({ id, attempt, bench }) => [id, attempt, bench]))
  assert.equal(sorted(attempts.map((row) => [row.run_id, row.attempt, row.bench])), open, 'one attempt of each')
  assert.equal(
    sorted(benches.map(({ id, run_id, fence }) => [run_id, id, fence])),
    sorted(attempts.map(({ run_id, bench, fence }) => [run_id, bench, fence])),
    'who has a bench, and who is under way',
  )
  for (const { id, run, booking_id } of bookings) assert.is(booking_id, id, `the session ${run} of booking ${id}`)
}

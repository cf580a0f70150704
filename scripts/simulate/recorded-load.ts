/** The load that a hub has recorded, to be played again. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { loadSqlite } from '@fernlab/shared/storage/sqlite'
import type { Load } from './load.ts'

/** Reads a hub's database: each run as it came and as long as it held its bench; benches serve the labs that they have served. */
export async function recordedLoad(path: string): Promise<Load> {
  const { DatabaseSync } = await loadSqlite()
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const benches = new Map<string, string[]>()
    const served = database.prepare(
      'SELECT DISTINCT attempt.bench, run.lab FROM attempt JOIN run ON run.id = attempt.run_id ORDER BY 1, 2',
    )
    for (const { bench, lab } of served.all()) {
      benches.set(String(bench), [...(benches.get(String(bench)) ?? []), String(lab)])
    }
    const ran = database.prepare(
      `SELECT run.id, run.person_id, run.lab, run.created_at, run.estimated_s,
        SUM(attempt.ended_at - attempt.assigned_at) / 1000.0 AS lasts_s
      FROM run JOIN attempt ON attempt.run_id = run.id
      WHERE attempt.ended_at IS NOT NULL AND attempt.state NOT IN ('refused', 'broken') GROUP BY run.id ORDER BY run.created_at, run.id`,
    )
    const arrivals = ran.all().map((row) => ({
      id: String(row.id),
      personId: String(row.person_id),
      lab: String(row.lab),
      atMs: Number(row.created_at),
      estimatedS: Number(row.estimated_s ?? row.lasts_s),
      lastsS: Number(row.lasts_s),
    }))
    const [first, last] = [arrivals[0], arrivals.at(-1)]
    if (first === undefined || last === undefined) {
      const message = `${path} has no run that has ended`
      throw new LabError({ code: 'nothing-recorded', kind: 'caller', message })
    }
    return { benches, arrivals, bookings: [], openS: Math.max(1, (last.atMs - first.atMs) / 1000 + last.lastsS) }
  } finally {
    database.close()
  }
}

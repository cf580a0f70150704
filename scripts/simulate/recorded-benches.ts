/** What became of a hub's benches, as its database has it: what they served, when they were closed and when they failed. */
import { planOf } from '@fernlab/hub/bench-care/stored-outages'
import type { BenchOutageTable } from '@fernlab/hub/bench-care/tables'
import type { SqliteDatabase } from '@fernlab/shared/storage/sqlite'
import type { Closed, Closing } from './closing.ts'
import { type Failure, inOrder } from './failing.ts'

/** Benches serve the labs that they have served. */
export function recordedBenches(database: SqliteDatabase): Map<string, string[]> {
  const benches = new Map<string, string[]>()
  const served = database.prepare(
    'SELECT DISTINCT attempt.bench, run.lab FROM attempt JOIN run ON run.id = attempt.run_id ORDER BY 1, 2',
  )
  for (const { bench, lab } of served.all()) {
    benches.set(String(bench), [...(benches.get(String(bench)) ?? []), String(lab)])
  }
  return benches
}

/** What staff had planned, for as long as it was. */
export function recordedClosed(database: SqliteDatabase, benches: ReadonlyMap<string, unknown>): Closed {
  const closed = new Map<string, Closing[]>()
  for (const row of database.prepare('SELECT * FROM bench_outage ORDER BY created_at, id').all()) {
    const outage = row as unknown as BenchOutageTable
    if (!benches.has(outage.bench)) continue
    const ended = outage.ended_at === null ? {} : { endedMs: outage.ended_at }
    closed.set(outage.bench, [...(closed.get(outage.bench) ?? []), { plan: planOf(outage), ...ended }])
  }
  return closed
}

/** Each time at which a bench was of no use and nobody had planned it. */
export function recordedFailures(database: SqliteDatabase, benches: ReadonlyMap<string, unknown>): Failure[] {
  const rows = database.prepare('SELECT bench, at, state, cause FROM bench_history ORDER BY at, id').all()
  const since = new Map<string, number>()
  const failures: Failure[] = []
  const isOver = (bench: string, backMs: number) => {
    const atMs = since.get(bench)
    since.delete(bench)
    if (atMs !== undefined && atMs < backMs) failures.push({ bench, atMs, backMs })
  }
  for (const { bench: id, at, state, cause } of rows) {
    const [bench, atMs] = [String(id), Number(at)]
    if (!benches.has(bench)) continue
    if (state === 'up' || cause === 'staff') isOver(bench, atMs)
    else if (!since.has(bench)) since.set(bench, atMs)
  }
  for (const bench of [...since.keys()]) isOver(bench, Number.POSITIVE_INFINITY)
  return inOrder(failures)
}

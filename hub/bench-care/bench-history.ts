/**
 * What became of each bench, and how long it was of use.
 *
 * INVARIANTS: a row says that from then on the bench was something else than the row before it says; what a bench is
 * follows from the book at that moment, so that a change which a killed hub has missed is noted at its next start; benches
 * of which nothing was heard since this hub began are left as they were until their nodes had time to come back.
 */
import type { BenchChange, BenchHistory as ShownHistory, ShownUptime } from '@fernlab/shared/contracts/bench-checks'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { createLossLog } from '../broker/loss-log.ts'
import type { FaultHook } from '../fault-point.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import type { Store } from '../store/store.ts'
import type { BenchHistoryTable } from './tables.ts'
import { type Condition, shareUp, uptimeOf } from './uptime.ts'

export interface BenchHistory {
  /** Notes a change of the bench; `by` is who made it, if not the site itself. */
  look(bench: BookedBench, by?: string): void
  /** The changes within the time, the newest first, and the uptime of the last day, week and month; throws `bench-unknown`. */
  of(bench: string, range: { readonly from: number; readonly to: number }): Promise<ShownHistory>
  /** What the bench was last noted as. */
  now(bench: string): Condition | undefined
  close(): void
}

export interface CreateBenchHistoryOptions {
  readonly store: Store
  readonly book: FleetBook
  /** Whether staff may be told of changes by mail. */
  readonly letters: boolean
  readonly clock: Clock
  readonly log: Log
  /** A change is in the database. */
  readonly onNoted: () => void
  readonly faultPoint?: FaultHook | undefined
}

const TICK_MS = 1000
/** Nodes that were connected to the hub before it started again are back by then. */
const START_MS = 15_000
const DAY_MS = 86_400_000

type Cause = BenchHistoryTable['cause']
interface Noted {
  readonly state: Condition
  readonly cause: Cause
}
interface Found extends Noted {
  readonly reason: string | null
  /** The run of a check that made it so. */
  readonly run: string | null
  readonly by: string | null
}

/** Watches the benches of the book until it is closed. */
export async function openBenchHistory(options: CreateBenchHistoryOptions): Promise<BenchHistory> {
  const { store, book, clock, log, letters, onNoted, faultPoint } = options
  const losses = createLossLog(log)
  const startedAt = clock.monotonic()
  const noted = new Map<string, Noted>()
  /** Nodes that were connected since this hub began. */
  const heardOf = new Set<string>()
  const latest = store.db
    .selectFrom('bench_history')
    .select(({ fn }) => fn.max('id').as('id'))
    .groupBy('bench')
  for (const { bench, state, cause } of await store.db
    .selectFrom('bench_history')
    .select(['bench', 'state', 'cause'])
    .where('id', 'in', latest)
    .execute()) {
    noted.set(bench, { state, cause })
  }
  let closed = false
  /** Ends when what was noted is in the database. */
  let kept: Promise<void> = Promise.resolve()

  const look = (bench: BookedBench, by?: string) => {
    const before = noted.get(bench.id)
    if (book.nodes.get(bench.node)?.ready === true) heardOf.add(bench.node)
    else if (!heardOf.has(bench.node) && clock.monotonic() - startedAt < START_MS) return
    if (closed || !bench.stored) return
    const found = conditionOf(book, bench)
    if (before?.state === found.state && before.cause === found.cause) return
    noted.set(bench.id, found)
    const row = {
      bench: bench.id,
      at: clock.now(),
      state: found.state,
      cause: found.cause,
      reason: found.reason,
      run_id: found.run,
      by: by ?? found.by,
      letter: letters ? ('due' as const) : ('none' as const),
    }
    faultPoint?.('before-bench-history-commit')
    kept = store.write([store.db.insertInto('bench_history').values(row)]).then(
      () => {
        faultPoint?.('after-bench-history-commit')
        losses.recovered('history', {}, 'the history of benches is kept again')
        onNoted()
      },
      (error: unknown) => {
        // The next look finds the change again.
        if (before === undefined) noted.delete(bench.id)
        else noted.set(bench.id, before)
        losses.lost('history', { error: asLabError(error).message }, 'the history of benches could not be kept')
      },
    )
  }

  const tick = () => {
    for (const bench of book.benches.values()) look(bench)
    for (const id of noted.keys()) if (!book.benches.has(id)) noted.delete(id)
    cancelTick = clock.after(TICK_MS, tick)
  }
  let cancelTick = clock.after(TICK_MS, tick)

  return {
    look,
    now: (bench) => noted.get(bench)?.state,
    of: async (id, { from, to }) => {
      if (!book.benches.has(id))
        throw new LabError({ code: 'bench-unknown', kind: 'caller', message: `there is no bench ${id}` })
      await kept
      const now = clock.now()
      const since = Math.min(from, now - 30 * DAY_MS)
      const rows = await store.db
        .selectFrom('bench_history')
        .leftJoin('user', 'user.id', 'bench_history.by')
        .selectAll('bench_history')
        .leftJoin('run', 'run.id', 'bench_history.run_id')
        .select(['user.name as by_name', 'run.id as known_run'])
        .where('bench_history.bench', '=', id)
        .where('bench_history.id', '>=', ({ selectFrom, fn, val }) =>
          selectFrom('bench_history as earlier')
            .select(({ fn: { max } }) => fn.coalesce(max('earlier.id'), val(0)).as('id'))
            .where('earlier.bench', '=', id)
            .where('earlier.at', '<=', since),
        )
        .orderBy('bench_history.id')
        .execute()
      const share = (days: number): ShownUptime => {
        const uptime = uptimeOf(rows, now - days * DAY_MS, now)
        return {
          days,
          share: shareUp(uptime),
          upS: Math.round(uptime.upMs / 1000),
          downS: Math.round(uptime.downMs / 1000),
          plannedS: Math.round(uptime.plannedMs / 1000),
          unknownS: Math.round(uptime.unknownMs / 1000),
        }
      }
      const changes = rows.flatMap((row, i): BenchChange[] => {
        const until = rows[i + 1]?.at
        if (row.at >= to || (until !== undefined && until <= from)) return []
        return [
          {
            at: new Date(row.at).toISOString(),
            ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
            state: row.state,
            cause: row.cause,
            ...(row.reason === null ? {} : { reason: row.reason }),
            ...(row.known_run === null ? {} : { run: row.known_run }),
            ...(row.by_name === null ? {} : { by: row.by_name }),
          },
        ]
      })
      return { uptime: [1, 7, 30].map(share), changes: changes.reverse() }
    },
    close: () => {
      closed = true
      cancelTick()
    },
  }
}

/** The run of the check that keeps the bench from runs, where that is one. */
function runOf({ checks }: BookedBench): string | null {
  for (const { standing } of checks.values())
    if (standing.failingSince !== null && standing.runId !== null) return standing.runId
  return null
}

/** What the bench is as a whole, and why. */
function conditionOf(book: FleetBook, bench: BookedBench): Found {
  const { current } = book.outlook(bench)
  if (current !== undefined) {
    const { reason, createdBy } = current.plan
    return { state: 'maintenance', cause: 'staff', reason, run: null, by: createdBy }
  }
  const { state, reason = null } = book.ownStateOf(bench)
  const found = (condition: Condition, cause: Cause): Found => ({
    state: condition,
    cause,
    reason,
    run: null,
    by: null,
  })
  if (state === 'offline' || state === 'maintenance') {
    const isThere = book.nodes.get(bench.node)?.online === true
    return found('offline', isThere ? 'instrument' : 'node')
  }
  if (bench.reported === 'fault') {
    const tripped = bench.interlocks.some((one) => one.state === 'tripped')
    return found('fault', tripped ? 'interlock' : 'safe-state')
  }
  // A run that is on it ends first; for others it is out already.
  if (bench.out !== undefined) return { ...found('fault', 'clean-up'), reason: bench.out }
  if (bench.failing !== undefined) return { ...found('fault', 'check'), reason: bench.failing, run: runOf(bench) }
  return { state: 'up', cause: 'bench', reason: null, run: null, by: null }
}

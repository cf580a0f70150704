/**
 * The health checks of benches: what nodes report of them, and what follows for the bench.
 *
 * INVARIANTS: a bench is kept from runs as soon as a check has failed too often, and given back only once that is in the
 * database, so that a hub which is killed in between errs on the side of keeping it away; what staff have planned or
 * taken out is untouched by checks; a report that comes twice changes nothing.
 */
import type { AnnouncedCheck, CheckReport } from '@fernlab/shared/contracts/bench-checks'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { createLossLog } from '../broker/loss-log.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store, StoreQuery } from '../store/store.ts'
import { afterReport, type CheckStanding, forgive, newStanding } from './check-standing.ts'
import { checkRow, keepCheck } from './check-statements.ts'
import { type BookedCheck, failingOf } from './stored-checks.ts'

export interface BenchChecks {
  /** The node has told which checks the bench has; others are forgotten. */
  announced(bench: BookedBench, checks: readonly AnnouncedCheck[]): void
  /** The node has told how they went. */
  reported(bench: BookedBench, reports: readonly CheckReport[]): void
  /** Looks at whether the checks keep the bench from runs: what is known of one has changed. */
  settle(bench: BookedBench): void
  /** Does the checks now, those that are runs as soon as the bench is free for them; throws `bench-unknown`, `node-offline`, `node-silent`. */
  now(bench: string, by: string): Promise<void>
  /** Gives a bench that was taken out to runs again, though a check may fail still; throws `bench-unknown`. */
  putBack(bench: string, by: string): Promise<void>
}

export interface CreateBenchChecksOptions {
  readonly store: Store
  readonly book: FleetBook
  readonly calls: NodeCalls
  readonly clock: Clock
  readonly log: Log
  /** The bench takes runs again or takes them no more; `by` is who made it so, if not the site itself. */
  readonly onChange: (bench: BookedBench, by?: string) => void
}

/** Each check ends within its tries; a bench has few. */
const NOW_MS = 60_000

/** The checks of the benches in the book. */
export function createBenchChecks({ store, book, calls, clock, log, onChange }: CreateBenchChecksOptions): BenchChecks {
  const losses = createLossLog(log)
  /** Ends when what was reported so far is in the database, or could not be kept. */
  let kept: Promise<void> = Promise.resolve()
  const audit = auditEntries(store, clock)

  const benchOf = (id: string): BookedBench => {
    const bench = book.benches.get(id)
    if (bench !== undefined) return bench
    throw new LabError({ code: 'bench-unknown', kind: 'caller', message: `there is no bench ${id}` })
  }

  const settle = (bench: BookedBench) => {
    const failing = failingOf(bench.checks)
    const before = bench.failing
    bench.failing = failing
    if ((before === undefined) === (failing === undefined)) return
    if (failing === undefined) log.info({ bench: bench.id }, 'a bench takes runs again: its checks pass')
    else log.warn({ bench: bench.id, reason: failing }, 'a bench takes no runs: a check fails')
    onChange(bench)
  }

  /** Takes the standings over, writes those that changed, and forgets those that are no more. */
  const take = (bench: BookedBench, checks: ReadonlyMap<string, BookedCheck>) => {
    const before = bench.checks
    const changed = [...checks.values()].flatMap(({ standing }) =>
      standing === before.get(standing.name)?.standing ? [] : [standing],
    )
    const gone = [...before.keys()].filter((name) => !checks.has(name))
    bench.checks = checks
    if (bench.failing === undefined) settle(bench)
    if (changed.length === 0 && gone.length === 0) return
    const forget: StoreQuery[] =
      gone.length === 0
        ? []
        : [store.db.deleteFrom('bench_check').where('bench', '=', bench.id).where('name', 'in', gone)]
    kept = store.write([...changed.map((standing) => keep(bench.id, standing)), ...forget]).then(
      () => {
        losses.recovered('checks', {}, 'the checks of benches are kept again')
        settle(bench)
      },
      (error: unknown) => {
        losses.lost('checks', { error: asLabError(error).message }, 'the checks of benches could not be kept')
      },
    )
  }

  const keep = (bench: string, standing: CheckStanding) => keepCheck(store.db, checkRow(bench, standing))

  const after = ({ announced, standing }: BookedCheck, report: CheckReport | undefined): BookedCheck => {
    if (announced === undefined || report === undefined) return { announced, standing }
    const next = afterReport(standing, report, announced, clock.now())
    return { announced, standing: JSON.stringify(next) === JSON.stringify(standing) ? standing : next }
  }

  /** A check that is a run waits for its bench. */
  const asked = ({ announced, standing }: BookedCheck): BookedCheck =>
    announced?.run === undefined ? { announced, standing } : { announced, standing: { ...standing, asked: true } }

  return {
    settle,
    announced: (bench, list) => {
      const checks = list.map((announced) => {
        const standing = bench.checks.get(announced.name)?.standing ?? newStanding(announced.name)
        return [announced.name, after({ announced, standing }, announced.report)] as const
      })
      take(bench, new Map(checks))
    },
    reported: (bench, reports) => {
      if (reports.length === 0) return
      const byName = new Map(reports.map((report) => [report.name, report]))
      take(bench, new Map([...bench.checks].map(([name, check]) => [name, after(check, byName.get(name))])))
    },
    now: async (id, by) => {
      const bench = benchOf(id)
      if (book.nodes.get(bench.node)?.online !== true) {
        const message = `${bench.node}, which has ${id}, is not connected`
        throw new LabError({ code: 'node-offline', kind: 'link', retry: 'later', message })
      }
      await store.write([audit(by, 'bench.checked', id)])
      const { checks } = await calls.call(bench.node, 'bench.check', { bench: bench.name }, NOW_MS)
      const byName = new Map(checks.map((report) => [report.name, report]))
      take(bench, new Map([...bench.checks].map(([name, check]) => [name, asked(after(check, byName.get(name)))])))
      await kept
      onChange(bench)
    },
    putBack: async (id, by) => {
      const bench = benchOf(id)
      if (bench.out === undefined && bench.failing === undefined) return
      const forgiven = [...bench.checks].map(([name, check]): [string, BookedCheck] => [
        name,
        check.standing.failingSince === null ? check : { ...check, standing: forgive(check.standing) },
      ])
      await store.write([
        store.db.updateTable('bench').set({ out_reason: null }).where('id', '=', id),
        ...forgiven.map(([, { standing }]) => keep(id, standing)),
        audit(by, 'bench.put-back', id),
      ])
      bench.out = undefined
      bench.checks = new Map(forgiven)
      bench.failing = failingOf(bench.checks)
      bench.since = clock.now()
      onChange(bench, by)
    },
  }
}

import type { AnnouncedCheck } from '@fernlab/shared/contracts/bench-checks'
import type { Store } from '../store/store.ts'
import { type CheckStanding, whyFailing } from './check-standing.ts'

/** A check as the hub has it in its book. */
export interface BookedCheck {
  /** As its node announced it to this process; undefined until then. */
  readonly announced: AnnouncedCheck | undefined
  readonly standing: CheckStanding
}

/** Why the checks keep their bench from runs; undefined when they do not. */
export function failingOf(checks: ReadonlyMap<string, BookedCheck>): string | undefined {
  return whyFailing(
    [...checks.values()].map(({ announced, standing }) => ({ standing, title: announced?.title ?? standing.name })),
  )
}

/** The standing of each check of each bench, as it was kept. */
export async function loadChecks(store: Store): Promise<ReadonlyMap<string, ReadonlyMap<string, BookedCheck>>> {
  const checks = new Map<string, Map<string, BookedCheck>>()
  for (const row of await store.db.selectFrom('bench_check').selectAll().execute()) {
    const ofBench = checks.get(row.bench) ?? new Map<string, BookedCheck>()
    checks.set(row.bench, ofBench)
    ofBench.set(row.name, {
      announced: undefined,
      standing: {
        name: row.name,
        passed: row.passed === null ? null : row.passed === 1,
        failures: row.failures,
        passes: row.passes,
        reason: row.reason,
        checkedAt: row.checked_at,
        failingSince: row.failing_since,
        forgiven: row.forgiven,
        runId: row.run_id,
        tries: row.tries,
        asked: row.asked === 1,
      },
    })
  }
  return checks
}

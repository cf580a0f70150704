/** How the standing of a check is kept, alone or with the end of the run that it rests on. */
import type { Kysely } from 'kysely'
import { precompile } from '../store/precompile.ts'
import type { HubSchema } from '../store/schema.ts'
import type { TurnStatement } from '../store/turn.ts'
import type { CheckStanding } from './check-standing.ts'
import type { BenchCheckTable } from './tables.ts'

/** After those of runs and bookings. */
const firstRank = 200

/** The standing as its row. */
export function checkRow(bench: string, { name, ...standing }: CheckStanding): BenchCheckTable {
  return {
    bench,
    name,
    passed: standing.passed === null ? null : standing.passed ? 1 : 0,
    failures: standing.failures,
    passes: standing.passes,
    reason: standing.reason,
    checked_at: standing.checkedAt,
    failing_since: standing.failingSince,
    forgiven: standing.forgiven,
    run_id: standing.runId,
    tries: standing.tries,
    asked: standing.asked ? 1 : 0,
  }
}

/** Writes the row, whether there is one or not. */
export const keepCheck = (db: Kysely<HubSchema>, { bench, name, ...row }: BenchCheckTable) =>
  db
    .insertInto('bench_check')
    .values({ bench, name, ...row })
    .onConflict((conflict) => conflict.columns(['bench', 'name']).doUpdateSet(row))

/** The same within a turn. */
export function checkStatements(db: Kysely<HubSchema>): { readonly keep: TurnStatement<BenchCheckTable> } {
  const keep = precompile((v: BenchCheckTable) =>
    keepCheck(db, {
      bench: v.bench,
      name: v.name,
      passed: v.passed,
      failures: v.failures,
      passes: v.passes,
      reason: v.reason,
      checked_at: v.checked_at,
      failing_since: v.failing_since,
      forgiven: v.forgiven,
      run_id: v.run_id,
      tries: v.tries,
      asked: v.asked,
    }),
  )
  return { keep: { ...keep, rank: firstRank, conditional: true } }
}

/** Whether a check keeps its bench from runs. Pure. */
import type { AnnouncedCheck, CheckReport } from '@fernlab/shared/contracts/bench-checks'

/** What the hub knows of one check of a bench; times in epoch ms. */
export interface CheckStanding {
  readonly name: string
  /** Its newest outcome; null before the first. */
  readonly passed: boolean | null
  /** In a row. */
  readonly failures: number
  readonly passes: number
  readonly reason: string | null
  readonly checkedAt: number | null
  /** Since when it keeps the bench from runs. */
  readonly failingSince: number | null
  /** So many failures in a row had been when somebody put the bench back: only those after them count. */
  readonly forgiven: number
  /** Of a check that is a run: the run of its newest outcome, how many tries have failed since, and whether somebody asked. */
  readonly runId: string | null
  readonly tries: number
  readonly asked: boolean
}

export const newStanding = (name: string): CheckStanding => ({
  name,
  passed: null,
  failures: 0,
  passes: 0,
  reason: null,
  checkedAt: null,
  failingSince: null,
  forgiven: 0,
  runId: null,
  tries: 0,
  asked: false,
})

/**
 * The standing after a report. A report says how often in a row the check went as it did, so that one which comes twice
 * changes nothing and one that was lost is made good by the next.
 */
export function afterReport(
  before: CheckStanding,
  report: CheckReport,
  { failuresBeforeOut, passesBeforeBack }: Pick<AnnouncedCheck, 'failuresBeforeOut' | 'passesBeforeBack'>,
  nowMs: number,
): CheckStanding {
  const { passed, failures, passes, reason } = report
  // A node that has started again counts from the beginning.
  const forgiven = !passed && failures >= before.forgiven ? before.forgiven : 0
  const failing = before.failingSince === null ? failures - forgiven >= failuresBeforeOut : passes < passesBeforeBack
  return {
    ...before,
    passed,
    failures,
    passes,
    reason: reason ?? null,
    checkedAt: Date.parse(report.at),
    failingSince: failing ? (before.failingSince ?? nowMs) : null,
    forgiven,
  }
}

/** What failed, or keeps its bench out, is not left for a day: nobody uses that bench meanwhile. */
const AGAIN_MS = 600_000
/** A clock is set by seconds all the time; by more than this, it was wrong. */
const EARLY_MS = 60_000

/** Whether a check that is a run is to be done, by what its last outcome was and by the clock. */
export function isDue(
  { checkedAt, passed, failingSince, tries, asked }: CheckStanding,
  { everyS }: Pick<AnnouncedCheck, 'everyS'>,
  nowMs: number,
): boolean {
  if (asked || tries > 0 || checkedAt === null) return true
  const isInDoubt = passed === false || failingSince !== null
  const everyMs = isInDoubt ? Math.min(everyS * 1000, AGAIN_MS) : everyS * 1000
  return nowMs >= checkedAt + everyMs || nowMs < checkedAt - EARLY_MS
}

/** The standing after somebody has put the bench back though the check fails. */
export function forgive(standing: CheckStanding): CheckStanding {
  return { ...standing, failingSince: null, forgiven: standing.failures }
}

/** Why the checks keep a bench from runs; undefined when they do not. */
export function whyFailing(
  checks: readonly { readonly standing: CheckStanding; readonly title: string }[],
): string | undefined {
  const failing = checks.filter(({ standing }) => standing.failingSince !== null)
  if (failing.length === 0) return undefined
  return failing.map(({ standing, title }) => whyOf(standing, title)).join('; ')
}

const whyOf = ({ passed, reason }: CheckStanding, title: string): string =>
  passed === false ? `the check ${title} failed: ${reason}` : `the check ${title} has not passed often enough yet`

/**
 * The checks of benches that are runs: when one begins, whom it gives way to, and what its end says of the bench.
 *
 * INVARIANTS: a check begins on a bench only while nobody uses it or waits for it, and while it would end before what is
 * booked or planned there; the run is made and given its bench in one write, and its verdict is noted in the write that
 * ends it, so that none is done twice or lost; when the next is due follows from the last verdict and the clock alone;
 * who comes to wait for a bench that takes runs, or to drive it, ends the check that is on it, and none begins before they
 * had it.
 */
import type { AnnouncedCheck, ShownCheck } from '@fernlab/shared/contracts/bench-checks'
import { priorities } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import { longest } from '../dispatch/assignment.ts'
import type { FaultHook } from '../fault-point.ts'
import { whyNot } from '../fleet/compatible.ts'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import type { Ledger, Outcome } from '../runs/ledger.ts'
import { addRun, newRun } from '../runs/new-run.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { RunStatements } from '../runs/run-statements.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import { CHECKS_PERSON } from './check-person.ts'
import { type CheckPlan, planCheck } from './check-plan.ts'
import { afterReport, type CheckStanding, isDue } from './check-standing.ts'
import { checkRow, checkStatements } from './check-statements.ts'
import { type CheckVerdict, verdictOf } from './check-verdict.ts'
import type { BookedCheck } from './stored-checks.ts'

/** What the dispatcher knows of the benches once those who wait have been given theirs. */
export interface CheckChances {
  /** Whether somebody waits for it, or a booking that is due. */
  wanted(bench: BookedBench): boolean
  /** Whether it may be taken for so long without a booking losing it. */
  allows(bench: BookedBench, lastsS: number): boolean
}

export interface ProtocolChecks {
  /** Begins what may begin, and ends what is in somebody's way, in this turn's write; answers the runs to be sent. */
  look(chances: CheckChances): OpenRun[]
  /** Ends the check that is on the bench for somebody who comes to drive it; undefined where none is. */
  giveWay(bench: BookedBench): WayGiven | undefined
  /** How long the run may take, where its check says so. */
  mostSeconds(run: OpenRun): number | undefined
  /** What is shown of a check besides how it stands. */
  details(bench: BookedBench, check: BookedCheck): Pick<ShownCheck, 'issues' | 'underWay'>
}

export interface WayGiven {
  /** What staff call the check that had to end. */
  readonly check: string
  /** Resolves when its end is on disk; rejects with `bench-busy` where that takes too long. */
  readonly ended: Promise<void>
  /** The bench is theirs, or they do not come: checks may begin again. */
  done(): void
}

export interface CreateProtocolChecksOptions {
  readonly store: Pick<Store, 'db'>
  readonly turn: Turn
  readonly runStatements: RunStatements
  readonly ledger: Ledger
  readonly book: FleetBook
  readonly labOf: (id: string) => CatalogueLab | undefined
  /** Asks the run's node to stop it. */
  readonly stop: (run: OpenRun, reason: string) => void
  /** What is known of a check of the bench has changed. */
  readonly settle: (bench: BookedBench) => void
  /** False while the hub's disk has no room for results. */
  readonly hasSpace: () => boolean
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

/** Between two runs of a person a bench is free for less. */
const QUIET_MS = 3000
/** After a run that said nothing of the bench, and before which nobody had come. */
const REST_MS = 60_000
/** What a node needs to end one, and to make its bench safe. */
const MOST_ENDING_MS = 20_000
const GAVE_WAY = 'somebody waits for the bench: the check is done again later'

type Planned = { readonly key: string } & ({ readonly plan: CheckPlan } | { readonly issues: readonly Issue[] })

/** Over the benches in the book. */
export function createProtocolChecks(options: CreateProtocolChecksOptions): ProtocolChecks {
  const { turn, ledger, book, clock, log, faultPoint } = options
  const statements = checkStatements(options.store.db)
  const planned = new WeakMap<AnnouncedCheck, Planned>()
  /** Until when a check rests (monotonic ms), by `<bench>/<check>`. */
  const rests = new Map<string, number>()

  /** Who waits for a check to end, to drive its bench. */
  const drivers = new Set<{ readonly bench: BookedBench; readonly run: OpenRun; resolve(): void }>()

  /** Looked at again when the lab or the fleet is another. */
  const planOf = (bench: BookedBench, { announced }: BookedCheck): Planned | undefined => {
    if (announced?.run === undefined) return undefined
    const { config } = announced.run
    const key = `${versionOf(options.labOf, config)}/${book.shape}`
    const known = planned.get(announced)
    if (known?.key === key) return known
    const found = planCheck(config, {
      labOf: options.labOf,
      lacks: (lab) => whyNot(book, bench, lab),
      parts: book.partsOf(bench),
    })
    if ('issues' in found)
      log.warn({ bench: bench.id, check: announced.name, issues: found.issues }, 'a check of a bench can not be done')
    const made = { key, ...found }
    planned.set(announced, made)
    return made
  }

  const lastsS = ({ announced }: BookedCheck, { estimatedS }: CheckPlan): number =>
    announced?.run?.timeoutS ?? longest(estimatedS)

  const ready = (bench: BookedBench, check: BookedCheck, { wanted, allows }: CheckChances): CheckPlan | undefined => {
    const { announced, standing } = check
    if (announced?.run === undefined || !isDue(standing, announced, clock.now())) return undefined
    const steady = clock.monotonic()
    if (!standing.asked && (rests.get(`${bench.id}/${standing.name}`) ?? 0) > steady) return undefined
    const found = planOf(bench, check)
    if (found === undefined || !('plan' in found)) return undefined
    const takesS = lastsS(check, found.plan)
    if (takesS > book.freeForS(bench)) return undefined
    if (bench.failing === undefined && (wanted(bench) || !allows(bench, takesS))) return undefined
    return found.plan
  }

  const isQuiet = (bench: BookedBench): boolean => {
    const freeMs = clock.now() - bench.since
    // A clock that was set back says nothing.
    return freeMs >= QUIET_MS || freeMs < 0
  }

  const begin = (bench: BookedBench, check: string, plan: CheckPlan): OpenRun => {
    const { lab, protocol, found, parameters, estimatedS } = plan
    const made = newRun(
      ledger.runs,
      {
        ...{ personId: CHECKS_PERSON.id, lab, protocol, found, parameters, estimatedS, check },
        priority: priorities.latest,
        bench: bench.id,
      },
      clock.now(),
    )
    faultPoint?.('before-check-commit')
    addRun(turn, options.runStatements, ledger, made)
    ledger.assign(made.run, bench)
    turn.afterCommit(() => faultPoint?.('after-check-commit'))
    return made.run
  }

  /** Ends a check that is in somebody's way, or that its node has no more. */
  const endOnBench = (bench: BookedBench, chances: CheckChances) => {
    const run = bench.runId === null ? undefined : ledger.runs.get(bench.runId)
    if (run === undefined || run.check === null || run.cancelRequested) return
    const check = bench.checks.get(run.check)
    if (check === undefined) options.stop(run, `${bench.node} has the check ${run.check} no more`)
    else if (bench.failing === undefined && chances.wanted(bench)) options.stop(run, GAVE_WAY)
  }

  const note = (bench: BookedBench, check: BookedCheck, standing: CheckStanding) => {
    turn.add(statements.keep, checkRow(bench.id, standing))
    bench.checks = new Map(bench.checks).set(standing.name, { ...check, standing })
    // Kept from runs at once, given back only once that is on disk.
    if (bench.failing === undefined) options.settle(bench)
    turn.afterCommit(() => options.settle(bench))
  }

  const ended = (run: OpenRun, outcome: Outcome) => {
    const bench = run.check === null ? undefined : book.benches.get(run.wantedBench ?? '')
    const check = bench?.checks.get(run.check ?? '')
    const asked = check?.announced?.run
    // Of a node that has not told of its checks yet nothing is concluded: the check is due still.
    if (bench === undefined || check?.announced === undefined || asked === undefined) return
    const { announced, standing } = check
    const { name } = standing
    const found = planOf(bench, check)
    const verdict: CheckVerdict =
      found !== undefined && 'plan' in found ? verdictOf(outcome, found.plan.expect) : { kind: 'none' }
    if (verdict.kind === 'none') {
      if (outcome.reason === GAVE_WAY || run.cancelReason === GAVE_WAY) return
      rests.set(`${bench.id}/${name}`, clock.monotonic() + REST_MS)
      // Whoever stopped it does not want it any more.
      if (run.cancelRequested && standing.asked) note(bench, check, { ...standing, asked: false })
      return
    }
    const tries = standing.tries + 1
    if (verdict.kind === 'failed' && tries <= asked.retries) {
      note(bench, check, { ...standing, tries })
      return
    }
    const reason = verdict.kind === 'failed' ? verdict.reason.slice(0, 500) : undefined
    const passed = reason === undefined
    const report = {
      name,
      passed,
      failures: passed ? 0 : standing.failures + 1,
      passes: passed ? standing.passes + 1 : 0,
      ...(passed ? {} : { reason }),
      at: new Date(clock.now()).toISOString(),
    }
    const next = afterReport(standing, report, announced, clock.now())
    note(bench, check, { ...next, runId: run.id, tries: 0, asked: false })
  }
  ledger.onEnd(ended)
  ledger.onEnd((run) => {
    for (const driver of drivers) if (driver.run.id === run.id) turn.afterCommit(driver.resolve)
  })

  return {
    look: (chances) => {
      const begun: OpenRun[] = []
      const steady = clock.monotonic()
      for (const bench of book.benches.values()) {
        if (bench.checks.size === 0 && bench.runId === null) continue
        endOnBench(bench, chances)
        if ([...drivers].some((driver) => driver.bench === bench)) continue
        if (!book.isFreeForChecks(bench, steady) || !options.hasSpace()) continue
        for (const check of bench.checks.values()) {
          if (!check.standing.asked && !isQuiet(bench)) continue
          const plan = ready(bench, check, chances)
          if (plan === undefined) continue
          begun.push(begin(bench, check.standing.name, plan))
          break
        }
      }
      return begun
    },
    giveWay: (bench) => {
      const run = bench.runId === null ? undefined : ledger.runs.get(bench.runId)
      if (run === undefined || run.check === null) return undefined
      turn.mustBeOpen()
      const check = bench.checks.get(run.check)?.announced?.title ?? run.check
      let done = () => {}
      const ended = new Promise<void>((resolve, reject) => {
        const cancel = clock.after(MOST_ENDING_MS, () => reject(stillChecked(bench, check)))
        const driver = { bench, run, resolve }
        drivers.add(driver)
        done = () => {
          cancel()
          drivers.delete(driver)
        }
      })
      options.stop(run, GAVE_WAY)
      return { check, ended, done }
    },
    mostSeconds: ({ check, wantedBench }) =>
      check === null ? undefined : book.benches.get(wantedBench ?? '')?.checks.get(check)?.announced?.run?.timeoutS,
    details: (bench, check) => {
      const run = bench.runId === null ? undefined : ledger.runs.get(bench.runId)
      const found = planOf(bench, check)
      const path = `benches.${bench.name}.checks.${check.standing.name}.config`
      return {
        ...(found === undefined || 'plan' in found
          ? {}
          : { issues: found.issues.map((issue) => ({ ...issue, path: `${path}.${issue.path}` })) }),
        ...(run === undefined || run.check !== check.standing.name
          ? {}
          : { underWay: { run: run.id, ...(run.live === undefined ? {} : { fraction: run.live.fraction }) } }),
      }
    },
  }
}

function stillChecked({ id }: BookedBench, check: string): LabError {
  return new LabError({
    code: 'bench-busy',
    kind: 'caller',
    retry: 'later',
    message: `the check ${check} on ${id} was told to end, and has not yet: try again in a moment`,
  })
}

/** The version of the lab that the config names; anything else where there is none. */
function versionOf(labOf: CreateProtocolChecksOptions['labOf'], config: Readonly<Record<string, unknown>>): string {
  const { lab } = config
  return typeof lab === 'string' ? String(labOf(lab)?.version) : ''
}

/**
 * Does the checks of the benches, each every so often, and counts how they go; those that are runs are only announced: the
 * hub does them.
 *
 * INVARIANTS: of a bench one check is done at a time; one that is not harmless begins only while the bench has been free
 * for `QUIET_MS`, and is given up without a verdict the moment somebody takes the bench or an instrument is lost (the
 * bench's own state says that); a check counts as failed only when its last retry has failed. Whether a bench is out of
 * use is for the hub to say: here nothing is kept from runs.
 */
import type { AnnouncedCheck, CheckEntry, CheckReport } from '@fernlab/shared/contracts/bench-checks'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Bench } from '../benches/bench.ts'
import type { CheckKind } from './check-kind.ts'

export interface BenchChecks {
  /** As announced to the hub, each with its newest report. */
  announce(bench: Bench): AnnouncedCheck[]
  /** Of the checks that have been done. */
  reports(bench: Bench): CheckReport[]
  /** Does all checks of the bench that may be done now, and resolves with the reports when they are done. */
  now(bench: Bench): Promise<CheckReport[]>
  close(): void
}

export interface CreateBenchChecksOptions {
  readonly benches: ReadonlyMap<string, Bench>
  readonly kinds: readonly CheckKind[]
  readonly clock: Clock
  readonly log: Log
  readonly onReport: (bench: Bench) => void
}

const EVERY_S = 60
const RUN_EVERY_S = 86_400
const TIMEOUT_S = 5
const RETRY_MS = 1000
/** Between two runs of a queue a bench is free for less. */
const QUIET_MS = 500

/** Checks until it is closed. */
export function createBenchChecks({ benches, ...options }: CreateBenchChecksOptions): BenchChecks {
  const rounds = new Map([...benches.values()].map((bench) => [bench, createRound(bench, options)]))
  return {
    announce: (bench) => rounds.get(bench)?.announce() ?? [],
    reports: (bench) => rounds.get(bench)?.reports() ?? [],
    now: async (bench) => (await rounds.get(bench)?.now()) ?? [],
    close: () => {
      for (const round of rounds.values()) round.close()
    },
  }
}

interface Check {
  readonly name: string
  readonly entry: CheckEntry
  readonly kind: CheckKind
  /** Monotonic ms. */
  dueAt: number
  report: CheckReport | undefined
}

function createRound(bench: Bench, { kinds, clock, log, onReport }: Omit<CreateBenchChecksOptions, 'benches'>) {
  const checks = Object.entries(bench.entry.checks ?? {}).flatMap(([name, entry]): Check[] => {
    const kind = kinds.find((known) => known.kind === entry.kind)
    return kind === undefined ? [] : [{ name, entry, kind, dueAt: clock.monotonic(), report: undefined }]
  })
  const own = checks.filter(({ kind }) => !kind.byHub)
  const waiting: (() => void)[] = []
  let current: { readonly check: Check; readonly ending: AbortController } | undefined
  let freeSince = Number.POSITIVE_INFINITY
  let cancel = () => {}
  let closed = false

  const mayAt = ({ kind }: Check): number => (kind.harmless ? Number.NEGATIVE_INFINITY : freeSince + QUIET_MS)

  /** Begins the check that is due the longest, or comes back when one will be. */
  const look = () => {
    cancel()
    if (closed || current !== undefined) return
    const now = clock.monotonic()
    const due = own.filter((check) => check.dueAt <= now && mayAt(check) <= now)
    const first = due.sort((a, b) => a.dueAt - b.dueAt)[0]
    if (first !== undefined) {
      void begin(first)
      return
    }
    const nextAt = Math.min(...own.map((check) => Math.max(check.dueAt, mayAt(check))))
    if (Number.isFinite(nextAt)) cancel = clock.after(nextAt - now, look)
    for (const done of waiting.splice(0)) done()
  }

  const begin = async (check: Check) => {
    const ending = new AbortController()
    current = { check, ending }
    const failure = await verdict(check, ending.signal)
    current = undefined
    if (closed) return
    if (failure !== 'given up') note(check, failure)
    look()
  }

  /** Undefined: passed. */
  const verdict = async (
    { name, entry, kind }: Check,
    signal: AbortSignal,
  ): Promise<LabError | undefined | 'given up'> => {
    const timeoutMs = (entry.timeoutS ?? TIMEOUT_S) * 1000
    const late = () =>
      new LabError({
        code: 'check-late',
        kind: 'instrument',
        retry: 'later',
        message: `no answer within ${timeoutMs / 1000} s`,
        details: { check: name, timeoutMs },
      })
    for (let tries = 0; ; tries++) {
      try {
        await withDeadline(clock, timeoutMs, signal, late, (within) => kind.perform(entry.config, bench, within))
        return undefined
      } catch (thrown) {
        if (signal.aborted) return 'given up'
        if (tries >= entry.retries) return asLabError(thrown)
      }
      try {
        await clock.sleep(RETRY_MS, signal)
      } catch {
        return 'given up'
      }
    }
  }

  const note = (check: Check, failure: LabError | undefined) => {
    const { failures = 0, passes = 0 } = check.report ?? {}
    check.dueAt = clock.monotonic() + (check.entry.everyS ?? EVERY_S) * 1000
    if (failure !== undefined && failures === 0)
      log.warn({ bench: bench.name, check: check.name, error: failure.message }, 'a check of a bench failed')
    if (failure === undefined && failures > 0)
      log.info({ bench: bench.name, check: check.name }, 'a check of a bench passes again')
    check.report = {
      name: check.name,
      passed: failure === undefined,
      failures: failure === undefined ? 0 : failures + 1,
      passes: failure === undefined ? passes + 1 : 0,
      ...(failure === undefined ? {} : { reason: failure.message.slice(0, 500) }),
      at: new Date(clock.now()).toISOString(),
    }
    onReport(bench)
  }

  const onState = () => {
    const free = bench.status.state === 'free'
    if (free) {
      if (freeSince === Number.POSITIVE_INFINITY) freeSince = clock.monotonic()
    } else {
      freeSince = Number.POSITIVE_INFINITY
      if (current?.check.kind.harmless === false) current.ending.abort(new Error('the bench was taken'))
    }
    look()
  }

  if (own.length > 0) {
    bench.onChange(onState)
    onState()
  }

  const reports = () => checks.flatMap(({ report }) => report ?? [])
  return {
    reports,
    announce: () =>
      checks.map(({ name, entry, kind: { byHub }, report }): AnnouncedCheck => {
        const { kind, title, everyS = byHub ? RUN_EVERY_S : EVERY_S, failuresBeforeOut, passesBeforeBack } = entry
        const { config, retries, timeoutS } = entry
        return {
          name,
          kind,
          ...(title === undefined ? {} : { title }),
          everyS,
          failuresBeforeOut,
          passesBeforeBack,
          ...(byHub ? { run: { config, retries, ...(timeoutS === undefined ? {} : { timeoutS }) } } : {}),
          ...(report === undefined ? {} : { report }),
        }
      }),
    now: async () => {
      if (closed || own.length === 0) return reports()
      for (const check of own) check.dueAt = Number.NEGATIVE_INFINITY
      if (bench.status.state === 'free') freeSince = Number.NEGATIVE_INFINITY
      const done = new Promise<void>((resolve) => void waiting.push(resolve))
      look()
      await done
      return reports()
    },
    close: () => {
      closed = true
      cancel()
      current?.ending.abort(new Error('the node is closing'))
      for (const done of waiting.splice(0)) done()
    },
  }
}

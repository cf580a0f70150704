/** What can be seen of a running hub from outside: metrics for Prometheus, and whether it is ready. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Runs } from '../runs/runs.ts'

export interface Readiness {
  readonly ready: boolean
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>
}

/** Resolves when all is well, with a detail worth showing; rejects with what is wrong, of which the code is shown. */
export type ReadinessCheck = () => Promise<string | undefined>

export interface Monitoring {
  /** Documents that were committed, and the samples in them. */
  noteIngest(ingested: { readonly documents: number; readonly rows: number }): void
  /** How long a commit of ingested documents took. */
  noteCommit(seconds: number): void
  noteRequest(request: { readonly method: string; readonly status: number; readonly seconds: number }): void
  /** Calls of services that go by way of the hub, as there was no nearer one. */
  noteCarried(to: 'node' | 'client', bytes: number): void
  /** Adds a gauge that is read at each scrape. */
  gauge(name: string, help: string, read: () => number): void
  /** Tells of each bench whether it is of use, read at each scrape. */
  benches(read: () => readonly { readonly bench: string; readonly up: boolean }[]): void
  /** Counts runs by state from now on. */
  watchRuns(runs: Pick<Runs, 'counts' | 'onChange'>): void
  addCheck(name: string, check: ReadinessCheck): void
  readiness(): Promise<Readiness>
  metrics(): Promise<{ readonly type: string; readonly text: string }>
  close(): void
}

const checkMs = 2_000
const samplingMs = 10

/** Starts measuring; nothing carries a run's or a person's id. */
export function createMonitoring({ clock = systemClock, log }: { clock?: Clock; log: Log }): Monitoring {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'fernlab_' })
  const registers = [registry]
  const delay = monitorEventLoopDelay({ resolution: samplingMs })
  /** A timer's interval is measured, so an idle loop shows the interval itself: only what exceeds it is delay. */
  const delayS = (intervalNs: number) => Math.max(0, intervalNs / 1e9 - samplingMs / 1000)
  delay.enable()
  const documents = new Counter({ name: 'fernlab_ingest_documents_total', help: 'Run documents committed', registers })
  const rows = new Counter({ name: 'fernlab_ingest_rows_total', help: 'Samples committed', registers })
  const commits = new Histogram({
    name: 'fernlab_ingest_commit_seconds',
    help: 'Time of a commit of run documents',
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2],
    registers,
  })
  const requests = new Histogram({
    name: 'fernlab_http_request_seconds',
    help: 'Time until the head of an answer',
    labelNames: ['method', 'status'],
    buckets: [0.002, 0.01, 0.05, 0.25, 1, 5, 30],
    registers,
  })
  const carried = new Counter({
    name: 'fernlab_services_carried_bytes_total',
    help: 'Calls of services that went by way of the hub; what goes straight to a node is none of it',
    labelNames: ['to'],
    registers,
  })
  for (const to of ['node', 'client']) carried.inc({ to }, 0)
  const ended = new Counter({
    name: 'fernlab_runs_ended_total',
    help: 'Runs by final state',
    labelNames: ['state'],
    registers,
  })
  new Gauge({
    name: 'fernlab_event_loop_delay_seconds',
    help: 'By how much timers of the event loop were late since the scrape before (0: idle), sampled every 10 ms',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const quantile of [50, 99]) this.set({ quantile: `0.${quantile}` }, delayS(delay.percentile(quantile)))
      this.set({ quantile: '1' }, delayS(delay.max))
      delay.reset()
    },
  })
  const checks = new Map<string, ReadinessCheck>()
  const failing = new Set<string>()
  /** A loss once and its recovery once; strangers may ask, so the words of an error are for the log alone. */
  const note = (check: string, { ok, error }: Judged) => {
    if (ok === !failing.has(check)) return
    if (ok) {
      failing.delete(check)
      log.info({ check }, 'what was not ready is ready again')
    } else {
      failing.add(check)
      log.warn({ check, error }, 'the hub is not ready')
    }
  }
  const stops: (() => void)[] = []

  return {
    noteIngest: (ingested) => {
      documents.inc(ingested.documents)
      rows.inc(ingested.rows)
    },
    noteCommit: (seconds) => commits.observe(seconds),
    noteRequest: ({ method, status, seconds }) =>
      requests.observe({ method, status: `${Math.floor(status / 100)}xx` }, seconds),
    noteCarried: (to, bytes) => carried.inc({ to }, bytes),
    gauge: (name, help, read) => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    },
    benches: (read) => {
      new Gauge({
        name: 'fernlab_bench_up',
        help: 'Whether a bench is of use (1) or not (0: planned, offline or at fault)',
        labelNames: ['bench'],
        registers,
        collect() {
          this.reset()
          for (const { bench, up } of read()) this.set({ bench }, up ? 1 : 0)
        },
      })
    },
    watchRuns: (runs) => {
      new Gauge({
        name: 'fernlab_runs',
        help: 'Runs that are not over, by state',
        labelNames: ['state'],
        registers,
        collect() {
          for (const [state, count] of Object.entries(runs.counts())) this.set({ state }, count)
        },
      })
      const open = new Set<string | undefined>([undefined, 'queued', 'assigned', 'running'])
      stops.push(
        runs.onChange(({ kind, state }) => {
          if (kind === 'state' && !open.has(state)) ended.inc({ state: state ?? '' })
        }),
      )
    },
    addCheck: (name, check) => {
      checks.set(name, check)
    },
    readiness: async () => {
      const entries = await Promise.all(
        [...checks].map(async ([name, check]) => {
          const judged = await judge(check, clock)
          note(name, judged)
          const { ok, detail } = judged
          return [name, { ok, ...(detail === undefined ? {} : { detail }) }] as const
        }),
      )
      return { ready: entries.every(([, { ok }]) => ok), checks: Object.fromEntries(entries) }
    },
    metrics: async () => ({ type: registry.contentType, text: await registry.metrics() }),
    close: () => {
      delay.disable()
      for (const stop of stops) stop()
    },
  }
}

interface Judged {
  readonly ok: boolean
  readonly detail?: string
  readonly error?: string
}

async function judge(check: ReadinessCheck, clock: Clock): Promise<Judged> {
  const timer = new AbortController()
  const late = clock.sleep(checkMs, timer.signal).then(
    () => ({ ok: false, detail: `no answer within ${checkMs} ms` }),
    () => ({ ok: false }),
  )
  try {
    const judged = check().then(
      (detail) => ({ ok: true, ...(detail === undefined ? {} : { detail }) }),
      (error: unknown) => ({ ok: false, detail: asLabError(error).code, error: asLabError(error).message }),
    )
    return await Promise.race([judged, late])
  } finally {
    timer.abort()
  }
}

/**
 * The attempts that this node has accepted: waiting, running, stopped.
 *
 * INVARIANTS: at most one attempt runs on a bench, in the order of acceptance; an attempt may begin before its acceptance
 * is on disk, but its start document is written with or after it and waited for before the bench is touched; every
 * accepted attempt gets exactly one stop document, also when the node was killed while it ran; an attempt that may have
 * touched its bench never runs again: found `running` at start, its bench goes to its safe state and it is stopped as
 * `interrupted`.
 */
import type { Limits } from '@fernlab/shared/capabilities/signals'
import { type Assignment, assignmentSchema, type Live } from '@fernlab/shared/contracts/sync'
import { decode, encode } from '@fernlab/shared/links/codec'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import type { Database } from '@fernlab/shared/storage/database'
import type { Bench } from '../benches/bench.ts'
import type { Lease } from '../benches/lease.ts'
import { type CleanUpResult, cleanUp } from '../engine/clean-up.ts'
import { errorJson } from '../engine/error-json.ts'
import type { RunPlans } from '../engine/plan.ts'
import { type Attempt, type RunOptions, runAttempt, type StopCause, safeJson } from '../engine/run.ts'
import type { Seat } from '../engine/seat.ts'
import { createVisit, type Visit } from '../engine/visit.ts'
import { type AttemptKey, type AttemptOutbox, type AttemptState, keyText, type Outbox } from '../outbox/outbox.ts'
import type { Journal } from '../store/journal.ts'
import { fenceStatement, visitStatement } from '../store/store.ts'

export interface Queue {
  /** What is known of an attempt that the hub has not wholly acknowledged; `begun`: its start document is on disk. */
  find(key: AttemptKey): { readonly state: AttemptState; readonly begun: boolean } | undefined
  /** The newest attempt known of a run. */
  newestAttempt(runId: string): number | undefined
  /** Attempts that wait for or run on the bench, or that it is cleaned up after. */
  length(bench: string): number
  readonly depth: number
  /**
   * Commits the attempts as one write and queues them; a run begins at once, and what it records before it touches its
   * bench shares the commit. Rejects when the disk refuses: then none is queued, and none has touched its bench.
   */
  accept(assignments: readonly Assignment[]): Promise<void>
  cancel(key: AttemptKey, reason: string): void
  /** Stops and forgets an attempt that the hub does not want. */
  drop(key: AttemptKey): void
  /** Stops all that run. */
  stopAll(cause: StopCause): void
  live(which?: 'all' | 'sessions'): Live['runs']
  /** Where a person drives, if the attempt is a session that runs. */
  seat(key: AttemptKey): Seat | undefined
  /** Whether any session runs. */
  readonly seated: boolean
  /** Takes up what a former life of the node left behind; call once, before the first assignment. */
  restore(): Promise<void>
  forgotten(key: AttemptKey): void
  /** Stops what runs as interrupted; waiting attempts stay on disk for the next start. Bounded. */
  close(): Promise<void>
}

export interface CreateQueueOptions extends Pick<RunOptions, 'clock' | 'log' | 'node' | 'faultPoint' | 'onValue'> {
  readonly benches: ReadonlyMap<string, Bench>
  readonly outbox: Outbox
  readonly plans: RunPlans
  readonly journal: Journal
  readonly database: Pick<Database, 'read'>
}

interface Entry {
  readonly assignment: Assignment
  readonly documents: AttemptOutbox
  readonly visit: Visit
  state: AttemptState
  running: Attempt | undefined
}

const RECOVERY_MS = 20_000
/** How long a waiting attempt waits for its bench to come back. */
const USABLE_MS = 60_000
/** Longer than a bench takes to close: what it came to is in the stop document. */
const CLOSE_MS = 2500

const INSERT =
  "INSERT INTO attempt (run_id, attempt, bench, fence, state, accepted_at, assignment) VALUES (?, ?, ?, ?, 'waiting', ?, ?)"

/** Documents of an attempt that was taken back while the disk refused it. */
const ORPHANS =
  'DELETE FROM document WHERE NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.run_id = document.run_id AND attempt.attempt = document.attempt)'

export function createQueue(options: CreateQueueOptions): Queue {
  const { benches, outbox, plans, journal, database, clock, log, node, faultPoint } = options
  const entries = new Map<string, Entry>()
  const newest = new Map<string, number>()
  const lines = new Map<string, Entry[]>()
  const giveUp = new Map<string, () => void>()
  /** Benches that a session of a former life left, until they are cleaned up. */
  const unclean = new Set<string>()
  let closing = false

  const note = (entry: Entry) => {
    entries.set(keyText(entry.assignment), entry)
    const { runId, attempt } = entry.assignment
    newest.set(runId, Math.max(newest.get(runId) ?? 0, attempt))
  }

  const visitOf = (key: AttemptKey, found?: string): Visit =>
    createVisit({ found, faultPoint, keep: (visit) => journal.attempt('other', () => [visitStatement(key, visit)]) })

  const lineOf = (bench: string): Entry[] => {
    const line = lines.get(bench)
    if (line !== undefined) return line
    const made: Entry[] = []
    lines.set(bench, made)
    return made
  }

  /** Ends an attempt that never ran (here): start and stop in one commit. */
  const stopUnstarted = (
    entry: Entry,
    cause: StopCause,
    safe: { reached: true } | { reached: false; error: LabError } = { reached: true },
    cleaned: CleanUpResult | undefined = undefined,
  ) => {
    const { assignment, documents } = entry
    entry.state = 'stopped'
    const time = clock.now() / 1000
    const before = documents.nextSeq > 0 ? [] : [startDocument(assignment, time)]
    documents
      .append('stop', [
        ...before,
        {
          name: 'stop',
          doc: {
            time,
            state: cause.state,
            reason: cause.reason,
            ...(cause.error === undefined ? {} : { error: errorJson(cause.error) }),
            outputs: {},
            missingOutputs: {},
            rows: { ...documents.rows },
            documents: documents.nextSeq + before.length,
            ...(cleaned === undefined ? {} : { cleanUp: cleaned }),
            safeState: safeJson(safe),
          },
        },
      ])
      .catch((thrown) =>
        log.warn({ run: assignment.runId, error: asLabError(thrown).message }, 'a stop document was not written'),
      )
  }

  const failUnstarted = (entry: Entry, error: LabError) =>
    stopUnstarted(entry, { state: 'failed', reason: error.message, error })

  const startDocument = (assignment: Assignment, time: number) => {
    const offset = node.clockOffsetMs()
    return {
      name: 'start' as const,
      doc: {
        time,
        node: node.name,
        bench: assignment.bench,
        lab: assignment.lab,
        protocol: assignment.protocol,
        protocolDigest: assignment.protocolDigest,
        parameters: assignment.parameters,
        fence: assignment.fence,
        nodeVersion: node.version,
        ...(offset === undefined ? {} : { clockOffsetMs: offset }),
      },
    }
  }

  const pump = (bench: Bench) => {
    const line = lines.get(bench.name)
    const next = line?.[0]
    if (next === undefined || next.running !== undefined || closing || unclean.has(bench.name)) return
    if (bench.status.state !== 'free') return waitForBench(bench, next)
    giveUp.get(bench.name)?.()
    giveUp.delete(bench.name)
    if (journal.trouble !== undefined) {
      line?.shift()
      stopUnstarted(next, diskCause(journal.trouble))
      return pump(bench)
    }
    next.state = 'running'
    try {
      next.running = runAttempt({
        assignment: next.assignment,
        protocol: next.assignment.definition as Protocol,
        plan: plans.find(next.assignment, bench),
        bench,
        outbox: next.documents,
        clock,
        log,
        node,
        visit: next.visit,
        faultPoint,
        onValue: options.onValue,
      })
    } catch (thrown) {
      line?.shift()
      const error = asLabError(thrown)
      failUnstarted(next, error)
      return pump(bench)
    }
    const done = () => {
      next.running = undefined
      next.state = 'stopped'
      if (line?.[0] === next) line.shift()
      pump(bench)
    }
    next.running.ended.then(done, done)
  }

  /** Takes back an attempt that was never accepted. It has not touched its bench: its start document is not on disk. */
  const withdraw = (entry: Entry) => {
    const line = lineOf(entry.assignment.bench)
    const at = line.indexOf(entry)
    if (entry.running === undefined && at >= 0) line.splice(at, 1)
    entry.running?.stop({ state: 'cancelled', reason: 'the disk did not take the assignment' })
    outbox.forget(entry.assignment)
  }

  const waitForBench = (bench: Bench, next: Entry) => {
    if (bench.status.state === 'busy' || giveUp.has(bench.name)) return
    giveUp.set(
      bench.name,
      clock.after(USABLE_MS, () => {
        giveUp.delete(bench.name)
        const line = lineOf(bench.name)
        if (line[0] !== next || next.running !== undefined || bench.status.state === 'free') return pump(bench)
        line.shift()
        const error = new LabError({
          code: `bench-${bench.status.state}`,
          kind: 'instrument',
          retry: 'later',
          message: `bench ${bench.name} did not become usable within ${USABLE_MS / 1000} s: ${bench.status.reason ?? bench.status.state}`,
        })
        failUnstarted(next, error)
        pump(bench)
      }),
    )
  }

  for (const bench of benches.values()) bench.onChange((changed) => pump(changed))

  /** Resolves when the bench is in its safe state, or could not be brought there in time. What is there is driven at once. */
  const recoverBench = async (bench: Bench) => {
    const deadline = clock.monotonic() + RECOVERY_MS
    while (!closing && clock.monotonic() < deadline) {
      if ([...bench.parts.values()].every((handle) => handle.connection.online)) break
      await clock.sleep(50)
    }
    return await bench.makeSafe()
  }

  const interrupt = async (entry: Entry) => {
    const bench = benches.get(entry.assignment.bench)
    const safe =
      bench === undefined
        ? { reached: false as const, error: benchGone(entry.assignment.bench) }
        : await recoverBench(bench)
    const cleaned = bench === undefined ? undefined : await cleanUpAfter(entry, bench)
    unclean.delete(entry.assignment.bench)
    if (closing) return
    const reason = 'the node was restarted while the run was under way'
    stopUnstarted(entry, { state: 'interrupted', reason }, safe, cleaned)
    if (bench !== undefined) pump(bench)
  }

  /** A bench with interlocks is free only when each was read; one that has to be reset is not waited for. */
  const untilFree = async (bench: Bench) => {
    const deadline = clock.monotonic() + RECOVERY_MS
    const isLatched = () => bench.status.interlocks?.some(({ latched }) => latched === true) === true
    while (bench.status.state !== 'free' && bench.unsafe === undefined && !isLatched()) {
      if (closing || clock.monotonic() >= deadline) return
      await clock.sleep(50)
    }
  }

  /** What a session's former life left on the bench; nobody else has had it since. */
  const cleanUpAfter = async ({ assignment, visit }: Entry, bench: Bench): Promise<CleanUpResult | undefined> => {
    const protocol = assignment.definition as Protocol
    if (protocol.cleanUp === undefined) return undefined
    const limits = assignment.limits as Readonly<Record<string, Limits>>
    await untilFree(bench)
    let lease: Lease
    try {
      lease = bench.acquire({ kind: 'run', id: assignment.runId }, { limits })
    } catch (thrown) {
      return { done: false, tries: 0, error: errorJson(asLabError(thrown)) }
    }
    const { parameters } = assignment
    const onValue: typeof options.onValue = (part, ...value) => options.onValue(lease.instrument(part).name, ...value)
    const cleaned = await cleanUp({ protocol, parameters, bench, lease, clock, log, visit, onValue })
    await bench.release(lease)
    return cleaned
  }

  return {
    find: (key) => {
      const entry = entries.get(keyText(key))
      return entry && { state: entry.state, begun: entry.documents.committed > 0 }
    },
    newestAttempt: (runId) => newest.get(runId),
    length: (bench) => (lines.get(bench)?.length ?? 0) + (unclean.has(bench) ? 1 : 0),
    get depth() {
      let depth = 0
      for (const line of lines.values()) depth += line.length
      return depth
    },
    accept: async (assignments) => {
      const acceptedAt = clock.now()
      const fences = new Map<string, number>()
      for (const { bench, fence } of assignments) fences.set(bench, Math.max(fences.get(bench) ?? 0, fence))
      // First, for the journal keeps the order in which it is given statements.
      const committed = journal.attempt('accept', () => [
        ...assignments.map((one) => ({
          sql: INSERT,
          params: [one.runId, one.attempt, one.bench, one.fence, acceptedAt, encode(one)],
        })),
        ...[...fences].map(([bench, fence]) => fenceStatement(bench, fence)),
      ])
      const fresh = assignments.map((assignment): Entry => {
        const entry: Entry = {
          assignment,
          documents: outbox.open(assignment),
          visit: visitOf(assignment),
          state: 'waiting',
          running: undefined,
        }
        note(entry)
        lineOf(assignment.bench).push(entry)
        return entry
      })
      for (const { bench } of assignments) {
        const found = benches.get(bench)
        if (found !== undefined) pump(found)
      }
      try {
        await committed
      } catch (thrown) {
        for (const entry of fresh) withdraw(entry)
        throw thrown
      }
      for (const { documents } of fresh) documents.accepted = true
    },
    cancel: (key, reason) => {
      const entry = entries.get(keyText(key))
      if (entry === undefined || entry.state === 'stopped') return
      if (entry.running !== undefined) return entry.running.stop({ state: 'cancelled', reason })
      const line = lineOf(entry.assignment.bench)
      const at = line.indexOf(entry)
      if (at < 0) return // being recovered after a restart: it is stopped as interrupted
      line.splice(at, 1)
      stopUnstarted(entry, { state: 'cancelled', reason })
    },
    drop: (key) => {
      const entry = entries.get(keyText(key))
      if (entry === undefined) return
      if (entry.running !== undefined) {
        entry.running.stop({ state: 'cancelled', reason: 'the hub does not want this attempt any more' })
        entry.running.settled.then(
          () => outbox.forget(key),
          () => {},
        )
        return
      }
      const line = lineOf(entry.assignment.bench)
      const at = line.indexOf(entry)
      if (at >= 0) line.splice(at, 1)
      entry.state = 'stopped'
      outbox.forget(key)
    },
    stopAll: (cause) => {
      for (const entry of entries.values()) entry.running?.stop(cause)
    },
    live: (which = 'all') => {
      const runs: Live['runs'] = []
      for (const line of lines.values()) {
        const running = line[0]?.running
        const live = which === 'all' || running?.seat !== undefined ? running?.live() : undefined
        if (live !== undefined) runs.push(live)
      }
      return runs
    },
    seat: (key) => entries.get(keyText(key))?.running?.seat,
    get seated() {
      for (const line of lines.values()) if (line[0]?.running?.seat !== undefined) return true
      return false
    },
    restore: async () => {
      // Before anything new: a document that is there already would be in the way of its successor.
      await journal
        .attempt('other', () => [{ sql: ORPHANS }])
        .catch((thrown) => {
          log.warn({ error: asLabError(thrown).message }, 'documents without an attempt were not cleared away')
        })
      const rows = await database.read('SELECT * FROM attempt ORDER BY place')
      for (const row of rows) {
        const checked = assignmentSchema.safeParse(decode(row.assignment as Uint8Array))
        if (!checked.success) {
          log.error({ run: row.run_id }, 'an attempt in the database is unreadable; it is left there')
          continue
        }
        const state = row.state as AttemptState
        const documents = outbox.open(checked.data, {
          state,
          nextSeq: Number(row.next_seq),
          acknowledged: Number(row.acknowledged),
          rows: JSON.parse(String(row.rows)) as Record<string, number>,
        })
        documents.accepted = true
        const visit = visitOf(checked.data, typeof row.visit === 'string' ? row.visit : undefined)
        const entry: Entry = { assignment: checked.data, documents, visit, state, running: undefined }
        note(entry)
        if (state === 'waiting' && benches.has(checked.data.bench)) lineOf(checked.data.bench).push(entry)
        else if (state === 'waiting') failUnstarted(entry, benchGone(checked.data.bench))
        if (state === 'running') {
          log.warn({ run: checked.data.runId, bench: checked.data.bench }, 'a run was cut by a restart of the node')
          if ((checked.data.definition as Protocol).cleanUp !== undefined) unclean.add(checked.data.bench)
          interrupt(entry).catch((thrown) =>
            log.error({ error: asLabError(thrown).message }, 'a cut run was not stopped'),
          )
        }
      }
      for (const bench of benches.values()) pump(bench)
    },
    forgotten: (key) => {
      entries.delete(keyText(key))
      if (newest.get(key.runId) === key.attempt) newest.delete(key.runId)
    },
    close: async () => {
      closing = true
      for (const cancel of giveUp.values()) cancel()
      const running = [...entries.values()].flatMap((entry) => (entry.running === undefined ? [] : [entry.running]))
      for (const one of running) one.stop({ state: 'interrupted', reason: 'the node was shut down', leaving: true })
      if (running.length === 0) return
      let cancel = () => {}
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(CLOSE_MS, resolve)
      })
      await Promise.race([Promise.allSettled(running.map(({ settled }) => settled)), late])
      cancel()
    },
  }
}

/** The cause of a stop when the disk refuses. */
export function diskCause(trouble: LabError): StopCause {
  return { state: 'failed', reason: `the node's disk takes no more data: ${trouble.message}`, error: trouble }
}

function benchGone(bench: string): LabError {
  return new LabError({
    code: 'bench-unknown',
    kind: 'configuration',
    message: `bench ${bench} is no longer in node.yaml`,
    studentMessage: 'The bench of this run was taken away.',
  })
}

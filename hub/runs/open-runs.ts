/**
 * The runs that are not final, as the hub works on them.
 *
 * INVARIANTS: this is a copy of the database that runs ahead of it by the writes under way; nothing of it leaves the
 * process before its commit; after a failed write it is read again as a whole.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type CatalogueLab, protocolIn } from '../catalogue/catalogue.ts'
import { BenchUse, type CountedRun } from '../permissions/bench-use.ts'
import { picturesTaken, startOf } from '../results/pages.ts'
import type { PicturesTaken } from '../results/pictures-taken.ts'
import type { Leaving } from '../scheduling/bumping.ts'
import type { OrderRules } from '../scheduling/order.ts'
import type { Usage } from '../scheduling/usage.ts'
import { WaitingQueue } from '../scheduling/waiting-queue.ts'
import type { SessionProgress } from '../sessions/stage.ts'
import type { Store } from '../store/store.ts'
import type { TurnRow } from '../store/turn.ts'
import { type AttemptClock, attemptClock, goesOn } from './attempt-clock.ts'
import type { NewRunRow, StartedRunRow } from './run-statements.ts'
import type { LiveRun } from './runs.ts'

export interface OpenRun {
  readonly id: string
  readonly personId: string
  readonly lab: CatalogueLab
  readonly protocol: string
  readonly protocolDigest: string
  readonly restart: 'safe' | 'never'
  readonly parameters: Readonly<Record<string, number | string | boolean>>
  readonly wantedBench: string | null
  readonly priority: number
  readonly createdAt: number
  /** See `QueueEntry`; 0: at the head, after a bench that broke down. */
  countsFrom: number
  readonly estimatedS: number | null
  /** The check of the bench that it is for. */
  readonly check: string | null
  state: 'queued' | 'assigned' | 'running'
  attempt: number
  /** Of the present attempt; set while assigned or running. */
  hold: Hold | undefined
  /** The booking whose bench it has or had last. */
  booking: string | null
  startedAt: number | null
  /** It has to leave its bench for a booking; with `cancelRequested` it is leaving. */
  bumped: Leaving | undefined
  cancelRequested: boolean
  /** Why, once it was requested: what the node is told, however often. */
  cancelReason: string | null
  /** How often it was queued again after an interruption, or for a bench that broke down or could not be made ready. */
  restarts: number
  /** Benches that could not be made ready for it. */
  unready: readonly string[]
  live: LiveRun | undefined
  /** Of a live session. */
  session: SessionProgress | undefined
  /** The number of its last event. */
  events: number
  /** Rows of this turn that a further transition in the same turn may still change. */
  insertion?: TurnRow<NewRunRow> | undefined
  starting?: TurnRow<StartedRunRow> | undefined
}

/** An attempt on a bench. */
export interface Hold extends AttemptClock {
  readonly bench: string
  readonly node: string
  readonly fence: number
  /** Documents below it are here. */
  nextSeq: number
  /** Rows per stream so far. */
  readonly rows: Record<string, number>
  readonly pictures: PicturesTaken
  /** Read from the disk: nobody knows whether the hub's clock was set while the hub was down. */
  readonly restored?: true
  /** How far its node's clock is ahead of the attempt's; undefined until it has begun. */
  nodeAheadMs?: number
  /** The node told that it has committed the assignment. */
  accepted: boolean
  /** When `assign` was last sent (monotonic ms). */
  sentAt: number
  cancelSentAt: number
}

/** A session that was made longer counts for more than it was estimated at. */
function counted({ id, personId, lab, estimatedS, session, parameters }: OpenRun): CountedRun {
  const longerS = session === undefined ? 0 : session.seconds - Number(parameters.seconds ?? session.seconds)
  return { id, personId, lab, estimatedS: estimatedS === null ? null : estimatedS + longerS }
}

/** A run with the attempt that it has on a bench. */
export type HeldRun = OpenRun & { readonly hold: Hold }

export class OpenRuns {
  readonly byId = new Map<string, OpenRun>()
  /** Over for their people before their node has told: each holds its bench until that says what became of it. */
  readonly unreturned = new Map<string, HeldRun>()
  /** Queued runs in the order in which they are served, with what everybody has used lately. */
  readonly waiting = new WaitingQueue<OpenRun>()
  /** What each person has open and has used, as permissions count it. */
  readonly use = new BenchUse()

  get(id: string): OpenRun | undefined {
    return this.byId.get(id)
  }

  add(run: OpenRun): void {
    this.byId.set(run.id, run)
    this.use.opened(counted(run))
    if (run.state === 'queued') this.waiting.add(run)
    else this.waiting.hold(run)
  }

  /** Its session may have become longer. */
  recount(run: OpenRun): void {
    this.use.expect(counted(run))
  }

  delete(run: OpenRun): void {
    this.byId.delete(run.id)
    this.use.closed(run)
    if (run.state === 'queued') this.waiting.remove(run)
  }

  /** Takes what was read in place of all that is here; the clock of a known attempt goes on. `used`: the bench time that counts. */
  replace({ open, unreturned }: LoadedRuns, rules: OrderRules, used: Usage): void {
    for (const { id, hold } of [...open, ...unreturned]) {
      const before = (this.byId.get(id) ?? this.unreturned.get(id))?.hold
      if (hold !== undefined && hold.fence === before?.fence && hold.bench === before.bench) goesOn(hold, before)
    }
    this.#put([...open], [...unreturned], rules, used)
  }

  /** Orders what waits by other rules. */
  reorder(rules: OrderRules, used: Usage): void {
    this.#put([...this.byId.values()], [...this.unreturned.values()], rules, used)
  }

  #put(open: readonly OpenRun[], unreturned: readonly HeldRun[], rules: OrderRules, used: Usage): void {
    this.byId.clear()
    this.unreturned.clear()
    this.waiting.reset(rules, used)
    for (const run of open) this.add(run)
    for (const run of unreturned) this.unreturned.set(run.id, run)
  }

  counts(): { queued: number; assigned: number; running: number } {
    const counts = { queued: 0, assigned: 0, running: 0 }
    for (const { state } of this.byId.values()) counts[state]++
    return counts
  }
}

/** The run's protocol; a version that was pushed once stays, so its absence is a bug. */
export function protocolOf(run: OpenRun) {
  const protocol = protocolIn(run.lab, run.protocol)
  if (protocol === undefined) {
    const message = `${run.lab.id} version ${run.lab.version} has no protocol ${run.protocol}`
    throw new LabError({ code: 'protocol-lost', kind: 'bug', message })
  }
  return protocol
}

export interface LoadOpenRunsOptions {
  readonly store: Store
  readonly clock: Clock
  readonly labVersion: (lab: string, version: number) => Promise<CatalogueLab | undefined>
}

/** Every run that is not final, with its present attempt, and those that are and still hold a bench. */
export interface LoadedRuns {
  readonly open: readonly OpenRun[]
  readonly unreturned: readonly HeldRun[]
}

/** Reads them. */
export async function loadOpenRuns({ store, labVersion, clock }: LoadOpenRunsOptions): Promise<LoadedRuns> {
  const rows = await store.db
    .selectFrom('run')
    .leftJoin('attempt', (join) =>
      join.onRef('attempt.run_id', '=', 'run.id').onRef('attempt.attempt', '=', 'run.attempt'),
    )
    .leftJoin('live_session', 'live_session.run_id', 'run.id')
    .selectAll('run')
    .select(['live_session.stage', 'live_session.seconds', 'live_session.active_at', 'live_session.ends_at'])
    .select(['attempt.next_seq', 'attempt.node', 'attempt.fence as attempt_fence'])
    .select((eb) =>
      eb
        .selectFrom('attempt as earlier')
        .select(eb.fn.countAll<number>().as('restarts'))
        .whereRef('earlier.run_id', '=', 'run.id')
        .where('earlier.state', 'in', ['interrupted', 'broken', 'unready'])
        .as('restarts'),
    )
    .select((eb) =>
      eb
        .selectFrom('run_event')
        .select(({ fn }) => fn.max('run_event.number').as('events'))
        .whereRef('run_event.run_id', '=', 'run.id')
        .as('events'),
    )
    .where((eb) =>
      eb.or([
        eb('run.state', 'in', [...openStates]),
        eb('run.id', 'in', eb.selectFrom('bench').select('bench.run_id').where('bench.run_id', 'is not', null)),
      ]),
    )
    .orderBy('run.created_at')
    .orderBy('run.id')
    .execute()
  const unready = await unreadyBenches(store)
  const loaded = { open: [] as OpenRun[], unreturned: [] as HeldRun[] }
  for (const row of rows) {
    const lab = await labVersion(row.lab, row.lab_version)
    if (lab === undefined) {
      throw new LabError({
        code: 'lab-lost',
        kind: 'bug',
        message: `run ${row.id} needs ${row.lab} version ${row.lab_version}, which is not in the database`,
      })
    }
    const held = row.state !== 'queued' && row.bench !== null && row.node !== null
    const isOpen = openStates.some((state) => state === row.state)
    const run: OpenRun = {
      id: row.id,
      personId: row.person_id,
      lab,
      protocol: row.protocol,
      protocolDigest: row.protocol_digest,
      restart: row.restart,
      parameters: JSON.parse(row.parameters),
      wantedBench: row.wanted_bench,
      priority: row.priority,
      createdAt: row.created_at,
      countsFrom: row.counts_from ?? row.created_at,
      estimatedS: row.estimated_s,
      state: isOpen ? (row.state as OpenRun['state']) : row.started_at === null ? 'assigned' : 'running',
      attempt: row.attempt,
      booking: row.booking_id,
      check: row.bench_check,
      hold: held
        ? {
            bench: row.bench ?? '',
            node: row.node ?? '',
            fence: row.attempt_fence ?? 0,
            nextSeq: row.next_seq ?? 0,
            rows: JSON.parse(row.rows),
            pictures: await picturesTaken(store, row.id, row.attempt),
            ...attemptClock(row.assigned_at ?? row.created_at, clock),
            ...(await nodeAhead(store, row)),
            restored: true,
            accepted: false,
            sentAt: Number.NEGATIVE_INFINITY,
            cancelSentAt: Number.NEGATIVE_INFINITY,
          }
        : undefined,
      startedAt: row.started_at,
      bumped:
        row.bumped_at === null || row.bumped_for === null ? undefined : { place: row.bumped_for, atMs: row.bumped_at },
      cancelRequested: row.cancel_requested === 1,
      cancelReason: row.cancel_requested === 1 ? row.reason : null,
      restarts: row.restarts ?? 0,
      unready: unready.get(row.id) ?? [],
      live: undefined,
      session:
        row.stage === null || row.seconds === null
          ? undefined
          : { stage: row.stage, seconds: row.seconds, activeAt: row.active_at, endsAt: row.ends_at },
      events: row.events ?? 0,
    }
    if (isOpen) loaded.open.push(run)
    else if (run.hold !== undefined) loaded.unreturned.push({ ...run, hold: run.hold })
  }
  return loaded
}

const openStates = ['queued', 'assigned', 'running'] as const

/** From the document with which it began. */
async function nodeAhead(
  store: Store,
  run: { readonly id: string; readonly attempt: number; readonly started_at: number | null },
): Promise<{ readonly nodeAheadMs?: number }> {
  const start = run.started_at === null ? undefined : await startOf(store, run.id, run.attempt)
  return start === undefined || run.started_at === null ? {} : { nodeAheadMs: start.time * 1000 - run.started_at }
}

/** Of each run that is not final, the benches that could not be made ready for it. */
async function unreadyBenches({ db }: Store): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await db
    .selectFrom('attempt')
    .innerJoin('run', 'run.id', 'attempt.run_id')
    .select(['attempt.run_id', 'attempt.bench'])
    .where('run.state', 'in', [...openStates])
    .where('attempt.state', '=', 'unready')
    .orderBy('attempt.attempt')
    .execute()
  const benches = new Map<string, string[]>()
  for (const { run_id: id, bench } of rows) benches.set(id, [...(benches.get(id) ?? []), bench])
  return benches
}

/**
 * The runs that are not final, as the hub works on them.
 *
 * INVARIANTS: this is a copy of the database that runs ahead of it by the writes under way; nothing of it leaves the
 * process before its commit; after a failed write it is read again as a whole.
 */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { TurnRow } from '../store/turn.ts'
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
  readonly estimatedS: number | null
  state: 'queued' | 'assigned' | 'running'
  attempt: number
  /** Of the present attempt; set while assigned or running. */
  hold: Hold | undefined
  startedAt: number | null
  cancelRequested: boolean
  /** How often it was interrupted and queued again. */
  restarts: number
  live: LiveRun | undefined
  /** The number of its last event. */
  events: number
  /** Rows of this turn that a further transition in the same turn may still change. */
  insertion?: TurnRow<NewRunRow> | undefined
  starting?: TurnRow<StartedRunRow> | undefined
}

/** An attempt on a bench. */
export interface Hold {
  readonly bench: string
  readonly node: string
  readonly fence: number
  /** Documents below it are here. */
  nextSeq: number
  /** Rows per stream so far. */
  readonly rows: Record<string, number>
  assignedAtMs: number
  /** The node told that it has committed the assignment. */
  accepted: boolean
  /** When `assign` was last sent (monotonic ms). */
  sentAt: number
  cancelSentAt: number
}

export class OpenRuns {
  readonly byId = new Map<string, OpenRun>()
  /** Queued runs, higher priority first, then first come. */
  #queue: OpenRun[] = []

  get queue(): readonly OpenRun[] {
    return this.#queue
  }

  get(id: string): OpenRun | undefined {
    return this.byId.get(id)
  }

  add(run: OpenRun): void {
    this.byId.set(run.id, run)
    if (run.state === 'queued') this.enqueue(run)
  }

  /** Puts a queued run at its place: a run that was interrupted keeps the place of its first coming. */
  enqueue(run: OpenRun): void {
    let at = this.#queue.length
    while (at > 0 && comesBefore(run, this.#queue[at - 1] as OpenRun)) at--
    this.#queue.splice(at, 0, run)
  }

  /** Takes queued runs out of the queue in one pass. */
  dequeue(runs: ReadonlySet<OpenRun>): void {
    if (runs.size === 0) return
    let kept = 0
    let left = runs.size
    let at = 0
    for (; at < this.#queue.length && left > 0; at++) {
      const run = this.#queue[at] as OpenRun
      if (runs.has(run)) left--
      else this.#queue[kept++] = run
    }
    this.#queue.splice(kept, at - kept)
  }

  delete(run: OpenRun): void {
    this.byId.delete(run.id)
    if (run.state === 'queued') this.dequeue(new Set([run]))
  }

  clear(): void {
    this.byId.clear()
    this.#queue = []
  }

  counts(): { queued: number; assigned: number; running: number } {
    const counts = { queued: 0, assigned: 0, running: 0 }
    for (const { state } of this.byId.values()) counts[state]++
    return counts
  }
}

function comesBefore(a: OpenRun, b: OpenRun): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt
  return a.id < b.id
}

/** The run's protocol; a version that was pushed once stays, so its absence is a bug. */
export function protocolOf(run: OpenRun) {
  const protocol = run.lab.protocols[run.protocol]
  if (protocol === undefined) {
    const message = `${run.lab.id} version ${run.lab.version} has no protocol ${run.protocol}`
    throw new LabError({ code: 'protocol-lost', kind: 'bug', message })
  }
  return protocol
}

export interface LoadOpenRunsOptions {
  readonly store: Store
  readonly labVersion: (lab: string, version: number) => Promise<CatalogueLab | undefined>
}

/** Reads every run that is not final, with its present attempt. */
export async function loadOpenRuns({ store, labVersion }: LoadOpenRunsOptions): Promise<OpenRun[]> {
  const rows = await store.db
    .selectFrom('run')
    .leftJoin('attempt', (join) =>
      join.onRef('attempt.run_id', '=', 'run.id').onRef('attempt.attempt', '=', 'run.attempt'),
    )
    .selectAll('run')
    .select(['attempt.next_seq', 'attempt.node', 'attempt.fence as attempt_fence'])
    .select((eb) =>
      eb
        .selectFrom('attempt as earlier')
        .select(eb.fn.countAll<number>().as('restarts'))
        .whereRef('earlier.run_id', '=', 'run.id')
        .where('earlier.state', '=', 'interrupted')
        .as('restarts'),
    )
    .select((eb) =>
      eb
        .selectFrom('run_event')
        .select(({ fn }) => fn.max('run_event.number').as('events'))
        .whereRef('run_event.run_id', '=', 'run.id')
        .as('events'),
    )
    .where('run.state', 'in', ['queued', 'assigned', 'running'])
    .orderBy('run.created_at')
    .orderBy('run.id')
    .execute()
  const runs: OpenRun[] = []
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
    runs.push({
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
      estimatedS: row.estimated_s,
      state: row.state as OpenRun['state'],
      attempt: row.attempt,
      hold: held
        ? {
            bench: row.bench ?? '',
            node: row.node ?? '',
            fence: row.attempt_fence ?? 0,
            nextSeq: row.next_seq ?? 0,
            rows: JSON.parse(row.rows),
            assignedAtMs: row.assigned_at ?? row.created_at,
            accepted: false,
            sentAt: Number.NEGATIVE_INFINITY,
            cancelSentAt: Number.NEGATIVE_INFINITY,
          }
        : undefined,
      startedAt: row.started_at,
      cancelRequested: row.cancel_requested === 1,
      restarts: row.restarts ?? 0,
      live: undefined,
      events: row.events ?? 0,
    })
  }
  return runs
}

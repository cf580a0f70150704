/** What a run is and may become: submitting, listing, cancelling. */
import type { Run, SubmitRun } from '@fernlab/shared/contracts/api'
import type { RunState } from '@fernlab/shared/contracts/run-state'
import type { SessionStage } from '@fernlab/shared/contracts/session-columns'
import type { SessionSamples } from '@fernlab/shared/contracts/sync'
import type { WriteStatement } from '@fernlab/shared/storage/database'
import type { Caller } from '../accounts/caller.ts'

/**
 * An in-process nudge: something about the run is new in the database (or, for `progress`, in memory). `queue` is of no
 * run: a bench or the rules changed, and all that waits may stand elsewhere.
 */
export interface RunChange {
  readonly runId: string
  readonly kind: 'state' | 'documents' | 'progress' | 'outputs' | 'queue'
  readonly state?: RunState
  readonly attempt?: number
}

export interface ListRuns {
  readonly person?: string
  /** Of any of these. */
  readonly people?: readonly string[]
  readonly lab?: string
  readonly state?: RunState
  /** Those that have not ended. */
  readonly open?: true
  /** Made by this recurring run. */
  readonly recurring?: string
  /** Made by the checks of this bench; without, those of checks are left out. */
  readonly checksOf?: string
  /** Live sessions alone. */
  readonly sessions?: true
  readonly limit: number
  /** From the page before. */
  readonly cursor?: string
}

/** The latest that a node told of a running attempt; may lag and may be lost. */
export interface LiveRun {
  readonly fraction: number
  readonly secondsLeft?: number
  readonly step: string
  /** Of a session: what came with this message alone. */
  readonly session?: { readonly stage: SessionStage; readonly samples: SessionSamples }
  readonly readings?: Readonly<Record<string, { readonly value: number; readonly unit: string; readonly time: number }>>
}

export interface RunWait {
  readonly position: number
  readonly reason: string
  readonly estimatedStart?: string
}

export interface Submitted {
  readonly id: string
  /** As it is when first asked for, which costs more than submitting: its place in the queue is worked out. */
  readonly run: Run
  readonly replayed: boolean
}

export interface SubmitOptions {
  readonly idempotencyKey?: string
  /** Opens a live session of so long; an open one of the person in that lab is answered instead (`replayed`). */
  readonly session?: { readonly seconds: number }
  /** Made by a recurring run: what it writes down of its due time is in the same commit, or there is no run. */
  readonly recurring?: { readonly id: string; claims(run: string): readonly WriteStatement[] }
}

export interface Runs {
  /**
   * Queues a run once the database has committed it. Throws `lab-unknown`, `protocol-unknown`, `parameters-invalid`,
   * `no-bench`, `protocol-refused`, `not-permitted`, `account-suspended`, `reservations-full`, `quota-used`, `runs-refused`, and
   * `idempotency-key-reused` when the key came with another body before; the same body answers the same run (`replayed`);
   * `precondition-failed` and `constraint-failed` when a claim of a recurring run does not hold.
   */
  submit(caller: Caller, body: SubmitRun, options?: SubmitOptions): Promise<Submitted>
  get(id: string): Promise<Run | undefined>
  /** Newest first. */
  list(query: ListRuns): Promise<{ items: Run[]; cursor?: string }>
  /** Ends a queued run at once; asks the node to stop one that is under way. A final run stays as it is. */
  cancel(id: string, by: Caller): Promise<Run>
  /** Ends all of a person's who was suspended, as `cancel` does. */
  stopAllOf(personId: string): Promise<void>
  /**
   * For a node that is gone for good: ends its run as `interrupted` with what has arrived, and gives the bench back of one
   * that ended while its node was away. Any other final run stays as it is.
   */
  giveUp(id: string, by: Caller): Promise<Run>
  live(id: string): LiveRun | undefined
  /** Place, reason and start of a run that waits, from memory; undefined for any other. */
  waitOf(id: string): RunWait | undefined
  /**
   * Of labs at this moment: runs that wait, and when one submitted now would start (null: no bench is up). What is
   * answered is to be asked at once, of any number of labs.
   */
  queues(): (lab: string) => { readonly length: number; readonly estimatedWaitS: number | null }
  /** How many runs are queued and under way. */
  counts(): { readonly queued: number; readonly assigned: number; readonly running: number }
  onChange(listener: (change: RunChange) => void): () => void
}

/** Which run goes to which bench now: plain first come, first served. Pure; the real scheduler will stand in this place. */

export interface WaitingRun {
  readonly id: string
  /** `<node>.<bench>` that the person asked for. */
  readonly wantedBench: string | null
  readonly createdAt: number
  readonly estimatedS: number | null
}

export interface SchedulingState<Run extends WaitingRun> {
  /** In the order in which they are served. */
  readonly queue: readonly Run[]
  /** Ids of the benches that can take a run now. */
  readonly freeBenches: readonly string[]
  /** Whether the run can be done on the bench at all. */
  readonly serves: (run: Run, bench: string) => boolean
}

export interface Decision<Run extends WaitingRun> {
  readonly run: Run
  readonly bench: string
  readonly reason: string
}

/** Gives each free bench to the first run in the queue that it serves. */
export function decide<Run extends WaitingRun>(state: SchedulingState<Run>, nowMs: number): Decision<Run>[] {
  const free = new Set(state.freeBenches)
  const decisions: Decision<Run>[] = []
  for (const run of state.queue) {
    if (free.size === 0) break
    const bench = firstThatServes(state, run, free)
    if (bench === undefined) continue
    free.delete(bench)
    const waitedS = Math.max(0, Math.round((nowMs - run.createdAt) / 1000))
    decisions.push({ run, bench, reason: `first in line for ${bench} after ${waitedS} s` })
  }
  return decisions
}

function firstThatServes<Run extends WaitingRun>(
  { serves }: SchedulingState<Run>,
  run: Run,
  free: ReadonlySet<string>,
): string | undefined {
  if (run.wantedBench !== null) {
    return free.has(run.wantedBench) && serves(run, run.wantedBench) ? run.wantedBench : undefined
  }
  for (const bench of free) if (serves(run, bench)) return bench
  return undefined
}

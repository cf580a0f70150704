import type { HeldRun, OpenRuns } from '../runs/open-runs.ts'

/** The run whose present attempt the node means; undefined for one that is over or was taken from it. */
export function presentRun(runs: OpenRuns, node: string, runId: string, attempt: number): HeldRun | undefined {
  const run = runs.get(runId)
  return run?.hold?.node === node && run.attempt === attempt ? (run as HeldRun) : undefined
}

/** The same, also of one that is over while the node may still have it. */
export function knownRun(runs: OpenRuns, node: string, runId: string, attempt: number): HeldRun | undefined {
  const left = runs.unreturned.get(runId)
  const isLeft = left?.hold.node === node && left.attempt === attempt
  return presentRun(runs, node, runId, attempt) ?? (isLeft ? left : undefined)
}

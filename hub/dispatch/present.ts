import type { Hold, OpenRun, OpenRuns } from '../runs/open-runs.ts'

export type HeldRun = OpenRun & { readonly hold: Hold }

/** The run whose present attempt the node means; undefined for one that is over or was taken from it. */
export function presentRun(runs: OpenRuns, node: string, runId: string, attempt: number): HeldRun | undefined {
  const run = runs.get(runId)
  return run?.hold?.node === node && run.attempt === attempt ? (run as HeldRun) : undefined
}

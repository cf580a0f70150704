import type { RunState } from '@fernlab/shared/contracts/run-state'

/** What the views count of a use; times in epoch ms. */
export interface SlimUse {
  readonly id: string
  readonly personId: string
  readonly lab: string
  readonly labVersion: number
  readonly protocol: string
  readonly bench: string | null
  readonly country: string | null
  readonly state: RunState
  readonly askedAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
}

/** How long it was on its bench by `now`, in seconds; nothing before it started. */
export function lastedS({ startedAt, endedAt }: SlimUse, now: number): number {
  return startedAt === null ? 0 : Math.max(0, (endedAt ?? now) - startedAt) / 1000
}

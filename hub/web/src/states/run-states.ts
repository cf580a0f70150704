import type { RunState } from '@fernlab/shared/contracts/run-state'

// The contract's own lists come with its schemas, which the page does not load; the types hold these to them.
const final: Readonly<Record<RunState, boolean>> = {
  queued: false,
  assigned: false,
  running: false,
  succeeded: true,
  partial: true,
  failed: true,
  cancelled: true,
  interrupted: true,
  inapplicable: true,
}

/** Every state of a run, in the order of its life. */
export const runStates = Object.keys(final) as readonly RunState[]

/** True for a state that nothing follows. */
export const isFinal = (state: RunState): boolean => final[state]

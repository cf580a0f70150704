/** What to do with an assignment: pure, so that it can be tested case by case. */
import type { BenchState } from '@fernlab/shared/contracts/run-state'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface View {
  /** True when exactly this attempt is known, in whatever state. */
  readonly known: boolean
  /** The newest attempt known of the run. */
  readonly newestAttempt: number | undefined
  readonly bench:
    | {
        readonly state: BenchState
        readonly reason: string | undefined
        readonly fence: number
        /** Attempts that wait or run there. */
        readonly queued: number
        readonly direct: boolean
      }
    | undefined
  /** Why the disk takes nothing more. */
  readonly disk: LabError | undefined
}

export type Decision =
  | { readonly kind: 'accept' }
  /** Known: say again that it is accepted. */
  | { readonly kind: 'duplicate' }
  /** Overtaken by a newer fence or attempt: no effect. */
  | { readonly kind: 'stale'; readonly error: LabError }
  | { readonly kind: 'refuse'; readonly error: LabError }

/** How many attempts may wait for a bench behind the one that runs. */
export const MOST_QUEUED = 8

export function decide(
  assignment: { readonly bench: string; readonly fence: number; readonly attempt: number },
  view: View,
): Decision {
  const { bench, disk } = view
  if (view.known) return { kind: 'duplicate' }
  if (bench === undefined) {
    return { kind: 'refuse', error: refusal('bench-unknown', `this node has no bench ${assignment.bench}`) }
  }
  if (view.newestAttempt !== undefined && assignment.attempt < view.newestAttempt) {
    return {
      kind: 'stale',
      error: refusal('attempt-stale', `attempt ${assignment.attempt} is older than attempt ${view.newestAttempt}`),
    }
  }
  // An equal fence belongs to an attempt that was executed and forgotten.
  if (assignment.fence <= bench.fence) {
    return {
      kind: 'stale',
      error: refusal('fence-stale', `fence ${assignment.fence} is not newer than ${bench.fence}`),
    }
  }
  if (disk !== undefined) return { kind: 'refuse', error: diskRefusal(disk) }
  if (bench.state === 'offline' || bench.state === 'fault' || bench.state === 'maintenance') {
    const reason = bench.reason === undefined ? '' : `: ${bench.reason}`
    return {
      kind: 'refuse',
      error: refusal(`bench-${bench.state}`, `bench ${assignment.bench} is ${bench.state}${reason}`),
    }
  }
  if (bench.direct || bench.queued > MOST_QUEUED) {
    return { kind: 'refuse', error: refusal('bench-busy', `bench ${assignment.bench} is busy`) }
  }
  return { kind: 'accept' }
}

/** What the disk of one node refuses is for another bench, or for later; the run itself is sound. */
export function diskRefusal(trouble: LabError): LabError {
  if (trouble.retry === 'later') return trouble
  return refusal('disk-refuses', `this node's disk takes nothing: ${trouble.message}`)
}

/** A refusal after which the run goes back to the queue. */
export function refusal(code: string, message: string): LabError {
  return new LabError({
    code,
    kind: 'instrument',
    retry: 'later',
    message,
    studentMessage: 'The bench is not available at the moment; your run stays in the queue.',
  })
}

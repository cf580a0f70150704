/** Experiments of a hub: submitted, and those that are there. */
import { runSchema, type SubmitRun } from '../../contracts/api.ts'
import type { Clock } from '../../primitives/clock.ts'
import { newId } from '../../primitives/ids.ts'
import { asLabError } from '../../primitives/lab-error.ts'
import { unlessAborted } from '../../primitives/unless-aborted.ts'
import type { Client } from './client.ts'
import type { Hub } from './hub.ts'
import { Run } from './run.ts'

export interface RunOptions extends Pick<SubmitRun, 'bench' | 'model' | 'note' | 'priority'> {
  readonly signal?: AbortSignal
}

export type RunParameters = NonNullable<SubmitRun['parameters']>

export interface Runs {
  /**
   * Submits a run of a lab's protocol; a parameter is a number in its declared unit, or `{ value, unit }`. Rejects as the hub
   * refuses, with a path for each wrong parameter in `issues`. One that is given up while it is submitted is cancelled at the hub.
   */
  run(lab: string, protocol: string, parameters?: RunParameters, options?: RunOptions): Promise<Run>
  /** One that is there already, by its id. */
  runOf(id: string): Run
}

/** What a program has of a lab behind a hub, which runs experiments too. */
export interface HubClient extends Client, Runs {}

export function hubRuns({ hub, clock }: { readonly hub: Hub; readonly clock: Clock }): Runs {
  const runOf = (id: string) => new Run({ id, hub, clock })
  return {
    runOf,
    run: async (lab, protocol, parameters = {}, { signal, ...options } = {}) => {
      signal?.throwIfAborted()
      const body = { lab, protocol, parameters, ...options }
      // Where the answer is lost, the same run is answered again.
      const headers = { 'idempotency-key': newId(clock.now()) }
      const ask = () => hub.ask(runSchema, '/runs', { method: 'POST', body, headers })
      const submitting = ask().catch((thrown: unknown) => {
        if (asLabError(thrown).code !== 'hub-unreachable') throw thrown
        return ask()
      })
      try {
        return runOf((await unlessAborted(submitting, signal)).id)
      } catch (thrown) {
        if (signal?.aborted === true) void submitting.then(({ id }) => runOf(id).cancel()).catch(() => {}) // it is over, or was never there
        throw thrown
      }
    },
  }
}

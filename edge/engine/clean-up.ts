/**
 * Leaves the bench of a session as the next person should find it.
 *
 * INVARIANTS: it is tried `CLEAN_UP_TRIES` times at most, each within its time; it waits for no storage and no hub; that
 * it was not done is said, so that nobody is given the bench.
 */
import type { StopDoc } from '@fernlab/shared/contracts/documents'
import { CLEAN_UP_TRIES } from '@fernlab/shared/contracts/sessions'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { createEnvironment } from '@fernlab/shared/protocol/environment'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { expandCleanUp } from '@fernlab/shared/protocol/expand'
import type { ParameterValues, Protocol } from '@fernlab/shared/protocol/protocol'
import type { Bench } from '../benches/bench.ts'
import type { Lease } from '../benches/lease.ts'
import { errorJson } from './error-json.ts'
import { perform } from './perform.ts'
import type { Performance } from './performance.ts'
import type { Recorder } from './recorder.ts'

export type CleanUpResult = NonNullable<StopDoc['cleanUp']>

export interface CleanUpOptions extends Pick<Performance, 'clock' | 'onValue' | 'visit'> {
  readonly protocol: Protocol
  readonly parameters: ParameterValues
  readonly bench: Bench
  readonly lease: Lease
  readonly log: Log
}

const AGAIN_MS = 1000

/** Does the protocol's clean-up; undefined when it has none. Never rejects. */
export async function cleanUp(options: CleanUpOptions): Promise<CleanUpResult | undefined> {
  const { protocol, parameters, bench, lease, clock, log, onValue, visit } = options
  if (protocol.cleanUp === undefined) return undefined
  const own: Protocol = { ...protocol, steps: protocol.cleanUp, cleanUp: [] }
  const limitMs = 1000 * (2 * estimate(own, parameters, { parts: bench.specs() }).seconds + 30)
  const late = () =>
    new LabError({
      code: 'clean-up-late',
      kind: 'instrument',
      message: `the clean-up did not end within ${limitMs / 1000} s`,
    })
  for (let tries = 1; ; tries++) {
    try {
      await withDeadline(clock, limitMs, undefined, late, (signal) => {
        const environment = createEnvironment()
        const context: Performance = {
          lease,
          recorder: keepsNothing,
          outputs: { row: () => {}, page: () => {}, finish: async () => ({}) },
          statistics: true,
          oscillating: new Set(),
          environment,
          clock,
          visit,
          begun: async () => {},
          onInstruction: () => {},
          onValue,
        }
        return perform(expandCleanUp(protocol, parameters, environment), context, signal)
      })
      return { done: true, tries }
    } catch (thrown) {
      const error = asLabError(thrown)
      log.warn({ bench: bench.name, tries, error: error.message }, 'the clean-up of a bench failed')
      if (tries >= CLEAN_UP_TRIES || !lease.active) return { done: false, tries, error: errorJson(error) }
      await clock.sleep(AGAIN_MS)
    }
  }
}

/** The data of a session ends with the session. */
const keepsNothing: Recorder = {
  start: async () => {},
  open: async () => {},
  row: () => {},
  block: () => {},
  picture: async () => {},
  ready: async () => {},
  rows: () => ({}),
  flush: () => {},
  stop: async () => {},
}

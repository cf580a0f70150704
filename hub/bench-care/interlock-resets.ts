/**
 * Resets of interlocks: a person has looked at the bench, and its node is told.
 *
 * INVARIANTS: who asked, and for which, is in the audit log before the node is asked, and what came of it after; whether
 * the condition is over is for the node to say, which refuses while it holds.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'

export interface InterlockResets {
  /**
   * Resets the latched interlocks of the bench, or the one named; throws `bench-unknown`, `node-offline`, `node-silent`, and
   * what the node refuses: `interlock-unknown`, `interlock-holds`.
   */
  reset(bench: string, interlock: string | undefined, by: string): Promise<void>
}

export interface CreateInterlockResetsOptions {
  readonly store: Store
  readonly book: FleetBook
  readonly calls: NodeCalls
  readonly clock: Clock
}

/** Longer than a commit takes on a slow card. */
const RESET_MS = 10_000

export function createInterlockResets({ store, book, calls, clock }: CreateInterlockResetsOptions): InterlockResets {
  const audit = auditEntries(store, clock)
  return {
    reset: async (id, interlock, by) => {
      const bench = book.benches.get(id)
      if (bench === undefined) {
        throw new LabError({ code: 'bench-unknown', kind: 'caller', message: `there is no bench ${id}` })
      }
      if (book.nodes.get(bench.node)?.online !== true) {
        const message = `${bench.node}, which has ${id}, is not connected`
        throw new LabError({ code: 'node-offline', kind: 'link', retry: 'later', message })
      }
      const latched = (bench.interlocks ?? []).filter((one) => one.latched === true).map(({ name }) => name)
      const meant = { interlocks: interlock === undefined ? latched : [interlock] }
      await store.write([audit(by, 'bench.interlock-reset', id, meant)])
      const params = { bench: bench.name, ...(interlock === undefined ? {} : { interlock }) }
      try {
        bench.interlocks = (await calls.call(bench.node, 'bench.reset-interlock', params, RESET_MS)).interlocks
      } catch (thrown) {
        const { code, message } = asLabError(thrown)
        await store.write([audit(by, 'bench.interlock-reset-failed', id, { ...meant, code, message })])
        throw thrown
      }
      await store.write([audit(by, 'bench.interlock-reset-done', id, meant)])
    },
  }
}

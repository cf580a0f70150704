/**
 * Taking nodes and benches that are gone for good out of the site.
 *
 * INVARIANTS: nothing is removed that a run or a person holds; a node is shut out before its rows go, so that what it
 * still sends brings nothing back; runs keep their results and the name of their bench.
 */
import type { RemovalPreview } from '@fernlab/shared/contracts/bench-care'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { BookedBench, BookedNode, FleetBook } from './fleet-book.ts'

/** Taking nodes and benches that are gone for good out of the site; `confirm` repeats the name. */
export interface Removal {
  previewNode(id: string): Promise<RemovalPreview>
  previewBench(id: string): Promise<RemovalPreview>
  /** Throws `node-unknown`, `not-confirmed`, `still-in-use`. */
  removeNode(id: string, confirm: string | undefined, by: string): Promise<void>
  /** Throws `bench-unknown`, `not-confirmed`, `still-in-use`. */
  removeBench(id: string, confirm: string | undefined, by: string): Promise<void>
}

export interface RemovalOptions {
  readonly store: Store
  readonly book: FleetBook
  readonly clock: Clock
  readonly revoke: (node: string, by: string) => Promise<void>
  /** Cancels the runs that wait for these benches and no others; resolves when that is on disk. */
  readonly cancelWaiting: (benches: readonly string[]) => Promise<void>
  /** How many wait so. */
  readonly countWaiting: (benches: readonly string[]) => number
  readonly onRemoved: (node: BookedNode, benches: readonly BookedBench[], whole: boolean) => void
}

/** Removal over the book and its tables. */
export function createRemoval(options: RemovalOptions): Removal {
  const { store, book, clock, revoke, cancelWaiting, countWaiting, onRemoved } = options
  const { db } = store
  const audit = auditEntries(store, clock)

  const nodeOf = (id: string): BookedNode => {
    const node = book.nodes.get(id)
    if (node !== undefined) return node
    throw new LabError({ code: 'node-unknown', kind: 'caller', message: `there is no node ${id}` })
  }
  const benchOf = (id: string): BookedBench => {
    const bench = book.benches.get(id)
    if (bench !== undefined) return bench
    throw new LabError({ code: 'bench-unknown', kind: 'caller', message: `there is no bench ${id}` })
  }
  const benchesOf = (node: string) => [...book.benches.values()].filter((bench) => bench.node === node)

  const held = (benches: readonly BookedBench[]): string | undefined => {
    for (const { id, runId, lease } of benches) {
      if (runId !== null) return `run ${runId} is on ${id}: cancel it, or give it up`
      if (lease !== undefined) return `somebody drives ${id}: wait until they give it back`
    }
    return undefined
  }
  const keepsNode = (node: BookedNode): string | undefined =>
    node.online && node.revokedAt === null ? `${node.id} is connected: stop it, or revoke it` : held(benchesOf(node.id))
  const keepsBench = (bench: BookedBench): string | undefined => {
    const revoked = nodeOf(bench.node).revokedAt !== null
    return bench.gone || revoked
      ? held([bench])
      : `${bench.node} would bring it back: take it out of its node.yaml and start it, or remove the node`
  }

  const preview = async (benches: readonly BookedBench[], hindrance: string | undefined): Promise<RemovalPreview> => {
    const ids = benches.map(({ id }) => id)
    const row =
      ids.length === 0
        ? undefined
        : await db
            .selectFrom('run')
            .select(({ fn }) => fn.countAll<number>().as('runs'))
            .where('bench', 'in', ids)
            .executeTakeFirst()
    return {
      benches: ids,
      waiting: countWaiting(ids),
      runsKept: row?.runs ?? 0,
      ...(hindrance === undefined ? {} : { hindrance }),
    }
  }

  const refuseUnless = (named: string, confirm: string | undefined, hindrance: string | undefined) => {
    if (confirm !== named) {
      const message = `removing can not be undone: repeat the name, ${named}, as confirm`
      throw new LabError({ code: 'not-confirmed', kind: 'caller', message, issues: [{ path: 'confirm', message }] })
    }
    if (hindrance !== undefined) throw new LabError({ code: 'still-in-use', kind: 'caller', message: hindrance })
  }

  const benchRows = (ids: readonly string[]) =>
    ids.length === 0
      ? []
      : [
          // Held or not, as the database has it.
          {
            query: db.deleteFrom('bench').where('id', 'in', ids).where('run_id', 'is', null).where('lease', 'is', null),
            expect: ids.filter((id) => book.benches.get(id)?.stored).length,
          },
          db.deleteFrom('bench_outage').where('bench', 'in', ids),
          db.deleteFrom('bench_history').where('bench', 'in', ids),
          db.deleteFrom('bench_check').where('bench', 'in', ids),
        ]
  const forget = (benches: readonly BookedBench[]) => {
    for (const { id } of benches) book.benches.delete(id)
    book.shape++
  }

  return {
    previewNode: async (id) => preview(benchesOf(id), keepsNode(nodeOf(id))),
    previewBench: async (id) => preview([benchOf(id)], keepsBench(benchOf(id))),
    removeNode: async (id, confirm, by) => {
      const node = nodeOf(id)
      refuseUnless(id, confirm, keepsNode(node))
      await revoke(id, by)
      const benches = benchesOf(id)
      const ids = benches.map((bench) => bench.id)
      await cancelWaiting(ids)
      await store.write([
        ...benchRows(ids),
        db.deleteFrom('directory_service').where('node', '=', id),
        db.deleteFrom('directory_node').where('node', '=', id),
        db.deleteFrom('enrollment').where('node', '=', id),
        db.deleteFrom('node').where('id', '=', id),
        audit(by, 'node.remove', id),
      ])
      forget(benches)
      book.nodes.delete(id)
      onRemoved(node, benches, true)
    },
    removeBench: async (id, confirm, by) => {
      const bench = benchOf(id)
      refuseUnless(id, confirm, keepsBench(bench))
      await cancelWaiting([id])
      await store.write([...benchRows([id]), audit(by, 'bench.remove', id)])
      forget([bench])
      onRemoved(nodeOf(bench.node), [bench], false)
    },
  }
}

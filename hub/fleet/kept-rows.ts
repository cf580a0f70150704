/**
 * Writes what nodes have told of themselves to the database.
 *
 * INVARIANTS: what could not be written is written again until it is there, whatever else the node tells since: a hub that
 * starts again must know what each bench can do before its node is back.
 */
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { sql } from 'kysely'
import { createLossLog } from '../broker/loss-log.ts'
import type { Store } from '../store/store.ts'
import type { BookedBench, BookedNode, FleetBook } from './fleet-book.ts'

export interface KeptRows {
  /** Writes these as they are now. */
  keep(what: { readonly node?: BookedNode; readonly benches: readonly BookedBench[] }): void
  /** Writes again what could not be written. */
  again(): void
}

export interface KeptRowsOptions {
  readonly store: Pick<Store, 'db' | 'write'>
  readonly book: FleetBook
  readonly log: Log
  readonly onKept: (bench: BookedBench) => void
}

/** Over the tables `node` and `bench`. */
export function createKeptRows({ store, book, log, onKept }: KeptRowsOptions): KeptRows {
  const losses = createLossLog(log)
  const newest = new Map<BookedBench | BookedNode, Promise<unknown>>()

  const nodeRow = (node: BookedNode) =>
    store.db
      .updateTable('node')
      .set({
        boot_id: node.bootId,
        version: node.version,
        last_seen_at: node.lastSeenAt,
        online: node.online ? 1 : 0,
        ...(node.stored ? {} : { instruments: JSON.stringify([...node.instruments.values()]) }),
      })
      .where('id', '=', node.id)

  const benchRow = (bench: BookedBench) => {
    const told = {
      title: bench.title,
      parts: JSON.stringify(bench.parts),
      labs: bench.labs === undefined ? null : JSON.stringify(bench.labs),
      state: bench.reported,
      reason: bench.reason,
    }
    const { id, node, name, since, fence } = bench
    return store.db
      .insertInto('bench')
      .values({ id, node, name, since, fence, ...told })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({ ...told, fence: sql`max(bench.fence, excluded.fence)` }),
      )
  }

  const write = (nodes: readonly BookedNode[], benches: readonly BookedBench[]) => {
    const written = store.write([...nodes.map(nodeRow), ...benches.map(benchRow)])
    for (const bench of benches) bench.stored = false
    for (const each of [...nodes, ...benches]) newest.set(each, written)
    /** Ends the write; what it wrote and nothing later has. */
    const latest = <T extends BookedBench | BookedNode>(all: readonly T[]): T[] =>
      all.filter((each) => newest.get(each) === written && newest.delete(each))
    written.then(
      () => {
        losses.recovered('benches', {}, 'the state of benches is kept again')
        for (const node of latest(nodes)) node.stored = true
        for (const bench of latest(benches)) {
          bench.stored = true
          onKept(bench)
        }
      },
      (error: unknown) => {
        for (const each of latest([...nodes, ...benches])) each.stored = false
        const fields = { error: asLabError(error).message }
        losses.lost('benches', fields, 'the state of benches could not be kept; it is tried again')
      },
    )
  }

  return {
    keep: ({ node, benches }) => write(node === undefined ? [] : [node], benches),
    again: () => {
      const isLeft = (each: BookedBench | BookedNode) => !each.stored && !newest.has(each)
      const [nodes, benches] = [[...book.nodes.values()].filter(isLeft), [...book.benches.values()].filter(isLeft)]
      if (nodes.length + benches.length > 0) write(nodes, benches)
    },
  }
}

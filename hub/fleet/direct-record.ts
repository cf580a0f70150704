/**
 * The record of direct use: who drove which bench when, and every exchange.
 *
 * INVARIANTS: a use begins and ends in the write that gives and takes the lease; a bench has one open use at most; an
 * exchange never waits for its record: what comes within a moment or while a write is under way is in the next, or in the one
 * that ends its use; while the disk is nearly full exchanges are counted and not kept.
 */
import type { DirectEnd } from '@fernlab/shared/contracts/direct-use'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type Insertable, sql } from 'kysely'
import { createLossLog } from '../broker/loss-log.ts'
import type { Store, StoreQuery } from '../store/store.ts'
import type { Exchange, ExchangedBy, Readings } from './fleet.ts'
import { endOfLostUses } from './lost-uses.ts'
import type { DirectCommandTable, DirectUseTable } from './tables.ts'

export interface DirectRecord {
  /** The queries by which a use begins. */
  begin(use: {
    readonly id: string
    /** Epoch ms. */
    readonly at: number
    readonly person: string
    readonly bench: string
    readonly address: string | undefined
  }): StoreQuery[]
  /** Writes its end, with what was exchanged in it until then; what could not be written waits on. */
  end(use: {
    readonly id: string
    readonly why: DirectEnd
    readonly at: number
    readonly write: (queries: readonly StoreQuery[]) => Promise<void>
  }): Promise<void>
  /** Performs an exchange of a use and notes what came of it. */
  noted(use: string, exchange: Exchange, by: ExchangedBy, perform: () => Promise<Readings>): Promise<Readings>
  /** Resolves when what was performed is over, and all that was noted is written. */
  settled(): Promise<void>
}

export interface CreateDirectRecordOptions {
  readonly store: Store
  /** What is kept of where somebody is. */
  readonly originOf: (address: string | undefined) => Pick<DirectUseTable, 'client_address' | 'country'>
  /** Whether the disk has room for new exchanges. */
  readonly hasSpace: () => boolean
  readonly clock: Clock
  readonly log: Log
}

/** So long exchanges wait for others, to be written with them. */
const GATHERED_MS = 100

interface Exchanged {
  readonly command: Insertable<DirectCommandTable>
  /** Otherwise it only counts. */
  readonly kept: boolean
}

/** The record in the store. */
export function createDirectRecord(options: CreateDirectRecordOptions): DirectRecord {
  const { store, originOf, hasSpace, clock, log } = options
  const { db } = store
  const losses = createLossLog(log)
  let waiting: Exchanged[] = []
  let cancelWrite: (() => void) | undefined
  let writing: Promise<void> | undefined
  const performing = new Set<Promise<Readings>>()

  const rowsOf = (exchanges: readonly Exchanged[]): StoreQuery[] => {
    const counts = new Map<string, number>()
    for (const { command } of exchanges) counts.set(command.use_id, (counts.get(command.use_id) ?? 0) + 1)
    return [
      ...exchanges.flatMap(({ command, kept }) => (kept ? [db.insertInto('direct_command').values(command)] : [])),
      ...[...counts].map(([id, count]) =>
        db
          .updateTable('direct_use')
          .set({ exchanges: sql<number>`exchanges + ${count}` })
          .where('id', '=', id),
      ),
    ]
  }

  const writeAll = async () => {
    const exchanges = waiting
    waiting = []
    try {
      if (exchanges.length > 0) await store.write(rowsOf(exchanges))
      losses.recovered('exchanges', {}, 'exchanges with benches are noted again')
    } catch (error) {
      const { code, message } = asLabError(error)
      losses.lost('exchanges', { code, error: message }, 'exchanges with benches could not be noted')
    }
  }
  const beginWrite = (): Promise<void> => {
    writing ??= writeAll().finally(() => {
      writing = undefined
      if (waiting.length > 0) writeSoon()
    })
    return writing
  }
  const writeSoon = () => {
    if (writing !== undefined || cancelWrite !== undefined) return
    cancelWrite = clock.after(GATHERED_MS, () => {
      cancelWrite = undefined
      void beginWrite()
    })
  }
  const isKept = (): boolean => {
    if (hasSpace()) {
      losses.recovered('space', {}, 'exchanges with benches are kept again')
      return true
    }
    losses.lost('space', {}, 'the disk is nearly full: exchanges with benches are counted, not kept')
    return false
  }

  return {
    begin: ({ id, at, person, bench, address }) => [
      endOfLostUses(store).where('bench', '=', bench),
      db.insertInto('direct_use').values({ id, person_id: person, bench, ...originOf(address), started_at: at }),
    ],
    end: async ({ id, why, at, write }) => {
      const its = waiting.filter(({ command }) => command.use_id === id)
      waiting = waiting.filter(({ command }) => command.use_id !== id)
      const end = db
        .updateTable('direct_use')
        // A clock that was set back ends nothing before it began.
        .set({ ended_at: sql<number>`max(started_at, ${at})`, ended_why: why })
        .where('id', '=', id)
        .where('ended_at', 'is', null)
      try {
        await write([...rowsOf(its), end])
      } catch (error) {
        // The write that ends it takes them along.
        waiting = [...its, ...waiting]
        throw error
      }
    },
    noted: async (use, { set = {}, read = [] }, { way, address }, perform) => {
      const { client_address } = originOf(address)
      const at = clock.now()
      const beganAt = clock.monotonic()
      const note = (result: Pick<DirectCommandTable, 'answer' | 'error'>) => {
        const asked = { use_id: use, at, sets: JSON.stringify(set), reads: JSON.stringify(read), way, client_address }
        waiting.push({ command: { ...asked, ...result, took_ms: clock.monotonic() - beganAt }, kept: isKept() })
        writeSoon()
      }
      const performed = perform()
      performing.add(performed)
      try {
        const readings = await performed
        note({ answer: JSON.stringify(readings), error: null })
        return readings
      } catch (error) {
        note({ answer: null, error: asLabError(error).message })
        throw error
      } finally {
        performing.delete(performed)
      }
    },
    settled: async () => {
      while (waiting.length > 0 || writing !== undefined || performing.size > 0) {
        await Promise.allSettled(performing)
        cancelWrite?.()
        cancelWrite = undefined
        await beginWrite()
      }
    },
  }
}

/**
 * Direct use of a bench by staff.
 *
 * INVARIANTS: a bench has a run or a lease, never both, by one conditional write; the node enforces the lease and its end
 * on its own, for as long as it has granted; the hub's copy only keeps runs away and ends with it; a lease that the node
 * did not grant is taken back.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Store } from '../store/store.ts'
import type { Exchange, Fleet, Readings } from './fleet.ts'
import type { BookedBench, FleetBook } from './fleet-book.ts'
import type { NodeCalls } from './node-calls.ts'

export type Leases = Pick<Fleet, 'takeLease' | 'renewLease' | 'releaseLease' | 'exchange'> & {
  /** Frees the benches whose lease has ended. */
  expire(): Promise<void>
}

export interface CreateLeasesOptions {
  readonly book: FleetBook
  readonly store: Store
  readonly calls: NodeCalls
  readonly clock: Clock
  readonly onChange: (bench: BookedBench) => void
}

/** Leases over the nodes' own. */
export function createLeases({ book, store, calls, clock, onChange }: CreateLeasesOptions): Leases {
  const benchOf = (id: string): BookedBench => {
    const bench = book.benches.get(id)
    if (bench === undefined)
      throw new LabError({ code: 'bench-unknown', kind: 'caller', message: `there is no bench ${id}` })
    if (book.nodes.get(bench.node)?.online !== true) {
      throw new LabError({
        code: 'node-offline',
        kind: 'link',
        retry: 'later',
        message: `${bench.node}, which has ${id}, is not connected`,
      })
    }
    return bench
  }

  const leased = (id: string, lease: string): BookedBench => {
    const bench = benchOf(id)
    if (bench.lease?.lease !== lease) {
      throw new LabError({
        code: 'lease-ended',
        kind: 'caller',
        message: `this lease on ${id} has ended; take it again`,
      })
    }
    return bench
  }

  const lasting = (ttlMs: number) => ({ expiresAt: clock.now() + ttlMs, endsAt: clock.monotonic() + ttlMs })

  const keep = async (bench: BookedBench): Promise<void> => {
    const { lease } = bench
    await store.db
      .updateTable('bench')
      .set({
        leased_by: lease?.holder ?? null,
        lease: lease?.lease ?? null,
        lease_expires_at: lease?.expiresAt ?? null,
        fence: bench.fence,
        since: bench.since,
      })
      .where('id', '=', bench.id)
      .execute()
    onChange(bench)
  }

  /** Only while that lease is still the bench's: a late answer must not end somebody else's. */
  const drop = async (bench: BookedBench, lease: string): Promise<void> => {
    if (bench.lease?.lease !== lease) return
    bench.lease = undefined
    bench.since = clock.now()
    await keep(bench)
  }

  return {
    takeLease: async (id, holder, ttlS) => {
      const bench = benchOf(id)
      // A bench that is in maintenance is driven by those who maintain it.
      const { state, reason } = book.uncheckedStateOf(bench)
      if (bench.runId !== null || bench.lease !== undefined || state !== 'free') {
        const why = bench.runId !== null ? `run ${bench.runId} is on it` : (reason ?? `it is ${state}`)
        throw new LabError({
          code: 'bench-busy',
          kind: 'caller',
          retry: 'later',
          message: `${id} can't be taken: ${why}`,
        })
      }
      // Booked before the first await, so that neither a run nor another person can come between.
      bench.fence++
      bench.since = clock.now()
      let mine = newId(clock.now())
      bench.lease = { lease: mine, holder, ...lasting(ttlS * 1000) }
      try {
        await keep(bench)
        const granted = await calls.call(bench.node, 'lease.take', {
          bench: bench.name,
          holder,
          fence: bench.fence,
          ttlMs: ttlS * 1000,
        })
        mine = granted.lease
        const lasts = lasting(granted.ttlMs)
        bench.lease = { lease: mine, holder, ...lasts }
        await keep(bench)
        return { lease: mine, expiresAt: new Date(lasts.expiresAt).toISOString() }
      } catch (error) {
        await drop(bench, mine)
        throw error
      }
    },
    renewLease: async (id, lease, ttlS) => {
      const bench = leased(id, lease)
      const granted = await calls.call(bench.node, 'lease.renew', { bench: bench.name, lease, ttlMs: ttlS * 1000 })
      const lasts = lasting(granted.ttlMs)
      if (bench.lease?.lease === lease) Object.assign(bench.lease, lasts)
      await keep(bench)
      return { lease, expiresAt: new Date(lasts.expiresAt).toISOString() }
    },
    releaseLease: async (id, lease) => {
      const bench = leased(id, lease)
      const released = calls.call(bench.node, 'lease.release', { bench: bench.name, lease }, 30_000)
      const result = await released.catch((error: unknown) => {
        if (asLabError(error).code !== 'lease-invalid') throw error
        // The node has ended it already; it tells of a bench that it could not make safe.
        return { safe: bench.reported !== 'fault' }
      })
      await drop(bench, lease)
      return result
    },
    exchange: async (id, { lease, set, read }: Exchange) => {
      const bench = lease === undefined ? benchOf(id) : leased(id, lease)
      const { readings } = await calls.call(bench.node, 'bench.exchange', {
        bench: bench.name,
        ...(lease === undefined ? {} : { lease }),
        ...(set === undefined ? {} : { set: { ...set } }),
        ...(read === undefined ? {} : { read: [...read] }),
      })
      const entries = Object.entries(readings).map(([key, { value, unit, time }]) => [
        key,
        { value, unit, time: new Date(time > 1e11 ? time : time * 1000).toISOString() },
      ])
      return Object.fromEntries(entries) as Readings
    },
    expire: async () => {
      for (const bench of book.benches.values()) {
        if (bench.lease !== undefined && bench.lease.endsAt <= clock.monotonic()) await drop(bench, bench.lease.lease)
      }
    },
  }
}

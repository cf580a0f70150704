/**
 * How a lease comes to be.
 *
 * INVARIANTS: it is booked before its node is asked, so that neither a run nor another person can come between; who asks again
 * by the same key has the same lease, also after the hub was killed; one of which nobody knows whether the node has granted it
 * stays booked until its holder asks again, or the node has told that it has it no more.
 */
import { createHash } from 'node:crypto'
import type { Lease } from '@fernlab/shared/contracts/api'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { auditEntries } from '../store/audit-entries.ts'
import type { StoreQuery } from '../store/store.ts'
import type { DirectRecord } from './direct-record.ts'
import type { TakenFor } from './fleet.ts'
import type { BenchLease, BookedBench } from './fleet-book.ts'
import type { NodeCalls } from './node-calls.ts'

export interface CreateTakingOptions {
  readonly calls: NodeCalls
  readonly record: DirectRecord
  readonly audit: ReturnType<typeof auditEntries>
  /** Writes the bench as it is booked. */
  readonly keep: (bench: BookedBench, more?: readonly StoreQuery[]) => Promise<void>
  /** Takes the lease from the bench, if it is still the bench's. */
  readonly drop: (bench: BookedBench, lease: string) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export function createTaking({ calls, record, audit, keep, drop, clock, log }: CreateTakingOptions) {
  /** By the id of the lease. */
  const underWay = new Map<string, Promise<Lease>>()
  const takingBack = new Map<string, Promise<void>>()

  return {
    /** Does it, unless it is being done: told the id that the lease is to have, and the lease that there is by that key. */
    once: async (
      bench: BookedBench,
      holder: string,
      key: string | undefined,
      work: (lease: string, held: BenchLease | undefined) => Promise<Lease>,
    ): Promise<Lease> => {
      const lease = key === undefined ? newId(clock.now()) : leaseOf(bench, holder, key)
      await takingBack.get(lease)
      const same = underWay.get(lease)
      if (same !== undefined) return await same
      const held = bench.lease
      const isIt = held?.holder === holder && (held.asked ?? held.lease) === lease
      const doing = work(lease, isIt ? held : undefined)
      underWay.set(lease, doing)
      try {
        return await doing
      } finally {
        underWay.delete(lease)
      }
    },
    /** Whether that lease is being taken: then nobody else ends it. */
    isUnderWay: (lease: string): boolean => underWay.has(lease),
    /** Books the lease and has its node grant it. */
    begin: async (
      bench: BookedBench,
      holder: string,
      ttlS: number,
      lease: string,
      { address, reason }: TakenFor = {},
    ): Promise<Lease> => {
      bench.fence++
      const since = clock.now()
      bench.since = since
      const forWhat = reason === undefined || reason === '' ? {} : { reason }
      const booked: BenchLease = { lease, holder, since, ...forWhat, ...lasting(clock, ttlS * 1000) }
      bench.lease = booked
      let granted: { readonly lease: string; readonly ttlMs: number } | undefined
      try {
        await keep(bench)
        granted = await calls.call(bench.node, 'lease.take', {
          bench: bench.name,
          holder,
          fence: bench.fence,
          ttlMs: ttlS * 1000,
          lease,
        })
        const { lease: mine } = granted
        // Given back while its node was asked, it may be another's by now.
        if (bench.lease !== booked) {
          const message = `${bench.id} was given back while it was being taken; take it again`
          throw new LabError({ code: 'lease-ended', kind: 'caller', message })
        }
        const lasts = lasting(clock, granted.ttlMs)
        const use = newId(clock.now())
        const asked = mine === lease ? {} : { asked: lease }
        bench.lease = { lease: mine, ...asked, holder, since, use, ...forWhat, ...lasts }
        await keep(bench, [
          ...record.begin({ id: use, at: since, person: holder, bench: bench.id, address }),
          audit(holder, 'bench.lease', bench.id, forWhat),
        ])
        return { lease: mine, expiresAt: new Date(lasts.expiresAt).toISOString() }
      } catch (error) {
        // Of a node that has not answered nobody knows; what others say is that nothing was taken.
        if (granted === undefined && asLabError(error).kind === 'link') throw error
        // What can't be written is not kept: the node, too, has it no more.
        if (granted !== undefined) {
          const released = calls.call(bench.node, 'lease.release', { bench: bench.name, lease: granted.lease })
          const lost = 'a lease that was not kept could not be given back to its node; it runs out there'
          await released.catch((thrown: unknown) => log.warn({ bench: bench.id, error: String(thrown) }, lost))
        }
        await drop(bench, granted?.lease ?? lease)
        throw error
      }
    },
    /** Frees a bench whose lease is booked and was not granted, as far as is known: by a hub that was killed, or a silent node. */
    takeBackUnknown: async (bench: BookedBench): Promise<void> => {
      const held = bench.lease
      if (held === undefined || held.use !== undefined || underWay.has(held.lease) || takingBack.has(held.lease)) return
      const work = (async () => {
        try {
          await calls.call(bench.node, 'lease.release', { bench: bench.name, lease: held.lease })
        } catch (thrown) {
          // Asked again the next time.
          if (!isEndedThere(thrown)) return
        }
        if (bench.lease === held) await drop(bench, held.lease)
      })()
      takingBack.set(held.lease, work)
      try {
        await work
      } finally {
        takingBack.delete(held.lease)
      }
    },
  }
}

/** The end of what lasts for so long from now, by both clocks. */
export const lasting = (clock: Clock, ttlMs: number) => ({
  expiresAt: clock.now() + ttlMs,
  endsAt: clock.monotonic() + ttlMs,
})

/** Whether a node that was to end a lease says that it has it no more: it, or an interlock, has ended it already. */
export const isEndedThere = (thrown: unknown): boolean =>
  ['lease-invalid', 'interlock-tripped'].includes(asLabError(thrown).code)

/** Of the person, the bench and the key alone, so that a hub that starts again knows it. */
const leaseOf = ({ id }: BookedBench, holder: string, key: string): string =>
  createHash('sha256').update(`${holder} ${id} ${key}`).digest('hex').slice(0, 32)

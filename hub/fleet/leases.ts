/**
 * Direct use of a bench by staff.
 *
 * INVARIANTS: a bench has a run or a lease, never both, by one conditional write; the node enforces the lease and its end
 * on its own, for as long as it has granted; the hub's copy only keeps runs away and ends with it; a lease that the node
 * did not grant is taken back; each lease that was granted is a recorded use, which ends in the write that ends it, and is
 * the bench's until that is written.
 */
import type { Lease } from '@fernlab/shared/contracts/api'
import type { DirectEnd } from '@fernlab/shared/contracts/direct-use'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { ProtocolChecks } from '../bench-care/protocol-checks.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store, StoreQuery } from '../store/store.ts'
import type { DirectRecord } from './direct-record.ts'
import type { Fleet, Readings, TakenFor } from './fleet.ts'
import { type BenchLease, type BookedBench, type FleetBook, leaseOf } from './fleet-book.ts'
import { heldMeanwhile } from './held-bench.ts'
import { endedHold, type LeaseEnds, leaseTakenBack, type TakenBack } from './lease-ends.ts'
import type { NodeCalls } from './node-calls.ts'
import { createTaking, isEndedThere, lasting } from './take-lease.ts'

export type Leases = Pick<
  Fleet,
  'takeLease' | 'renewLease' | 'releaseLease' | 'endLease' | 'releaseAllOf' | 'exchange'
> & {
  /** Looks whether the node still has the lease that it gave; it ends one by itself when who used it straight there is gone. */
  confirm(bench: BookedBench): Promise<void>
  /** Frees the benches whose lease has ended, and takes back from people who are shut out what they have still. */
  expire(): Promise<void>
}

export interface CreateLeasesOptions {
  readonly book: FleetBook
  readonly store: Store
  readonly calls: NodeCalls
  /** A check that is on the bench gives way to who drives it. */
  readonly giveWay: ProtocolChecks['giveWay']
  readonly record: DirectRecord
  readonly leaseEnds: LeaseEnds
  /** Throws while the disk has no room for what would be noted. */
  readonly requireSpace: () => void
  readonly isSuspended: (personId: string) => boolean
  readonly clock: Clock
  readonly log: Log
  readonly onChange: (bench: BookedBench) => void
}

type TakeParameters = [holder: string, ttlS: number, more?: TakenFor]

/** Leases over the nodes' own. */
export function createLeases(options: CreateLeasesOptions): Leases {
  const { book, store, calls, giveWay, record, leaseEnds, requireSpace, clock, log, onChange } = options
  const known = (id: string): BookedBench => {
    const bench = book.benches.get(id)
    if (bench === undefined)
      throw new LabError({ code: 'bench-unknown', kind: 'caller', message: `there is no bench ${id}` })
    return bench
  }
  const requireOnline = ({ id, node }: BookedBench) => {
    if (book.nodes.get(node)?.online === true) return
    const message = `${node}, which has ${id}, is not connected`
    throw new LabError({ code: 'node-offline', kind: 'link', retry: 'later', message })
  }
  const benchOf = (id: string): BookedBench => {
    const bench = known(id)
    requireOnline(bench)
    return bench
  }

  const ended = (id: string) =>
    new LabError({ code: 'lease-ended', kind: 'caller', message: `this lease on ${id} has ended; take it again` })
  /** Whether there is nothing to say of the lease but that it is the bench's. */
  const isGood = ({ lease: held }: BookedBench, lease: string) => held?.lease === lease && held.takenBack === undefined
  /** Throws what became of the person's lease, where it is no more the bench's. */
  const requireLasts = async (bench: BookedBench, lease: string, person: string): Promise<void> => {
    const held = leaseOf(bench, lease)
    if (held?.takenBack !== undefined && held.holder === person) throw leaseTakenBack(bench.id, held.takenBack)
    if (bench.lease?.lease !== lease) throw (await leaseEnds.of([bench.id], lease, person)) ?? ended(bench.id)
  }
  const heldOn = (bench: BookedBench, lease: string): BenchLease => {
    if (bench.lease?.lease !== lease) throw ended(bench.id)
    return bench.lease
  }
  const ownOn = (bench: BookedBench, lease: string, person: string): BenchLease => {
    const held = heldOn(bench, lease)
    if (held.holder === person) return held
    throw new LabError({ code: 'not-found', kind: 'caller', message: `that is no lease of yours on ${bench.id}` })
  }

  const audit = auditEntries(store, clock)

  const keep = async (bench: BookedBench, more: readonly StoreQuery[] = []): Promise<void> => {
    const { lease } = bench
    const row = store.db
      .updateTable('bench')
      .set({
        leased_by: lease?.holder ?? null,
        lease: lease?.lease ?? null,
        lease_expires_at: lease?.expiresAt ?? null,
        lease_reason: lease?.reason ?? null,
        fence: bench.fence,
        since: bench.since,
      })
      .where('id', '=', bench.id)
    await store.write([row, ...more])
    onChange(bench)
  }

  /** Only while that lease is still the bench's: a late answer must not end somebody else's. */
  const drop = async (bench: BookedBench, lease: string, more: readonly StoreQuery[] = []): Promise<void> => {
    const { lease: held } = bench
    if (held?.lease !== lease) return
    bench.ending = held
    bench.lease = undefined
    bench.since = clock.now()
    try {
      await keep(bench, more)
    } finally {
      if (bench.ending === held) bench.ending = undefined
    }
  }

  /** Ends a lease and its use; one whose end can not be written goes on, to be ended again. */
  const end = async (bench: BookedBench, held: BenchLease, why: DirectEnd, entry: StoreQuery, at = clock.now()) => {
    const { since } = bench
    const write = (queries: readonly StoreQuery[]) => drop(bench, held.lease, [...queries, entry])
    try {
      await (held.use === undefined ? write([]) : record.end({ id: held.use, why, at, write }))
    } catch (error) {
      if (bench.lease === undefined && bench.runId === null) Object.assign(bench, { lease: held, since })
      throw error
    }
  }

  const taking = createTaking({ calls, record, audit, keep, drop, clock, log })
  const take = async (
    bench: BookedBench,
    lease: string,
    ...[holder, ttlS, more = {}]: TakeParameters
  ): Promise<Lease> => {
    const { id } = bench
    // A bench that is in maintenance is driven by those who maintain it.
    const { state, reason: whyNot } = book.uncheckedStateOf(bench)
    if (bench.runId !== null || bench.lease !== undefined || state !== 'free') {
      const why = bench.runId !== null ? `run ${bench.runId} is on it` : (whyNot ?? `it is ${state}`)
      throw new LabError({
        code: 'bench-busy',
        kind: 'caller',
        retry: 'later',
        message: `${id} can't be taken: ${why}`,
      })
    }
    return await taking.begin(bench, holder, ttlS, lease, more)
  }

  /** Those that are being renewed, given or taken back: who does that tells their end. */
  const inHand = new Set<BenchLease>()
  /** `by`: null for the site itself; `why` is for who reads the audit log. */
  const release = async (id: string, lease: string, by: string | null, why?: string): Promise<{ safe: boolean }> => {
    const held = heldOn(benchOf(id), lease)
    inHand.add(held)
    try {
      return await releaseHeld(id, lease, by, why)
    } finally {
      inHand.delete(held)
    }
  }
  const releaseHeld = async (
    id: string,
    lease: string,
    by: string | null,
    why?: string,
  ): Promise<{ safe: boolean }> => {
    const bench = benchOf(id)
    const held = heldOn(bench, lease)
    const own = held.holder === by
    if (!own) held.takenBack = await endedHold(store, by, why)
    const told = own ? {} : { ended: held.takenBack }
    const released = calls.call(bench.node, 'lease.release', { bench: bench.name, lease, ...told }, 30_000)
    const result = await released.catch((error: unknown) => {
      if (!isEndedThere(error)) {
        held.takenBack = undefined
        throw error
      }
      // Its node tells of a bench that it could not make safe.
      return { safe: bench.reported !== 'fault' }
    })
    // It may have run out while the node was asked.
    if (bench.lease === held) {
      const reason = why === undefined ? {} : { reason: why }
      const taken: TakenBack = { holder: held.holder, lease, ...reason }
      const entry = audit(by, 'bench.released', id, own ? reason : taken)
      await end(bench, held, own ? 'released' : 'taken-back', entry)
    }
    return result
  }

  /** Those that are being taken back. */
  const takingBack = new Set<BenchLease>()
  /** Where the node does not answer it runs out, since nobody may renew it any more, or is taken back later. */
  const releaseIfThere = async ({ id }: BookedBench, held: BenchLease, by: string | null): Promise<void> => {
    takingBack.add(held)
    try {
      await release(id, held.lease, by)
    } catch (error) {
      if (asLabError(error).kind !== 'link' && asLabError(error).code !== 'lease-ended') throw error
    } finally {
      takingBack.delete(held)
    }
  }

  /** The node has ended it by itself. */
  const endedThere = async (bench: BookedBench, held: BenchLease): Promise<void> => {
    if (bench.lease !== held) return
    const entry = audit(null, 'bench.lease-expired', bench.id, { holder: held.holder, endedBy: bench.node })
    await end(bench, held, 'expired', entry, Math.min(clock.now(), held.expiresAt))
  }
  const confirm = async (bench: BookedBench): Promise<void> => {
    const { lease } = bench
    if (lease?.use === undefined || inHand.has(lease)) return
    const { name, node } = bench
    // As long as it has anyway: a question, not a renewal.
    const ttlMs = Math.max(1, lease.endsAt - clock.monotonic())
    try {
      await calls.call(node, 'lease.renew', { bench: name, lease: lease.lease, ttlMs })
    } catch (error) {
      const { code, kind } = asLabError(error)
      // A node that does not answer may have it still.
      if (kind === 'link') return
      if (code !== 'lease-invalid') throw error
      if (!inHand.has(lease)) await endedThere(bench, lease)
    }
  }

  /** Their node was away, or the hub was, as they were shut out: nobody can use what is left of it. */
  const takeBack = async (): Promise<void> => {
    const ended = [...book.benches.values()].map(async (bench) => {
      const { lease, node } = bench
      // One that the node has not granted yet is ended by who takes it, or the next time.
      if (lease?.use === undefined || takingBack.has(lease) || !options.isSuspended(lease.holder)) return
      if (book.nodes.get(node)?.ready !== true) return
      await releaseIfThere(bench, lease, null)
    })
    await Promise.all(ended)
  }

  const takeNew = async (bench: BookedBench, lease: string, ...rest: TakeParameters): Promise<Lease> => {
    const way = book.uncheckedStateOf(bench).state === 'busy' ? giveWay(bench) : undefined
    if (way === undefined) return take(bench, lease, ...rest)
    try {
      await way.ended
      return { ...(await take(bench, lease, ...rest)), endedCheck: way.check }
    } finally {
      way.done()
    }
  }

  const renewLease: Fleet['renewLease'] = async (id, lease, ttlS, by, reason) => {
    const bench = benchOf(id)
    if (!isGood(bench, lease)) await requireLasts(bench, lease, by)
    const held = ownOn(bench, lease, by)
    inHand.add(held)
    const renewal = calls.call(bench.node, 'lease.renew', { bench: bench.name, lease, ttlMs: ttlS * 1000 })
    const granted = await renewal
      .catch(async (error: unknown) => {
        if (asLabError(error).code !== 'lease-invalid') throw error
        if (!isGood(bench, lease)) await requireLasts(bench, lease, by)
        await endedThere(bench, held)
        throw error
      })
      .finally(() => inHand.delete(held))
    const lasts = lasting(clock, granted.ttlMs)
    if (bench.lease?.lease !== lease) await keep(bench)
    else {
      const forWhat = reason === undefined ? bench.lease.reason : reason === '' ? undefined : reason
      const entry = audit(by, 'bench.lease', id, {
        ...(forWhat === undefined ? {} : { reason: forWhat }),
        renewed: true,
      })
      const isOther = forWhat !== bench.lease.reason
      Object.assign(bench.lease, lasts, { reason: forWhat })
      await keep(bench, isOther ? [entry] : [])
    }
    return { lease, expiresAt: new Date(lasts.expiresAt).toISOString() }
  }

  return {
    takeLease: async (id, ...rest) => {
      const bench = benchOf(id)
      requireSpace()
      const [holder, ttlS, { key, reason } = {}] = rest
      return await taking.once(bench, holder, key, async (lease, held) => {
        if (held === undefined) return await takeNew(bench, lease, ...rest)
        if (held.use === undefined) return await taking.begin(bench, holder, ttlS, lease, rest[2])
        return await renewLease(id, held.lease, ttlS, holder, reason)
      })
    },
    renewLease,
    releaseLease: (id, lease, by) => release(id, lease, by),
    endLease: async (id, reason, by, since) => {
      const { lease } = benchOf(id)
      // One that its node has not granted yet is nobody's.
      if (lease?.use === undefined) {
        throw new LabError({ code: 'not-found', kind: 'caller', message: `nobody has taken ${id}` })
      }
      // Looked at in the same turn in which it is begun to be ended: no other hold comes between.
      if (since !== undefined && Date.parse(since) !== lease.since) {
        throw heldMeanwhile({ id, leasedSince: new Date(lease.since).toISOString() })
      }
      return await release(id, lease.lease, by, reason)
    },
    confirm,
    releaseAllOf: async (holder, by) => {
      const held = [...book.benches.values()]
      await Promise.all(
        held.map((bench) => (bench.lease?.holder === holder ? releaseIfThere(bench, bench.lease, by) : undefined)),
      )
    },
    exchange: async (id, { lease, set, read, raw: wantsRaw }, by) => {
      const bench = known(id)
      if (lease !== undefined && !isGood(bench, lease)) await requireLasts(bench, lease, by.person)
      const held = lease === undefined ? undefined : ownOn(bench, lease, by.person)
      const perform = async () => {
        await by.turn?.()
        if (held !== undefined && !isGood(bench, held.lease)) await requireLasts(bench, held.lease, by.person)
        requireOnline(bench)
        const asked = calls.call(bench.node, 'bench.exchange', {
          bench: bench.name,
          ...(lease === undefined ? {} : { lease }),
          ...(set === undefined ? {} : { set: { ...set } }),
          ...(read === undefined ? {} : { read: [...read] }),
          ...(wantsRaw ? { raw: true as const } : {}),
        })
        const { readings } = await asked.catch(async (error: unknown) => {
          // It was ended while the node was asked.
          if (held !== undefined && asLabError(error).code === 'lease-invalid' && !isGood(bench, held.lease))
            await requireLasts(bench, held.lease, by.person)
          throw error
        })
        const entries = Object.entries(readings).map(([key, { value, unit, time, raw }]) => [
          key,
          {
            value,
            unit,
            time: new Date(time > 1e11 ? time : time * 1000).toISOString(),
            ...(raw === undefined ? {} : { raw }),
          },
        ])
        return Object.fromEntries(entries) as Readings
      }
      // Who only looks, without a lease, moves nothing and uses nothing.
      return held?.use === undefined ? perform() : record.noted(held.use, { set, read }, by, perform)
    },
    expire: async () => {
      for (const bench of book.benches.values()) {
        const { lease } = bench
        if (lease === undefined || lease.endsAt > clock.monotonic() || taking.isUnderWay(lease.lease)) continue
        // Not when the hub saw it, which may have been down.
        const at = Math.min(clock.now(), lease.expiresAt)
        const entry = audit(null, 'bench.lease-expired', bench.id, { holder: lease.holder })
        await end(bench, lease, 'expired', entry, at)
      }
      const there = [...book.benches.values()].filter(({ node }) => book.nodes.get(node)?.ready === true)
      await Promise.all([takeBack(), ...there.map(taking.takeBackUnknown)])
    },
  }
}

/**
 * Nodes and benches as the hub knows them now.
 *
 * INVARIANTS: who holds a bench (`runId`, `fence`) runs ahead of the database by the writes under way, everything else
 * follows it; a node is `ready` only once its inventory has come over its present connection; fences never go back.
 */
import type { InstrumentSpec, Limits } from '@fernlab/shared/capabilities/signals'
import type { InterlockStatus } from '@fernlab/shared/contracts/interlocks'
import type { NodeHealth } from '@fernlab/shared/contracts/node-status'
import type { BenchState } from '@fernlab/shared/contracts/run-state'
import type { EndedHold } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newStanding } from '../bench-care/check-standing.ts'
import { isWeekly, type OutagePlan, type Outlook } from '../bench-care/outages.ts'
import { Outlooks } from '../bench-care/outlooks.ts'
import { type BookedCheck, failingOf, loadChecks } from '../bench-care/stored-checks.ts'
import { loadOutagePlans } from '../bench-care/stored-outages.ts'
import type { Store } from '../store/store.ts'
import { endUsesOfNobody } from './lost-uses.ts'

export interface BookedNode {
  readonly id: string
  online: boolean
  /** Its inventory has come since it is online. */
  ready: boolean
  /** When its last connection ended, or this process began (monotonic ms). */
  awaySince: number
  bootId: string | null
  version: string | null
  instruments: ReadonlyMap<string, InstrumentSpec>
  /** Its instruments in the database are those here. */
  stored: boolean
  health: NodeHealth | null
  lastSeenAt: number | null
  enrolledAt: number | null
  revokedAt: number | null
}

export interface BenchLease {
  readonly lease: string
  /** As it was asked for, where its node has given another: one of an earlier version does. */
  readonly asked?: string | undefined
  readonly holder: string
  /** When it was taken, epoch ms; it tells one hold of a bench from the next. */
  readonly since: number
  /** Its record; none until the node has granted it. */
  readonly use?: string | undefined
  /** What for, as its holder has said. */
  reason?: string | undefined
  /** Somebody else is ending it: it is of no use any more. */
  takenBack?: EndedHold | undefined
  /** Epoch ms, for people and for a hub that starts again. */
  expiresAt: number
  /** When the hub counts it as ended (monotonic ms). */
  endsAt: number
}

export interface BookedBench {
  /** `<node>.<bench>`. */
  readonly id: string
  readonly node: string
  readonly name: string
  title: string | null
  /** Part → instrument's name. */
  parts: Readonly<Record<string, string>>
  /** The bench's own, by `part.signal`; none until its node has told them to this process. */
  limits: Readonly<Record<string, Limits>>
  /** Only these labs; undefined: any. */
  labs: readonly string[] | undefined
  /** As the node says; `busy` there means nothing here. */
  reported: BenchState
  reason: string | null
  since: number
  /** Its row in the database is as it is here; until it is there at all, no run can hold the bench. */
  stored: boolean
  fence: number
  runId: string | null
  lease: BenchLease | undefined
  /** What was its lease, while the end of that is being written: until then nothing else says why. */
  ending?: BenchLease | undefined
  /** No run is sent before this (monotonic ms): the node refused one. */
  refusedUntil: number
  refusal: string | undefined
  /** Its node has told that it has it no more. */
  gone: boolean
  /** When it is not for runs, as staff have planned; replaced as a whole, never changed. */
  plans: readonly OutagePlan[]
  /** Why no run may have it until the staff have put it back. */
  out: string | undefined
  /** Its checks by name; replaced as a whole, never changed. */
  checks: ReadonlyMap<string, BookedCheck>
  /** Why no run may have it while a check fails. */
  failing: string | undefined
  /** How its interlocks stand, as its node has told this process; replaced as a whole. */
  interlocks: readonly InterlockStatus[]
}

/** The bench's lease by that id, also while its end is being written. */
export const leaseOf = ({ lease, ending }: BookedBench, id: string): BenchLease | undefined =>
  [lease, ending].find((one) => one?.lease === id)

/** Why a bench is offline that its node has no more. */
export const noMore = 'the node has it no more'

export class FleetBook {
  readonly nodes = new Map<string, BookedNode>()
  readonly benches = new Map<string, BookedBench>()
  /** Grows when a bench, its parts or its labs change. */
  shape = 0
  readonly #outlooks: Outlooks
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#clock = clock
    this.#outlooks = new Outlooks(clock)
  }

  /** The outage of the bench that is in force now, and the next. */
  outlook({ plans }: BookedBench): Outlook {
    return this.#outlooks.of(plans)
  }

  /** How long until the next outage; the run that begins now must have ended by then. */
  freeForS({ plans }: BookedBench): number {
    return this.#outlooks.freeForS(plans)
  }

  /** The instrument of each part that the node has. */
  partsOf(bench: BookedBench): Record<string, InstrumentSpec> {
    const parts: Record<string, InstrumentSpec> = {}
    const instruments = this.nodes.get(bench.node)?.instruments
    for (const [part, name] of Object.entries(bench.parts)) {
      const instrument = instruments?.get(name)
      if (instrument !== undefined) parts[part] = instrument
    }
    return parts
  }

  /** The state that people see. */
  stateOf(bench: BookedBench): { state: BenchState; reason?: string } {
    const { current } = this.outlook(bench)
    // A run that was on it when the outage began finishes.
    if (current === undefined || bench.runId !== null) return this.ownStateOf(bench)
    const { reason, when } = current.plan
    const until = Number.isFinite(current.until) ? new Date(current.until).toISOString() : undefined
    if (isWeekly(when)) {
      return {
        state: 'offline',
        reason: until === undefined ? `closed: ${reason}` : `closed until ${until}: ${reason}`,
      }
    }
    return {
      state: 'maintenance',
      reason: until === undefined ? `in maintenance: ${reason}` : `in maintenance until ${until}: ${reason}`,
    }
  }

  /** The state apart from what staff have planned. */
  ownStateOf(bench: BookedBench): { state: BenchState; reason?: string } {
    const own = this.uncheckedStateOf(bench)
    return bench.failing !== undefined && bench.runId === null && (own.state === 'free' || own.state === 'busy')
      ? { state: 'fault', reason: bench.failing }
      : own
  }

  /** The same apart from what its checks say: whoever looks after a bench may drive one that fails them. */
  uncheckedStateOf(bench: BookedBench): { state: BenchState; reason?: string } {
    const node = this.nodes.get(bench.node)
    if (node === undefined || node.revokedAt !== null) return { state: 'offline', reason: 'its node is shut out' }
    if (!node.online) return { state: 'offline', reason: 'its node is not connected' }
    if (bench.reported === 'fault' || bench.reported === 'maintenance' || bench.reported === 'offline') {
      return { state: bench.reported, ...(bench.reason === null ? {} : { reason: bench.reason }) }
    }
    if (bench.runId !== null) return { state: 'busy' }
    if (bench.out !== undefined) return { state: 'fault', reason: bench.out }
    if (bench.lease !== undefined) return { state: 'busy', reason: 'it is being used directly' }
    return { state: 'free' }
  }

  /** True when a run may be sent to it now. */
  isFree(bench: BookedBench, monotonicMs: number): boolean {
    return bench.failing === undefined && this.isFreeForChecks(bench, monotonicMs)
  }

  /** The same for a run that is a check: a bench that fails one may come back by it. */
  isFreeForChecks(bench: BookedBench, monotonicMs: number): boolean {
    if (bench.runId !== null || bench.lease !== undefined || bench.refusedUntil > monotonicMs) return false
    if (!bench.stored || bench.out !== undefined || this.outlook(bench).current !== undefined) return false
    const node = this.nodes.get(bench.node)
    return node?.ready === true && node.revokedAt === null && (bench.reported === 'free' || bench.reported === 'busy')
  }

  node(id: string): BookedNode {
    let node = this.nodes.get(id)
    if (node === undefined) {
      node = {
        id,
        online: false,
        ready: false,
        awaySince: this.#clock.monotonic(),
        bootId: null,
        version: null,
        instruments: new Map(),
        stored: true,
        health: null,
        lastSeenAt: null,
        enrolledAt: null,
        revokedAt: null,
      }
      this.nodes.set(id, node)
    }
    return node
  }
}

/** Reads nodes and benches; who is online is found out anew, and uses of benches that nobody holds end. */
export async function loadFleetBook(store: Store, clock: Clock): Promise<FleetBook> {
  const book = new FleetBook(clock)
  const plans = await loadOutagePlans(store)
  const checks = await loadChecks(store)
  await endUsesOfNobody(store)
  const uses = await store.db
    .selectFrom('direct_use')
    .select(['id', 'bench', 'started_at'])
    .where('ended_at', 'is', null)
    .execute()
  const useOn = new Map(uses.map((use) => [use.bench, use]))
  for (const row of await store.db.selectFrom('node').selectAll().execute()) {
    const instruments: InstrumentSpec[] = JSON.parse(row.instruments)
    book.nodes.set(row.id, {
      id: row.id,
      online: false,
      ready: false,
      awaySince: clock.monotonic(),
      bootId: row.boot_id,
      version: row.version,
      instruments: new Map(instruments.map((instrument) => [instrument.name, instrument])),
      stored: true,
      health: row.health === null ? null : JSON.parse(row.health),
      lastSeenAt: row.last_seen_at,
      enrolledAt: row.enrolled_at,
      revokedAt: row.revoked_at,
    })
  }
  for (const row of await store.db.selectFrom('bench').selectAll().execute()) {
    book.benches.set(row.id, {
      id: row.id,
      node: row.node,
      name: row.name,
      title: row.title,
      parts: JSON.parse(row.parts),
      limits: {},
      labs: row.labs === null ? undefined : JSON.parse(row.labs),
      reported: row.state,
      reason: row.reason,
      since: row.since,
      stored: true,
      fence: row.fence,
      runId: row.run_id,
      lease:
        row.lease === null || row.leased_by === null || row.lease_expires_at === null
          ? undefined
          : {
              lease: row.lease,
              holder: row.leased_by,
              since: useOn.get(row.id)?.started_at ?? row.since,
              use: useOn.get(row.id)?.id,
              reason: row.lease_reason ?? undefined,
              expiresAt: row.lease_expires_at,
              endsAt: clock.monotonic() + row.lease_expires_at - clock.now(),
            },
      refusedUntil: 0,
      refusal: undefined,
      gone: row.reason === noMore,
      plans: plans.get(row.id) ?? [],
      out: row.out_reason ?? undefined,
      checks: checks.get(row.id) ?? new Map(),
      failing: failingOf(checks.get(row.id) ?? new Map()),
      interlocks: [],
    })
  }
  return book
}

/** Reads again who holds which bench, and how checks stand that are runs, after a write has failed. */
export async function reloadHolds(store: Store, book: FleetBook): Promise<void> {
  const stored = await loadChecks(store)
  for (const bench of book.benches.values()) {
    const before = bench.checks
    bench.checks = new Map(
      [...before].map(([name, check]) => {
        // What nodes report is made good by their next report.
        if (check.announced?.run === undefined) return [name, check]
        return [name, { ...check, standing: stored.get(bench.id)?.get(name)?.standing ?? newStanding(name) }]
      }),
    )
    bench.failing = failingOf(bench.checks)
  }
  for (const row of await store.db
    .selectFrom('bench')
    .select(['id', 'fence', 'run_id', 'since', 'out_reason'])
    .execute()) {
    const bench = book.benches.get(row.id)
    if (bench === undefined) continue
    bench.fence = row.fence
    bench.runId = row.run_id
    bench.since = row.since
    bench.out = row.out_reason ?? undefined
  }
}

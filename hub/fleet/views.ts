import { type Limits, narrowest, type SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Bench, NodeInfo } from '@fernlab/shared/contracts/api'
import type { ShownCheck } from '@fernlab/shared/contracts/bench-checks'
import type { Outage } from '../bench-care/outages.ts'
import { isWeekly } from '../bench-care/outages.ts'
import type { BookedCheck } from '../bench-care/stored-checks.ts'
import type { BenchViewer, CompatibleBench } from './fleet.ts'
import type { BenchLease, BookedBench, BookedNode, FleetBook } from './fleet-book.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

/** What is shown of a check that is a run besides how it stands. */
export type CheckDetails = (bench: BookedBench, check: BookedCheck) => Pick<ShownCheck, 'issues' | 'underWay'>

export interface ShownTo {
  readonly viewer: BenchViewer | undefined
  /** Of who drives it, by id, where the viewer may know people. */
  readonly names: ReadonlyMap<string, string>
  readonly checkDetails: CheckDetails
}

/** A bench as the API shows it to the viewer. */
export function benchView(book: FleetBook, bench: BookedBench, { viewer, names, checkDetails }: ShownTo): Bench {
  const { state, reason } = book.stateOf(bench)
  const { current, next } = book.outlook(bench)
  const parts = Object.entries(book.partsOf(bench)).map(([part, { name, driver, model, signals, actions }]) => [
    part,
    {
      instrument: name,
      driver,
      ...(model === undefined ? {} : { model }),
      signals: signals.map((signal) => onBench(signal, bench.limits[`${part}.${signal.name}`])),
      actions: [...actions],
    },
  ])
  return {
    id: bench.id,
    node: bench.node,
    name: bench.name,
    ...(bench.title === null ? {} : { title: bench.title }),
    labs: [...(bench.labs ?? [])],
    state,
    since: iso(bench.since),
    ...(reason === undefined ? {} : { reason }),
    ...(bench.runId === null ? {} : { run: bench.runId }),
    ...(bench.out === undefined && bench.failing === undefined ? {} : { out: true as const }),
    ...(bench.checks.size === 0
      ? {}
      : {
          checks: [...bench.checks.values()].map((check) => ({ ...shownCheck(check), ...checkDetails(bench, check) })),
        }),
    ...(bench.interlocks.length === 0 ? {} : { interlocks: [...bench.interlocks] }),
    leased: bench.lease !== undefined,
    ...leaseView(bench.lease, viewer, names),
    ...(current === undefined ? {} : { outage: shownOutage(current) }),
    ...(next === undefined ? {} : { nextOutage: shownOutage(next) }),
    ...(bench.gone ? { gone: true } : {}),
    parts: Object.fromEntries(parts),
  }
}

function leaseView(
  lease: BenchLease | undefined,
  viewer: BenchViewer | undefined,
  names: ShownTo['names'],
): Pick<Bench, 'leasedSince' | 'mine' | 'leasedBy' | 'leaseReason'> {
  if (lease === undefined) return {}
  const leasedSince = iso(lease.since)
  if (viewer === undefined) return { leasedSince }
  const mine = lease.holder === viewer.personId
  const name = viewer.seesPeople ? names.get(lease.holder) : undefined
  return {
    leasedSince,
    ...(mine ? { mine } : {}),
    ...(name === undefined ? {} : { leasedBy: { id: lease.holder, name } }),
    // Words of somebody who stays unnamed may name them.
    ...(lease.reason !== undefined && (mine || viewer.seesPeople) ? { leaseReason: lease.reason } : {}),
  }
}

const shownOutage = ({ plan, from, until }: Outage): NonNullable<Bench['outage']> => ({
  reason: plan.reason,
  from: iso(from),
  ...(Number.isFinite(until) ? { until: iso(until) } : {}),
  weekly: isWeekly(plan.when),
})

const shownCheck = ({ announced, standing }: BookedCheck): ShownCheck => ({
  name: standing.name,
  title: announced?.title ?? standing.name,
  ...(announced === undefined ? {} : { kind: announced.kind, everyS: announced.everyS }),
  ...(standing.passed === null ? {} : { passed: standing.passed }),
  ...(standing.reason === null ? {} : { reason: standing.reason }),
  ...(standing.checkedAt === null ? {} : { checkedAt: iso(standing.checkedAt) }),
  failing: standing.failingSince !== null,
  ...(standing.runId === null ? {} : { run: standing.runId }),
  ...(standing.asked ? { asked: true as const } : {}),
})

const onBench = (signal: SignalSpec, limits: Limits | undefined): SignalSpec =>
  limits === undefined ? signal : { ...signal, limits: narrowest([signal.limits, limits]) }

/** A bench as a lab sees it. */
export function compatibleView(book: FleetBook, bench: BookedBench): CompatibleBench {
  return {
    id: bench.id,
    node: bench.node,
    ...(bench.title === null ? {} : { title: bench.title }),
    ...book.stateOf(bench),
    parts: book.partsOf(bench),
  }
}

/** A node as the API shows it. */
export function nodeView(book: FleetBook, node: BookedNode): NodeInfo {
  const state =
    node.revokedAt !== null ? 'revoked' : node.online ? 'online' : node.lastSeenAt === null ? 'never-seen' : 'offline'
  return {
    id: node.id,
    state,
    ...(node.lastSeenAt === null ? {} : { lastSeen: iso(node.lastSeenAt) }),
    ...(node.version === null ? {} : { version: node.version }),
    ...(node.health === null ? {} : { health: node.health }),
    benches: [...book.benches.values()].filter((bench) => bench.node === node.id).map(({ id }) => id),
    ...(node.enrolledAt === null ? {} : { enrolledAt: iso(node.enrolledAt) }),
  }
}

/** What keeps benches fit for use: checks, staff's care, enrolment and removal. */
import { topics } from '@fernlab/shared/contracts/topics'
import { createBenchCare } from '../bench-care/bench-care.ts'
import { createBenchChecks } from '../bench-care/bench-checks.ts'
import type { BenchHistory } from '../bench-care/bench-history.ts'
import { createNodeCalibrations } from '../bench-care/calibrations.ts'
import { createInterlockResets } from '../bench-care/interlock-resets.ts'
import type { ProtocolChecks } from '../bench-care/protocol-checks.ts'
import type { Broker } from '../broker/broker.ts'
import type { ServiceBook } from '../directory/service-book.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { createMqttSets } from '../fleet/mqtt-sets.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import { createNodeHardware } from '../fleet/node-hardware.ts'
import { createFleet } from '../fleet/open-fleet.ts'
import { createRemoval } from '../fleet/removal.ts'
import type { CreateRunsOptions } from '../runs/create-runs.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { Turn } from '../store/turn.ts'
import type { Basics } from './basics.ts'
import type { Ground } from './ground.ts'
import type { Memory } from './memory.ts'

export interface BenchKeepers {
  readonly broker: Broker
  readonly calls: NodeCalls
  readonly turn: Turn
  readonly ledger: Ledger
  readonly dispatcher: Dispatcher
  readonly checks: ProtocolChecks
  readonly benchHistory: BenchHistory
  readonly serviceBook: ServiceBook
  readonly originOf: CreateRunsOptions['originOf']
  readonly stopRun: (id: string, reason: string) => void
  /** Tells that estimates of everybody who waits may be others. */
  readonly queueMoved: () => void
}

export function openBenchKeeping(
  { site, clock, log, onClose }: Basics,
  { store, maintenance, accounts }: Ground,
  { book, compatible, open }: Memory,
  {
    broker,
    calls,
    turn,
    ledger,
    dispatcher,
    checks,
    benchHistory,
    serviceBook,
    originOf,
    stopRun,
    queueMoved,
  }: BenchKeepers,
) {
  const map = topics(site)
  const benchChecks = createBenchChecks({
    store,
    book,
    calls,
    clock,
    log,
    onChange: (bench, by) => {
      benchHistory.look(bench, by)
      dispatcher.nudge()
      queueMoved()
    },
  })
  const fleet = createFleet({
    book,
    compatible,
    store,
    calls,
    checks: benchChecks,
    checkDetails: checks.details,
    giveWay: checks.giveWay,
    originOf,
    space: maintenance,
    isSuspended: accounts.suspension.isSuspended,
    clock,
    log,
    onShutOut: (node) => broker.disconnect((who) => who.kind === 'node' && who.node === node),
    onRevoked: dispatcher.shutOut,
  })
  onClose(() => fleet.close())
  // What nodes have not answered by then is recorded as such.
  onClose(() => calls.close())
  const mqttSets = createMqttSets({ site, book, exchange: fleet.exchange, clock, log })
  broker.onIntegrator(mqttSets.take)
  onClose(() => mqttSets.close())
  fleet.onChange(dispatcher.nudge)
  const benchCare = createBenchCare({
    store,
    book,
    clock,
    log,
    onChange: (bench) => {
      benchHistory.look(bench)
      dispatcher.nudge()
      queueMoved()
    },
    endRun: (id, why) => {
      if (!dispatcher.closeUnder(id, why)) stopRun(id, `the bench went out of use: ${why}`)
    },
  })
  onClose(() => benchCare.close())
  fleet.onChange(queueMoved)
  fleet.onChange(({ node }) => {
    for (const bench of book.benches.values()) if (bench.node === node) benchHistory.look(bench)
  })
  const waitingFor = (benches: readonly string[]) =>
    [...open.byId.values()].filter(
      ({ state, wantedBench }) => state === 'queued' && wantedBench !== null && benches.includes(wantedBench),
    )
  const removal = createRemoval({
    store,
    book,
    clock,
    revoke: fleet.revoke,
    countWaiting: (benches) => waitingFor(benches).length,
    cancelWaiting: async (benches) => {
      for (const run of waitingFor(benches)) {
        ledger.finish(run, { state: 'cancelled', reason: `${run.wantedBench} was removed`, endedAt: clock.now() })
      }
      await turn.kept()
    },
    onRemoved: (node, benches, whole) => {
      const topicsGone = benches.map((bench) => map.bench(node.id, bench.name))
      if (whole) {
        serviceBook.forget(node.id)
        topicsGone.push(map.nodeStatus(node.id), map.nodeHealth(node.id))
        for (const { name, signals } of node.instruments.values()) {
          topicsGone.push(...signals.map((signal) => map.signal(node.id, name, signal.name)))
        }
      }
      // An empty retained message takes the one before it away.
      for (const topic of topicsGone) broker.publish(topic, '', { retain: true })
      log.info(
        { node: node.id, benches: benches.map(({ id }) => id) },
        whole ? 'a node was removed' : 'a bench was removed',
      )
    },
  })
  const interlockResets = createInterlockResets({ store, book, calls, clock })
  const nodeCalibrations = createNodeCalibrations({ store, book, calls, clock })
  const nodeHardware = createNodeHardware({ store, book, calls, clock })
  return { benchChecks, benchCare, fleet, interlockResets, nodeCalibrations, nodeHardware, removal }
}

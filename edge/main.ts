/** Puts the node together: configuration, instruments, benches, queue, outbox, and the link to its hub. */
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import { topics as topicsOf } from '@fernlab/shared/contracts/topics'
import { type MqttLink, openMqttLink } from '@fernlab/shared/links/mqtt-link'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type DataLock, lockDataFolder } from '@fernlab/shared/storage/data-folder'
import type { Bench } from './benches/bench.ts'
import { createConfiguredBenches } from './benches/configured-benches.ts'
import { startIdlePoll } from './benches/idle-poll.ts'
import { inUseReason } from './benches/present-state.ts'
import { applyCalibrations, createCalibrations } from './calibration/calibrations.ts'
import { type BenchChecks, createBenchChecks } from './checks/bench-checks.ts'
import type { CheckKind } from './checks/check-kind.ts'
import { builtInCheckKinds } from './checks/check-kinds.ts'
import { type ConfigSource, checkAgainstInstruments, loadConfig, type NodeConfig } from './config/config.ts'
import { type AddedFile, createEquipment, type Equipment, openAddedFile } from './discovery/equipment.ts'
import { createNodeLook, type Machine } from './discovery/node-look.ts'
import { noteOutOfUse } from './discovery/out-of-use-beside.ts'
import type { Driver } from './drivers/driver.ts'
import { createRunPlans } from './engine/plan.ts'
import type { FaultHook } from './fault-point.ts'
import { type Disk, watchDisk } from './health/disk.ts'
import { startHealth } from './health/health.ts'
import { createInbox, type Inbox } from './inbox/inbox.ts'
import type { InstrumentHandle } from './instruments/instrument-handle.ts'
import { createInstruments } from './instruments/instruments.ts'
import { createInterlocks } from './interlocks/interlocks.ts'
import { createBenchTopics } from './link/bench-topics.ts'
import { brokerUrl, credentialOf } from './link/broker.ts'
import { createCameraLines } from './link/camera-lines.ts'
import { createClientLinks } from './link/client-links.ts'
import { createHubLink, type HubLink, type SyncState } from './link/hub-link.ts'
import { hubWebAddress } from './link/hub-web-address.ts'
import { createLabTunnels } from './link/lab-tunnels.ts'
import { createRequests } from './link/requests.ts'
import { createSignalTopics } from './link/signal-topics.ts'
import { createOutbox } from './outbox/outbox.ts'
import { createQueue, diskCause } from './queue/queue.ts'
import { createDaemons } from './services/daemons/daemons.ts'
import { openServices, type Services } from './services/open-services.ts'
import { openIdentity } from './settings/node-identity.ts'
import { createJournal } from './store/journal.ts'
import { openStore, readLatches } from './store/store.ts'
import { NODE_VERSION } from './version.ts'

export interface StartEdgeOptions {
  readonly config: ConfigSource
  /** Made when missing. */
  readonly dataFolder: string
  readonly drivers: readonly Driver[]
  /** Instead of those that come with Fernlab. */
  readonly checkKinds?: readonly CheckKind[]
  readonly openTransport: OpenTransport
  /** Where and how the node looks for hardware; without it, on this machine, and nobody is asked on its buses. */
  readonly machine?: Machine
  readonly log: Log
  readonly clock?: Clock
  /** Connections to a broker in this process, instead of `hub.url`. */
  readonly link?: () => Duplex
  /** Instead of the enrolled ones. */
  readonly credential?: { readonly username: string; readonly password: string }
  /** Enrols the node first. */
  readonly enrollAt?: { readonly hubUrl: string; readonly code: string }
  /** Instead of the enrolled or configured ones. */
  readonly site?: string
  readonly hubUrl?: string
  /** PEM of an authority to trust besides the system's. */
  readonly ca?: string
  readonly healthEveryMs?: number
  readonly pollEveryMs?: number
  readonly leastFreeBytes?: number
  readonly measureFreeBytes?: (folder: string) => Promise<number>
  readonly reconnectMs?: number
  readonly faultPoint?: FaultHook
}

export interface Edge {
  readonly node: string
  readonly site: string
  readonly benches: ReadonlyMap<string, Bench>
  readonly instruments: ReadonlyMap<string, InstrumentHandle>
  readonly syncState: SyncState
  /** The address of its hub's broker; undefined: it has no hub, or is in one process with it. */
  readonly broker: string | undefined
  readonly services: Pick<Services, 'addresses' | 'counts' | 'door'>
  /** Stops runs as interrupted, benches to their safe state, says `offline`; at most 5 s; idempotent. */
  close(): Promise<void>
}

const HEALTH_MS = 10_000
/** By way of the hub, where node.yaml says nothing of clients. */
const MOST_CLIENTS = 500
const LEAST_FREE_BYTES = 64 * 1024 * 1024

/**
 * Starts a node; rejects with a configuration-kind LabError, also when another process runs on its data folder. It is up
 * whether or not hub and instruments are.
 */
export async function startEdge(options: StartEdgeOptions): Promise<Edge> {
  const lock = await lockDataFolder(options.dataFolder, 'node')
  try {
    const added = await openAddedFile(options.dataFolder, options.log)
    const config = await loadConfig(options.config, options.drivers, options.checkKinds, added.data)
    return await assemble(options, config, added, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function assemble(
  options: StartEdgeOptions,
  config: NodeConfig,
  addedFile: AddedFile,
  lock: DataLock,
): Promise<Edge> {
  const { dataFolder, drivers, openTransport, log, clock = systemClock, faultPoint } = options
  const node = config.file.node
  const { enrollAt, ca } = options
  const { settings, site } = await openIdentity({
    file: config.file,
    dataFolder,
    log,
    enrollAt,
    ca,
    site: options.site,
  })
  const topics = topicsOf(site)

  const database = await openStore(join(dataFolder, 'node.db'))
  const fences = new Map(
    (await database.read('SELECT name, fence FROM bench')).map((row) => [String(row.name), Number(row.fence)]),
  )
  const instruments = await createInstruments({
    entries: config.file.instruments,
    added: config.added,
    drivers,
    openTransport,
    configFolder: config.folder,
    addedFolder: join(dataFolder, 'added'),
    keptFolder: dataFolder,
    wanted: (name) => Object.values(config.file.benches).some(({ parts }) => Object.values(parts).includes(name)),
    inUse: (instrument) => {
      const bench = [...benches.values()].find(({ entry }) => Object.values(entry.parts).includes(instrument))
      return bench === undefined ? undefined : inUseReason(bench)
    },
    clock,
    log,
  }).catch(async (error: unknown) => {
    await database.close()
    throw error
  })
  try {
    const { all, outOfUse } = instruments
    checkAgainstInstruments(config, all, options.checkKinds, outOfUse)
    applyCalibrations(settings.data.calibrations ?? {}, all, new Set(Object.keys(addedFile.data)), outOfUse)
    await noteOutOfUse(dataFolder, outOfUse)
  } catch (error) {
    await database.close()
    throw error
  }

  const journal = createJournal({ database, clock, log, ...(faultPoint === undefined ? {} : { faultPoint }) })
  // Both come last: nothing may reach the node before it has taken up what its former life left behind.
  let mqtt: MqttLink | undefined
  let hub: HubLink | undefined
  const retain = (topic: string, payload: string) => {
    // What is not sent now is published again after the next connect.
    if (mqtt?.connected) mqtt.publish(topic, payload, { retain: true }).catch(() => {})
  }
  const signalTopics = createSignalTopics({
    clock,
    connected: () => mqtt?.connected === true,
    publish: (instrument, signal, payload) => retain(topics.signal(node, instrument, signal), payload),
  })
  const benches = createConfiguredBenches({
    file: config.file,
    instruments: instruments.all,
    fences,
    clock,
    log,
    faultPoint,
    newId: () => newId(clock.now()),
    onValue: signalTopics.note,
  })

  const interlocks = createInterlocks({
    entries: config.file.interlocks,
    benches,
    latched: await readLatches(database),
    journal,
    clock,
    log,
    onValue: signalTopics.note,
  })

  const disk: Disk = await watchDisk({
    folder: dataFolder,
    leastFreeBytes: options.leastFreeBytes ?? LEAST_FREE_BYTES,
    clock,
    log,
    ...(options.measureFreeBytes === undefined ? {} : { measure: options.measureFreeBytes }),
  })

  const outbox = createOutbox({
    journal,
    database,
    clock,
    log,
    faultPoint,
    onOverdue: () => hub?.greet(),
    onForgotten: (key) => queue.forgotten(key),
  })
  const plans = createRunPlans()
  const queue = createQueue({
    benches,
    plans,
    outbox,
    journal,
    database,
    clock,
    log,
    faultPoint,
    node: { name: node, version: NODE_VERSION, clockOffsetMs: () => hub?.clockOffsetMs },
    onValue: signalTopics.note,
  })
  const inbox: Inbox = createInbox({
    benches,
    queue,
    plans,
    diskTrouble: () => disk.trouble ?? journal.trouble,
    answer: (accepted) => hub?.sendAccepted(accepted),
    log,
    faultPoint,
  })
  const publishBench = (bench: Bench) => {
    const reports = checks.reports(bench)
    const status = { ...bench.status, ...(reports.length === 0 ? {} : { checks: reports }) }
    retain(topics.bench(node, bench.name), JSON.stringify(status))
  }
  const checks: BenchChecks = createBenchChecks({
    benches,
    kinds: options.checkKinds ?? builtInCheckKinds(),
    clock,
    log,
    onReport: publishBench,
  })
  const broker = options.hubUrl ?? brokerUrl(config.file.hub?.url, settings.data.mqttUrl)
  /** Undefined: no hub decides over this node. */
  const toHub = options.link ?? broker
  const calibrations = createCalibrations({
    settings,
    instruments: instruments.all,
    benches,
    awaited: (bench) => queue.length(bench) > 0,
    clock,
    onChange: () => {
      hub?.greet()
      void health.publish()
    },
    faultPoint,
  })
  const equipment: Equipment = createEquipment({
    file: addedFile,
    config,
    drivers,
    instruments,
    find: (scan) => hardware.find(scan),
    forget: calibrations.forget,
    faultPoint,
    clock,
    log,
    onChange: () => {
      hub?.greet()
      void health.publish()
    },
  })
  const hardware = createNodeLook({
    machine: options.machine,
    node,
    entries: equipment.entries,
    added: equipment.list,
    outOfUse: instruments.outOfUse,
    drivers,
    benches,
    broker: broker === 'in-process' ? undefined : broker,
    clock,
  })
  let services: Services
  try {
    services = await openServices({
      site,
      config,
      ...('file' in options.config ? { nodeFile: options.config.file } : {}),
      dataFolder,
      settings,
      benches,
      isAwaited: (bench) => queue.length(bench) > 0,
      seat: queue.seat,
      hasHub: toHub !== undefined,
      clockOffsetMs: () => hub?.clockOffsetMs,
      onValue: signalTopics.note,
      onHoldEnded: publishBench,
      send: (told) => hub?.sendServices(told),
      clock,
      log,
    })
  } catch (error) {
    disk.close()
    await database.close()
    throw error
  }
  const requests = createRequests({
    services,
    benches,
    queue,
    journal,
    checks,
    interlocks,
    calibrations,
    hardware,
    equipment,
    tunnels: createLabTunnels({ ca: options.ca, log }),
    cameras: createCameraLines({ ca: options.ca, log }),
    hubWeb: (said) =>
      hubWebAddress({ configured: config.file.hub?.web, broker, enrolledAt: settings.data.hubUrl, said }),
    clock,
    onValue: signalTopics.note,
  })
  const bootId = newId(clock.now())
  const health = startHealth({
    version: NODE_VERSION,
    clock,
    everyMs: options.healthEveryMs ?? HEALTH_MS,
    benches,
    instruments: instruments.all,
    outOfUse: instruments.outOfUse,
    queueDepth: () => queue.depth,
    outboxDepth: () => outbox.depth,
    clockOffsetMs: () => hub?.clockOffsetMs,
    diskFreeBytes: () => disk.freeBytes,
    expired: calibrations.expired,
    troubles: () => [disk.trouble, journal.trouble],
    publish: (report) => retain(topics.nodeHealth(node), JSON.stringify(report)),
  })
  const benchTopics = createBenchTopics({ clock, publish: publishBench })
  for (const bench of benches.values()) bench.onChange(benchTopics.note)
  const onDisk = (trouble: LabError | undefined) => {
    if (trouble !== undefined) queue.stopAll(diskCause(trouble))
    void health.publish()
  }
  disk.onTrouble(onDisk)
  journal.onTrouble(onDisk)

  await queue.restore()
  instruments.start()
  interlocks.start()
  const daemons = await createDaemons({
    config: config.file,
    readConfig: async () => (await loadConfig(options.config, drivers, options.checkKinds, addedFile.data)).file,
    configFolder: config.folder,
    dataFolder,
    lockOf: services.lockOf,
    clock,
    log,
  })
  services.start([daemons])
  if (toHub !== undefined) {
    mqtt = openMqttLink({
      to: toHub,
      clientId: `fernlab-node-${node}`,
      ...credentialOf(options.credential, settings.data),
      filters: topics.nodeFilters(node),
      will: { topic: topics.nodeStatus(node), payload: 'offline' },
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.reconnectMs === undefined ? {} : { reconnectMs: options.reconnectMs }),
      log,
    })
    const { take } = services
    const most = config.file.services?.listen?.clients ?? MOST_CLIENTS
    const clientLinks = createClientLinks({ mqtt, topics, node, take, most, clock, log })
    hub = createHubLink({
      link: mqtt,
      site,
      node,
      topics,
      clock,
      log,
      inbox: () => inbox,
      queue,
      outbox,
      requests,
      announce: () => ({
        nodeVersion: NODE_VERSION,
        bootId,
        benches: [...benches.values()].map((bench) => ({ ...bench.describe(), checks: checks.announce(bench) })),
        instruments: [...instruments.all.values()].map((handle) => structuredClone(handle.spec) as never),
      }),
      onLinks: clientLinks.heard,
      onWelcome: (hub) => {
        services.takeHub(hub)
        services.announce()
      },
      onConnect: () => {
        retain(topics.nodeStatus(node), 'online')
        for (const bench of benches.values()) benchTopics.publish(bench)
        signalTopics.republish()
        void health.publish()
      },
    })
  }
  const stopPoll = startIdlePoll({
    benches,
    clock,
    log,
    wanted: () => mqtt?.connected === true,
    onValue: signalTopics.note,
    ...(options.pollEveryMs === undefined ? {} : { everyMs: options.pollEveryMs }),
  })
  if (toHub === undefined) log.info({ node }, 'the node has no hub: node.yaml names none')
  log.info({ node, site, benches: benches.size, instruments: instruments.all.size }, 'the node is up')

  let closing: Promise<void> | undefined
  return {
    node,
    site,
    benches,
    instruments: instruments.all,
    services,
    broker: broker === 'in-process' ? undefined : broker,
    get syncState() {
      return hub?.state ?? 'away'
    },
    close: () => {
      closing ??= (async () => {
        stopPoll()
        interlocks.close()
        checks.close()
        health.close()
        const noServices = services.close()
        disk.close()
        // Every bench goes to its safe state now, whatever the disk and the other benches do.
        await Promise.all([queue.close(), ...[...benches.values()].map((bench) => bench.close())])
        benchTopics.close()
        signalTopics.close()
        // Each may take its time when its other end is gone: side by side they stay within the whole.
        await Promise.all([noServices, hub?.close(), instruments.close(), daemons.close(), journal.close()])
        outbox.close()
        await database.close()
        lock.release()
        log.info({ node }, 'the node is down')
      })()
      return closing
    },
  }
}

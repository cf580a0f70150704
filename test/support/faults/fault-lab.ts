/**
 * A hub, a node and a bench to break: hub and node each as their own process on free ports, the node reaches the broker
 * through a proxy, the instruments live in the test's process.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { freePort } from '../free-port.ts'
import { type BenchInstruments, serveBench } from './bench-instruments.ts'
import { benchesKept } from './benches-kept.ts'
import { HubClient, pause } from './hub-client.ts'
import { assertEventModel, assertRunIsSound, type RunRecord, readRun } from './invariants.ts'
import { labFiles, labFilesWith, labId, nodeFile, sourceLabFiles, sourceLabId } from './lab-files.ts'
import { MqttProxy } from './mqtt-proxy.ts'
import { OwnProcess } from './own-process.ts'

export const node = 'fault-node'
const token = 'fault-test-token-0123456789-0123456789'

export interface FaultLab {
  readonly folder: string
  readonly hub: OwnProcess
  readonly edge: OwnProcess
  readonly proxy: MqttProxy
  readonly instruments: BenchInstruments
  readonly client: HubClient
  /** The hub's database file. */
  readonly database: string
  /** The node's data folder. */
  readonly nodeFolder: string
  readonly httpPort: number
  /** Waits for the end of these runs, then fails unless all is as it must be, the bench's safe state included. */
  check(ids: readonly string[]): Promise<RunRecord[]>
  close(): Promise<void>
}

export interface FaultLabOptions {
  /** Data folders of one's own, such as mounted disks. */
  readonly hubData?: string
  readonly nodeData?: string
  /** More settings of the hub. */
  readonly hubEnv?: Readonly<Record<string, string>>
  /** Of bench one, as node.yaml has them. */
  readonly checks?: object
  /** `session` of the lab, as lab.yaml has it; without it nobody drives it live. */
  readonly session?: object
  readonly hubWrapper?: readonly string[]
  readonly edgeWrapper?: readonly string[]
}

/** Starts all of it, pushes the lab, enrols the node and waits until the hub has written down what it has. */
export async function startFaultLab(options: FaultLabOptions = {}): Promise<FaultLab> {
  const folder = mkdtempSync(join(tmpdir(), 'fernlab-faults-'))
  const hubData = options.hubData ?? join(folder, 'hub-data')
  const nodeData = options.nodeData ?? join(folder, 'node-data')
  mkdirSync(hubData, { recursive: true })
  mkdirSync(nodeData, { recursive: true })
  const [httpPort, mqttPort] = [await freePort(), await freePort()]
  const client = new HubClient(() => `http://127.0.0.1:${httpPort}`, token)
  const instruments = await serveBench('faults')
  const proxy = await MqttProxy.listen(() => mqttPort)
  const hub = new OwnProcess({
    name: 'the hub',
    script: 'hub/dist/hub-process.js',
    logFile: join(folder, 'hub.log'),
    ...(options.hubWrapper === undefined ? {} : { wrapper: options.hubWrapper }),
    env: {
      FERNLAB_DATA: hubData,
      FERNLAB_PORT: String(httpPort),
      FERNLAB_MQTT_PORT: String(mqttPort),
      FERNLAB_ADMIN_TOKEN: token,
      FERNLAB_ADMIN_EMAIL: 'admin@example.org',
      FERNLAB_ADMIN_PASSWORD: 'a-password-for-tests',
      ...options.hubEnv,
    },
    ready: async () => {
      await client.get('/readyz', 30_000)
    },
  })
  const config = join(folder, 'node.yaml')
  const ports = { mqttPort: proxy.port, psuPort: instruments.psu.port, dmmPort: instruments.dmm.port }
  writeFileSync(config, nodeFile({ node, ...ports, checks: options.checks }))
  let enroll: readonly string[] = []
  const edge = new OwnProcess({
    name: 'the node',
    script: 'edge/dist/bundle/edge-process.js',
    get args() {
      return ['--config', config, ...enroll]
    },
    logFile: join(folder, 'edge.log'),
    ...(options.edgeWrapper === undefined ? {} : { wrapper: options.edgeWrapper }),
    env: {
      FERNLAB_DATA: nodeData,
      FERNLAB_LOG_LEVEL: 'debug',
      FERNLAB_BROKER_URL: `mqtt://127.0.0.1:${proxy.port}`,
      FERNLAB_LEAST_FREE_BYTES: '4000000',
    },
    ready: async () => {},
  })
  const database = join(hubData, 'hub', 'hub.db')
  const close = async () => {
    await edge.kill()
    await hub.kill()
    await proxy.close()
    await instruments.close()
    edge.close()
    hub.close()
    if (process.env.FERNLAB_KEEP === undefined) rmSync(folder, { recursive: true, force: true })
    else process.stdout.write(`kept ${folder}\n`)
  }
  try {
    await hub.start()
    for (const [id, texts] of [
      [labId, options.session === undefined ? labFiles : labFilesWith(options.session)],
      [sourceLabId, sourceLabFiles],
    ] as const) {
      const files = Object.entries(texts).map(([path, text]) => ({ path, text }))
      await client.insist('PUT', `/api/v1/labs/${id}`, { files })
    }
    const { body } = await client.insist('POST', '/api/v1/nodes', { node })
    enroll = ['--enroll', (body as { code: string }).code, '--hub', `http://127.0.0.1:${httpPort}`]
    await edge.start()
    await client.online(node)
    await benchesKept(database, node)
    enroll = []
  } catch (error) {
    await close()
    throw error
  }
  const check = async (ids: readonly string[]) => {
    const records: RunRecord[] = []
    for (const id of ids) await client.finished(id)
    for (const id of ids) {
      const record = await readRun(database, id)
      assertRunIsSound(record, id)
      await assertEventModel(client, id)
      records.push(record)
    }
    await assertBenchIsSafe(instruments)
    for (const log of ['hub.log', 'edge.log']) assertNoLoss(join(folder, log))
    return records
  }
  const nodeFolder = join(nodeData, 'nodes', node)
  return { folder, hub, edge, proxy, instruments, client, database, nodeFolder, httpPort, check, close }
}

/** What hub and node log when something is gone that the other one had acknowledged: no fault may bring that about. */
const losses = [
  'a node lost an attempt',
  'documents are gone for good',
  'the hub has lost documents that it had acknowledged',
  'a document is missing from the outbox',
]

function assertNoLoss(logFile: string): void {
  const lines = readFileSync(logFile, 'utf8').split('\n')
  assert.equal(
    lines.filter((line) => losses.some((loss) => line.includes(loss))),
    [],
    'nothing that was acknowledged is lost',
  )
}

/** Reads the supply's own state; the last safe stop may still be on its way for a moment. */
async function assertBenchIsSafe(instruments: BenchInstruments): Promise<void> {
  let state = await instruments.supply()
  for (let tries = 0; tries < 200 && (state.on || state.volts !== 0); tries++) {
    await pause(50)
    state = await instruments.supply()
  }
  assert.equal(state, { on: false, volts: 0 }, 'the bench is in its safe state')
}

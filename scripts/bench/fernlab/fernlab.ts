/** Hub and node for a benchmark, each the compiled product as its own process, on free ports with data of their own. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Part, startPart } from '../framework/part.ts'
import type { Bench, Started } from '../framework/surroundings.ts'
import { freePort, until } from '../framework/surroundings.ts'
import { nodeFile, nothingLab, streamLab } from './files.ts'
import { adminToken, HubClient, readMetric } from './hub-client.ts'

export interface RunningHub {
  readonly httpUrl: string
  readonly mqttUrl: string
  readonly client: HubClient
  readonly pid: number
  /** Calls into the hub's process; only where it was started for that. */
  readonly part?: Part
  /** 99th percentile of the event loop's delay since the last call, in ms. */
  loopDelayMs(): Promise<number>
  close(): Promise<void>
}

export interface StartHubOptions {
  /** Submit through the hub's runs port, in its process. */
  readonly inProcess?: boolean
  /** Put before the program: `strace …`. */
  readonly wrapper?: readonly string[]
  /** A folder of an earlier hub: it is started as it is, without labs of the benchmarks. */
  readonly data?: string
}

/** Arguments for Node that profile a process into the results folder, when asked for. */
export const profiling = (bench: Bench, name: string): string[] =>
  process.env.BENCH_PROFILE === '1' ? ['--cpu-prof', `--cpu-prof-dir=${join(bench.out, `profile-${name}`)}`] : []

/** Starts a hub with the benchmarks' labs and waits until it is ready. */
export async function startHub(bench: Bench, options: StartHubOptions = {}): Promise<RunningHub> {
  const [httpPort, mqttPort] = [await freePort(), await freePort()]
  const env = {
    FERNLAB_DATA: options.data ?? mkdtempSync(join(bench.work, 'hub-')),
    FERNLAB_PORT: String(httpPort),
    FERNLAB_MQTT_PORT: String(mqttPort),
    FERNLAB_ADMIN_TOKEN: adminToken,
    FERNLAB_ADMIN_EMAIL: 'bench@example.org',
    FERNLAB_ADMIN_PASSWORD: 'a-password-for-benchmarks',
    FERNLAB_LOG_LEVEL: 'warn',
  }
  const httpUrl = `http://127.0.0.1:${httpPort}`
  const client = new HubClient(httpUrl)
  const part = options.inProcess
    ? await startPart(bench, 'fernlab-hub', { env, nodeArgs: profiling(bench, 'hub') })
    : undefined
  const started: Started =
    part ?? startProgram(bench, 'hub/hub-process', { env, name: 'hub', wrapper: options.wrapper ?? [] })
  await until('the hub getting ready', 30_000, async () => {
    const answer = await client.ask('GET', '/readyz').catch(() => undefined) // it does not listen yet
    return answer?.status === 200 ? true : undefined
  })
  const labs = options.data === undefined ? [nothingLab, streamLab] : []
  for (const { id, files } of labs) await client.call('PUT', `/api/v1/labs/${id}`, { files })
  return {
    httpUrl,
    mqttUrl: `mqtt://127.0.0.1:${mqttPort}`,
    client,
    pid: started.pid,
    ...(part === undefined ? {} : { part }),
    loopDelayMs: async () => (await readMetric(client, 'fernlab_event_loop_delay_seconds{quantile="0.99"}')) * 1000,
    close: async () => {
      client.close()
      await started.end()
    },
  }
}

/** Each as a unit of systemd starts it (docs/operators.md, docs/lab-builders.md). */
const compiled = {
  'hub/hub-process': ['--max-semi-space-size=32', 'hub/dist/hub-process.js'],
  'edge/edge-process': ['edge/dist/bundle/edge-process.js'],
} as const

/** Starts a compiled program of the product, or its source when the benchmarks run from source. */
export function startProgram(
  bench: Bench,
  program: keyof typeof compiled,
  options: {
    readonly env: Readonly<Record<string, string>>
    readonly name: string
    readonly args?: readonly string[]
    readonly wrapper?: readonly string[]
  },
): Started {
  const { env, name, args = [], wrapper = [] } = options
  const script = bench.fromSource
    ? ['--import', 'tsx', '--conditions=source', join(bench.root, `${program}.ts`)]
    : compiled[program].map((path) => (path.startsWith('-') ? path : join(bench.root, path)))
  const [command = process.execPath, ...before] = [...wrapper, process.execPath]
  return bench.start(command, [...before, ...profiling(bench, name), ...script, ...args], {
    log: `${name}.log`,
    env,
  })
}

export interface RunningNode {
  readonly node: string
  readonly pid: number
  close(): Promise<void>
}

export interface NodeOptions {
  readonly benches: number
  /** node.yaml, when it is not that of so many benches. */
  readonly file?: string
  /** Files beside it, by name. */
  readonly beside?: Readonly<Record<string, string>>
}

/** Makes node.yaml and a data folder, enrols the node; `start` then starts it. */
export async function prepareNode(bench: Bench, hub: RunningHub, options: NodeOptions & { readonly node?: string }) {
  const { node = 'bench-node' } = options
  const folder = mkdtempSync(join(bench.work, 'node-'))
  const config = join(folder, `${node}.yaml`)
  writeFileSync(config, options.file ?? nodeFile({ node, mqttUrl: hub.mqttUrl, benches: options.benches }))
  for (const [name, text] of Object.entries(options.beside ?? {})) writeFileSync(join(folder, name), text)
  const { code } = await hub.client.call<{ code: string }>('POST', '/api/v1/nodes', { node })
  const env = { FERNLAB_DATA: folder, FERNLAB_LOG_LEVEL: 'warn' }
  let enroll: readonly string[] = ['--enroll', code, '--hub', hub.httpUrl]
  return {
    node,
    start: (wrapper: readonly string[] = []): Started => {
      const args = ['--config', config, ...enroll]
      enroll = []
      return startProgram(bench, 'edge/edge-process', { env, name: 'edge', args, wrapper })
    },
  }
}

/** Starts a node and waits until the hub has it online with all benches free. */
export async function startNode(
  bench: Bench,
  hub: RunningHub,
  options: NodeOptions & { readonly wrapper?: readonly string[] },
): Promise<RunningNode> {
  const prepared = await prepareNode(bench, hub, options)
  const started = prepared.start(options.wrapper)
  await until('the benches getting free', 30_000, async () => {
    const { items } = await hub.client.call<{ items: { state: string }[] }>('GET', '/api/v1/benches?limit=200')
    return items.length > 0 && items.every(({ state }) => state === 'free') ? true : undefined
  })
  return { node: prepared.node, pid: started.pid, close: () => started.end() }
}

/** Resident memory of a process in MB. */
export function residentMb(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return (Number(line?.[1]) * 1024) / 1e6
}

/** A node in this process, with instruments in memory, connected to a scripted hub. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver } from '@fernlab/edge/drivers/driver'
import { type Edge, type StartEdgeOptions, startEdge } from '@fernlab/edge/main'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import { parseProtocol } from '@fernlab/shared/protocol/parse'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import { createMemoryDriver, type MemoryInstrument } from './memory-driver.ts'
import { type ScriptedHub, SITE } from './scripted-hub.ts'

export interface TestNode {
  readonly edge: Edge
  readonly log: ReturnType<typeof recordingLog>
  readonly dataFolder: string
  instrument(name?: string): MemoryInstrument
  /** Stops it and starts it again on the same data. */
  restart(): Promise<TestNode>
  close(): Promise<void>
  remove(): Promise<void>
}

/** node.yaml as data with `benches` benches, each with one memory instrument as part `psu`. */
export function nodeFile(benches = 1): object {
  const names = Array.from({ length: benches }, (_, i) => i + 1)
  return {
    site: SITE,
    node: 'n1',
    hub: { url: 'in-process' },
    instruments: Object.fromEntries(names.map((i) => [`psu-${i}`, { driver: 'memory', config: {} }])),
    benches: Object.fromEntries(
      names.map((i) => [
        `bench-${i}`,
        { parts: { psu: `psu-${i}` }, safeState: { 'psu.output': false, 'psu.voltage': 0 } },
      ]),
    ),
  }
}

/** The same of a node that is a lab by itself: it has no hub. */
export function nodeFileAlone(benches = 1): { readonly instruments: Record<string, object> } {
  const { hub: _, ...file } = nodeFile(benches) as { hub: unknown; instruments: Record<string, object> }
  return file
}

export interface TestNodeOptions extends Partial<StartEdgeOptions> {
  readonly benches?: number
  readonly prepare?: (instrument: MemoryInstrument) => void
  readonly extraDrivers?: readonly Driver[]
}

export async function startTestNode(hub: ScriptedHub | undefined, options: TestNodeOptions = {}): Promise<TestNode> {
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'fernlab-edge-')))
  const driver = createMemoryDriver(options.prepare)
  const log = recordingLog()
  const { benches = 1, prepare: _, extraDrivers = [], ...rest } = options
  const edge = await startEdge({
    config: { object: nodeFile(benches) },
    drivers: [driver, ...extraDrivers],
    openTransport: async () => {
      throw new LabError({ code: 'no-transport', kind: 'link', message: 'tests open none' })
    },
    log,
    reconnectMs: 50,
    pollEveryMs: 60_000,
    ...(hub === undefined ? {} : { link: () => hub.link() }),
    ...rest,
    dataFolder,
  })
  const node: TestNode = {
    edge,
    log,
    dataFolder,
    instrument: (name = 'psu-1') => {
      const found = driver.made.get(name)
      if (found === undefined) throw new Error(`there is no instrument ${name}`)
      return found
    },
    restart: async () => {
      await edge.close()
      return await startTestNode(hub, { ...options, dataFolder })
    },
    close: () => edge.close(),
    remove: async () => {
      await edge.close()
      await rm(dataFolder, { recursive: true, force: true })
    },
  }
  return node
}

/** A protocol from the text of its steps (YAML, indented below `steps:`), or of the whole file. */
export function protocolOf(steps: string, more = ''): Protocol {
  const text = `title: A test\nversion: 1\nrestart: never\n${more}\nsteps:\n${steps}\n`
  const { protocol, issues } = parseProtocol(text)
  if (protocol === undefined) throw new Error(JSON.stringify(issues))
  return JSON.parse(JSON.stringify(protocol)) as Protocol
}

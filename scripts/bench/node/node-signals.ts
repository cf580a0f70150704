/** What a node's processor has to do while it records twenty signals ten times a second. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { startHub, startNode } from '../fernlab/fernlab.ts'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { startPart } from '../framework/part.ts'
import { until } from '../framework/surroundings.ts'

const SIGNALS = 20
const RATE_HZ = 10
const ROUND_MS = 20_000

const names = Array.from({ length: SIGNALS }, (_, i) => `t${i + 1}`)
const model = `title: Twenty thermometers
source: scripts/bench/parts/line-instrument.ts
signals:
${names.map((name) => `  ${name}: { unit: Cel, query: '${name}?', pattern: '^${name}=(-?[0-9.]+)$' }`).join('\n')}
`

const lab = {
  id: 'bench-signals',
  files: [
    {
      path: 'lab.yaml',
      text: `
title: Signals
summary: Records temperatures, to measure what that costs.
parts:
  oven:
    signals:
${names.map((name) => `      ${name}: { unit: Cel, access: read }`).join('\n')}
`,
    },
    { path: 'README.md', text: '# Signals\n' },
    {
      path: 'protocols/record.yaml',
      text: `
title: Record
version: 1
restart: never
parameters: {}
steps:
  - record: { signals: [${names.map((name) => `oven.${name}`).join(', ')}], rate: ${RATE_HZ}, stream: all, for: 3600 }
outputs: {}
`,
    },
  ],
}

/** Processor time of a process and all its threads, in ms. */
function processorMs(pid: number, ticksPerS: number): number {
  const [user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return ((user + system) * 1000) / ticksPerS
}

const fernlab: Contestant = {
  name: 'Fernlab',
  what:
    `a run records ${SIGNALS} signals ${RATE_HZ} times a second; the driver lines asks for each with a question of its own, over TCP: ` +
    `${SIGNALS * RATE_HZ} questions a second; every row goes to the disk and to the hub. Processor time of the node with all its threads`,
  start: async (bench) => {
    const ticksPerS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
    const instrument = await startPart(bench, 'line-instrument')
    const port = await instrument.call<number>('port')
    const hub = await startHub(bench)
    await hub.client.call('PUT', `/api/v1/labs/${lab.id}`, { files: lab.files })
    const node = await startNode(bench, hub, {
      benches: 1,
      beside: { 'oven.yaml': model },
      file: `
node: bench-node
hub: { url: "${hub.mqttUrl}" }
instruments:
  oven: { driver: lines, config: { model: ./oven.yaml, transport: { kind: tcp, host: 127.0.0.1, port: ${port} } } }
benches:
  one: { parts: { oven: oven }, labs: [${lab.id}] }
`,
    })
    const { id } = await hub.client.call<{ id: string }>('POST', '/api/v1/runs', {
      lab: lab.id,
      protocol: 'record',
      parameters: {},
    })
    await until('the run’s start', 30_000, async () => {
      const { state } = await hub.client.call<{ state: string }>('GET', `/api/v1/runs/${id}`)
      return state === 'running' ? true : undefined
    })
    const rows = async () => {
      const run = await hub.client.call<{ rows: Record<string, number> }>('GET', `/api/v1/runs/${id}`)
      return run.rows.all ?? 0
    }
    return {
      round: async () => {
        const [rowsBefore, spentBefore, began] = [await rows(), processorMs(node.pid, ticksPerS), performance.now()]
        await new Promise((resolve) => setTimeout(resolve, ROUND_MS))
        const spentMs = processorMs(node.pid, ticksPerS) - spentBefore
        const ms = performance.now() - began
        return {
          figures: { processor: (100 * spentMs) / ms, rows: ((await rows()) - rowsBefore) / (ms / 1000) },
        }
      },
      close: async () => {
        await node.close()
        await hub.close()
        await instrument.end()
      },
    }
  },
}

/** What a node's work costs. */
export const nodeSignalsBenchmarks: readonly Benchmark[] = [
  {
    name: 'node-signals',
    title: `A node that records ${SIGNALS} signals ${RATE_HZ} times a second`,
    figures: [
      { name: 'processor', title: 'of one processor core', unit: '%', aim: { bound: 'at most', value: 5 } },
      { name: 'rows', title: 'rows that arrived at the hub', unit: '1/s' },
    ],
    contestants: [fernlab],
  },
]

/** Ingest: samples from one node, and messages from two hundred, until they are committed on the hub. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { startHub, startNode } from '../fernlab/fernlab.ts'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { startPart } from '../framework/part.ts'
import { until } from '../framework/surroundings.ts'
import type { NodeSignIn } from '../parts/sync-nodes.ts'

interface RunRecord {
  readonly id: string
  readonly state: string
  readonly reason?: string
  readonly rows: Readonly<Record<string, number>>
}

const NODES = 200
const SECONDS = 5

const stream = (channels: number, rateHz: number): Contestant => ({
  name: 'Fernlab',
  what:
    `one node records ${channels} channel${channels > 1 ? 's' : ''} of a simulated source at ${rateHz.toLocaleString('en')} Hz for ` +
    `${SECONDS} s; from the submission until the hub has committed the stop document; a sample is one value of one channel ` +
    '(every row has a time besides); hub and node are processes of their own on one machine',
  start: async (bench) => {
    const hub = await startHub(bench)
    const node = await startNode(bench, hub, { benches: 1 })
    const protocol = `stream-${channels}`
    return {
      round: async () => {
        await hub.loopDelayMs()
        const startedAt = performance.now()
        const body = { lab: 'bench-stream', protocol, parameters: { duration: SECONDS, rate: rateHz } }
        const { id } = await hub.client.call<RunRecord>('POST', '/api/v1/runs', body)
        const run = await until('the end of the run', 120_000, async () => {
          const now = await hub.client.call<RunRecord>('GET', `/api/v1/runs/${id}`)
          return ['queued', 'assigned', 'running'].includes(now.state) ? undefined : now
        })
        const elapsedS = (performance.now() - startedAt) / 1000
        const samples = (run.rows.samples ?? 0) * channels
        if (run.state !== 'succeeded') {
          throw new LabError({ code: 'bench-run-failed', kind: 'link', message: `it is ${run.state}: ${run.reason}` })
        }
        return {
          figures: { rate: samples / elapsedS, loop: await hub.loopDelayMs() },
          raw: { samples, elapsedS },
        }
      },
      close: async () => {
        await node.close()
        await hub.close()
      },
    }
  },
})

const manyNodes: Contestant = {
  name: 'Fernlab',
  what:
    `${NODES} simulated nodes (one load process, ${NODES} connections) that each run a protocol and send 10 messages of 10 rows a second; ` +
    'the delay is from sending a message until its acknowledgement, which the hub gives after its commit',
  start: async (bench) => {
    const hub = await startHub(bench)
    const load = await startPart(bench, 'sync-nodes')
    const signIns: NodeSignIn[] = []
    for (let i = 0; i < NODES; i++) {
      const node = `n${i}`
      const { code } = await hub.client.call<{ code: string }>('POST', '/api/v1/nodes', { node })
      signIns.push(await hub.client.call<NodeSignIn>('POST', '/api/v1/nodes/enroll', { code, node }))
    }
    await load.call('connect', { broker: hub.mqttUrl, signIns })
    return {
      round: async () => {
        for (const { node } of signIns) {
          const body = { lab: 'bench-nothing', protocol: 'set', bench: `${node}.one`, parameters: { pause: 600 } }
          await hub.client.call('POST', '/api/v1/runs', body)
        }
        await load.call('allRunning')
        await hub.loopDelayMs()
        const measured = await load.call<{ elapsedMs: number; messages: number; delays: Record<string, number> }>(
          'load',
          {
            rateHz: 10,
            seconds: SECONDS,
          },
        )
        return {
          figures: {
            p99: measured.delays.p99 ?? Number.NaN,
            median: measured.delays.p50 ?? Number.NaN,
            rate: (measured.messages / measured.elapsedMs) * 1000,
            loop: await hub.loopDelayMs(),
          },
          raw: measured,
        }
      },
      close: async () => {
        await load.end()
        await hub.close()
      },
    }
  },
}

const rate = { name: 'rate', title: 'samples committed', unit: 'per second' }
const loop = {
  name: 'loop',
  title: 'hub’s event loop, 99th percentile',
  unit: 'ms',
  aim: { bound: 'at most', value: 20 },
} as const

/** Ingest at its widest and at its busiest. */
export const ingestBenchmarks: readonly Benchmark[] = [
  {
    name: 'ingest-8',
    title: 'Samples from one node, eight channels',
    figures: [{ ...rate, aim: { bound: 'at least', value: 2_000_000 } }, loop],
    contestants: [stream(8, 400_000)],
  },
  {
    name: 'ingest-1',
    title: 'Samples from one node, one channel',
    figures: [rate, loop],
    contestants: [stream(1, 2_000_000)],
  },
  {
    name: 'ingest-200-nodes',
    title: 'Two hundred nodes with ten messages a second each',
    figures: [
      {
        name: 'p99',
        title: 'delay until acknowledged, 99th percentile',
        unit: 'ms',
        aim: { bound: 'at most', value: 250 },
      },
      { name: 'median', title: 'delay until acknowledged, median', unit: 'ms' },
      { name: 'rate', title: 'messages', unit: 'per second' },
      loop,
    ],
    contestants: [manyNodes],
  },
]

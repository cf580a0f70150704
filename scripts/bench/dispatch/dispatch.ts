/** Dispatch: runs of a protocol that does nothing, from submission until the results are committed on the hub. */

import { startHub, startNode } from '../fernlab/fernlab.ts'
import type { Benchmark, Contestant, RoundResult } from '../framework/benchmark.ts'
import { startPart } from '../framework/part.ts'
import { quantile, spread } from '../framework/statistics.ts'
import { startCelery } from '../peers/celery.ts'
import { startFloor } from '../peers/floor.ts'

interface Load {
  readonly elapsedMs: number
  readonly timesMs: readonly number[]
}

function roundOf(count: number, { elapsedMs, timesMs }: Load): RoundResult {
  return {
    figures: { latency: quantile(timesMs, 0.5), p99: quantile(timesMs, 0.99), rate: (count / elapsedMs) * 1000 },
    raw: { elapsedMs, ...spread(timesMs) },
  }
}

const BENCHES = 64

/** `submit`: through the hub's runs port in its process, or as an HTTP client with a process of its own. */
const fernlab = (submit: 'runs port' | 'HTTP', count: number, inFlight: number): Contestant => ({
  name: submit === 'HTTP' ? 'Fernlab, HTTP' : 'Fernlab',
  what:
    submit === 'HTTP'
      ? 'the same, submitted by a client program over HTTP (connections kept open, `Prefer: wait`)'
      : `hub and node as processes of their own, one node with ${BENCHES} benches; submitted through the hub’s runs port; ` +
        'done when the hub has committed the stop document',
  start: async (bench) => {
    const hub = await startHub(bench, { inProcess: submit === 'runs port' })
    const node = await startNode(bench, hub, { benches: BENCHES })
    const client = hub.part ?? (await startPart(bench, 'http-submitter', { env: { BENCH_HUB: hub.httpUrl } }))
    return {
      round: async () => {
        await hub.loopDelayMs()
        const { figures, raw } = roundOf(count, await client.call<Load>('load', { count, inFlight }))
        return { figures: { ...figures, loop: await hub.loopDelayMs() }, raw }
      },
      close: async () => {
        if (client !== hub.part) await client.end()
        await node.close()
        await hub.close()
      },
    }
  },
})

const celery = (tasks: number, inFlight: number): Contestant => ({
  name: 'Celery',
  what:
    'Celery with RabbitMQ, a task that does nothing, prefork with 2 workers, durable queue, persistent messages, results by ' +
    'rpc:// (the fastest of its result backends here; results are not stored), everything else as Celery has it by default',
  start: async (bench) => {
    const peer = await startCelery(bench)
    return { round: async () => roundOf(tasks, await peer.load(tasks, inFlight)), close: () => peer.close() }
  },
})

const floor = (runs: number, inFlight: number): Contestant => ({
  name: 'floor',
  what:
    'a bare sketch of the same path: broker and hub database in one process, node in another, SQLite with synchronous=FULL on ' +
    'both sides, commits in groups, TCP_NODELAY on both ends; no checks, people, scheduling or repair',
  start: async (bench) => {
    const peer = await startFloor(bench)
    return { round: async () => roundOf(runs, await peer.load(runs, inFlight)), close: () => peer.close() }
  },
})

const latency = { name: 'latency', title: 'median time of one', unit: 'ms' }
const p99 = { name: 'p99', title: '99th percentile', unit: 'ms' }
const loop = {
  name: 'loop',
  title: 'hub’s event loop, 99th percentile',
  unit: 'ms',
  aim: { bound: 'at most', value: 20 },
} as const
const rate = { name: 'rate', title: 'finished', unit: 'per second' }

/** Dispatch at three loads. */
export const dispatchBenchmarks: readonly Benchmark[] = [
  {
    name: 'dispatch-1',
    title: 'Runs of a protocol that does nothing, one at a time',
    figures: [{ ...latency, aim: { bound: 'at most', value: 0.75, times: 'Celery' } }, p99, rate],
    contestants: [fernlab('runs port', 500, 1), fernlab('HTTP', 500, 1), celery(200, 1), floor(500, 1)],
  },
  {
    name: 'dispatch-64',
    title: 'Runs of a protocol that does nothing, 64 in flight',
    figures: [{ ...rate, aim: { bound: 'at least', value: 10, times: 'Celery' } }, latency, p99, loop],
    contestants: [fernlab('runs port', 5000, 64), fernlab('HTTP', 3000, 64), celery(1000, 64), floor(10_000, 64)],
  },
  {
    name: 'dispatch-512',
    title: 'Runs of a protocol that does nothing, 512 in flight',
    figures: [rate, latency, p99, loop],
    contestants: [fernlab('runs port', 10_000, 512), floor(20_000, 512)],
  },
]

/** Round trip: one set and read from a client of the hub to a simulated signal, beside a bare MQTT round trip. */

import { startHub, startNode } from '../fernlab/fernlab.ts'
import type { Benchmark, Contestant, RoundResult } from '../framework/benchmark.ts'
import { startPart } from '../framework/part.ts'
import { quantile, spread } from '../framework/statistics.ts'

const COUNT = 1000

function roundOf({ timesMs }: { readonly timesMs: readonly number[] }): RoundResult {
  return {
    figures: { latency: quantile(timesMs, 0.5), p99: quantile(timesMs, 0.99) },
    raw: spread(timesMs),
  }
}

const fernlab: Contestant = {
  name: 'Fernlab',
  what:
    'the hub’s fleet port, in its process, sets and reads a simulated signal in one exchange under a lease; ' +
    'hub → MQTT → node, which checks lease and limits, and back',
  start: async (bench) => {
    const hub = await startHub(bench, { inProcess: true })
    const node = await startNode(bench, hub, { benches: 1 })
    return {
      round: async () =>
        roundOf((await hub.part?.call('exchange', { bench: `${node.node}.b-1`, count: COUNT })) ?? { timesMs: [] }),
      close: async () => {
        await node.close()
        await hub.close()
      },
    }
  },
}

const overHttp: Contestant = {
  name: 'Fernlab, HTTP',
  what: 'the same, asked for by a client program over HTTP (connection kept open), which is a second round trip',
  start: async (bench) => {
    const hub = await startHub(bench)
    const node = await startNode(bench, hub, { benches: 1 })
    const client = await startPart(bench, 'exchanger', {
      env: { BENCH_HUB: hub.httpUrl, BENCH_BENCH: `${node.node}.b-1` },
    })
    return {
      round: async () => roundOf(await client.call('exchange', { count: COUNT })),
      close: async () => {
        await client.end()
        await node.close()
        await hub.close()
      },
    }
  },
}

const bare: Contestant = {
  name: 'bare MQTT',
  what: 'two MQTT clients (mqtt.js) in processes of their own, request and reply of 100 bytes at QoS 0 through the same broker library, TCP_NODELAY everywhere',
  start: async (bench) => {
    const broker = await startPart(bench, 'bare-broker')
    const env = { BENCH_BROKER: `mqtt://127.0.0.1:${await broker.call<number>('port')}` }
    const echo = await startPart(bench, 'bare-echo', { env })
    const asker = await startPart(bench, 'bare-asker', { env })
    return {
      round: async () => roundOf(await asker.call('ask', { count: COUNT, bytes: 100 })),
      close: async () => {
        await asker.end()
        await echo.end()
        await broker.end()
      },
    }
  },
}

/** One exchange at a time. */
export const roundTripBenchmarks: readonly Benchmark[] = [
  {
    name: 'round-trip',
    title: 'One set and read from a client of the hub to a simulated signal',
    figures: [
      {
        name: 'latency',
        title: 'median time of one',
        unit: 'ms',
        aim: { bound: 'at most', value: 2, times: 'bare MQTT' },
      },
      { name: 'p99', title: '99th percentile', unit: 'ms' },
    ],
    contestants: [fernlab, overHttp, bare],
  },
]

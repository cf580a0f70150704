/** The node: memory at rest, and the time from its start until the broker says that it is online. */
import { topics } from '@fernlab/shared/contracts/topics'
import mqtt from 'mqtt'
import { prepareNode, residentMb, startHub } from '../fernlab/fernlab.ts'
import { adminToken } from '../fernlab/hub-client.ts'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { until } from '../framework/surroundings.ts'

/** Longer than V8 takes to give back what starting needed. */
const REST_MS = 15_000

const node: Contestant = {
  name: 'Fernlab',
  what:
    'a node with two simulated benches, already enrolled; from starting its process until a subscriber of the hub’s broker sees `online`; ' +
    `resident memory ${REST_MS / 1000} s later, with nothing to do`,
  start: async (bench) => {
    const hub = await startHub(bench)
    const prepared = await prepareNode(bench, hub, { benches: 2 })
    const topic = topics('main').nodeStatus(prepared.node)
    const subscriber = await mqtt.connectAsync(hub.mqttUrl, {
      username: 'token',
      password: adminToken,
      protocolVersion: 5,
    })
    let status = ''
    subscriber.on('message', (_topic, payload) => {
      status = payload.toString()
    })
    await subscriber.subscribeAsync(topic)
    return {
      round: async () => {
        const startedAt = performance.now()
        const process = prepared.start()
        while (status !== 'online') await new Promise((resolve) => setTimeout(resolve, 1))
        const onlineMs = performance.now() - startedAt
        await new Promise((resolve) => setTimeout(resolve, REST_MS))
        const memory = residentMb(process.pid)
        await process.end()
        await until('the node going offline', 10_000, async () => (status === 'offline' ? true : undefined))
        return { figures: { online: onlineMs, memory } }
      },
      close: async () => {
        await subscriber.endAsync()
        await hub.close()
      },
    }
  },
}

/** What a node costs. */
export const nodeBenchmarks: readonly Benchmark[] = [
  {
    name: 'node',
    title: 'A node at rest and at its start',
    figures: [
      { name: 'memory', title: 'resident memory at rest', unit: 'MB', aim: { bound: 'at most', value: 70 } },
      { name: 'online', title: 'from start to online', unit: 'ms', aim: { bound: 'at most', value: 1500 } },
    ],
    contestants: [node],
  },
]

/** Every fsync of hub and node takes 200 ms longer: what must not wait for storage does not. */

import { startHub, startNode } from '../fernlab/fernlab.ts'
import { nothingLab } from '../fernlab/files.ts'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { quantile, spread } from '../framework/statistics.ts'
import { until } from '../framework/surroundings.ts'
import { serveScpiSupply } from './scpi-supply.ts'

/** Starts a program whose every fsync takes 200 ms longer. */
export const slowly = [
  ...['strace', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', 'signal=none'],
  ...['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:delay_exit=200000'],
]
const STOPS = 3

/** A supply that is measured until something goes wrong. */
export const supplyLab = {
  id: 'bench-supply',
  files: [
    {
      path: 'lab.yaml',
      text: `
title: Supply
summary: Measures until something goes wrong.
parts:
  supply:
    signals:
      voltage: { unit: V, access: read-set }
      output: { unit: "1", dtype: boolean, access: set }
      measured_voltage: { unit: V, access: read }
`,
    },
    { path: 'README.md', text: '# Supply\n' },
    {
      path: 'protocols/measure.yaml',
      text: `
title: Measure
version: 1
restart: never
parameters: {}
steps:
  - set: { supply.voltage: 2, supply.output: true }
  - repeat:
      times: 2000
      steps:
        - read: { signals: [supply.measured_voltage] }
        - wait: 0.05
outputs: {}
`,
    },
  ],
}

const nodeFile = (mqttUrl: string, port: number) => `
node: bench-node
hub: { url: "${mqttUrl}" }
instruments:
  psu: { driver: scpi, config: { model: fern-psu, transport: { kind: tcp, host: 127.0.0.1, port: ${port} } } }
  box-1: { driver: simulated, config: { model: constant } }
benches:
  one: { parts: { supply: psu }, labs: [${supplyLab.id}], safeState: { supply.output: false, supply.voltage: 0 } }
  b-1: { parts: { box: box-1 }, labs: [${nothingLab.id}] }
`

const fernlab: Contestant = {
  name: 'Fernlab',
  what:
    'hub and node under `strace -f -e inject=fsync,fdatasync:delay_exit=200000`, runs being submitted, assigned and ingested all the while; ' +
    'the safe stop is timed at the instrument (SCPI over TCP): from sending a garbled reading until “output off” arrives',
  start: async (bench) => {
    const supply = await serveScpiSupply()
    const hub = await startHub(bench, { wrapper: slowly })
    await hub.client.call('PUT', `/api/v1/labs/${supplyLab.id}`, { files: supplyLab.files })
    const node = await startNode(bench, hub, {
      benches: 1,
      wrapper: slowly,
      file: nodeFile(hub.mqttUrl, supply.port),
    })
    const submit = (body: object) =>
      hub.client.call<{ id: string }>('POST', '/api/v1/runs', { parameters: {}, ...body })
    const untilState = (id: string, wanted: (state: string) => boolean) =>
      until('the run’s next state', 60_000, async () => {
        const { state } = await hub.client.call<{ state: string }>('GET', `/api/v1/runs/${id}`)
        return wanted(state) ? state : undefined
      })
    return {
      round: async () => {
        const healthMs: number[] = []
        const stopMs: number[] = []
        let busy = true
        const probing = (async () => {
          while (busy) {
            const startedAt = performance.now()
            await hub.client.ask('GET', '/healthz')
            healthMs.push(performance.now() - startedAt)
            await new Promise((resolve) => setTimeout(resolve, 10))
          }
        })()
        const loading = (async () => {
          while (busy) await submit({ lab: nothingLab.id, protocol: 'nothing' })
        })()
        for (let i = 0; i < STOPS; i++) {
          const { id } = await submit({ lab: supplyLab.id, protocol: 'measure' })
          await untilState(id, (state) => state === 'running')
          await new Promise((resolve) => setTimeout(resolve, 300))
          supply.forget()
          const causeMs = await supply.spoilNext()
          await untilState(id, (state) => !['queued', 'assigned', 'running'].includes(state))
          stopMs.push((supply.lastAtMs(/OUTP (0|OFF)/) ?? Number.NaN) - causeMs)
        }
        busy = false
        await probing
        await loading
        return {
          figures: { health: quantile(healthMs, 0.99), worst: Math.max(...healthMs), stop: Math.max(...stopMs) },
          raw: { health: spread(healthMs), stopMs },
        }
      },
      close: async () => {
        await node.close()
        await hub.close()
        await supply.close()
      },
    }
  },
}

/** With a bad disk. */
export const diskBenchmarks: readonly Benchmark[] = [
  {
    name: 'slow-disk',
    title: 'Every fsync held up by 200 ms',
    figures: [
      { name: 'health', title: '/healthz, 99th percentile', unit: 'ms', aim: { bound: 'at most', value: 100 } },
      { name: 'worst', title: '/healthz, worst', unit: 'ms' },
      { name: 'stop', title: 'safe stop after its cause, worst', unit: 'ms', aim: { bound: 'at most', value: 20 } },
    ],
    contestants: [fernlab],
    rounds: 5,
  },
]

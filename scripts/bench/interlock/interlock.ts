/** From a reading that trips an interlock to the safe state at the instrument, with a good disk and with a bad one. */
import { serveScpiSupply } from '../disk/scpi-supply.ts'
import { slowly, supplyLab } from '../disk/slow-disk.ts'
import { startHub, startNode } from '../fernlab/fernlab.ts'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { quantile, spread } from '../framework/statistics.ts'
import { until } from '../framework/surroundings.ts'

const TRIPS = 10

const nodeFile = (mqttUrl: string, port: number) => `
node: bench-node
hub: { url: "${mqttUrl}" }
instruments:
  psu: { driver: scpi, config: { model: fern-psu, transport: { kind: tcp, host: 127.0.0.1, port: ${port} } } }
benches:
  one: { parts: { supply: psu }, labs: [${supplyLab.id}], safeState: { supply.output: false, supply.voltage: 0 } }
interlocks:
  too-much: { bench: one, title: Too much, when: supply.measured_voltage > 10, everyMs: 100 }
`

function tripping(name: string, what: string, wrapper: readonly string[]): Contestant {
  return {
    name,
    what: `${what}; a run drives the supply (SCPI over TCP); timed at the instrument, from its answer “20 V” until “output off” arrives`,
    start: async (bench) => {
      const supply = await serveScpiSupply()
      const hub = await startHub(bench)
      await hub.client.call('PUT', `/api/v1/labs/${supplyLab.id}`, { files: supplyLab.files })
      const file = nodeFile(hub.mqttUrl, supply.port)
      const node = await startNode(bench, hub, { benches: 1, wrapper, file })
      const untilState = (path: string, wanted: (state: string) => boolean) =>
        until(`${path} getting on`, 60_000, async () => {
          const { state } = await hub.client.call<{ state: string }>('GET', path)
          return wanted(state) ? state : undefined
        })
      /** The node refuses a reset while the old value is the newest that it has read. */
      const reset = () =>
        until('the interlock being over', 60_000, async () => {
          const { status } = await hub.client.ask('POST', '/api/v1/benches/bench-node.one/reset-interlock', {})
          return status < 300 ? true : undefined
        })
      const trip = async () => {
        const { id } = await hub.client.call<{ id: string }>('POST', '/api/v1/runs', {
          lab: supplyLab.id,
          protocol: 'measure',
          parameters: {},
        })
        await untilState(`/api/v1/runs/${id}`, (state) => state === 'running')
        await new Promise((resolve) => setTimeout(resolve, 200))
        supply.forget()
        const causeMs = await supply.spoilNext('20')
        await untilState(`/api/v1/runs/${id}`, (state) => state === 'failed')
        const offMs = (supply.lastAtMs(/OUTP (0|OFF)/) ?? Number.NaN) - causeMs
        await reset()
        await untilState('/api/v1/benches/bench-node.one', (state) => state === 'free')
        return offMs
      }
      return {
        round: async () => {
          const timesMs: number[] = []
          for (let i = 0; i < TRIPS; i++) timesMs.push(await trip())
          return { figures: { off: quantile(timesMs, 0.5), worst: Math.max(...timesMs) }, raw: spread(timesMs) }
        },
        close: async () => {
          await node.close()
          await hub.close()
          await supply.close()
        },
      }
    },
  }
}

/** How soon a bench is safe. */
export const interlockBenchmarks: readonly Benchmark[] = [
  {
    name: 'interlock',
    title: 'From a reading that trips an interlock to the safe state at the instrument',
    figures: [
      { name: 'off', title: 'median', unit: 'ms', aim: { bound: 'at most', value: 20 } },
      { name: 'worst', title: `worst of ${TRIPS}`, unit: 'ms', aim: { bound: 'at most', value: 20 } },
    ],
    contestants: [
      tripping('Fernlab', 'a node with a good disk', []),
      tripping('Fernlab, slow disk', 'each fsync of the node takes 200 ms longer', slowly),
    ],
  },
]

/** The second `npm start` on a machine: from the command until the hub is ready. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { until } from '../framework/surroundings.ts'

const start: Contestant = {
  name: 'Fernlab',
  what: '`npm start` with hub, demo labs and demo node, everything installed and built, on the data of an earlier start; until `/readyz` answers 200',
  start: async (bench) => {
    const data = join(bench.work, 'start-data')
    const endpoints = join(data, 'endpoints.json')
    return {
      // The first round, which nobody counts, is the first start.
      round: async () => {
        rmSync(endpoints, { force: true })
        const startedAt = performance.now()
        const process = bench.start('npm', ['start'], {
          cwd: bench.root,
          log: 'start.log',
          env: { FERNLAB_DATA: data, FERNLAB_PORT: '0', FERNLAB_MQTT_PORT: '0' },
        })
        await until('the hub getting ready', 120_000, async () => {
          if (!existsSync(endpoints)) return undefined
          const { http } = JSON.parse(readFileSync(endpoints, 'utf8')) as { http: string }
          const ready = await fetch(`${http}/readyz`).catch(() => undefined) // it does not listen yet
          return ready?.status === 200 ? true : undefined
        })
        const readyS = (performance.now() - startedAt) / 1000
        await process.end()
        return { figures: { ready: readyS } }
      },
      close: async () => {},
    }
  },
}

/** What a person waits for. */
export const startBenchmarks: readonly Benchmark[] = [
  {
    name: 'start',
    title: 'The second npm start',
    figures: [{ name: 'ready', title: 'until ready', unit: 's', aim: { bound: 'at most', value: 5 } }],
    contestants: [start],
  },
]

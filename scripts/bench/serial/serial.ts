/** Serial line: a question and its answer through the driver `lines`, beside the bare library on a line like it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { startPart } from '../framework/part.ts'
import { quantile, spread } from '../framework/statistics.ts'
import { type Bench, until } from '../framework/surroundings.ts'

const COUNT = 3000

/** Two ends of a line, an instrument at one, the contestant's program at the other. */
function onLine(name: string, how: 'driver' | 'library', what: string): Contestant {
  return {
    name,
    what,
    start: async (bench: Bench) => {
      const [near, far] = ['near', 'far'].map((end) => join(bench.work, `${how}-${end}`)) as [string, string]
      const ends = [near, far].map((end) => `pty,raw,echo=0,link=${end}`)
      const wire = bench.start('socat', ends, { log: 'socat.log' })
      await until('the line is there', 5000, async () => (existsSync(near) && existsSync(far)) || undefined)
      const instrument = await startPart(bench, 'serial-instrument', { env: { BENCH_PORT: far } })
      const env = { BENCH_PORT: near, BENCH_WORK: bench.work, BENCH_HOW: how }
      const asker = await startPart(bench, 'serial-asker', { env, log: `serial-asker-${how}.log` })
      await asker.call('ask', { count: 300 })
      return {
        round: async () => {
          const { timesMs } = await asker.call<{ timesMs: number[] }>('ask', { count: COUNT })
          const totalS = timesMs.reduce((sum, ms) => sum + ms, 0) / 1000
          return {
            figures: { latency: quantile(timesMs, 0.5), p99: quantile(timesMs, 0.99), rate: timesMs.length / totalS },
            raw: spread(timesMs),
          }
        },
        close: async () => {
          await asker.end()
          await instrument.end()
          await wire.end()
        },
      }
    },
  }
}

/** One question at a time. */
export const serialBenchmarks: readonly Benchmark[] = [
  {
    name: 'serial',
    title: 'A question and its answer on a serial line (two ptys that socat joins)',
    figures: [
      {
        name: 'latency',
        title: 'median time of one',
        unit: 'ms',
        aim: { bound: 'at most', value: 1.1, times: 'bare serialport' },
      },
      { name: 'p99', title: '99th percentile', unit: 'ms' },
      { name: 'rate', title: 'questions', unit: '1/s' },
    ],
    contestants: [
      onLine(
        'Fernlab',
        'driver',
        'the driver lines reads one signal: deadline, queue, pattern, time and unit of the value',
      ),
      onLine(
        'bare serialport',
        'library',
        'the library alone: a line is written, the next line that comes is a number',
      ),
    ],
  },
]

import * as assert from 'uvu/assert'
import type { Benchmark, Contestant } from '../../../scripts/bench/framework/benchmark.ts'
import { asMarkdown } from '../../../scripts/bench/framework/report.ts'
import { runBenchmark } from '../../../scripts/bench/framework/run.ts'
import type { Bench } from '../../../scripts/bench/framework/surroundings.ts'
import { suite } from '../../support/suite.ts'

const test = suite('verdicts of benchmarks')
const bench = { say: () => {} } as unknown as Bench

const contestant = (name: string, rounds: Readonly<Record<string, readonly number[]>>): Contestant => ({
  name,
  what: name,
  start: async () => {
    let round = -2
    return {
      round: async () => {
        round++
        const figures = Object.fromEntries(Object.entries(rounds).map(([figure, of]) => [figure, of[round] ?? 1e9]))
        return { figures }
      },
      close: async () => {},
    }
  },
})

const benchmark: Benchmark = {
  name: 'b',
  title: 'B',
  figures: [
    { name: 'rate', title: 'calls', unit: '1/s', aim: { bound: 'at least', value: 2, times: 'peer' } },
    { name: 'batch', title: 'batch', unit: '1/s', aim: { bound: 'at least', value: 2, times: 'peer', of: 'own' } },
  ],
  contestants: [
    contestant('first', { rate: [1, 3, 2] }),
    contestant('own', { rate: [9, 9, 9], batch: [50, 10, 20] }),
    contestant('peer', { rate: [1, 1, 1], batch: [12, 11, 10] }),
  ],
}

test('an aim is for the first, or for the one that it names, and is judged by medians', async () => {
  const { verdicts, load, ...result } = await runBenchmark(benchmark, bench, 3)
  assert.equal(verdicts, [
    { figure: 'rate', contestant: 'first', value: 2, aim: 'at least 2 × peer', met: true },
    { figure: 'batch', contestant: 'own', value: 20 / 11, aim: 'at least 2 × peer', met: false },
  ])
  assert.ok(load.min >= 0 && load.max >= load.min)
  const lines = asMarkdown({ verdicts, ...result, load: { min: 1, max: 12.5 } }).split('\n')
  assert.is(lines[2], 'B. Medians of 3 rounds, at a load of 1.00 to 12.5.')
  const row = (figure: string, name: string) => lines.find((line) => line.startsWith(`| ${figure}, 1/s | ${name} `))
  assert.match(row('calls', 'first') ?? '', /is 2\.00 ×: met/)
  assert.not.match(row('calls', 'own') ?? '', /met|MISSED/)
  assert.match(row('batch', 'own') ?? '', /is 1\.82 ×: MISSED/)
})

test.run()

/** `npm run bench`: runs the benchmarks that match, prints tables, keeps raw output, and writes docs/benchmarks.md with `--write`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readArguments } from '@fernlab/shared/programs/read-arguments'
import { reportFailure } from '@fernlab/shared/programs/report-failure'
import { benchmarks } from './benchmarks.ts'
import type { Benchmark } from './framework/benchmark.ts'
import { describeMachine } from './framework/machine.ts'
import { summariseProfiles } from './framework/profile.ts'
import { asText } from './framework/report.ts'
import { type BenchmarkResult, runBenchmark } from './framework/run.ts'
import { createBench, findRoot } from './framework/surroundings.ts'
import { writeResults } from './framework/write-results.ts'

const say = (line: string) => void process.stdout.write(`${line}\n`)

async function main(): Promise<number> {
  const { values, positionals } = readArguments(
    {
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        out: { type: 'string' },
        write: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
      },
    },
    '[benchmark…] [--list] [--rounds N] [--out FOLDER] [--write] [--profile]',
  )
  if (values.profile) process.env.BENCH_PROFILE = '1'
  const wanted = benchmarks.filter(
    ({ name }) => positionals.length === 0 || positionals.some((filter) => name.includes(filter)),
  )
  if (values.list || wanted.length === 0) {
    for (const { name, title } of benchmarks) say(`${name}  ${title}`)
    return values.list ? 0 : 1
  }
  const root = findRoot()
  const out = resolve(values.out ?? join(root, 'data', 'bench', new Date().toISOString().replaceAll(':', '')))
  mkdirSync(out, { recursive: true })
  const machine = describeMachine(out)
  const results: BenchmarkResult[] = []
  for (const benchmark of wanted) {
    const result = await runAlone(benchmark, { root, out, rounds: Number(values.rounds ?? benchmark.rounds ?? 5) })
    results.push(result)
    writeFileSync(join(out, benchmark.name, 'result.json'), `${JSON.stringify({ machine, result }, null, 1)}\n`)
    say(asText(result))
    for (const path of summariseProfiles(join(out, benchmark.name))) say(`Profile: ${path}`)
  }
  if (values.write) writeResults({ root, machine, results, command: `npm run bench ${positionals.join(' ')}`.trim() })
  say(`\nRaw output: ${out}`)
  return results.every((result) => result.contestants[0]?.failure === undefined) ? 0 : 1
}

async function runAlone(benchmark: Benchmark, options: { root: string; out: string; rounds: number }) {
  say(`\n${benchmark.name}: ${benchmark.title}`)
  const work = mkdtempSync(join(tmpdir(), 'fernlab-bench-'))
  const bench = createBench({ root: options.root, work, out: join(options.out, benchmark.name), say })
  const stop = () =>
    void bench.endAll().then(() => {
      rmSync(work, { recursive: true, force: true })
      process.exit(130)
    })
  // Also a second one waits until all that was started has ended.
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    return await runBenchmark(benchmark, bench, options.rounds)
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    await bench.endAll()
    rmSync(work, { recursive: true, force: true })
  }
}

try {
  process.exit(await main())
} catch (error) {
  reportFailure(error)
  process.exit(1)
}

import { loadavg } from 'node:os'
import type { Benchmark, Contestant, RoundResult, Running } from './benchmark.ts'
import { type Summary, summarise } from './statistics.ts'
import type { Bench } from './surroundings.ts'

export interface Verdict {
  readonly figure: string
  /** Which is held to it. */
  readonly contestant: string
  /** What was compared with the aim: the median, or its ratio. */
  readonly value: number
  readonly aim: string
  readonly met: boolean
}

export interface BenchmarkResult {
  readonly name: string
  readonly title: string
  readonly rounds: number
  /** The machine's load of a minute, least and most, as it was after the rounds. */
  readonly load: { readonly min: number; readonly max: number }
  readonly figures: Benchmark['figures']
  readonly contestants: readonly {
    readonly name: string
    readonly what: string
    readonly summaries: Readonly<Record<string, Summary>>
    readonly raw: readonly unknown[]
    /** Why it did not take part. */
    readonly failure?: string
  }[]
  readonly verdicts: readonly Verdict[]
}

/**
 * Starts all contestants, lets them take turns for `rounds` rounds (the order turns round each time, after one round
 * to warm up that is thrown away), and ends them. A peer that cannot start is named with the reason.
 */
export async function runBenchmark(benchmark: Benchmark, bench: Bench, rounds: number): Promise<BenchmarkResult> {
  const started: Entry[] = []
  const loads: number[] = []
  try {
    for (const contestant of benchmark.contestants) started.push(await startContestant(contestant, bench))
    for (let round = -1; round < rounds; round++) {
      const turn = round % 2 === 0 ? started : [...started].reverse()
      for (const entry of turn) {
        if (entry.running === undefined) continue
        try {
          const result = await entry.running.round()
          if (round >= 0) entry.results.push(result)
        } catch (error) {
          entry.failure = describe(error)
          bench.say(`  ${entry.contestant.name} failed: ${entry.failure}`)
          await entry.running.close().catch(() => {}) // the failure is what counts
          entry.running = undefined
        }
      }
      if (round < 0) continue
      loads.push(loadavg()[0] ?? 0)
      bench.say(`  round ${round + 1} of ${rounds}`)
    }
  } finally {
    for (const entry of started) await entry.running?.close()
  }
  const contestants = started.map(({ contestant, results, failure }) => ({
    name: contestant.name,
    what: contestant.what,
    summaries: summariesOf(benchmark, results),
    raw: results.map((result) => result.raw),
    ...(failure === undefined ? {} : { failure }),
  }))
  const { name, title, figures } = benchmark
  const load = { min: Math.min(...loads), max: Math.max(...loads) }
  const result = { name, title, rounds, load, figures, contestants }
  return { ...result, verdicts: judge(result) }
}

interface Entry {
  readonly contestant: Contestant
  readonly results: RoundResult[]
  running: Running | undefined
  failure: string | undefined
}

async function startContestant(contestant: Contestant, bench: Bench): Promise<Entry> {
  bench.say(`  starting ${contestant.name}`)
  const results: RoundResult[] = []
  try {
    return { contestant, running: await contestant.start(bench), results, failure: undefined }
  } catch (error) {
    const failure = describe(error)
    bench.say(`  ${contestant.name} did not start: ${failure}`)
    return { contestant, running: undefined, results, failure }
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function summariesOf(benchmark: Benchmark, results: readonly RoundResult[]): Record<string, Summary> {
  const summaries: Record<string, Summary> = {}
  for (const { name } of benchmark.figures) {
    const values = results.flatMap(({ figures }) => (figures[name] === undefined ? [] : [figures[name]]))
    if (values.length > 0) summaries[name] = summarise(values)
  }
  return summaries
}

function judge(result: Omit<BenchmarkResult, 'verdicts'>): Verdict[] {
  return result.figures.flatMap(({ name, unit, aim }) => {
    const contestant = aim?.of ?? result.contestants[0]?.name ?? ''
    const median = medianOf(result, contestant, name)
    if (aim === undefined || median === undefined) return []
    const divisor = aim.times === undefined ? 1 : medianOf(result, aim.times, name)
    if (divisor === undefined) return []
    const value = median / divisor
    const met = aim.bound === 'at least' ? value >= aim.value : value <= aim.value
    const text = aim.times === undefined ? `${aim.value} ${unit}` : `${aim.value} × ${aim.times}`
    return [{ figure: name, contestant, value, aim: `${aim.bound} ${text}`, met }]
  })
}

const medianOf = (result: Omit<BenchmarkResult, 'verdicts'>, contestant: string, figure: string) =>
  result.contestants.find(({ name }) => name === contestant)?.summaries[figure]?.median

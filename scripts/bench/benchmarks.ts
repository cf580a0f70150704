import { dispatchBenchmarks } from './dispatch/dispatch.ts'
import type { Benchmark } from './framework/benchmark.ts'

/** All of them, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [...dispatchBenchmarks]

import { diskBenchmarks } from './disk/slow-disk.ts'
import { dispatchBenchmarks } from './dispatch/dispatch.ts'
import { firmwareLinkBenchmarks } from './firmware-link/firmware-link.ts'
import { flashingBenchmarks } from './flashing/flashing.ts'
import type { Benchmark } from './framework/benchmark.ts'
import { ingestBenchmarks } from './ingest/ingest.ts'
import { interlockBenchmarks } from './interlock/interlock.ts'
import { kernelBenchmarks } from './kernel/kernel.ts'
import { nodeBenchmarks } from './node/node.ts'
import { nodeSignalsBenchmarks } from './node/node-signals.ts'
import { roundTripBenchmarks } from './round-trip/round-trip.ts'
import { callBenchmarks } from './rpc/rpc.ts'
import { serviceBenchmarks } from './rpc/services.ts'
import { schedulingBenchmarks } from './scheduling/scheduling.ts'
import { serialBenchmarks } from './serial/serial.ts'
import { reserveBenchmarks } from './session/reserve.ts'
import { sessionBenchmarks } from './session/session.ts'
import { siteBenchmarks } from './site/site.ts'
import { startBenchmarks } from './start/start.ts'

/** All of them, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  ...dispatchBenchmarks,
  ...ingestBenchmarks,
  ...roundTripBenchmarks,
  ...sessionBenchmarks,
  ...reserveBenchmarks,
  ...diskBenchmarks,
  ...interlockBenchmarks,
  ...nodeBenchmarks,
  ...nodeSignalsBenchmarks,
  ...serialBenchmarks,
  ...kernelBenchmarks,
  ...schedulingBenchmarks,
  ...startBenchmarks,
  ...firmwareLinkBenchmarks,
  ...flashingBenchmarks,
  ...siteBenchmarks,
  ...callBenchmarks,
  ...serviceBenchmarks,
]

/** The floor of dispatch: two processes, a broker, two databases, four commits a run, and nothing else. */
import { join } from 'node:path'
import { startPart } from '../framework/part.ts'
import type { Bench } from '../framework/surroundings.ts'

export interface Floor {
  load(runs: number, inFlight: number): Promise<{ elapsedMs: number; timesMs: number[] }>
  close(): Promise<void>
}

/** Starts both processes and lets a first run through. */
export async function startFloor(bench: Bench): Promise<Floor> {
  const hub = await startPart(bench, 'floor-hub', { env: { BENCH_DATABASE: join(bench.work, 'floor-hub.db') } })
  const port = await hub.call<number>('port')
  const node = await startPart(bench, 'floor-node', {
    env: { BENCH_DATABASE: join(bench.work, 'floor-node.db'), BENCH_BROKER: `mqtt://127.0.0.1:${port}` },
  })
  const load: Floor['load'] = (runs, inFlight) => hub.call('load', { runs, inFlight })
  await load(10, 1)
  return {
    load,
    close: async () => {
      await node.end()
      await hub.end()
    },
  }
}

/** A class that presses Reserve at the same moment: how long each waits for an answer, and how that grows with the queue. */
import { startHub, startNode } from '../fernlab/fernlab.ts'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { keepInFlight } from '../framework/load.ts'
import { startPart } from '../framework/part.ts'
import { quantile, spread } from '../framework/statistics.ts'

const STUDENTS = 150
/** Presses of the whole class. */
const WARM_AFTER = 20
const lab = 'bench-stream'

const reserve = (waiting: number): Contestant => ({
  name: waiting === 0 ? 'Fernlab' : `${waiting.toLocaleString('en')} waiting`,
  what:
    waiting === 0
      ? `one hub process with SQLite; ${STUDENTS} students who are signed in, each on a connection of their own that is open already, and have pressed ${WARM_AFTER} times before`
      : `the same, while ${waiting.toLocaleString('en')} runs wait for the same bench`,
  start: async (bench) => {
    const hub = await startHub(bench)
    // Known to the hub and away, so that all stay in the queue.
    await (await startNode(bench, hub, { benches: 1 })).close()
    const body = { lab, protocol: 'stream-1', parameters: {} }
    await keepInFlight(() => hub.client.call('POST', '/api/v1/runs', body), waiting, 64)
    const invitation = { role: 'student', most: STUDENTS }
    const { link } = await hub.client.call<{ link: string }>('POST', '/api/v1/invitations', invitation)
    const students = await startPart(bench, 'http-students', { env: { BENCH_HUB: hub.httpUrl } })
    const token = new URLSearchParams(new URL(link).hash.slice(1)).get('token')
    await students.call('join', { token, students: STUDENTS })
    const round = async () => {
      await hub.loopDelayMs()
      const { timesMs } = await students.call<{ timesMs: number[] }>('reserve', { lab })
      const mean = timesMs.reduce((sum, time) => sum + time, 0) / timesMs.length
      return { figures: { mean, max: Math.max(...timesMs), p50: quantile(timesMs, 0.5) }, raw: spread(timesMs) }
    }
    const first = (await round()).figures.mean
    // The code that answers is compiled as it runs: a hub that is in use is past that.
    for (let press = 1; press < WARM_AFTER; press++) await round()
    return {
      round: async () => {
        const { figures, raw } = await round()
        return { figures: { ...figures, first }, raw }
      },
      close: async () => {
        await students.end()
        await hub.close()
      },
    }
  },
})

/** Reservations of a whole class at once. */
export const reserveBenchmarks: readonly Benchmark[] = [
  {
    name: `reserve-${STUDENTS}`,
    title: `${STUDENTS} students press Reserve at once`,
    figures: [
      { name: 'mean', title: 'to an answer, mean', unit: 'ms', aim: { bound: 'at most', value: 30 } },
      { name: 'p50', title: 'median', unit: 'ms' },
      { name: 'first', title: 'the first press after a start, mean', unit: 'ms' },
      { name: 'max', title: 'the last of all', unit: 'ms', aim: { bound: 'at most', value: 150 } },
    ],
    contestants: [reserve(0), reserve(1000), reserve(10_000)],
  },
]

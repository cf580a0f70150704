/** A session that many watch: how late they see what the bench measures while some of them take nothing. */

import { startHub, startNode } from '../fernlab/fernlab.ts'
import { adminToken } from '../fernlab/hub-client.ts'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { startPart } from '../framework/part.ts'
import { quantile, spread } from '../framework/statistics.ts'
import { until } from '../framework/surroundings.ts'

const VIEWERS = 50
const SECONDS = 10

const fanOut = (name: string, stalled: number, what: string): Contestant => ({
  name,
  what,
  start: async (bench) => {
    const hub = await startHub(bench)
    const node = await startNode(bench, hub, { benches: 1 })
    const viewers = await startPart(bench, 'session-viewers')
    const { id } = await hub.client.call<{ id: string }>('POST', '/api/v1/sessions', { lab: 'bench-stream' })
    await until('the session being active', 15_000, async () => {
      const { state } = await hub.client.call<{ state: string }>('GET', `/api/v1/sessions/${id}`)
      return state === 'active' ? true : undefined
    })
    const url = `${hub.httpUrl.replace(/^http/, 'ws')}/api/v1/sessions/${id}/live`
    return {
      round: async () => {
        const watched = { url, token: adminToken, viewers: VIEWERS, stalled, seconds: SECONDS }
        const { lateMs, least } = await viewers.call<{ lateMs: number[]; least: number }>('watch', watched)
        const figures = { late: quantile(lateMs, 0.5), latest: quantile(lateMs, 1), least: least / 4 / SECONDS }
        return { figures, raw: spread(lateMs) }
      },
      close: async () => {
        await viewers.end()
        await node.close()
        await hub.close()
      },
    }
  },
})

/** Readings of one bench at many viewers. */
export const sessionBenchmarks: readonly Benchmark[] = [
  {
    name: 'session-viewers',
    title: `${VIEWERS} viewers of one session, 4 channels at 10 Hz`,
    figures: [
      { name: 'late', title: 'from the reading to a viewer, median', unit: 'ms' },
      { name: 'latest', title: 'the latest of all', unit: 'ms', aim: { bound: 'at most', value: 200 } },
      { name: 'least', title: 'samples of a channel that the worst of those who read got', unit: '1/s' },
    ],
    contestants: [
      fanOut('Fernlab, three stalled', 3, 'three of the viewers take nothing from their connections; the others count'),
      fanOut('Fernlab, none stalled', 0, 'all read'),
    ],
  },
]

/** A client program that drives a bench directly: takes its lease, then sets and reads in one exchange, one at a time. */
import { HubClient } from '../fernlab/hub-client.ts'

/** Methods of the part `exchanger`. */
export function open() {
  const client = new HubClient(process.env.BENCH_HUB ?? '')
  const bench = `/api/v1/benches/${process.env.BENCH_BENCH}`
  let lease: string | undefined
  return {
    exchange: async ({ count }: { count: number }) => {
      lease = (await client.call<{ lease: string }>('POST', `${bench}/lease`, { ttlS: 300, lease })).lease
      const timesMs: number[] = []
      for (let i = 0; i < count; i++) {
        const startedAt = performance.now()
        await client.call('POST', `${bench}/exchange`, { lease, set: { 'box.value': i }, read: ['box.value'] })
        timesMs.push(performance.now() - startedAt)
      }
      return { timesMs }
    },
  }
}

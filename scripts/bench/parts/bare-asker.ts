/** Times round trips through the broker to `bare-echo` and back, one at a time. */
import mqtt from 'mqtt'

/** Methods of the part `bare-asker`; it is subscribed when this resolves. */
export async function open() {
  const client = await mqtt.connectAsync(process.env.BENCH_BROKER ?? '', { protocolVersion: 5 })
  ;(client.stream as { setNoDelay?(on: boolean): void }).setNoDelay?.(true)
  let arrived = () => {}
  client.on('message', () => arrived())
  await client.subscribeAsync('reply')
  return {
    ask: async ({ count, bytes }: { count: number; bytes: number }) => {
      const payload = Buffer.alloc(bytes, 1)
      const timesMs: number[] = []
      for (let i = 0; i < count; i++) {
        const startedAt = performance.now()
        await new Promise<void>((resolve) => {
          arrived = resolve
          client.publish('request', payload)
        })
        timesMs.push(performance.now() - startedAt)
      }
      return { timesMs }
    },
  }
}

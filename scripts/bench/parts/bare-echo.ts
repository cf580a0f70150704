/** Answers each message on `request` with the same bytes on `reply`. */
import mqtt from 'mqtt'

/** Methods of the part `bare-echo`; it is subscribed when this resolves. */
export async function open() {
  const client = await mqtt.connectAsync(process.env.BENCH_BROKER ?? '', { protocolVersion: 5 })
  ;(client.stream as { setNoDelay?(on: boolean): void }).setNoDelay?.(true)
  client.on('message', (_topic, payload) => void client.publish('reply', payload))
  await client.subscribeAsync('request')
  return {}
}

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type BundledLink, LinkBundle } from '@fernlab/shared/links/mqtt/link-bundle'
import { type MqttLink, openMqttLink } from '@fernlab/shared/links/mqtt-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { formatNamed } from '@fernlab/shared/rpc/cbor-format'
import { Aedes } from 'aedes'
import { linkContract } from '../link-contract.ts'

/** Two programs that reach each other over topics of a real broker. */
async function overBroker(format: string) {
  const aedes = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const to = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  const join = async (clientId: string, filter: string): Promise<MqttLink> => {
    const made = openMqttLink({ to, clientId, filters: [filter], log: silentLog, reconnectMs: 20 })
    await new Promise<void>((resolve) => made.onConnect(resolve))
    return made
  }
  const [hub, node] = [await join('hub', 'up'), await join('node', 'down')]
  const arrived: ((link: BundledLink) => void)[] = []
  const sendOn = (link: MqttLink, topic: string) => (message: Uint8Array) =>
    void link.publish(topic, message).catch(() => {}) // lost, as when the wire breaks
  const near = new LinkBundle({ send: sendOn(hub, 'down'), clock: systemClock })
  const far = new LinkBundle({
    send: sendOn(node, 'up'),
    accept: (link) => arrived.shift()?.(link),
    clock: systemClock,
  })
  hub.onMessage(({ payload }) => near.take(payload))
  node.onMessage(({ payload }) => far.take(payload))
  node.onDisconnect(() => far.lost('the broker is away'))
  return {
    open: async () => {
      const other = new Promise<BundledLink>((resolve) => void arrived.push(resolve))
      return [near.open(formatNamed(format)), await other] as const
    },
    // What comes after a frame that never came is not delivered, and both ends are told.
    cut: () => {
      far.lost('the broker is away')
      near.lost('the broker is away')
    },
    close: async () => {
      await Promise.all([hub.close(), node.close()])
      for (const socket of sockets) socket.destroy()
      server.close()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
    },
  }
}

for (const format of ['cbor', 'json']) linkContract(`a broker's topics, ${format}`, () => overBroker(format))

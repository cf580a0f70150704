/** The embedded broker's library alone, on TCP with TCP_NODELAY: no credentials, no rules. */

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

/** Methods of the part `bare-broker`; it listens when this resolves. */
export async function open() {
  const broker = await Aedes.createBroker()
  const server = createServer({ noDelay: true }, broker.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: () => (server.address() as AddressInfo).port }
}

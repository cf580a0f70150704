/** Two bare ends of the protocol: adds, counts and echoes for whoever calls it over a Unix socket or a WebSocket. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listenUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { chosenSubprotocol } from '@fernlab/shared/links/websocket/subprotocols'
import { acceptedWebSocket, webSocketSettings } from '@fernlab/shared/links/websocket/websocket-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { Link } from '@fernlab/shared/rpc/link'
import { createPeer, methodUnknown } from '@fernlab/shared/rpc/peer/peer'
import type { Serve } from '@fernlab/shared/rpc/peer/serving'
import { WebSocketServer } from 'ws'

async function* count(to: number): AsyncGenerator<number> {
  for (let n = 1; n <= to; n++) yield n
}

/** The service, for whichever process holds it. */
export const serveAdder: Serve = (method, params) => {
  const { a, b, to, wave } = params as { a: number; b: number; to: number; wave: Float64Array }
  if (method === 'adder/add') return a + b
  if (method === 'adder/count') return count(to)
  if (method === 'adder/echo') return wave
  throw methodUnknown(method)
}

/** Methods of the part `rpc-server`; it listens when this resolves. */
export async function open() {
  const onLink = (link: Link) => void createPeer({ link, clock: systemClock, serve: serveAdder })
  const path = process.env.BENCH_SOCKET ?? ''
  await listenUnixSocket({ path, clock: systemClock, onLink })
  const http = createServer()
  const sockets = new WebSocketServer({ server: http, handleProtocols: chosenSubprotocol, ...webSocketSettings })
  sockets.on('connection', (socket, { socket: wire }) => {
    const link = acceptedWebSocket(socket, wire, systemClock)
    if (link !== undefined) onLink(link)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  return { addresses: () => ({ path, url }) }
}

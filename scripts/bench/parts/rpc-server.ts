/** Adds two numbers for whoever calls it over a Unix socket or a WebSocket. */
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

/** The service, for whichever process holds it. */
export const serveAdder: Serve = (method, params) => {
  const { a, b } = params as { a: number; b: number }
  if (method === 'adder/add') return a + b
  throw methodUnknown(method)
}

/** Methods of the part `rpc-server`; it listens when this resolves. */
export async function open() {
  const onLink = (link: Link) => void createPeer({ link, clock: systemClock, serve: serveAdder })
  const path = process.env.BENCH_SOCKET ?? ''
  await listenUnixSocket({ path, clock: systemClock, onLink })
  const http = createServer()
  const sockets = new WebSocketServer({ server: http, handleProtocols: chosenSubprotocol, ...webSocketSettings })
  sockets.on('connection', (socket) => {
    const link = acceptedWebSocket(socket, systemClock)
    if (link !== undefined) onLink(link)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  return { addresses: () => ({ path, url }) }
}

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BrowserSocket, connectBrowserWebSocket } from '@fernlab/shared/links/websocket/browser-websocket'
import { chosenSubprotocol } from '@fernlab/shared/links/websocket/subprotocols'
import { acceptedWebSocket, connectWebSocket, webSocketSettings } from '@fernlab/shared/links/websocket/websocket-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { formatNamed } from '@fernlab/shared/rpc/cbor-format'
import type { Link } from '@fernlab/shared/rpc/link'
import { WebSocket, WebSocketServer } from 'ws'
import { type LinkUnderTest, linkContract } from '../link-contract.ts'

type Connect = (url: string, signal: AbortSignal) => Promise<Link>

async function over(connect: Connect): Promise<LinkUnderTest> {
  const http = createServer()
  const sockets = new WebSocketServer({ server: http, handleProtocols: chosenSubprotocol, ...webSocketSettings })
  const arrived: ((link: Link) => void)[] = []
  const wires = new Map<Link, WebSocket>()
  sockets.on('connection', (socket, { socket: wire }) => {
    const link = acceptedWebSocket(socket, wire, systemClock)
    if (link === undefined) return
    wires.set(link, socket)
    arrived.shift()?.(link)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  return {
    open: async () => {
      const other = new Promise<Link>((resolve) => void arrived.push(resolve))
      return [await connect(url, new AbortController().signal), await other]
    },
    cut: (link) => wires.get(link)?.terminate(),
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      http.close()
      await once(http, 'close')
    },
  }
}

for (const name of ['cbor', 'json']) {
  const format = formatNamed(name)
  const clock = systemClock
  linkContract(`WebSocket, ${name}`, () => over((url, signal) => connectWebSocket({ url, format, clock, signal })))
  linkContract(`WebSocket as in a browser, ${name}`, () =>
    over((url, signal) => {
      // The class that browsers have, as the library also offers it.
      const Socket = WebSocket as unknown as new (url: string, protocols: string[]) => BrowserSocket
      return connectBrowserWebSocket({ url, format, clock, signal, WebSocket: Socket })
    }),
  )
}

/** The hub's end of tunnels, without a hub: takes whoever brings a token. */
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { LAB_TUNNEL_PATH } from '@fernlab/shared/contracts/sync'
import { MOST_TUNNEL_MESSAGE_BYTES, TunnelStream } from '@fernlab/shared/links/tunnel-stream'
import { WebSocketServer } from 'ws'

export interface HubEnd {
  readonly url: string
  /** The tunnels that came, by their token. */
  readonly streams: Map<string, TunnelStream>
  /** Refuses whoever comes. */
  refusing: boolean
  close(): Promise<void>
}

/** Starts it on any free port of this machine. */
export async function startHubEnd(tls?: { readonly key: string; readonly cert: string }): Promise<HubEnd> {
  const server = tls === undefined ? createServer() : createTlsServer(tls)
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_TUNNEL_MESSAGE_BYTES })
  server.on('upgrade', (request, socket, head) => {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (hub.refusing || token === undefined || request.url !== LAB_TUNNEL_PATH) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const stream = new TunnelStream(webSocket)
      // Tests look at how a stream ended, and need not be there when it does.
      stream.on('error', () => {})
      hub.streams.set(token, stream)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const hub: HubEnd = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    streams: new Map(),
    refusing: false,
    close: async () => {
      for (const stream of hub.streams.values()) stream.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return hub
}

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Log } from '@fernlab/shared/primitives/log'
import type { WebSocket, WebSocketServer } from 'ws'
import type { TunnelTokens } from './tunnel-tokens.ts'

export interface NodeUpgradesOptions {
  readonly path: string
  /** What a node brings there, for the log: `a tunnel`. */
  readonly what: string
  readonly tokens: Pick<TunnelTokens<WebSocket>, 'take'>
  readonly server: WebSocketServer
  readonly log: Log
}

/** Takes the upgrade requests of nodes at the path that bring a token which was made for it; false leaves one to others. */
export function nodeUpgrades({ path, what, tokens, server, log }: NodeUpgradesOptions) {
  return (request: IncomingMessage, socket: Duplex, head: Buffer): boolean => {
    if ((request.url ?? '').split('?', 1)[0] !== path) return false
    socket.on('error', () => socket.destroy())
    const taken = tokens.take(request.headers.authorization)
    if (taken === undefined) {
      log.warn({ from: request.socket.remoteAddress }, `${what} was refused: its token is wrong, used or expired`)
      const refused = 'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
      socket.end(refused, () => socket.destroy())
      return true
    }
    server.handleUpgrade(request, socket, head, taken)
    return true
  }
}

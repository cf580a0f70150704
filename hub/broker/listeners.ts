/** Where MQTT clients come in: TCP, TLS, and WebSocket on the web port. */
import type { Server as HttpServer, IncomingMessage } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { type ClientAddress, unmapped } from '../api/client-address.ts'
import { type Broker, MAX_PACKET_BYTES } from './broker.ts'

/** More connections than this at once are refused; a site has some hundred nodes. */
const MOST_CONNECTIONS = 5000

export interface Listener {
  readonly port: number
  close(): Promise<void>
}

export interface ListenOptions {
  readonly broker: Broker
  readonly host: string
  readonly port: number
  /** PEM texts; with them the listener speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** The setting that names the port, for the error when it is taken. */
  readonly setting: string
  readonly mostConnections?: number
}

/** Listens for MQTT over TCP or TLS. */
export async function listenMqtt(options: ListenOptions): Promise<Listener> {
  const { broker, host, port, tls, setting, mostConnections = MOST_CONNECTIONS } = options
  const accept = (socket: Socket) => broker.handle(socket, unmapped(socket.remoteAddress ?? ''))
  const server: Server =
    tls === undefined ? createServer({ noDelay: true }, accept) : createTlsServer({ ...tls, noDelay: true }, accept)
  server.maxConnections = mostConnections
  const cutAll = trackConnections(server)
  const chosen = await listen(server, host, port, setting)
  let closing: Promise<void> | undefined
  return {
    port: chosen,
    close: () => {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve())
        cutAll()
      })
      return closing
    },
  }
}

/** Returns how to cut every connection of the server, also those whose TLS handshake is not finished. */
export function trackConnections(server: Server): () => void {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    // One that offered an upgrade comes again, see `serveWithoutUpgrade`.
    if (sockets.has(socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return () => {
    for (const socket of sockets) socket.destroy()
  }
}

/** Listens on a port; resolves with the one that was chosen, rejects with one line that names the setting. */
export function listen(server: Server | HttpServer, host: string, port: number, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) =>
      reject(
        new LabError({
          code: 'port-unusable',
          kind: 'configuration',
          message: `${setting} is ${port} on ${host}, but ${whyNot(cause)}; choose another, or 0 for any free one`,
          cause,
        }),
      )
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function whyNot(cause: NodeJS.ErrnoException): string {
  if (cause.code === 'EADDRINUSE') return 'another program listens there'
  if (cause.code === 'EACCES') return 'this user may not listen there'
  return `listening failed (${cause.code ?? cause.message})`
}

export interface WebSocketOptions {
  readonly broker: Broker
  readonly server: HttpServer
  /** Origins of the hub's own page besides the one of the request's host. */
  readonly origins: () => readonly string[]
  readonly addresses: Pick<ClientAddress, 'of'>
  /** Takes upgrades at other addresses; false leaves them. */
  readonly others?: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean
  readonly log: Log
}

/**
 * Serves MQTT over WebSocket at `/mqtt`; a browser's page must come from the hub itself (a client that sends no Origin is
 * no browser). Any other upgrade that is offered is not taken: the request is answered as if it had not been.
 */
export function serveWebSocket(options: WebSocketOptions): { close(): void } {
  const { broker, server, origins, addresses, others, log } = options
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PACKET_BYTES,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : offered.has('mqttv3.1') ? 'mqttv3.1' : false),
  })
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if ((request.url ?? '').split('?', 1)[0] !== '/mqtt') {
      if (others?.(request, socket, head) !== true) serveWithoutUpgrade(server, request, socket, head)
      return
    }
    // After an upgrade request nobody else closes the connection or hears its errors.
    socket.on('error', () => socket.destroy())
    if (!isOwnOrigin(request.headers.origin, request.headers.host, origins())) {
      log.warn({ origin: request.headers.origin }, 'a page of another origin was refused at /mqtt')
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy())
      return
    }
    sockets.handleUpgrade(request, socket, head, (connection) => {
      const stream = createWebSocketStream(connection)
      stream.on('error', (error) => log.debug({ error: error.message }, 'a WebSocket failed'))
      const { 'x-forwarded-for': forwarded = '' } = request.headers
      const headers = new Headers({ 'x-forwarded-for': String(forwarded) })
      broker.handle(stream, addresses.of(request.socket.remoteAddress, headers))
    })
  }
  server.on('upgrade', onUpgrade)
  return {
    close: () => {
      server.off('upgrade', onUpgrade)
      for (const connection of sockets.clients) connection.terminate()
      sockets.close()
    },
  }
}

/** Gives the connection back to the server, with the same request before it, less its offer. */
export function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(at, at + 2)
    if (!/^(upgrade|http2-settings|connection)$/i.test(name)) lines.push(`${name}: ${value}`)
  }
  const keep = /\bclose\b/i.test(request.headers.connection ?? '') ? 'close' : 'keep-alive'
  lines.push(`Connection: ${keep}`, '', '')
  socket.unshift(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), head]))
  server.emit(server instanceof TlsServer ? 'secureConnection' : 'connection', socket)
}

/** True for no origin, for the origin of the host that was asked, and for the listed ones. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined, own: readonly string[]): boolean {
  if (origin === undefined) return true
  if (own.includes(origin)) return true
  if (host === undefined || !URL.canParse(origin)) return false
  const { protocol, host: from } = new URL(origin)
  return (protocol === 'http:' || protocol === 'https:') && from === host
}

/**
 * Where clients come straight to the node: WebSockets, plain or with TLS.
 *
 * INVARIANTS: a page of a browser comes in only where its origin is named; at most `clients` links have signed in, and the
 * next one is told so and closed, without anybody else noticing; those that have not signed in have places of their own,
 * and by no number of them is another address shut out; one that asks for nothing, or answers nothing any more, is left.
 */
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import type { ListenEntry } from '@fernlab/shared/contracts/node-file'
import { SERVICES_PATH } from '@fernlab/shared/contracts/services'
import { keepAwake } from '@fernlab/shared/links/websocket/keep-awake'
import { chosenSubprotocol } from '@fernlab/shared/links/websocket/subprotocols'
import { acceptedWebSocket, webSocketSettings } from '@fernlab/shared/links/websocket/websocket-link'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { isLoopback } from '@fernlab/shared/programs/loopback'
import type { Link } from '@fernlab/shared/rpc/link'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import { WebSocketServer } from 'ws'
import { type Guest, Guests, tooManyClients, tooManyUnsigned } from './guests.ts'

export interface ListenOptions {
  readonly entry: ListenEntry
  /** Folder that relative paths start from. */
  readonly folder: string
  /** Of the hub's page, once the hub has told it: it may come where the entry names no origins. */
  readonly pageOrigin: () => string | undefined
  readonly clock: Clock
  /**
   * Takes each link. `enter` is to be called once it has signed in, and throws `too-many-clients`; what is returned leaves
   * the link with that error.
   */
  readonly onLink: (link: Link, enter: () => void) => (error: LabError) => void
  /** Whoever takes longer to ask for a WebSocket is left; 5 s unless given. */
  readonly askWithinMs?: number
}

export interface Listening {
  /** What clients are told, the likeliest first. */
  readonly addresses: readonly string[]
  /** What is listened at. */
  readonly host: string
  readonly port: number
  /** Takes no more links, and ends those that are there. */
  close(): Promise<void>
}

/** Those that there is no room for are told so; so many at once, others hear it from HTTP alone. */
const MOST_TOLD = 64
const TOLD_MS = 1000
/** Those that had to make room are there for a moment yet. */
const MOST_LEAVING = 4096
const ASK_WITHIN_MS = 5000

/** Listens; rejects with `services-listen-wrong` where it can't, or a certificate can't be read. */
export async function listenForServices(options: ListenOptions): Promise<Listening> {
  const { entry, folder, pageOrigin, clock, onLink, askWithinMs = ASK_WITHIN_MS } = options
  const server = await makeServer(entry, folder, askWithinMs)
  const sockets = new WebSocketServer({ noServer: true, ...webSocketSettings, handleProtocols: chosenSubprotocol })
  const mostGuests = entry.clients + 2 * MOST_TOLD
  const guests = new Guests({ clients: entry.clients, mostGuests })
  server.maxConnections = entry.clients + mostGuests + MOST_LEAVING
  /** By address and port of the other end, which the connection within TLS has too. */
  const connections = new Map<string, Guest>()
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket)
    const guest = guests.come(socket.remoteAddress ?? '')
    // It has asked for nothing yet.
    guest.onLeave = () => void socket.destroy()
    connections.set(key, guest)
    socket.once('close', () => {
      guest.left()
      if (connections.get(key) === guest) connections.delete(key)
    })
  })
  let told = 0
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {}) // of a connection that nobody wants any more
    const refusal = refusalOf(request, entry.origins ?? namesOf(pageOrigin()))
    if (refusal !== undefined) return refuse(socket, refusal, clock)
    const guest = connections.get(keyOf(request.socket))
    // It is gone already.
    if (guest === undefined) return void socket.destroy()
    const { isFull } = guests
    if (isFull && told >= MOST_TOLD) return refuse(socket, '503 Service Unavailable', clock)
    if (isFull) told++
    let isForgotten = !isFull
    socket.once('close', () => {
      if (!isForgotten) told--
      isForgotten = true
    })
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const link = acceptedWebSocket(webSocket, socket, clock)
      if (link === undefined) return
      if (isFull) return tellFull(link, clock, entry.clients)
      keepAwake(webSocket, clock)
      const leave = onLink(link, guest.enter)
      guest.onLeave = () => leave(tooManyUnsigned())
    })
  })
  await new Promise<void>((done, reject) => {
    server.once('error', (cause) =>
      reject(wrong(`${entry.host} port ${entry.port} can't be had: ${cause.message}`, cause)),
    )
    server.listen({ port: entry.port, host: entry.host }, done)
  })
  const { port, address: host } = server.address() as AddressInfo
  return {
    host,
    port,
    addresses: addressesOf(entry, port),
    close: () =>
      new Promise((done) => {
        for (const socket of sockets.clients) socket.terminate()
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** Pure: how browsers name the page of that origin; on the machine itself by any name of loopback. */
function namesOf(origin: string | undefined): readonly string[] {
  if (origin === undefined) return []
  const { protocol, hostname, port } = new URL(origin)
  if (!isLoopback(hostname)) return [origin]
  return ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${protocol}//${name}${port === '' ? '' : `:${port}`}`)
}

/** Pure: why a connection is refused before it is one. */
function refusalOf({ url, headers }: IncomingMessage, origins: readonly string[]): string | undefined {
  if ((url ?? '').split('?')[0] !== SERVICES_PATH) return '404 Not Found'
  // Programs say none; a browser says which page asks, and can't say another.
  if (headers.origin !== undefined && !origins.includes(headers.origin)) return '403 Forbidden'
  return undefined
}

function refuse(socket: Duplex, status: string, clock: Clock): void {
  // Who does not close it on hearing so would keep it.
  socket.once(
    'close',
    clock.after(TOLD_MS, () => socket.destroy()),
  )
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function tellFull(link: Link, clock: Clock, clients: number): void {
  const fail = () => {
    throw tooManyClients(clients)
  }
  const peer = createPeer({ link, clock, serve: fail, signIn: fail })
  const cancel = clock.after(TOLD_MS, () => void peer.close('too-many-clients'))
  peer.onEnd(cancel)
}

async function makeServer({ tls }: ListenEntry, folder: string, askWithinMs: number): Promise<Server> {
  const times = {
    headersTimeout: askWithinMs,
    requestTimeout: askWithinMs,
    connectionsCheckingInterval: askWithinMs / 5,
  }
  const answer = (_: IncomingMessage, response: import('node:http').ServerResponse) => {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Services of a Fernlab node: open a WebSocket.\n')
  }
  if (tls === undefined) return createServer(times, answer)
  const read = (file: string) =>
    readFile(resolve(folder, file)).catch((cause: Error) => {
      throw wrong(`tls: ${cause.message}`, cause)
    })
  const [cert, key] = await Promise.all([read(tls.cert), read(tls.key)])
  try {
    return createTlsServer({ ...times, handshakeTimeout: askWithinMs, cert, key }, answer)
  } catch (cause) {
    throw wrong(`tls: ${tls.cert} and ${tls.key} are no certificate and its key: ${(cause as Error).message}`, cause)
  }
}

/** The configured one, else the machine's. */
function addressesOf({ address, host, tls }: ListenEntry, port: number): string[] {
  if (address !== undefined) return [address]
  const every = host === '0.0.0.0' || host === '::'
  const hosts = every
    ? Object.values(networkInterfaces()).flatMap((all = []) =>
        all.flatMap(({ internal, family, address: own }) => (internal || family !== 'IPv4' ? [] : [own])),
      )
    : [host]
  const found = hosts.length === 0 ? ['127.0.0.1'] : hosts
  const scheme = tls === undefined ? 'ws' : 'wss'
  return found.slice(0, 16).map((one) => `${scheme}://${one.includes(':') ? `[${one}]` : one}:${port}${SERVICES_PATH}`)
}

function wrong(message: string, cause: unknown): LabError {
  return new LabError({
    code: 'services-listen-wrong',
    kind: 'configuration',
    message: `services.listen: ${message}`,
    issues: [{ path: 'services.listen', message }],
    cause,
  })
}

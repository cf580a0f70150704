/**
 * The way to a node's services when there is no nearer one: `GET /api/v1/nodes/{node}/services` is a WebSocket, and what it
 * carries goes on over the broker.
 *
 * INVARIANTS: nothing of what is carried is read here: the node asks who calls, by the token that it wants; who is slow
 * holds up nobody else, and neither end is sent more than it takes; one person has at most MOST_OF_A_PERSON of them.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type BundledLink, LinkBundle } from '@fernlab/shared/links/mqtt/link-bundle'
import { closeReason } from '@fernlab/shared/links/websocket/close-reason'
import { keepAwake } from '@fernlab/shared/links/websocket/keep-awake'
import { chosenSubprotocol, formatOfSubprotocol } from '@fernlab/shared/links/websocket/subprotocols'
import { webSocketSettings } from '@fernlab/shared/links/websocket/websocket-link'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { isName } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { HIGH_WATER_BYTES } from '@fernlab/shared/rpc/link'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Accounts } from '../accounts/accounts.ts'
import { can } from '../accounts/can.ts'
import { admitUpgrade, headersOf, signInNeeded } from '../api/upgrade.ts'

export interface ServiceLines {
  /** Takes an upgrade request that is for a node's services; false leaves it to others. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** What the node says to its links. */
  heard(node: string, message: Uint8Array): void
  /** The node is not there any more: its links end. */
  lost(node: string): void
  close(): void
}

export interface CreateServiceLinesOptions {
  /** Undefined for a node that there is not. */
  readonly isOnline: (node: string) => boolean | undefined
  readonly send: (node: string, message: Uint8Array) => void
  /** Told of what goes by way of the hub, as it is on the broker. */
  readonly onCarried: (to: 'node' | 'client', bytes: number) => void
  readonly accounts: Pick<Accounts, 'authenticate'>
  /** Origins of the hub's own page besides the one of the request's host. */
  readonly origins: () => readonly string[]
  readonly clock: Clock
  readonly log: Log
}

const PATH = /^\/api\/v1\/nodes\/([^/]+)\/services$/
const MOST_OF_A_PERSON = 32
/** So much of a link goes to its node before that has answered its sign-in: what waits there for nobody is bounded by it. */
const BEFORE_ANSWER_BYTES = 64 * 1024
/** RFC 6455, 7.4.1. */
const NORMAL = 1000
const UNSUPPORTED = 1003

export function createServiceLines(options: CreateServiceLinesOptions): ServiceLines {
  const { isOnline, send, onCarried, accounts, origins, clock, log } = options
  const bundles = new Map<string, LinkBundle>()
  const people = new Map<string, number>()
  const server = new WebSocketServer({
    noServer: true,
    ...webSocketSettings,
    handleProtocols: chosenSubprotocol,
  })

  const bundleOf = (node: string): LinkBundle => {
    const known = bundles.get(node)
    if (known !== undefined) return known
    const made = new LinkBundle({
      send: (message) => {
        onCarried('node', message.byteLength)
        send(node, message)
      },
      firstBytes: BEFORE_ANSWER_BYTES,
      clock,
    })
    bundles.set(node, made)
    return made
  }

  const admit = async (node: string, request: IncomingMessage) => {
    const caller = await accounts.authenticate(headersOf(request))
    if (caller === undefined) throw signInNeeded()
    if (!can(caller, 'services.read')) {
      throw new LabError({ code: 'scope-missing', kind: 'caller', message: 'this needs a token with the scope read' })
    }
    const online = isOnline(node)
    if (online === undefined) {
      throw new LabError({ code: 'not-found', kind: 'caller', message: `there is no node ${node}` })
    }
    if (!online) {
      const message = `${node} is not connected`
      throw new LabError({ code: 'node-offline', kind: 'link', retry: 'later', message })
    }
    if ((people.get(caller.personId) ?? 0) >= MOST_OF_A_PERSON) {
      throw new LabError({
        code: 'too-many-attempts',
        kind: 'caller',
        retry: 'later',
        message: `one person has at most ${MOST_OF_A_PERSON} links to services by way of the hub; close some`,
      })
    }
    return caller.personId
  }

  const accept = (node: string, person: string, socket: WebSocket) => {
    const format = formatOfSubprotocol(socket.protocol)
    if (format === undefined) return void socket.close(UNSUPPORTED, 'fernlab.rpc.1.cbor or .json is spoken')
    people.set(person, (people.get(person) ?? 0) + 1)
    socket.once('close', () => {
      const left = (people.get(person) ?? 1) - 1
      if (left === 0) people.delete(person)
      else people.set(person, left)
    })
    keepAwake(socket, clock)
    try {
      join(socket, bundleOf(node).open(format))
    } catch (thrown) {
      socket.close(NORMAL, closeReason((thrown as Error).message))
    }
  }

  return {
    upgrade: (request, socket, head) => {
      const node = PATH.exec((request.url ?? '').split('?', 1)[0] ?? '')?.[1]
      if (node === undefined || !isName(node)) return false
      const entry = { request, socket, origins, log, what: 'services', admit: () => admit(node, request) }
      admitUpgrade(entry, (person) => {
        server.handleUpgrade(request, socket, head, (webSocket) => accept(node, person, webSocket))
      })
      return true
    },
    heard: (node, message) => {
      onCarried('client', message.byteLength)
      bundles.get(node)?.take(message)
    },
    lost: (node) => {
      bundles.get(node)?.lost(`${node} is not connected any more`)
      bundles.delete(node)
    },
    close: () => {
      for (const node of [...bundles.keys()]) bundles.get(node)?.lost('the hub stops')
      server.close()
    },
  }
}

/** Each carries what comes from the other, as fast as the other takes it. */
function join(socket: WebSocket, link: BundledLink): void {
  socket.on('error', () => {}) // a close follows
  socket.on('message', (data: Buffer, isBinary) => {
    link.send(isBinary ? data : String(data))
    if (link.pendingBytes > HIGH_WATER_BYTES) socket.pause()
  })
  socket.once('close', () => void link.close('the client is gone'))
  link.listen({
    frame: (frame) => {
      if (socket.readyState !== socket.OPEN) return
      socket.send(frame as string | Uint8Array, () => {
        if (socket.bufferedAmount <= HIGH_WATER_BYTES / 2) link.hold(false)
      })
      if (socket.bufferedAmount > HIGH_WATER_BYTES) link.hold(true)
    },
    drained: () => socket.resume(),
    ended: ({ message }) => {
      socket.resume()
      // As the node has said it: the client's own link says that it ended.
      socket.close(NORMAL, closeReason(link.why ?? message))
    },
  })
}

/**
 * Connections to the own servers of labs, which only their nodes reach: the hub asks the node, and the node connects to
 * the hub with one end and to the lab's server with the other.
 *
 * INVARIANTS: a connection is of one session, and ends with it, with its node's link and with the hub; at most
 * `MOST_OF_SESSION` and `MOST_OF_NODE` are open or being opened; whoever connects without a token that was made for it
 * gets nothing, and tokens are in no log.
 */
import type { Agent, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { LAB_TUNNEL_PATH } from '@fernlab/shared/contracts/sync'
import { MOST_TUNNEL_MESSAGE_BYTES } from '@fernlab/shared/links/tunnel-stream'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Fleet } from '../fleet/fleet.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { nodeUpgrades } from './node-upgrades.ts'
import { TunnelAgent } from './tunnel-agent.ts'
import { type Dial, TunnelSocket } from './tunnel-socket.ts'
import { createTunnelTokens } from './tunnel-tokens.ts'

export interface LabTunnels {
  /**
   * For `http.request({ agent })` and upgrades to the own server of an active session's lab; plain HTTP is spoken, the
   * node sees to TLS. Rejects with `session-not-active`, `node-offline`; a request fails with those, with `session-busy`
   * and with what the node says: `lab-server-unreachable`, `hub-unreachable`.
   */
  agentFor(sessionId: string): Promise<Agent>
  /** Counts a request of a browser: its session's documents say how many there were. */
  requested(sessionId: string): void
  /** Cuts all connections of the session. */
  close(sessionId: string): void
  /** Takes an upgrade request that is a node's end of a tunnel; false leaves it to others. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** Cuts all of them, and takes no more. */
  stop(): void
}

export interface CreateLabTunnelsOptions {
  readonly sessions: Pick<Sessions, 'seat' | 'onChange'>
  readonly fleet: Pick<Fleet, 'onChange'>
  readonly calls: Pick<NodeCalls, 'call'>
  /** How browsers reach the hub, for nodes that know no other way. */
  readonly publicUrl: () => string
  readonly clock: Clock
  readonly log: Log
}

const MOST_OF_SESSION = 48
const MOST_OF_NODE = 400
const DIAL_MS = 10_000
/** So often at most a node is told how many requests there were. */
const USED_MS = 3000

interface Line {
  readonly session: string
  readonly node: string
  readonly attempt: number
  readonly agent: TunnelAgent
  /** Those that are being opened included. */
  readonly sockets: Set<TunnelSocket>
  requests: number
  told: number
  cancelTelling: (() => void) | undefined
  closed: boolean
}

/** No connection is open yet. */
export function createLabTunnels(options: CreateLabTunnelsOptions): LabTunnels {
  const { sessions, fleet, calls, publicUrl, clock, log } = options
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MOST_TUNNEL_MESSAGE_BYTES,
  })
  const tokens = createTunnelTokens<WebSocket>({ clock })
  const lines = new Map<string, Line>()

  /** Why there can be no other connection. */
  const refusalOf = ({ session, node, sockets, closed }: Line): LabError | undefined => {
    if (closed) return over(session)
    if (sockets.size >= MOST_OF_SESSION) return busy(`session ${session}`, MOST_OF_SESSION)
    const ofNode = [...lines.values()].filter((one) => one.node === node)
    const open = ofNode.reduce((sum, one) => sum + one.sockets.size, 0)
    return open >= MOST_OF_NODE ? busy(node, MOST_OF_NODE) : undefined
  }

  const dialFor =
    ({ session: runId, node, attempt }: Line): Dial =>
    (arrive, fail) => {
      const { token, giveUp } = tokens.make(arrive, fail)
      calls
        .call(node, 'session.dial', { runId, attempt, hub: publicUrl(), token }, DIAL_MS)
        .catch((thrown: unknown) => giveUp(asLabError(thrown)))
      return giveUp
    }

  const refuse =
    (why: LabError): Dial =>
    (_arrive, fail) => {
      fail(why)
      return () => {}
    }

  const connect = (line: Line): TunnelSocket => {
    const refusal = refusalOf(line)
    const socket = new TunnelSocket(refusal === undefined ? dialFor(line) : refuse(refusal), clock)
    line.sockets.add(socket)
    // Whoever uses it hears of it; between two requests nobody does.
    socket.on('error', (error) => log.debug({ error: error.message }, 'a tunnel to a lab’s own server broke'))
    socket.once('close', () => line.sockets.delete(socket))
    return socket
  }

  const close = (session: string) => {
    const line = lines.get(session)
    if (line === undefined) return
    lines.delete(session)
    line.closed = true
    line.cancelTelling?.()
    for (const socket of line.sockets) socket.cut(over(session))
    line.agent.destroy()
  }

  const lineOf = (session: string): Line => {
    const { node, attempt } = sessions.seat(session)
    const known = lines.get(session)
    if (known?.attempt === attempt) return known
    close(session)
    const line: Line = {
      session,
      node,
      attempt,
      agent: new TunnelAgent({ connect: () => connect(line), clock }),
      sockets: new Set(),
      requests: 0,
      told: 0,
      cancelTelling: undefined,
      closed: false,
    }
    lines.set(session, line)
    return line
  }

  const tell = (line: Line) => {
    line.cancelTelling = undefined
    if (line.told === line.requests) return
    const { session: runId, node, attempt, requests } = line
    line.told = requests
    calls.call(node, 'session.used', { runId, attempt, requests }).catch((error: unknown) => {
      log.debug({ node, error: asLabError(error).message }, 'a node was not told of the use of a lab’s page')
    })
    line.cancelTelling = clock.after(USED_MS, () => tell(line))
  }

  /** Cuts the lines of sessions that have ended, or whose node is away. */
  const look = (line: Line) => {
    try {
      sessions.seat(line.session)
    } catch (thrown) {
      log.debug({ session: line.session, why: asLabError(thrown).code }, 'the tunnels of a session were closed')
      close(line.session)
    }
  }
  const stopSessions = sessions.onChange(({ runId, kind }) => {
    const line = kind === 'state' ? lines.get(runId) : undefined
    if (line !== undefined) look(line)
  })
  const stopFleet = fleet.onChange(({ node }) => {
    for (const line of [...lines.values()]) if (line.node === node) look(line)
  })

  return {
    agentFor: async (session) => lineOf(session).agent,
    requested: (session) => {
      const line = lines.get(session)
      if (line === undefined) return
      line.requests++
      if (line.cancelTelling === undefined) tell(line)
    },
    close,
    upgrade: nodeUpgrades({ path: LAB_TUNNEL_PATH, what: 'a tunnel', tokens, server, log }),
    stop: () => {
      stopSessions()
      stopFleet()
      for (const session of [...lines.keys()]) close(session)
      server.close()
    },
  }
}

function over(session: string): LabError {
  return new LabError({
    code: 'session-not-active',
    kind: 'caller',
    message: `session ${session} is not active any more, or its node is not connected`,
    studentMessage: 'You do not have the bench any more.',
  })
}

function busy(what: string, most: number): LabError {
  return new LabError({
    code: 'session-busy',
    kind: 'caller',
    retry: 'later',
    message: `${most} connections of ${what} to the lab’s own server are open already`,
    studentMessage: 'The lab’s page has too many connections open. Close some of its tabs.',
  })
}

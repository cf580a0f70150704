/**
 * The WebSocket of each session: `GET /api/v1/sessions/{id}/live`.
 *
 * INVARIANTS: no page of another origin is let on; who signs out, loses the role, the token or the course in which they
 * taught the owner is cut off within `RECHECK_MS`, at once where it happened here; nothing is done for who is cut off,
 * whatever still comes from them; a connection that answers no ping is cut. Who is let on at all: live-entry.ts; what they
 * may ask: live-calls.ts.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { CANCEL, cancelParamsSchema, readRpc, rpcError, rpcNotification } from '@fernlab/shared/rpc/envelope'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Accounts } from '../accounts/accounts.ts'
import type { ClientAddress } from '../api/client-address.ts'
import { isOwnOrigin } from '../broker/listeners.ts'
import type { Groups } from '../groups/groups.ts'
import type { SessionChat } from './chat.ts'
import { type Asker, createLiveCalls } from './live-calls.ts'
import { type Admitted, createLiveEntry, refuseUpgrade } from './live-entry.ts'
import type { Room } from './room.ts'
import type { Rooms } from './rooms.ts'
import type { Sessions } from './sessions.ts'
import { followWaitingRooms } from './waiting-rooms.ts'

export interface LiveSockets {
  /** Takes an upgrade request that is for a session; false leaves it to others. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  close(): void
}

export interface CreateLiveSocketsOptions {
  readonly sessions: Sessions
  readonly rooms: Rooms
  readonly chat: Pick<SessionChat, 'say' | 'linesOf'>
  readonly groups: Pick<Groups, 'teaches' | 'onChange'>
  readonly accounts: Pick<Accounts, 'authenticate' | 'onEnded'>
  readonly addresses: Pick<ClientAddress, 'of'>
  /** Origins of the hub's own page besides the one of the request's host. */
  readonly origins: () => readonly string[]
  readonly clock: Clock
  readonly log: Log
}

const PATH = /^\/api\/v1\/sessions\/([0-9a-z]{26})\/live$/
const MOST_MESSAGE_BYTES = 64 * 1024
const RECHECK_MS = 1000
const PING_MS = 20_000
/** RFC 6455, 7.4.2: for the application. */
const ENDED = 4401
const SESSION_OVER = 4410
const TOO_SLOW = 4408

interface Connection extends Asker {
  readonly headers: Headers
  readonly session: Pick<Session, 'id' | 'person'>
  readonly socket: WebSocket
  answered: boolean
}

/** Serves the sessions' WebSockets. */
export function createLiveSockets(options: CreateLiveSocketsOptions): LiveSockets {
  const { sessions, rooms, chat, groups, accounts, addresses, origins, clock, log } = options
  const entry = createLiveEntry({ sessions, rooms, groups, accounts, addresses })
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MOST_MESSAGE_BYTES })
  const connections = new Map<Connection, string>()

  const cut = (connection: Connection, code: number, why: string) => {
    if (connection.socket.readyState !== connection.socket.OPEN) return
    connection.socket.close(code, why)
    connection.socket.once(
      'close',
      clock.after(RECHECK_MS, () => connection.socket.terminate()),
    )
  }

  /** Tells all who are there what the session is now, and lets them go when it is over. */
  const tellSession = async (id: string) => {
    const room = rooms.get(id)
    if (room === undefined) return
    const session = await sessions.get(id)
    if (session === undefined) return
    room.tell('session', withControl(session, room))
    if (session.state !== 'closed') return
    for (const [connection, of] of connections) if (of === id) cut(connection, SESSION_OVER, 'the session is over')
  }

  const failed = (what: string) => (error: unknown) => log.warn({ error: asLabError(error).message }, what)

  const stopChanges = sessions.onChange(({ runId, kind }) => {
    const room = rooms.get(runId)
    if (room === undefined) return
    if (kind === 'state') tellSession(runId).catch(failed('a session could not be shown'))
    if (kind !== 'progress') return
    const live = sessions.live(runId)
    if (live?.session !== undefined) room.samples(live.session.samples, secondsLeft(runId, live.secondsLeft))
  })

  /** Its node knows nothing of bookings. */
  const secondsLeft = (id: string, itself: number | undefined): number | undefined => {
    const bumpedAt = sessions.bumpedAt(id)
    if (bumpedAt === undefined || itself === undefined) return itself
    return Math.max(0, Math.min(itself, (bumpedAt - clock.now()) / 1000))
  }

  const stopWaiting = followWaitingRooms({ sessions, rooms, clock })

  const answer = createLiveCalls({ sessions, chat, clock })

  const accept = ({ session, place, caller, headers }: Admitted, socket: WebSocket) => {
    const { id } = session
    const room = rooms.of(session)
    const connection: Connection = {
      person: { id: caller.personId, name: caller.name },
      place,
      caller,
      session,
      headers,
      socket,
      answered: true,
      calls: 0,
      send: (text) => socket.send(text),
      get backlog() {
        return socket.bufferedAmount
      },
      drop: () => cut(connection, TOO_SLOW, 'too little was taken'),
    }
    socket.on('error', (error) => log.debug({ error: error.message }, 'the WebSocket of a session failed'))
    socket.on('pong', () => {
      connection.answered = true
    })
    socket.on('close', () => {
      connections.delete(connection)
      room.leave(connection)
      rooms.left(id, room)
    })
    socket.on('message', (data, binary) => {
      if (socket.readyState !== socket.OPEN) return
      try {
        if (binary) throw new LabError({ code: 'rpc-unreadable', kind: 'caller', message: 'messages are text' })
        const { kind, message } = readRpc(String(data))
        // What was asked of a bench can't be taken back: its answer is all that could be given up.
        if (kind === 'notification' && message.method === CANCEL) cancelParamsSchema.parse(message.params)
        if (kind === 'request') void answer({ id, room, by: connection }, message)
      } catch (error) {
        room.answer(connection, rpcError(null, asLabError(error)))
      }
    })
    connections.set(connection, id)
    room.enter(connection)
    connection.send(rpcNotification('session', withControl(session, room)))
    chat.linesOf(id).then((lines) => {
      if (lines.length > 0 && connections.has(connection)) room.answer(connection, rpcNotification('said', { lines }))
    }, failed('what was said in a session could not be shown'))
    // It may have changed between being read and being watched.
    tellSession(id).catch(failed('a session could not be shown'))
  }

  /** Whoever could not come in now does not stay. */
  const recheck = async (connection: Connection) => {
    const stays = await entry.stays(connection)
    if (!stays && connections.has(connection)) cut(connection, ENDED, 'the sign-in or the right to be here has ended')
  }

  const recheckAll = (concerns: (connection: Connection) => boolean = () => true) => {
    for (const connection of connections.keys()) {
      if (concerns(connection)) recheck(connection).catch(failed('a sign-in could not be looked up'))
    }
  }
  const stopEnded = accounts.onEnded((personId) => recheckAll(({ caller }) => caller.personId === personId))
  const stopGroups = groups.onChange(() => recheckAll(({ place }) => place === 'observer'))

  let sincePingMs = 0
  const tick = () => {
    recheckAll()
    for (const [{ place, caller }, id] of connections) if (place !== 'observer') sessions.seen(id, caller)
    sincePingMs += RECHECK_MS
    if (sincePingMs >= PING_MS) {
      sincePingMs = 0
      for (const connection of connections.keys()) {
        if (!connection.answered) connection.socket.terminate()
        connection.answered = false
        connection.socket.ping()
      }
    }
    cancelTick = clock.after(RECHECK_MS, tick)
  }
  let cancelTick = clock.after(RECHECK_MS, tick)

  return {
    upgrade: (request, socket, head) => {
      const id = PATH.exec((request.url ?? '').split('?', 1)[0] ?? '')?.[1]
      if (id === undefined) return false
      socket.on('error', () => socket.destroy())
      const refuse = (error: unknown) => void refuseUpgrade(socket, error)
      if (!isOwnOrigin(request.headers.origin, request.headers.host, origins())) {
        log.warn({ origin: request.headers.origin }, 'a page of another origin was refused at a session')
        refuse(
          new LabError({ code: 'origin-refused', kind: 'caller', message: 'pages of other sites may not come in' }),
        )
        return true
      }
      entry.admit(id, request).then((admitted) => {
        if (socket.destroyed) return
        server.handleUpgrade(request, socket, head, (webSocket) => accept(admitted, webSocket))
      }, refuse)
      return true
    },
    close: () => {
      stopChanges()
      stopWaiting()
      stopEnded()
      stopGroups()
      cancelTick()
      for (const { socket } of connections.keys()) socket.terminate()
      server.close()
    },
  }
}

const withControl = (session: Session, room: Room): Session =>
  session.state === 'closed' ? session : { ...session, control: room.control }

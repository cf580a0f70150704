/**
 * The WebSocket of each session: `GET /api/v1/sessions/{id}/live`.
 *
 * INVARIANTS: no page of another origin is let on; nothing is done for who is cut off, whatever still comes from them. Who
 * is let on at all: live-entry.ts; who may stay: socket-watch.ts; what they may ask: live-calls.ts.
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
import type { Groups } from '../groups/groups.ts'
import type { SessionChat } from './chat.ts'
import { type Asker, createLiveCalls } from './live-calls.ts'
import { type Admitted, createLiveEntry, letOn } from './live-entry.ts'
import type { Room } from './room.ts'
import type { Rooms } from './rooms.ts'
import type { Sessions } from './sessions.ts'
import { CLOSE, createSocketWatch, type Watched } from './socket-watch.ts'
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

interface Connection extends Asker, Watched {}

/** Serves the sessions' WebSockets. */
export function createLiveSockets(options: CreateLiveSocketsOptions): LiveSockets {
  const { sessions, rooms, chat, groups, accounts, addresses, origins, clock, log } = options
  const entry = createLiveEntry({ sessions, rooms, groups, accounts, addresses })
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MOST_MESSAGE_BYTES })
  const watch = createSocketWatch<Connection>({
    entry,
    groups,
    accounts,
    clock,
    log,
    onTick: ({ place, caller, session }) => {
      if (place !== 'observer') sessions.seen(session.id, caller)
    },
  })
  const { connections, cut } = watch

  /** Tells all who are there what the session is now, and lets them go when it is over. */
  const tellSession = async (id: string) => {
    const room = rooms.get(id)
    if (room === undefined) return
    const session = await sessions.get(id)
    if (session === undefined) return
    room.tell('session', withControl(session, room))
    if (session.state !== 'closed') return
    for (const connection of connections) {
      if (connection.session.id === id) cut(connection, CLOSE.sessionOver, 'the session is over')
    }
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
      calls: 0,
      send: (text) => socket.send(text),
      get backlog() {
        return socket.bufferedAmount
      },
      drop: () => cut(connection, CLOSE.tooSlow, 'too little was taken'),
    }
    watch.add(connection)
    socket.on('close', () => {
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
    room.enter(connection)
    connection.send(rpcNotification('session', withControl(session, room)))
    chat.linesOf(id).then((lines) => {
      if (lines.length > 0 && connections.has(connection)) room.answer(connection, rpcNotification('said', { lines }))
    }, failed('what was said in a session could not be shown'))
    // It may have changed between being read and being watched.
    tellSession(id).catch(failed('a session could not be shown'))
  }

  return {
    upgrade: (request, socket, head) => {
      const id = PATH.exec((request.url ?? '').split('?', 1)[0] ?? '')?.[1]
      if (id === undefined) return false
      letOn({ id, request, socket, entry, origins, log }, (admitted) => {
        server.handleUpgrade(request, socket, head, (webSocket) => accept(admitted, webSocket))
      })
      return true
    },
    close: () => {
      stopChanges()
      stopWaiting()
      watch.stop()
      server.close()
    },
  }
}

const withControl = (session: Session, room: Room): Session =>
  session.state === 'closed' ? session : { ...session, control: room.control }

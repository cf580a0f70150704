/**
 * The WebSocket by which a page looks at a camera: `GET /api/v1/sessions/{id}/cameras/{part}`. Binary messages are pictures
 * (shared/contracts/picture-messages), each answered by an empty one; a text says why there are none any more.
 *
 * INVARIANTS: nobody sees the bench but while the session is active, and who may be in it; on a slow network pictures are
 * left out, never late; who is slow holds up nobody else.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { MOST_UNANSWERED } from '@fernlab/shared/contracts/picture-messages'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Accounts } from '../accounts/accounts.ts'
import type { ClientAddress } from '../api/client-address.ts'
import type { Groups } from '../groups/groups.ts'
import { type Admitted, createLiveEntry, letOn } from '../sessions/live-entry.ts'
import type { Rooms } from '../sessions/rooms.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { CLOSE, createSocketWatch, type Watched } from '../sessions/socket-watch.ts'
import type { CameraLines } from './camera-lines.ts'

export interface CameraSockets {
  /** Takes an upgrade request that is for a camera; false leaves it to others. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  close(): void
}

export interface CreateCameraSocketsOptions {
  readonly lines: Pick<CameraLines, 'look'>
  readonly sessions: Pick<Sessions, 'get' | 'isPartner'>
  readonly rooms: Pick<Rooms, 'get'>
  readonly groups: Pick<Groups, 'teaches' | 'onChange'>
  readonly accounts: Pick<Accounts, 'authenticate' | 'onEnded'>
  readonly addresses: Pick<ClientAddress, 'of'>
  /** Origins of the hub's own page besides the one of the request's host. */
  readonly origins: () => readonly string[]
  readonly clock: Clock
  readonly log: Log
}

const PATH = /^\/api\/v1\/sessions\/([0-9a-z]{26})\/cameras\/([A-Za-z][A-Za-z0-9_]{0,62})$/
const MOST_ANSWER_BYTES = 64
const MOST_WAITING_BYTES = 256 * 1024

/** Serves them. */
export function createCameraSockets(options: CreateCameraSocketsOptions): CameraSockets {
  const { lines, sessions, rooms, groups, accounts, addresses, origins, clock, log } = options
  const entry = createLiveEntry({ sessions, rooms, groups, accounts, addresses })
  const watch = createSocketWatch<Watched>({ entry, groups, accounts, clock, log })
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MOST_ANSWER_BYTES })

  const accept = ({ session, place, caller, headers }: Admitted, part: string, socket: WebSocket) => {
    const connection: Watched = { session, place, caller, headers, socket }
    watch.add(connection)
    let unanswered = 0
    let newest: Buffer | undefined
    const send = () => {
      // What who answers without reading has not taken waits in the socket.
      const isFull = unanswered >= MOST_UNANSWERED || socket.bufferedAmount > MOST_WAITING_BYTES
      if (newest === undefined || isFull || socket.readyState !== socket.OPEN) return
      unanswered++
      socket.send(newest)
      newest = undefined
    }
    socket.on('message', () => {
      unanswered = Math.max(0, unanswered - 1)
      send()
    })
    const end = (thrown: unknown) => {
      const { code, message, studentMessage } = asLabError(thrown)
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ code, message: studentMessage ?? message }))
      watch.cut(connection, CLOSE.sessionOver, code)
    }
    try {
      const leave = lines.look(session.id, part, {
        picture: (message) => {
          newest = message
          send()
        },
        ended: end,
      })
      socket.once('close', leave)
    } catch (thrown) {
      end(thrown)
    }
  }

  return {
    upgrade: (request, socket, head) => {
      const [, id, part] = PATH.exec((request.url ?? '').split('?', 1)[0] ?? '') ?? []
      if (id === undefined || part === undefined) return false
      letOn({ id, request, socket, entry, origins, log }, (admitted) => {
        server.handleUpgrade(request, socket, head, (webSocket) => accept(admitted, part, webSocket))
      })
      return true
    },
    close: () => {
      watch.stop()
      server.close()
    },
  }
}

/**
 * What the cameras of benches in use see, from their nodes: one line for all who look at the same camera of a session.
 *
 * INVARIANTS: a line is open while somebody looks, and `LINGER_MS` longer; it ends with its session; one that breaks is
 * asked for again with back-off; whoever connects without a token that was made for it gets nothing; a picture is answered
 * once it has come, whoever is slow to take it.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { MOST_PICTURE_BYTES, readPicture } from '@fernlab/shared/contracts/picture-messages'
import { CAMERA_LINE_PATH } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type WebSocket, WebSocketServer } from 'ws'
import type { NodeCalls } from '../fleet/node-calls.ts'
import { nodeUpgrades } from '../lab-servers/node-upgrades.ts'
import { createTunnelTokens } from '../lab-servers/tunnel-tokens.ts'
import type { Sessions } from '../sessions/sessions.ts'

/** Somebody who looks. */
export interface Looker {
  /** A message of shared/contracts/picture-messages. */
  picture(message: Buffer): void
  /** No more will come: told once, not after it has left. */
  ended(reason: LabError): void
}

export interface CameraLines {
  /** Shows the camera until the function that is returned is called; throws `session-not-active`, `session-busy`. */
  look(sessionId: string, part: string, looker: Looker): () => void
  /** Takes an upgrade request that is a node's end of a line; false leaves it to others. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** Ends all of them, and takes no more. */
  stop(): void
}

export interface CreateCameraLinesOptions {
  readonly sessions: Pick<Sessions, 'seat' | 'onChange'>
  readonly calls: Pick<NodeCalls, 'call'>
  /** How browsers reach the hub, for nodes that know no other way. */
  readonly publicUrl: () => string
  readonly clock: Clock
  readonly log: Log
}

const MOST_LOOKERS = 200
const LINGER_MS = 5000
const DIAL_MS = 10_000
/** A line on which nothing comes for so long is dead, though nobody closed it; a camera that is slow sends one in 10 s. */
const SILENCE_MS = 15_000
const RETRY_MS = { first: 500, longest: 8000 }

interface Line {
  readonly session: string
  readonly part: string
  readonly lookers: Set<Looker>
  socket: WebSocket | undefined
  /** Forgets what is under way: a call to the node, a wait before the next. */
  cancel: () => void
  cancelLinger: () => void
  retryMs: number
  newest: Buffer | undefined
}

/** No line is open yet. */
export function createCameraLines(options: CreateCameraLinesOptions): CameraLines {
  const { sessions, calls, publicUrl, clock, log } = options
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MOST_PICTURE_BYTES })
  const tokens = createTunnelTokens<WebSocket>({ clock })
  const lines = new Map<string, Line>()

  const end = (line: Line, reason: LabError) => {
    lines.delete(keyOf(line))
    line.cancel()
    line.cancelLinger()
    line.socket?.close()
    for (const looker of line.lookers) looker.ended(reason)
    line.lookers.clear()
  }

  const arrived = (line: Line, socket: WebSocket) => {
    line.socket = socket
    const heard = () => {
      line.cancel()
      line.cancel = clock.after(SILENCE_MS, () => socket.terminate())
    }
    line.cancel = () => {}
    heard()
    socket.on('error', (error) => log.debug({ error: error.message }, 'the line of a camera broke'))
    socket.on('message', (message: Buffer) => {
      if (line.socket !== socket) return
      if (readPicture(message) === undefined) return socket.close()
      heard()
      line.retryMs = RETRY_MS.first
      line.newest = message
      socket.send('')
      for (const looker of line.lookers) looker.picture(message)
    })
    socket.once('close', () => {
      if (line.socket !== socket) return
      line.cancel()
      line.socket = undefined
      line.newest = undefined
      again(line)
    })
  }

  /** After a pause, unless the session is over meanwhile. */
  const again = (line: Line) => {
    if (lines.get(keyOf(line)) !== line) return
    line.cancel = clock.after(line.retryMs, () => dial(line))
    line.retryMs = Math.min(2 * line.retryMs, RETRY_MS.longest)
  }

  const failed = (line: Line, reason: LabError) => {
    if (lines.get(keyOf(line)) !== line) return
    if (reason.retry === 'never') return end(line, reason)
    log.debug({ session: line.session, part: line.part, why: reason.code }, 'a camera can not be seen')
    again(line)
  }

  const dial = (line: Line) => {
    const { session, part } = line
    try {
      const { node, attempt } = sessions.seat(session)
      let current = true
      const { token, giveUp } = tokens.make(
        (socket) => {
          if (current) arrived(line, socket)
          else socket.close()
        },
        (reason) => {
          if (current) failed(line, reason)
        },
      )
      line.cancel = () => {
        current = false
        giveUp(over(session))
      }
      calls
        .call(node, 'session.look', { runId: session, attempt, part, hub: publicUrl(), token }, DIAL_MS)
        .catch((thrown: unknown) => giveUp(asLabError(thrown)))
    } catch (thrown) {
      failed(line, asLabError(thrown))
    }
  }

  const lineOf = (session: string, part: string): Line => {
    sessions.seat(session)
    const known = lines.get(keyOf({ session, part }))
    if (known !== undefined) return known
    const line: Line = {
      session,
      part,
      lookers: new Set(),
      socket: undefined,
      cancel: () => {},
      cancelLinger: () => {},
      retryMs: RETRY_MS.first,
      newest: undefined,
    }
    lines.set(keyOf(line), line)
    dial(line)
    return line
  }

  const stopSessions = sessions.onChange(({ runId, kind }) => {
    if (kind !== 'state') return
    for (const line of [...lines.values()]) {
      if (line.session !== runId) continue
      try {
        sessions.seat(runId)
      } catch (thrown) {
        const reason = asLabError(thrown)
        // A node that is away for a moment, or a database that reads its state again, is waited for.
        if (reason.retry === 'never') end(line, reason)
      }
    }
  })

  return {
    look: (session, part, looker) => {
      const line = lineOf(session, part)
      if (line.lookers.size >= MOST_LOOKERS) throw busy()
      line.lookers.add(looker)
      if (line.newest !== undefined) looker.picture(line.newest)
      return () => {
        line.lookers.delete(looker)
        if (line.lookers.size > 0 || lines.get(keyOf(line)) !== line) return
        line.cancelLinger()
        line.cancelLinger = clock.after(LINGER_MS, () => {
          if (line.lookers.size === 0) end(line, over(session))
        })
      }
    },
    upgrade: nodeUpgrades({ path: CAMERA_LINE_PATH, what: 'the line of a camera', tokens, server, log }),
    stop: () => {
      stopSessions()
      for (const line of [...lines.values()]) end(line, over(line.session))
      server.close()
    },
  }
}

const keyOf = ({ session, part }: Pick<Line, 'session' | 'part'>): string => `${session}/${part}`

function over(session: string): LabError {
  return new LabError({
    code: 'session-not-active',
    kind: 'caller',
    message: `session ${session} is not active any more`,
    studentMessage: 'You do not have the bench any more.',
  })
}

function busy(): LabError {
  return new LabError({
    code: 'session-busy',
    kind: 'caller',
    retry: 'later',
    message: `${MOST_LOOKERS} people look at this camera already`,
  })
}

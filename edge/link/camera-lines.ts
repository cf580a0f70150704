/**
 * Brings what a camera sees to the hub: the hub asks, and the node opens a WebSocket to it, so that nobody has to reach the
 * node.
 *
 * INVARIANTS: a line ends with its session, at once; there are never more than `MOST_LINES` of a session, those that are
 * being opened included; on a slow network pictures are left out, never late: what is sent next is the newest.
 */

import { MOST_UNANSWERED, pictureMessage } from '@fernlab/shared/contracts/picture-messages'
import { CAMERA_LINE_PATH } from '@fernlab/shared/contracts/sync'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { WebSocket } from 'ws'
import type { Camera } from '../drivers/driver.ts'
import type { Looked } from '../engine/seat.ts'
import { openHubSocket } from './hub-socket.ts'

export interface OpenCameraLine extends Looked {
  /** The hub's web address, as `ws://` or `wss://`. */
  readonly hub: string
  readonly token: string
  /** Gives up opening it. */
  readonly signal: AbortSignal
}

export interface CameraLines {
  /** Resolves when the hub is connected; rejects with `hub-unreachable`, `session-busy`. */
  open(line: OpenCameraLine): Promise<void>
}

export interface CreateCameraLinesOptions {
  /** PEM of an authority to trust besides the system's. */
  readonly ca: string | undefined
  readonly log: Log
}

const MOST_LINES = 16
/** What the hub sends is empty. */
const MOST_ANSWER_BYTES = 64

/** The lines of this node. */
export function createCameraLines({ ca, log }: CreateCameraLinesOptions): CameraLines {
  const lines = new WeakMap<AbortSignal, number>()
  const count = (over: AbortSignal, more: number) => lines.set(over, (lines.get(over) ?? 0) + more)
  return {
    open: async ({ camera, over, hub, token, signal }) => {
      if ((lines.get(over) ?? 0) >= MOST_LINES) throw busy()
      count(over, 1)
      try {
        const opening = {
          address: `${hub}${CAMERA_LINE_PATH}`,
          token,
          ca,
          mostBytes: MOST_ANSWER_BYTES,
          signal: AbortSignal.any([signal, over]),
        }
        await openHubSocket(opening, (socket) => {
          void show(camera, socket, over, log).finally(() => count(over, -1))
        })
      } catch (thrown) {
        count(over, -1)
        throw thrown
      }
    },
  }
}

async function show(camera: Camera, socket: WebSocket, over: AbortSignal, log: Log): Promise<void> {
  const closed = new AbortController()
  let unanswered = 0
  let wake = () => {}
  socket.on('error', (error) => log.debug({ error: error.message }, 'the line of a camera broke'))
  socket.once('close', () => {
    closed.abort()
    wake()
  })
  socket.on('message', () => {
    unanswered = Math.max(0, unanswered - 1)
    wake()
  })
  const end = () => {
    socket.close()
    wake()
  }
  over.addEventListener('abort', end, { once: true })
  try {
    for await (const picture of camera.follow(AbortSignal.any([over, closed.signal]))) {
      socket.send(pictureMessage(picture))
      unanswered++
      while (unanswered >= MOST_UNANSWERED && !closed.signal.aborted && !over.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    over.removeEventListener('abort', end)
    socket.close()
  }
}

function busy(): LabError {
  return new LabError({
    code: 'session-busy',
    kind: 'caller',
    retry: 'later',
    message: `${MOST_LINES} lines of cameras of the session are open already`,
  })
}

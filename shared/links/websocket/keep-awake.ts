/** What notices that the other end of a WebSocket has lost its power, which says nothing of it. */
import type { WebSocket } from 'ws'
import type { Clock } from '../../primitives/clock.ts'

export const PING_MS = 10_000

/** Pings each PING_MS, and ends a connection on which nothing came until the next. */
export function keepAwake(socket: WebSocket, clock: Clock): void {
  let isThere = true
  let cancel = () => {}
  const heard = () => {
    isThere = true
  }
  const ask = () => {
    // Of one that is not read just now, nothing can come.
    if (!isThere && !socket.isPaused) return socket.terminate()
    isThere = false
    socket.ping()
    cancel = clock.after(PING_MS, ask)
  }
  cancel = clock.after(PING_MS, ask)
  socket.on('pong', heard)
  // Its answer waits behind what it sends.
  socket.on('message', heard)
  socket.once('close', () => cancel())
}

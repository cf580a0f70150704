/** The ways that a program in Node has: a Unix socket on the node's machine, WebSockets straight to it. */
import { fileURLToPath } from 'node:url'
import { connectUnixSocket } from '../../links/unix-socket/unix-socket.ts'
import { connectWebSocket } from '../../links/websocket/websocket-link.ts'
import type { Clock } from '../../primitives/clock.ts'
import { cborFormat } from '../../rpc/formats.ts'
import type { Way } from './way.ts'

export interface NodeWaysOptions {
  readonly clock: Clock
  /** PEM of an authority to trust besides the system's. */
  readonly ca?: string
}

/** Ways to `unix:/path` and `file:///path`, `ws://` and `wss://` addresses. */
export function nodeWays({ clock, ca }: NodeWaysOptions): Way[] {
  const format = cborFormat
  return [
    {
      kind: 'unix-socket',
      refusal: (address) => (/^unix:/.test(address) ? undefined : 'other'),
      connect: (address, signal) =>
        connectUnixSocket({ path: fileURLToPath(address.replace(/^unix:(\/\/)?/, 'file://')), format, clock, signal }),
    },
    {
      kind: 'websocket',
      refusal: (address) => (/^wss?:/.test(address) ? undefined : 'other'),
      connect: (url, signal) => connectWebSocket({ url, format, clock, signal, ...(ca === undefined ? {} : { ca }) }),
    },
  ]
}

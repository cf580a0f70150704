/** The ways that a program in Node has: a Unix socket on the node's machine, WebSockets straight to it, and by way of the hub. */
import { fileURLToPath } from 'node:url'
import { connectUnixSocket } from '../../links/unix-socket/unix-socket.ts'
import { connectWebSocket } from '../../links/websocket/websocket-link.ts'
import type { Clock } from '../../primitives/clock.ts'
import { cborFormat } from '../../rpc/cbor-format.ts'
import { BY_HUB, lineUrl, type Way } from './way.ts'

export interface NodeWaysOptions {
  readonly clock: Clock
  /** PEM of an authority to trust besides the system's. */
  readonly ca?: string
  /** A hub that leads to its nodes, and what it knows the program by. */
  readonly hub?: { readonly url: string; readonly token: string }
}

/** Ways to `unix:/path` and `file:///path`, `ws://` and `wss://` addresses, and `hub:<node>`. */
export function nodeWays({ clock, ca, hub }: NodeWaysOptions): Way[] {
  const format = cborFormat
  const trust = ca === undefined ? {} : { ca }
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
      connect: (url, signal) => connectWebSocket({ url, format, clock, signal, ...trust }),
    },
    {
      kind: 'mqtt',
      refusal: (address) => {
        if (!address.startsWith(BY_HUB)) return 'other'
        return hub === undefined ? 'no hub leads there' : undefined
      },
      connect: (address, signal) => {
        const { url, token } = hub as NonNullable<typeof hub>
        const line = lineUrl(url, address.slice(BY_HUB.length))
        return connectWebSocket({
          url: line,
          format,
          clock,
          signal,
          headers: { authorization: `Bearer ${token}` },
          ...trust,
        })
      },
    },
  ]
}

/** The ways that a program in Node has, the nearest first. */
import { connectWebSocket } from '../../../links/websocket/websocket-link.ts'
import type { Clock } from '../../../primitives/clock.ts'
import { cborFormat } from '../../../rpc/cbor-format.ts'
import { byHubWay } from './by-hub.ts'
import { type InProcessOptions, inProcessWay } from './in-process.ts'
import { peerHubWay } from './peer-hub.ts'
import { unixSocketWay } from './unix-socket.ts'
import type { Way } from './way.ts'
import { webSocketWay } from './websocket.ts'

export interface NodeWaysOptions {
  readonly clock: Clock
  /** PEM of an authority to trust besides the system's. */
  readonly ca?: string
  /** A hub that leads to its nodes, and what it knows the program by. */
  readonly hub?: { readonly url: string; readonly token: string }
  /** Nodes in this process. */
  readonly here?: InProcessOptions
}

export function nodeWays({ clock, ca, hub, here = { doors: [], from: 'anyone' } }: NodeWaysOptions): Way[] {
  const trust = ca === undefined ? {} : { ca }
  const known = hub === undefined ? {} : { headers: { authorization: `Bearer ${hub.token}` } }
  const open = (more: object) => (url: string, signal: AbortSignal) =>
    connectWebSocket({ url, format: cborFormat, clock, signal, ...trust, ...more })
  return [
    inProcessWay(here),
    unixSocketWay({ clock }),
    webSocketWay({ open: open({}) }),
    byHubWay({ hub: hub?.url, open: open(known) }),
    peerHubWay(),
  ]
}

/** By way of the hub, which hands on over MQTT what it does not read: `hub:<node>`, where nothing nearer leads. */
import type { Way } from './way.ts'
import type { OpenWebSocket } from './websocket.ts'

/** Before a node's name. */
const BY_HUB = 'hub:'

export const byHubAddress = (node: string): string => `${BY_HUB}${node}`

export interface ByHubOptions {
  /** Its address; without, no hub leads anywhere. */
  readonly hub: string | undefined
  /** Opens a WebSocket of the hub as who it knows. */
  readonly open: OpenWebSocket
}

export function byHubWay({ hub, open }: ByHubOptions): Way {
  return {
    kind: 'mqtt',
    refusal: (address) => {
      if (!address.startsWith(BY_HUB)) return 'other'
      return hub === undefined ? 'no hub leads there' : undefined
    },
    connect: (address, signal) => open(lineUrl(hub ?? '', address.slice(BY_HUB.length)), signal),
  }
}

/** Where a hub takes links to a node's services. */
const lineUrl = (hub: string, node: string): string =>
  `${hub.replace(/^http/, 'ws').replace(/\/+$/, '')}/api/v1/nodes/${encodeURIComponent(node)}/services`

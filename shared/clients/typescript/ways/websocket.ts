/** Straight to a node over the network: `ws://` and `wss://`. */
import type { Link } from '../../../rpc/link.ts'
import type { Way } from './way.ts'

/** Opens a WebSocket; a program and a page each have their own. */
export type OpenWebSocket = (url: string, signal: AbortSignal) => Promise<Link>

export interface WebSocketOptions {
  readonly open: OpenWebSocket
  /** Why that can't be opened from here. */
  readonly refusal?: (url: string) => string | undefined
}

export function webSocketWay({ open, refusal = () => undefined }: WebSocketOptions): Way {
  return {
    kind: 'websocket',
    refusal: (address) => (/^wss?:/.test(address) ? refusal(address) : 'other'),
    connect: open,
  }
}

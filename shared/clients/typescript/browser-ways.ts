/** The ways that a page has: WebSockets, straight to a node where the page may open one. */
import { type BrowserSocket, connectBrowserWebSocket } from '../../links/websocket/browser-websocket.ts'
import type { Clock } from '../../primitives/clock.ts'
import { cborFormat } from '../../rpc/formats.ts'
import type { Way } from './way.ts'

export interface BrowserWaysOptions {
  readonly clock: Clock
  readonly WebSocket: new (url: string, protocols: string[]) => BrowserSocket
  /** Whether the page came by HTTPS: browsers then open no plain WebSocket, but to their own machine. */
  readonly isSecurePage: boolean
}

const LOOPBACK = /^ws:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|$)/

export function browserWays({ clock, WebSocket, isSecurePage }: BrowserWaysOptions): Way[] {
  return [
    {
      kind: 'websocket',
      refusal: (address) => {
        if (!/^wss?:/.test(address)) return 'other'
        const isOpen = !isSecurePage || address.startsWith('wss:') || LOOPBACK.test(address)
        return isOpen ? undefined : 'a page that came by HTTPS can not open it: the node has no TLS'
      },
      connect: (url, signal) => connectBrowserWebSocket({ url, format: cborFormat, clock, signal, WebSocket }),
    },
  ]
}

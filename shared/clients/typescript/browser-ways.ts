/**
 * The ways that a page has: WebSockets, straight to a node where the page may open one. In JSON: what reads CBOR tries to
 * make functions of text, which the policy of a page refuses.
 */
import { type BrowserSocket, connectBrowserWebSocket } from '../../links/websocket/browser-websocket.ts'
import type { Clock } from '../../primitives/clock.ts'
import { jsonFormat } from '../../rpc/formats.ts'
import { BY_HUB, lineUrl, type Way } from './way.ts'

export interface BrowserWaysOptions {
  readonly clock: Clock
  readonly WebSocket: new (url: string, protocols: string[]) => BrowserSocket
  /** Whether the page came by HTTPS: browsers then open no plain WebSocket, but to their own machine. */
  readonly isSecurePage: boolean
  /** The hub that the page is of: it knows who is signed in by the page's cookie. */
  readonly hub?: string
}

const LOOPBACK = /^ws:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|$)/

export function browserWays({ clock, WebSocket, isSecurePage, hub }: BrowserWaysOptions): Way[] {
  return [
    {
      kind: 'websocket',
      refusal: (address) => {
        if (!/^wss?:/.test(address)) return 'other'
        const isOpen = !isSecurePage || address.startsWith('wss:') || LOOPBACK.test(address)
        return isOpen ? undefined : 'a page that came by HTTPS can not open it: the node has no TLS'
      },
      connect: (url, signal) => connectBrowserWebSocket({ url, format: jsonFormat, clock, signal, WebSocket }),
    },
    {
      kind: 'mqtt',
      refusal: (address) => {
        if (!address.startsWith(BY_HUB)) return 'other'
        return hub === undefined ? 'no hub leads there' : undefined
      },
      connect: (address, signal) => {
        const url = lineUrl(hub ?? '', address.slice(BY_HUB.length))
        return connectBrowserWebSocket({ url, format: jsonFormat, clock, signal, WebSocket })
      },
    },
  ]
}

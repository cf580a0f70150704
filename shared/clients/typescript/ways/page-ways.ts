/**
 * The ways that a page has, the nearest first. In JSON: what reads CBOR tries to make functions of text, which the policy
 * of a page refuses.
 */
import { type BrowserSocket, connectBrowserWebSocket } from '../../../links/websocket/browser-websocket.ts'
import type { Clock } from '../../../primitives/clock.ts'
import { jsonFormat } from '../../../rpc/formats.ts'
import { byHubWay } from './by-hub.ts'
import { peerHubWay } from './peer-hub.ts'
import type { Way } from './way.ts'
import { webSocketWay } from './websocket.ts'

export interface PageWaysOptions {
  readonly clock: Clock
  readonly WebSocket: new (url: string, protocols: string[]) => BrowserSocket
  /** Whether the page came by HTTPS: browsers then open no plain WebSocket, but to their own machine. */
  readonly isSecurePage: boolean
  /** The hub that the page is of: it knows who is signed in by the page's cookie. */
  readonly hub?: string
}

const LOOPBACK = /^ws:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|$)/

export function pageWays({ clock, WebSocket, isSecurePage, hub }: PageWaysOptions): Way[] {
  const open = (url: string, signal: AbortSignal) =>
    connectBrowserWebSocket({ url, format: jsonFormat, clock, signal, WebSocket })
  const refusal = (address: string) => {
    const isOpen = !isSecurePage || address.startsWith('wss:') || LOOPBACK.test(address)
    return isOpen ? undefined : 'a page that came by HTTPS can not open it: the node has no TLS'
  }
  return [webSocketWay({ open, refusal }), byHubWay({ hub, open }), peerHubWay()]
}

/** A client in a page, of nodes that are asked themselves: `connect({ node, token })`. */
import { systemClock } from '../../primitives/clock.ts'
import type { Client } from './client.ts'
import { connectNodes, type NamedNode, type NodesClientOptions, namedNodes } from './connect-nodes.ts'
import { type PageWaysOptions, pageWays } from './ways/page-ways.ts'

export type ConnectOptions = NodesClientOptions &
  ({ readonly node: string; readonly token: string } | { readonly nodes: readonly NamedNode[] })

interface Page extends Pick<PageWaysOptions, 'WebSocket'> {
  readonly location: { readonly protocol: string }
}

/** A client of nodes whose `services.listen.origins` name the page; opens nothing until it is used. */
export function connect(options: ConnectOptions): Client {
  const { location, WebSocket } = globalThis as unknown as Page
  const named = 'node' in options ? [{ address: options.node, token: options.token }] : options.nodes
  const { graceS, onWay, onUnanswered } = options
  return connectNodes({
    nodes: namedNodes(named),
    ways: pageWays({ clock: systemClock, WebSocket, isSecurePage: location.protocol === 'https:' }),
    clock: systemClock,
    ...(graceS === undefined ? {} : { graceS }),
    ...(onWay === undefined ? {} : { onWay }),
    ...(onUnanswered === undefined ? {} : { onUnanswered }),
  })
}

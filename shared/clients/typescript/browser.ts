/**
 * A client in a page: `connect({ hub })` of the lab behind the hub that the page came from, or of nodes that are asked
 * themselves, `connect({ node, token })`.
 */
// First: what checks by functions that are made of text decides so where a schema is made.
import './without-eval.ts'
import { systemClock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { type Client, type CreateClientOptions, createClient } from './client.ts'
import { connectNodes, type NamedNode, type NodesClientOptions, namedNodes } from './connect-nodes.ts'
import { Hub, type HubAnswer, type HubFetch } from './hub.ts'
import { nobodyNamed } from './hub-access.ts'
import { hubDirectory } from './hub-directory.ts'
import { type HubClient, hubRuns } from './hub-runs.ts'
import { readContract } from './read-contract.ts'
import { type PageWaysOptions, pageWays } from './ways/page-ways.ts'

interface ConnectHub extends Pick<CreateClientOptions, 'onWay' | 'graceS'> {
  /** Of the page's own origin: `/`, or the path below which the hub is. */
  readonly hub: string
  /** An API token of the hub; without one, whoever is signed in at the page's origin. */
  readonly token?: string
}

type ConnectToNodes = NodesClientOptions &
  ({ readonly node: string; readonly token: string } | { readonly nodes: readonly NamedNode[] })

export type ConnectOptions = ConnectHub | ConnectToNodes

interface Page extends Pick<PageWaysOptions, 'WebSocket'> {
  readonly location: { readonly protocol: string; readonly href: string }
  fetch(
    url: string,
    options: Parameters<HubFetch>[1] & { readonly credentials: 'same-origin' | 'omit'; readonly cache: 'no-store' },
  ): Promise<HubAnswer>
}

/**
 * A client of the lab behind the hub, which runs experiments too; opens nothing until it is used. Throws `address-wrong`
 * where that is no address.
 */
export function connect(options: ConnectHub): HubClient
/** A client of nodes whose `services.listen.origins` name the page, or of the lab behind a hub; opens nothing until it is used. */
export function connect(options: ConnectOptions): Client
export function connect(options: ConnectOptions): Client {
  const page = globalThis as unknown as Page
  const clock = systemClock
  const { location, WebSocket } = page
  const isSecurePage = location.protocol === 'https:'
  const { graceS, onWay } = options
  const more = { ...(graceS === undefined ? {} : { graceS }), ...(onWay === undefined ? {} : { onWay }) }
  if ('hub' in options) {
    const { hub: given, token } = options
    if (typeof given !== 'string' || !URL.canParse(given, location.href)) {
      const message = `${JSON.stringify(given)} is no address of a hub: / of the page's own origin, or http://… or https://…`
      throw new LabError({ code: 'address-wrong', kind: 'configuration', message })
    }
    const url = new URL(given, location.href).href
    const credentials = token === undefined ? 'same-origin' : 'omit'
    const fetch: HubFetch = (path, how) => page.fetch(path, { ...how, credentials, cache: 'no-store' })
    const hub = new Hub({ url, fetch, ...(token === undefined ? {} : { token }) })
    // A page shows no token as it opens a WebSocket: by way of the hub goes whoever is signed in.
    const ways = pageWays({ clock, WebSocket, isSecurePage, ...(token === undefined ? { hub: hub.url } : {}) })
    return Object.assign(
      createClient({ directory: hubDirectory(hub), ways, clock, readContract, ...more }),
      hubRuns({ hub, clock }),
    )
  }
  if (!('node' in options || 'nodes' in options)) throw nobodyNamed()
  const named = 'node' in options ? [{ address: options.node, token: options.token }] : options.nodes
  const { onUnanswered } = options
  return connectNodes({
    nodes: namedNodes(named),
    ways: pageWays({ clock, WebSocket, isSecurePage }),
    clock,
    ...more,
    ...(onUnanswered === undefined ? {} : { onUnanswered }),
  })
}

/** A client in Node: `connect({ hub, token })`, `connect({ node, token })` without a hub, or `connect({ here })` in its process. */
import type { LocalDoor } from '../../links/local/local-door.ts'
import { createFetch } from '../../links/trusting-fetch.ts'
import { systemClock } from '../../primitives/clock.ts'
import { type Client, type CreateClientOptions, createClient } from './client.ts'
import { connectNodes, type NamedNode, type NodesClientOptions, namedNodes } from './connect-nodes.ts'
import { Hub } from './hub.ts'
import { hubAccess, nobodyNamed } from './hub-access.ts'
import { hubDirectory } from './hub-directory.ts'
import { type HubClient, hubRuns } from './hub-runs.ts'
import { networkNodes } from './network.ts'
import { readContract } from './read-contract.ts'
import { inProcessAddress } from './ways/in-process.ts'
import { nodeWays } from './ways/node-ways.ts'

interface ConnectHub extends Pick<CreateClientOptions, 'onWay' | 'graceS'> {
  /** `https://lab.example.org`. */
  readonly hub: string
  /** An API token of the hub, with the scope `run`. */
  readonly token: string
  /** Nodes in this process, which are then called without a socket, with what the hub gives: `edge.services.door`. */
  readonly here?: readonly LocalDoor[]
}

interface ConnectHere extends NodesClientOptions {
  /** Nodes in this process, called as whoever owns its machine: `edge.services.door`. */
  readonly here: readonly LocalDoor[]
}

interface ConnectNode extends NodesClientOptions {
  /** `ws://bench-pi:8090`, `wss://…` where it has TLS, or the path of its `services.sock`. */
  readonly node: string
  /** One that the node signed itself (`fernlab node token`); none at its own socket. */
  readonly token?: string
}

interface ConnectNodes extends NodesClientOptions {
  readonly nodes: readonly NamedNode[]
}

interface ConnectNetwork extends NodesClientOptions {
  /** Nodes that tell of themselves on the networks of this machine. */
  readonly network: true
  /** One of each node that is to be used; others are not asked. */
  readonly tokens: readonly string[]
}

interface Trust {
  /**
   * PEM of an authority to trust besides the system's, of the hub and its nodes. Nodes that are found on the network are
   * then used over TLS alone.
   */
  readonly ca?: string
}

export type ConnectOptions = (ConnectHub | ConnectHere | ConnectNode | ConnectNodes | ConnectNetwork) & Trust

/** One of them says whom a client asks. */
const asked = ['hub', 'here', 'network', 'nodes', 'node']

/**
 * A client of the lab behind a hub; opens nothing until it is used. Throws `hub-missing`, `token-missing` or `address-wrong` for
 * what is empty, or is no address.
 */
export function connect(options: ConnectHub & Trust): HubClient
/** A client of nodes that are asked themselves, or of the lab behind a hub; opens nothing until it is used. */
export function connect(options: ConnectOptions): Client
export function connect({ ca, ...options }: ConnectOptions): Client {
  if (!asked.some((name) => name in options)) throw nobodyNamed()
  const clock = systemClock
  const trust = ca === undefined ? {} : { ca }
  if ('hub' in options) {
    const { hub: _hub, token: _token, here: doors = [], ...more } = options
    const { url, token } = hubAccess(options)
    const addressesHere = (site: string, node: string) =>
      doors.filter((door) => door.site === site && door.node === node).map(inProcessAddress)
    const hub = new Hub({ url, token, fetch: createFetch(ca) })
    const directory = hubDirectory(hub, { addressesHere })
    const ways = nodeWays({ clock, hub: { url, token }, here: { doors, from: 'anyone' }, ...trust })
    return Object.assign(createClient({ directory, ways, clock, readContract, ...more }), hubRuns({ hub, clock }))
  }
  if ('here' in options) {
    const { here: doors, ...more } = options
    const nodes = doors.map((door) => ({ id: `${door.site}/${door.node}`, addresses: [inProcessAddress(door)] }))
    const ways = nodeWays({ clock, here: { doors, from: 'owner' }, ...trust })
    return connectNodes({ nodes: async () => nodes, ways, clock, ...more })
  }
  const ways = nodeWays({ clock, ...trust })
  if ('network' in options) {
    const { network: _, tokens, ...more } = options
    return connectNodes({ nodes: networkNodes({ tokens, tlsOnly: ca !== undefined, clock }), ways, clock, ...more })
  }
  if ('nodes' in options) {
    const { nodes, ...more } = options
    return connectNodes({ nodes: namedNodes(nodes), ways, clock, ...more })
  }
  const { node: address, token, ...more } = options
  const nodes = namedNodes([{ address, ...(token === undefined ? {} : { token }) }])
  return connectNodes({ nodes, ways, clock, ...more })
}

/** A client of nodes that are asked themselves, without a hub; in Node and in a page alike. */
import { SERVICES_PATH } from '../../contracts/services.ts'
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { type Client, type CreateClientOptions, createClient } from './client.ts'
import { type NodeAt, type NodesDirectoryOptions, nodesDirectory } from './nodes-directory.ts'
import { readContract } from './read-contract.ts'
import type { Way } from './ways/way.ts'

/** A node by its address: `ws://bench-pi:8090`, or `wss://…` where it has TLS; in Node also the path of its `services.sock`. */
export interface NamedNode {
  readonly address: string
  /** One that the node signed itself (`fernlab node token`); none at its own socket. */
  readonly token?: string
}

export interface NodesClientOptions extends Pick<CreateClientOptions, 'onWay' | 'graceS'> {
  /** Told of each node that did not answer a search, when others did. */
  readonly onUnanswered?: NodesDirectoryOptions['onUnanswered']
}

export interface ConnectNodesOptions extends NodesClientOptions {
  readonly nodes: NodesDirectoryOptions['nodes']
  readonly ways: readonly Way[]
  readonly clock: Clock
}

export function connectNodes({ nodes, ways, clock, onUnanswered, ...more }: ConnectNodesOptions): Client {
  const directory = nodesDirectory({ nodes, ways, clock, ...(onUnanswered === undefined ? {} : { onUnanswered }) })
  return createClient({ directory, ways, clock, readContract, ...more })
}

/** Those that were named; throws `address-wrong` for what is no address. */
export function namedNodes(named: readonly NamedNode[]): NodesDirectoryOptions['nodes'] {
  const nodes = named.map(
    ({ address, token }): NodeAt => ({
      addresses: [nodeAddress(address)],
      ...(token === undefined ? {} : { token }),
    }),
  )
  return async () => nodes
}

/** With the path at which nodes take links; a path of a file is that of a socket. */
function nodeAddress(text: string): string {
  if (text.startsWith('/')) return `unix:${text}`
  if (text.startsWith('unix:')) return text
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^wss?:$/.test(url.protocol) || url.hostname === '') {
    throw new LabError({
      code: 'address-wrong',
      kind: 'caller',
      message: `"${text}" is no address of a node: give one such as ws://bench-pi:8090, or the path of its services.sock`,
    })
  }
  if (url.pathname === '/') url.pathname = SERVICES_PATH
  return url.href
}

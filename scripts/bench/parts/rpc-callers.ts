/** What calls a service in a client's process: a bare end of a link, or the client that programs use. */
import { type Connection, createConnection } from '@fernlab/shared/clients/typescript/connection'
import { nodeWays } from '@fernlab/shared/clients/typescript/ways/node-ways'
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { connectUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { connectWebSocket } from '@fernlab/shared/links/websocket/websocket-link'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { formatNamed } from '@fernlab/shared/rpc/cbor-format'
import { createProxy } from '@fernlab/shared/rpc/contract/proxy'
import { defineService } from '@fernlab/shared/rpc/contract/service-contract'
import type { Link } from '@fernlab/shared/rpc/link'
import { createPeer, type Peer, PING } from '@fernlab/shared/rpc/peer/peer'
import { serveAdder } from './rpc-server.ts'

/** Where the service is, and how it is called. */
export interface Target {
  readonly link: 'in-process' | 'unix-socket' | 'websocket'
  readonly format: 'cbor' | 'json'
  /** Path or URL; none in process. */
  readonly address: string
  /** A node's, by the client that programs use; without, the address is that of the part `rpc-server`. */
  readonly node?: {
    /** The small call: an action of a service of one's own, or a reading of an instrument. */
    readonly service: 'adder' | 'instrument'
    /** One person has 32 links at most; none on the node's own socket. */
    readonly tokens: readonly string[]
  }
}

/** A client that is connected. */
export interface Caller {
  small(): Promise<unknown>
  batch(calls: number): Promise<number>
  count(to: number): AsyncIterable<unknown>
  echo(wave: Float64Array): Promise<unknown>
  close(): Promise<void>
}

const METHOD = 'adder/add'
const PARAMS = { a: 3, b: 4 }
const batchOf = (calls: number) => Array.from({ length: calls }, () => [METHOD, PARAMS] as const)

/** The nth client; resolves when it has made a first call. */
export async function openCaller(target: Target, n: number): Promise<Caller> {
  const caller = target.node === undefined ? ofPeer(await bare(target)) : ofNode(target, target.node, n)
  await caller.small()
  return caller
}

async function bare({ link, format: name, address }: Target): Promise<Peer> {
  const options = { format: formatNamed(name), clock, signal: new AbortController().signal }
  let made: Link
  if (link === 'unix-socket') made = await connectUnixSocket({ path: address, ...options })
  else if (link === 'websocket') made = await connectWebSocket({ url: address, ...options })
  else {
    const [here, there] = localLinks()
    createPeer({ link: there, clock, serve: serveAdder })
    made = here
  }
  const peer = createPeer({ link: made, clock })
  // As every connection does: by its answer the other end says how it takes batches.
  await peer.call(PING)
  return peer
}

const ofPeer = (peer: Peer): Caller => ({
  small: () => peer.call(METHOD, PARAMS),
  batch: async (calls) => (await peer.batch(batchOf(calls))).length,
  count: (to) => peer.stream('adder/count', { to }),
  echo: (wave) => peer.call('adder/echo', { wave }),
  close: () => peer.close(),
})

const adder = defineService({
  kind: 'adder',
  version: '1.0',
  actions: {
    add: { arguments: { a: { type: 'number' }, b: { type: 'number' } }, result: { type: 'number' } },
    count: { arguments: { to: { type: 'integer' } }, items: { type: 'integer' } },
    echo: { arguments: { wave: { type: 'array', of: 'float64' } }, result: { type: 'array', of: 'float64' } },
  },
  signals: {},
  events: {},
})
const box = defineService({
  kind: 'box',
  version: '1.0',
  actions: {},
  signals: { value: { unit: '1', dtype: 'number', shape: [], kind: 'reading', access: 'read-set' } },
  events: {},
})

function ofNode(target: Target, { service, tokens }: NonNullable<Target['node']>, n: number): Caller {
  const connection = connectionTo(target.address, tokens[n % tokens.length])
  const proxy = createProxy(connection as never, 'adder', adder)
  const instrument = createProxy(connection as never, 'b-1.box', box)
  const small = service === 'adder' ? () => proxy.do.add(PARAMS) : () => instrument.read(['value'])
  return {
    small,
    batch: async (calls) => (await connection.batch(batchOf(calls))).length,
    count: (to) => proxy.do.count({ to }),
    echo: (wave) => proxy.do.echo({ wave }),
    close: () => connection.close(),
  }
}

/** As `connect` of the client makes one for each node. */
export function connectionTo(address: string, token: string | undefined): Connection {
  const addresses = [address.startsWith('/') ? `unix:${address}` : address]
  const access = async () => (token === undefined ? { addresses } : { addresses, token })
  return createConnection({ node: 'bench-node', ways: nodeWays({ clock }), access, clock })
}

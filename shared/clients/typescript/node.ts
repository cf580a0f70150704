/** A client in Node: `connect({ hub, token })`. */
import { createFetch } from '../../links/trusting-fetch.ts'
import { systemClock } from '../../primitives/clock.ts'
import { type Client, type CreateClientOptions, createClient } from './client.ts'
import { hubDirectory } from './directory.ts'
import { Hub } from './hub.ts'
import { nodeWays } from './node-ways.ts'

export interface ConnectOptions extends Pick<CreateClientOptions, 'onWay'> {
  /** `https://lab.example.org`. */
  readonly hub: string
  /** An API token of the hub, with the scope `run`. */
  readonly token: string
  /** PEM of an authority to trust besides the system's, of the hub and its nodes. */
  readonly ca?: string
}

/** A client of the lab behind a hub; opens nothing until it is used. */
export function connect({ hub: url, token, ca, onWay }: ConnectOptions): Client {
  const hub = new Hub({ url, token, fetch: createFetch(ca) })
  return createClient({
    directory: hubDirectory(hub),
    ways: nodeWays({ clock: systemClock, hub: { url, token }, ...(ca === undefined ? {} : { ca }) }),
    clock: systemClock,
    ...(onWay === undefined ? {} : { onWay }),
  })
}

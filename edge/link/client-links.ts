/** Links of clients to this node's services that come by way of the hub. */
import type { Topics } from '@fernlab/shared/contracts/topics'
import { encode } from '@fernlab/shared/links/codec'
import { LinkBundle } from '@fernlab/shared/links/mqtt/link-bundle'
import type { MqttLink } from '@fernlab/shared/links/mqtt-link'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Link } from '@fernlab/shared/rpc/link'

export interface CreateClientLinksOptions {
  readonly mqtt: MqttLink
  readonly topics: Topics
  readonly node: string
  /** Takes a link of somebody who has not signed in. */
  readonly take: (link: Link) => void
  /** How many there may be. */
  readonly most: number
  readonly clock: Clock
  readonly log: Log
}

/** Takes what the hub sends on `links-down`; all links end when the connection with the broker does. */
export function createClientLinks(options: CreateClientLinksOptions): { heard(message: unknown): void } {
  const { mqtt, topics, node, take, most, clock, log } = options
  const bundle = new LinkBundle({
    send: (message) => {
      mqtt.publish(topics.sync(node, 'links-up'), encode(message)).catch((thrown: unknown) => {
        // The connection has broken: its end, which follows, ends the links.
        log.debug({ error: String(thrown) }, 'a message of a link by way of the hub was lost')
      })
    },
    accept: take,
    most,
    clock,
  })
  mqtt.onDisconnect(() => bundle.lost('the node has lost its hub'))
  return {
    heard: (message) => {
      if (message instanceof Uint8Array) bundle.take(message)
    },
  }
}

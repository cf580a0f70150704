/** The hub's side of `nodes/<node>/sync/*`: CBOR messages to and from nodes over the embedded broker. */
import { type HubToNode, type NodeToHub, nodeToHub, parseTopic, topics } from '@fernlab/shared/contracts/topics'
import { decode, encode } from '@fernlab/shared/links/codec'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Broker } from './broker.ts'
import { createLossLog } from './loss-log.ts'

export interface NodeLink {
  send(node: string, channel: HubToNode, message: object): void
  /** One listener per channel; what it throws is logged once per node and code, and the message is dropped. */
  on(channel: NodeToHub, listener: (node: string, message: unknown) => void): void
}

/** Subscribes to what nodes send. */
export async function openNodeLink(options: { site: string; broker: Broker; log: Log }): Promise<NodeLink> {
  const { site, broker, log } = options
  const map = topics(site)
  const listeners = new Map<NodeToHub, (node: string, message: unknown) => void>()
  const losses = createLossLog(log)
  for (const channel of nodeToHub) {
    await broker.subscribe(map.sync('+', channel), ({ topic, payload }) => {
      const parsed = parseTopic(site, topic)
      const listener = listeners.get(channel)
      if (parsed?.kind !== 'sync' || listener === undefined) return
      try {
        listener(parsed.node, decode(payload))
      } catch (thrown) {
        const error = asLabError(thrown)
        const fields = {
          node: parsed.node,
          channel,
          code: error.code,
          error: error.message,
          cause: String(error.cause),
        }
        losses.lost(`${parsed.node}/${channel}/${error.code}`, fields, 'a message of a node was dropped')
      }
    })
  }
  return {
    send: (node, channel, message) => broker.publish(map.sync(node, channel), encode(message)),
    on: (channel, listener) => void listeners.set(channel, listener),
  }
}

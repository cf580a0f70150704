/** Where each message of a node goes. */
import { parseTopic, topics } from '@fernlab/shared/contracts/topics'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Broker } from '../broker/broker.ts'
import type { NodeLink } from '../broker/node-link.ts'
import type { ServiceBook } from '../directory/service-book.ts'
import type { ServiceLines } from '../directory/service-lines.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import type { OpenFleet } from '../fleet/open-fleet.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { Basics } from './basics.ts'

export interface NodeMessageTakers {
  readonly broker: Broker
  readonly link: NodeLink
  readonly fleet: OpenFleet
  readonly dispatcher: Dispatcher
  readonly ingest: Ingest
  readonly calls: NodeCalls
  readonly serviceBook: ServiceBook
  readonly serviceLines: Pick<ServiceLines, 'heard'>
}

/** From the return on, what nodes say is taken. */
export async function takeNodeMessages(
  { site, log }: Basics,
  { broker, link, fleet, dispatcher, ingest, calls, serviceBook, serviceLines }: NodeMessageTakers,
): Promise<void> {
  const map = topics(site)
  link.on('inventory', (node, message) => dispatcher.reconcile(node, fleet.inventory(node, message)))
  link.on('accepted', dispatcher.accepted)
  link.on('documents', ingest.receive)
  link.on('live', dispatcher.live)
  link.on('reply', calls.reply)
  link.on('services', serviceBook.told)
  link.on('links-up', (node, message) => {
    if (message instanceof Uint8Array) serviceLines.heard(node, message)
  })
  const onJson = (filter: string, take: (topic: string, message: unknown) => void) =>
    broker.subscribe(filter, ({ topic, payload }) => {
      // What was retained is taken away.
      if (payload.length === 0) return
      try {
        take(topic, JSON.parse(Buffer.from(payload).toString('utf8')))
      } catch (error) {
        log.warn({ topic, error: asLabError(error).message }, 'a message of a node was not understood')
      }
    })
  await broker.subscribe(map.nodeStatus('+'), ({ topic, payload }) => {
    const parsed = parseTopic(site, topic)
    if (parsed?.kind === 'node-status') fleet.status(parsed.node, Buffer.from(payload).toString('utf8'))
  })
  await onJson(map.nodeHealth('+'), (topic, message) => {
    const parsed = parseTopic(site, topic)
    if (parsed?.kind === 'node-health') fleet.health(parsed.node, message)
  })
  await onJson(map.bench('+', '+'), (topic, message) => {
    const parsed = parseTopic(site, topic)
    if (parsed?.kind === 'bench') fleet.benchStatus(parsed.node, parsed.bench, message)
  })
}

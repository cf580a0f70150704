/** Calls the hook as clients and messages pass the broker's named places; nothing calls this outside fault tests. */
import { parseTopic } from '@fernlab/shared/contracts/topics'
import type { Aedes, Client } from 'aedes'
import { brokerFaultPoints, type FaultHook } from '../fault-point.ts'

/** MQTT 5's reason for cutting a connection whose client id has come again (section 3.14.2.1). */
const SESSION_TAKEN_OVER = 0x8e

type Deliver = (packet: { readonly topic: string; readonly retain: boolean }, done: () => void) => void

interface ClientInside {
  readonly disconnectReasonCode: number | null
  deliver0: Deliver
}

/** Before the first client is served. */
export function markFaultPoints(aedes: Aedes, site: string, pass: FaultHook): void {
  const passIfNamed = (name: string) => {
    const point = brokerFaultPoints.find((known) => known === name)
    if (point !== undefined) pass(point)
  }

  const { authenticate, authorizePublish } = aedes
  aedes.authenticate = (client, username, password, done) => {
    pass('before-connect-judged')
    authenticate(client, username, password, (error, success) => {
      pass('after-connect-judged')
      done(error, success)
    })
  }
  aedes.on('connackSent', () => pass('after-connack'))
  aedes.on('subscribe', () => pass('on-subscribe'))
  aedes.on('clientDisconnect', (client) => {
    const { disconnectReasonCode } = client as Client & ClientInside
    pass(disconnectReasonCode === SESSION_TAKEN_OVER ? 'on-take-over' : 'on-disconnect')
  })

  /** What a client sends, by the last level of its topic; what is published for one that is gone is its will. */
  const sentBy = (client: Client, topic: string) => (client.closed ? 'will' : channelOf(site, topic))
  aedes.authorizePublish = (client, packet, done) =>
    authorizePublish(client, packet, (error) => {
      if (!error && client !== null) passIfNamed(`before-${sentBy(client, packet.topic)}-routed`)
      done(error)
    })
  aedes.on('publish', ({ topic }, client) => {
    if (client !== null) passIfNamed(`after-${sentBy(client, topic)}-routed`)
  })

  aedes.on('client', (client) => {
    const own = client as Client & ClientInside
    const deliver = own.deliver0
    own.deliver0 = (packet, done) => {
      const what = packet.retain ? 'retained' : channelOf(site, packet.topic)
      passIfNamed(`before-${what}-written`)
      deliver(packet, () => {
        passIfNamed(`after-${what}-written`)
        done()
      })
    }
  })
}

function channelOf(site: string, topic: string): string | undefined {
  const parsed = parseTopic(site, topic)
  return parsed?.kind === 'sync' ? parsed.channel : undefined
}

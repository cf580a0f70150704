/** AsyncAPI 3.0 of the hub's MQTT side, made from the topic map and the message schemas. */
import { benchStatusSchema, nodeHealthSchema, signalValueSchema } from '@fernlab/shared/contracts/node-status'
import { runNoticeSchema } from '@fernlab/shared/contracts/run-state'
import { topics } from '@fernlab/shared/contracts/topics'
import * as z from 'zod'

interface Channel {
  readonly address: string
  readonly what: string
  readonly payload: object
  readonly retained: boolean
  /** Seen from an integrator. */
  readonly direction: 'receive' | 'send'
}

const onlineSchema = z.enum(['online', 'offline'])
const setSchema = z.object({ value: z.union([z.number(), z.string(), z.boolean()]), lease: z.string() })

/** The document for one site; what travels between hub and node alone (`sync`) is left out. */
export function asyncApi({ site, version, mqttUrls }: { site: string; version: string; mqttUrls: readonly string[] }) {
  const at = topics(site)
  const json = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'output' })
  const channels: Readonly<Record<string, Channel>> = {
    hubStatus: {
      address: at.hubStatus,
      what: 'Whether the hub is there',
      payload: json(onlineSchema),
      retained: true,
      direction: 'receive',
    },
    hubRuns: {
      address: at.hubRuns('{state}'),
      what: 'A run came into this state',
      payload: json(runNoticeSchema),
      retained: false,
      direction: 'receive',
    },
    nodeStatus: {
      address: at.nodeStatus('{node}'),
      what: 'Whether the node is there; its will',
      payload: json(onlineSchema),
      retained: true,
      direction: 'receive',
    },
    nodeHealth: {
      address: at.nodeHealth('{node}'),
      what: 'How the node is',
      payload: json(nodeHealthSchema),
      retained: true,
      direction: 'receive',
    },
    bench: {
      address: at.bench('{node}', '{bench}'),
      what: 'State of a bench',
      payload: json(benchStatusSchema),
      retained: true,
      direction: 'receive',
    },
    signal: {
      address: at.signal('{node}', '{instrument}', '{signal}'),
      what: 'Latest value of a signal',
      payload: json(signalValueSchema),
      retained: true,
      direction: 'receive',
    },
    signalSet: {
      address: at.signalSet('{node}', '{instrument}', '{signal}'),
      what: 'Sets a signal of a bench that the lease holds, for tokens that may drive benches',
      payload: json(setSchema),
      retained: false,
      direction: 'send',
    },
  }
  const entries = Object.entries(channels)
  return {
    asyncapi: '3.0.0',
    info: { title: 'Fernlab over MQTT', version, license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    servers: Object.fromEntries(
      mqttUrls.map((url, n) => [
        n === 0 ? 'broker' : `broker${n + 1}`,
        { host: new URL(url).host, protocol: new URL(url).protocol.replace(':', ''), description: url },
      ]),
    ),
    channels: Object.fromEntries(
      entries.map(([name, { address, what, retained }]) => [
        name,
        {
          address,
          description: `${what}. ${retained ? 'Retained' : 'Not retained'}.`,
          parameters: Object.fromEntries(
            [...address.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => [parameter, { description: parameter }]),
          ),
          messages: { [name]: { $ref: `#/components/messages/${name}` } },
        },
      ]),
    ),
    operations: Object.fromEntries(
      entries.map(([name, { direction }]) => [
        `${direction}_${name}`,
        { action: direction, channel: { $ref: `#/channels/${name}` } },
      ]),
    ),
    components: {
      messages: Object.fromEntries(entries.map(([name, { what, payload }]) => [name, { title: what, payload }])),
    },
  }
}

/** AsyncAPI 3.0 of the hub's MQTT side, made from the topic map and the message schemas. */
import {
  benchStatusSchema,
  nodeHealthSchema,
  signalSetSchema,
  signalValueSchema,
} from '@fernlab/shared/contracts/node-status'
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
  readonly example: unknown
}

/** What stands in braces in an address. */
const placeholders: Readonly<Record<string, string>> = {
  state: 'The state that the run came into, such as `running` or `succeeded`',
  node: 'A node, such as `demo`',
  bench: 'A bench of the node, such as `rc-1`',
  instrument: 'An instrument of the node, as its node.yaml calls it',
  signal: 'A signal of the instrument, such as `voltage`',
}
const at = '2027-02-01T08:00:00.000Z'

const onlineSchema = z.enum(['online', 'offline'])

/** The document for one site; what travels between hub and node alone (`sync`) is left out. */
export function asyncApi({ site, version, mqttUrls }: { site: string; version: string; mqttUrls: readonly string[] }) {
  const topic = topics(site)
  const json = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'output' })
  const channels: Readonly<Record<string, Channel>> = {
    hubStatus: {
      address: topic.hubStatus,
      what: 'Whether the hub is there',
      payload: json(onlineSchema),
      retained: true,
      direction: 'receive',
      example: 'online',
    },
    hubRuns: {
      address: topic.hubRuns('{state}'),
      what: 'A run came into this state',
      payload: json(runNoticeSchema),
      retained: false,
      direction: 'receive',
      example: {
        id: '01kc9x4v3q8n5t7w2y6z0a1b2c',
        state: 'running',
        attempt: 1,
        lab: 'rc-circuit',
        protocol: 'charge-curve',
        bench: 'demo.rc-1',
        at,
      },
    },
    nodeStatus: {
      address: topic.nodeStatus('{node}'),
      what: 'Whether the node is there; its will',
      payload: json(onlineSchema),
      retained: true,
      direction: 'receive',
      example: 'online',
    },
    nodeHealth: {
      address: topic.nodeHealth('{node}'),
      what: 'How the node is',
      payload: json(nodeHealthSchema),
      retained: true,
      direction: 'receive',
      example: {
        version: '0.1.0',
        time: at,
        uptime_s: 86_400,
        cpu_temp_Cel: 48.2,
        load: 0.3,
        memory_bytes: 76_000_000,
        disk_free_bytes: 12_000_000_000,
        queue_depth: 0,
        outbox_depth: 0,
        clock_offset_ms: 1.5,
        problems: [],
      },
    },
    bench: {
      address: topic.bench('{node}', '{bench}'),
      what: 'State of a bench',
      payload: json(benchStatusSchema),
      retained: true,
      direction: 'receive',
      example: { state: 'busy', since: at, run: '01kc9x4v3q8n5t7w2y6z0a1b2c' },
    },
    signal: {
      address: topic.signal('{node}', '{instrument}', '{signal}'),
      what: 'Latest value of a signal',
      payload: json(signalValueSchema),
      retained: true,
      direction: 'receive',
      example: { value: 3.3, unit: 'V', time: at },
    },
    signalSet: {
      address: topic.signalSet('{node}', '{instrument}', '{signal}'),
      what: 'Sets a signal of a bench that the lease holds, for tokens that may drive benches of who took the lease; what came of it is in the record of that use',
      payload: json(signalSetSchema),
      retained: false,
      direction: 'send',
      example: { value: 3.3, lease: '01kc9x4v3q8n5t7w2y6z0a1b2d' },
    },
  }
  const entries = Object.entries(channels)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Fernlab over MQTT',
      version,
      license: { name: 'MIT' },
      description:
        'A token with the scope `mqtt:read` may subscribe to all of it, one with `mqtt:status` to states alone, both for staff and lab builders; setting a signal needs `run` as well, and a lease. A filter that the token does not open is refused in SUBACK, a wildcard gets what it opens, and a message that it may not publish is dropped. When the token ends, so do its connections. Retained topics say what holds now; no message is kept for a client that is away.',
    },
    defaultContentType: 'application/json',
    servers: Object.fromEntries(
      mqttUrls.map((url, n) => [
        n === 0 ? 'broker' : `broker${n + 1}`,
        {
          host: new URL(url).host,
          protocol: new URL(url).protocol.replace(':', ''),
          description: `${url}, MQTT 3.1.1 or 5. User name \`token\`, password an API token.`,
          security: [{ $ref: '#/components/securitySchemes/token' }],
        },
      ]),
    ),
    channels: Object.fromEntries(
      entries.map(([name, { address, what, retained }]) => [
        name,
        {
          address,
          description: `${what}. ${retained ? 'Retained' : 'Not retained'}.`,
          parameters: Object.fromEntries(
            [...address.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => [
              parameter,
              { description: placeholders[parameter] ?? parameter },
            ]),
          ),
          messages: { [name]: { $ref: `#/components/messages/${name}` } },
        },
      ]),
    ),
    operations: Object.fromEntries(
      entries.map(([name, { direction }]) => [
        `${direction}_${name}`,
        { action: direction, channel: { $ref: `#/channels/${name}` }, summary: channels[name]?.what },
      ]),
    ),
    components: {
      securitySchemes: { token: { type: 'userPassword', description: 'User name `token`, password an API token' } },
      messages: Object.fromEntries(
        entries.map(([name, { what, payload, example }]) => [
          name,
          { title: what, contentType: 'application/json', payload, examples: [{ payload: example }] },
        ]),
      ),
    },
  }
}

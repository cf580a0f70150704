/** The service `node.daemons` of each node, by which the owner of its machine starts, stops and looks at daemons. */
import * as z from 'zod'
import { LabError } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { defineService } from '../rpc/contract/service-contract.ts'

export const DAEMON_CONTROL = 'node.daemons'

const names = { type: 'list', items: { type: 'string' }, maxItems: 1000 } as const
const many = { type: 'list', items: { type: 'any' } } as const

export const daemonControl = defineService({
  kind: 'fernlab-daemons',
  version: '1.1',
  title: 'The daemons of a node',
  signals: {},
  events: {},
  actions: {
    list: { description: 'Each daemon with its state and services.', arguments: {}, result: many, idempotent: true },
    info: {
      description: 'All of one daemon, or of the one that a service is in.',
      arguments: { name: { type: 'string' } },
      result: { type: 'any' },
      idempotent: true,
    },
    up: {
      description: 'Starts them, all where none is named; answers when they are up or are not.',
      arguments: { daemons: names },
      result: many,
    },
    down: { description: 'Stops them, all where none is named.', arguments: { daemons: names }, result: many },
    reload: { description: 'Reads node.yaml again, and restarts what has changed.', arguments: {}, result: many },
    logs: {
      description: 'The newest lines that they have written, all where none is named.',
      arguments: { daemons: names, most: { type: 'integer', minimum: 1, maximum: 10_000 } },
      result: many,
      idempotent: true,
    },
    follow: { description: 'Lines as they are written.', arguments: { daemons: names }, items: { type: 'any' } },
  },
})

/**
 * `unhealthy`: its process is there and answers nothing. `backing-off`: its process ended unasked, and is started again
 * soon. `failed`: it ended too often, and stays down until somebody starts it.
 */
export const daemonStateSchema = z.enum(['stopped', 'starting', 'up', 'unhealthy', 'backing-off', 'failed', 'stopping'])
export type DaemonState = z.infer<typeof daemonStateSchema>

export const daemonReportSchema = z.object({
  daemon: z.string(),
  state: daemonStateSchema,
  /** Why it is not up. */
  reason: z.string().exactOptional(),
  pid: z.number().exactOptional(),
  /** RFC 3339, UTC. */
  upSince: z.string().exactOptional(),
  /** How often its process ended unasked in the last minute. */
  ends: z.number(),
  services: z.array(z.object({ name: z.string(), error: z.string().exactOptional() })),
})
export type DaemonReport = z.infer<typeof daemonReportSchema>

/** What to throw of a daemon that is not there: which there are, or that the name is a service's. */
export function daemonUnknown(
  name: string,
  daemons: readonly { readonly daemon: string; readonly services: readonly string[] }[],
): LabError {
  const holder = daemons.find(({ services }) => services.includes(name))?.daemon
  const names = daemons.map(({ daemon }) => daemon)
  const known = names.length === 0 ? '; node.yaml names none' : `; this node has ${names.join(', ')}`
  const hint = holder === undefined ? didYouMean(name, names) || known : `: that is a service of the daemon ${holder}`
  return new LabError({ code: 'daemon-unknown', kind: 'caller', message: `there is no daemon ${name}${hint}` })
}

/** The rest of it, for whoever looks at one. */
export const daemonInfoSchema = daemonReportSchema.extend({
  /** What its process has of the memory now, in bytes. */
  memoryBytes: z.number().exactOptional(),
  memoryMB: z.number(),
  /** How often it was started again by itself, since the node has read its entry. */
  restarts: z.number(),
  lastEnd: z.object({ time: z.string(), reason: z.string() }).exactOptional(),
  services: z.array(
    z.object({
      name: z.string(),
      error: z.string().exactOptional(),
      /** Its file, or the folder that it shares. */
      source: z.string(),
      instances: z.string(),
      kind: z.string().exactOptional(),
      version: z.string().exactOptional(),
      actions: z.array(z.string()),
      signals: z.array(z.string()),
      events: z.array(z.string()),
    }),
  ),
})
export type DaemonInfo = z.infer<typeof daemonInfoSchema>

/**
 * What became of a daemon that was to be started or stopped. `changed`: it has its new entry without a start, as it is
 * stopped or its process is given the same. `not reloaded`: it is as before, and `reason` says why. `services`: those that
 * can't be used though it is up, with why.
 */
export const daemonChangeSchema = z.object({
  daemon: z.string(),
  change: z.enum([
    'started',
    'stopped',
    'restarted',
    'added',
    'removed',
    'up already',
    'stopped already',
    'unchanged',
    'changed',
    'not reloaded',
  ]),
  state: daemonStateSchema.exactOptional(),
  reason: z.string().exactOptional(),
  services: z.array(z.object({ name: z.string(), error: z.string() })).exactOptional(),
})
export type DaemonChange = z.infer<typeof daemonChangeSchema>

export const daemonLineSchema = z.object({
  /** Grows by one with each line of the node's daemons. */
  number: z.number(),
  daemon: z.string(),
  /** RFC 3339, UTC. */
  time: z.string(),
  /** `node`: what the node says of it. */
  from: z.enum(['output', 'errors', 'node']),
  text: z.string(),
})
export type DaemonLine = z.infer<typeof daemonLineSchema>

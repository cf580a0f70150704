/**
 * What hub, nodes and clients say to each other about services: their names, what a directory tells of one, and the
 * tokens that open a node to a client.
 */
import * as z from 'zod'
import { NAME_PATTERN } from '../primitives/ids.ts'
import { serviceContractSchema } from '../rpc/contract/service-contract.ts'

/** A part of a bench is `<bench>.<part>`; a service of its own has one name, or several with dots between. */
const SERVICE_NAME = /^[a-z0-9][a-z0-9_-]{0,62}(\.[A-Za-z][A-Za-z0-9_-]{0,62}){0,3}$/

export const serviceNameSchema = z
  .string()
  .regex(SERVICE_NAME, 'must be names of letters, digits, - and _, with dots between: bench3.scope')

const name = z.string().regex(NAME_PATTERN)

/** `up`; `busy`: a run or a session has its bench; `unhealthy`: it is there and does not answer; `gone`: it is not there. */
export const serviceStateSchema = z.enum(['up', 'busy', 'locked', 'unhealthy', 'gone'])
export type ServiceState = z.infer<typeof serviceStateSchema>

/** Who has locked a service. Nodes know people by their ids; a hub tells names to those who may know them. */
export const serviceLockSchema = z.object({
  owner: z.string().max(200),
  reason: z.string().max(200).exactOptional(),
  /** RFC 3339, UTC. */
  since: z.iso.datetime(),
})
export type ServiceLock = z.infer<typeof serviceLockSchema>

/** One service as its node tells of it. */
export const announcedServiceSchema = z.object({
  name: serviceNameSchema,
  /** Of a part of a bench: its name on the node. */
  bench: name.exactOptional(),
  /** The process that it is in; none for parts of benches. */
  daemon: name.exactOptional(),
  state: serviceStateSchema,
  /** Why it is not up. */
  reason: z.string().max(500).exactOptional(),
  /** Of one that is gone: when it was last there, by its node's clock. RFC 3339, UTC. */
  lastSeen: z.iso.datetime().exactOptional(),
  description: z.string().max(2000).exactOptional(),
  tags: z.array(z.string().min(1).max(64)).max(32),
  /** What its lab builder says of it: maker, serial number, place. */
  metadata: z.record(z.string().max(64), z.string().max(500)).exactOptional(),
  contract: serviceContractSchema,
  lock: serviceLockSchema.exactOptional(),
})
export type AnnouncedService = z.infer<typeof announcedServiceSchema>

/** Somebody has ended the lock of another at a node. */
export const endedLockSchema = z.object({
  /** Its own, so that it is kept once. */
  id: z.string().min(1).max(64),
  /** `service <name>`, or `bench <name>`. */
  target: z.string().max(200),
  owner: z.string().max(64),
  by: z.string().max(64),
  reason: z.string().max(200).exactOptional(),
  at: z.iso.datetime(),
})
export type EndedLock = z.infer<typeof endedLockSchema>

/** Who has ended the hold of another at a hub, and why, as its holder is told: a name, since holders may see people. */
export const endedHoldSchema = z.object({
  by: z.string().max(200).exactOptional(),
  reason: z.string().max(500).exactOptional(),
})
export type EndedHold = z.infer<typeof endedHoldSchema>

/** node → hub, at connect and whenever it changes: all services of the node, and where it is reached straight. */
export const nodeServicesSchema = z.object({
  /** `ws://` or `wss://`, the likeliest first. */
  addresses: z.array(z.url({ protocol: /^wss?$/ })).max(16),
  services: z.array(announcedServiceSchema).max(2000),
  /** The newest since the node started. */
  endedLocks: z.array(endedLockSchema).max(100).optional(),
})
export type NodeServices = z.infer<typeof nodeServicesSchema>

/** `read`: signals, events, contracts. `use`: set, call. `lock`: lock what no hub schedules. `unlock`: end others' locks. */
export const serviceRightSchema = z.enum(['read', 'use', 'lock', 'unlock'])
export type ServiceRight = z.infer<typeof serviceRightSchema>

/**
 * What a token says: a JWT signed with EdDSA by the hub whose key the node was told, or by the node itself. The node asks
 * nobody.
 */
export const serviceTokenSchema = z.object({
  /** The site of the hub that signed, or `<site>/<node>` where the node did. */
  iss: z.string(),
  /** The only node that takes it, as `<site>/<node>`. */
  aud: z.string(),
  /** The person's id. */
  sub: z.string(),
  /** The token's own id, by which it is revoked. */
  jti: z.string(),
  /** How many the node had signed with it, where it was the node: by that, those that were signed so far are ended. */
  number: z.int().min(1).exactOptional(),
  /** Epoch seconds. */
  iat: z.number(),
  exp: z.number(),
  /** Names, or `<bench>.*`, or `*`. */
  services: z.array(z.string()).min(1).max(100),
  rights: z.array(serviceRightSchema).min(1),
  /** The hold that it belongs to, and ends with: the lease of a bench of that node. */
  hold: z.object({ bench: name, lease: z.string().max(100) }).exactOptional(),
})
export type ServiceToken = z.infer<typeof serviceTokenSchema>

/** A public key of a hub: `x` of an Ed25519 key (RFC 8037), and its name in tokens' headers. */
export const serviceKeySchema = z.object({ kid: z.string().max(64), x: z.string().regex(/^[A-Za-z0-9_-]{43}$/) })
export type ServiceKey = z.infer<typeof serviceKeySchema>

/** hub → node: what ends before its time. Links that belong to one of it are closed, and its tokens are worth nothing. */
export const revokedSchema = z.object({
  people: z.array(z.string()).max(1000).exactOptional(),
  /** Leases. */
  holds: z.array(z.string()).max(1000).exactOptional(),
  /** By `jti`. */
  tokens: z.array(z.string()).max(1000).exactOptional(),
})
export type Revoked = z.infer<typeof revokedSchema>

/** Where a node takes links of clients. */
export const SERVICES_PATH = '/rpc'

/** The hub's directory of services over HTTP: what it tells of each, how it is searched, and tokens for nodes. */
import * as z from 'zod'
import { serviceContractSchema } from '../rpc/contract/service-contract.ts'
import { serviceNameSchema, serviceRightSchema, serviceStateSchema } from './services.ts'

const time = z.iso.datetime()

/** Who has locked a service; a name only for those who may know people, and for oneself. */
export const lockedBySchema = z.object({
  person: z.object({ id: z.string(), name: z.string() }).optional(),
  /** The caller's own. */
  mine: z.literal(true).optional(),
  reason: z.string().optional(),
  since: time,
})

/** A service as `GET /api/v1/directory` lists it. */
export const directoryEntrySchema = z.object({
  /** `<node>/<service>`: no other has it. */
  id: z.string(),
  name: z.string(),
  node: z.string(),
  site: z.string(),
  /** `fernlab://<site>/<node>/<service>`. */
  address: z.string(),
  /** `<node>.<bench>`, of a part of a bench. */
  bench: z.string().optional(),
  daemon: z.string().optional(),
  state: serviceStateSchema,
  /** Why it is not up. */
  reason: z.string().optional(),
  /** Where its node is reached straight, the likeliest first; of one that is gone the last that were known. */
  addresses: z.array(z.string()),
  description: z.string().optional(),
  tags: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  kind: z.string(),
  version: z.string(),
  lockedBy: lockedBySchema.optional(),
  /** When its node was last heard of. */
  lastSeen: time,
})
export type DirectoryEntry = z.infer<typeof directoryEntrySchema>

/** One of them, with what it can do. */
export const directoryServiceSchema = directoryEntrySchema.extend({ contract: serviceContractSchema })
export type DirectoryService = z.infer<typeof directoryServiceSchema>

const tag = z.string().min(1).max(64)
const tags = z.union([tag, z.array(tag).max(16)]).optional()
/** Of a pattern: no name is longer. */
const text = z.string().min(1).max(256)

/** `?name=&prefix=&pattern=&tag=&anyTag=&state=`: all that are given have to hold. */
export const directorySearchSchema = z.object({
  name: text.optional(),
  prefix: text.optional(),
  /** With `*` for any text and `?` for one letter. */
  pattern: text.optional(),
  /** Each of these. */
  tag: tags,
  /** One of these. */
  anyTag: tags,
  state: serviceStateSchema.optional(),
})
export type DirectorySearch = z.infer<typeof directorySearchSchema>

const ofNode = /^(?:[a-z0-9][a-z0-9_-]{0,62}\/)?[^/]+$/

/** A service as a person names it: its name, or `<node>/<name>` where several nodes have one of that name. */
export const namedServiceSchema = z
  .string()
  .max(330)
  .regex(ofNode, 'must be <service>, or <node>/<service>')
  .refine((named) => serviceNameSchema.safeParse(named.slice(named.indexOf('/') + 1)).success, {
    error: 'must be <service>, or <node>/<service>, such as bench3.scope',
  })

/** All parts of a bench: `<bench>.*`, or `<node>/<bench>.*`. */
const partsOfBenchSchema = z
  .string()
  .max(330)
  .regex(/^(?:[a-z0-9][a-z0-9_-]{0,62}\/)?[a-z0-9][a-z0-9_-]{0,62}\.\*$/)

export const askServiceTokenSchema = z.strictObject({
  /** Services of one node, by name, or all parts of a bench as `<bench>.*`. */
  services: z
    .array(
      z.union([namedServiceSchema, partsOfBenchSchema], { error: 'must be <service>, <node>/<service> or <bench>.*' }),
    )
    .min(1)
    .max(100),
  /** An own lease of a bench of that node, whose parts are to be used; or `session/<id>`, an own live session that has one. */
  lease: z.string().max(200).optional(),
})

export const givenServiceTokenSchema = z.object({
  /** For `rpc.sign-in`. */
  token: z.string(),
  expiresAt: time,
  /** With a lease: until when the bench is held unless it is renewed; the token ends with it. */
  heldUntil: time.optional(),
  /** How long it lasts from now, ms: for who counts on a clock of their own. */
  lastsMs: z.number(),
  node: z.string(),
  /** Where the node is not connected with the hub: when it was last heard of. RFC 3339, UTC. */
  goneSince: time.optional(),
  addresses: z.array(z.string()),
  rights: z.array(serviceRightSchema),
})
export type GivenServiceToken = z.infer<typeof givenServiceTokenSchema>

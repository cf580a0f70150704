/**
 * Messages between a hub and one node, CBOR on `nodes/<node>/sync/<channel>`. All carry arrays, so that load batches
 * itself; all are idempotent, so that any may be lost, doubled or repeated.
 *
 *   connect:  node → inventory            hub → welcome (what is acknowledged, what is wanted), then assign / cancel
 *   run:      hub → assign                node → the start document, or accepted when the run has to wait there (after
 *                                         its commit; refused with the reason)
 *             node → documents            hub → acknowledge (after its commit; cumulative per attempt)
 *   lost?     node → inventory again when an acknowledgement is overdue; hub → assign again when neither
 *             `accepted` nor a start document came
 */
import * as z from 'zod'
import { identifierSchema, instrumentSpecSchema, limitsSchema, signalKeySchema } from '../capabilities/signals.ts'
import { announcedCheckSchema, checkReportSchema } from './bench-checks.ts'
import { calibrationHistoriesSchema, calibrationRecordSchema, calibrationSchema } from './calibrations.ts'
import { labErrorSchema, parametersSchema } from './common.ts'
import { nodeDocumentSchema } from './documents.ts'
import { nodeHardwareSchema } from './hardware.ts'
import { addInstrumentSchema, shownInstrumentSchema } from './hardware-drafts.ts'
import { interlockStatusSchema } from './interlocks.ts'
import { benchStateSchema } from './run-state.ts'
import { endedHoldSchema, revokedSchema, serviceKeySchema } from './services.ts'
import { sessionStageSchema } from './session-columns.ts'

export const SYNC_VERSION = 2

const attemptKey = { runId: z.string(), attempt: z.number().int() }

/** Who comes to a lab's own server, as that server is told. */
export const visitorSchema = z.object({
  /** A pseudonym, the same for a person and a lab each time. */
  username: z.string(),
  /** The pseudonym with the site. */
  unique: z.string(),
  /** The pseudonym again, unless an admin lets names out. */
  fullName: z.string(),
  locale: z.string(),
  /** Where the server sends people when they are done. */
  back: z.string(),
})
export type Visitor = z.infer<typeof visitorSchema>

/** One run to execute. `fence` grows with every hold of the bench; a node refuses one below what it has seen. */
export const assignmentSchema = z.object({
  ...attemptKey,
  fence: z.number().int(),
  /** The bench's name on the node (without the node). */
  bench: z.string(),
  lab: z.string(),
  protocol: z.string(),
  protocolDigest: z.string(),
  /** The parsed protocol (shared/protocol Protocol as JSON); the node checks it again. */
  definition: z.unknown(),
  parameters: parametersSchema,
  /** The lab's limits by `part.signal`, in the signal's unit; the node enforces the narrowest of all. */
  limits: z.record(z.string(), z.object({ low: z.number().optional(), high: z.number().optional() })),
  /** The node ends the run after this long. */
  maxSeconds: z.number(),
  /** Of a session on a lab's own server. */
  visitor: visitorSchema.optional(),
})
export type Assignment = z.infer<typeof assignmentSchema>

export const benchSpecSchema = z.object({
  name: z.string(),
  title: z.string().optional(),
  /** Part → instrument name. */
  parts: z.record(z.string(), z.string()),
  /** The bench's own limits by `part.signal`, in the signal's unit; the node enforces them. */
  limits: z.record(z.string(), limitsSchema).optional(),
  labs: z.array(z.string()).optional(),
  state: benchStateSchema,
  reason: z.string().optional(),
  /** How it is found out that the bench is sound. */
  checks: z.array(announcedCheckSchema).optional(),
  /** How its interlocks stand. */
  interlocks: z.array(interlockStatusSchema).readonly().optional(),
  /** The newest fence seen: a hub whose database went back in time goes on above it. */
  fence: z.number().int().optional(),
})
export type BenchSpec = z.infer<typeof benchSpecSchema>

/** node → hub: who I am, what I have, what I still hold. Sent at connect and when an acknowledgement is overdue. */
export const inventorySchema = z.object({
  version: z.number(),
  nodeVersion: z.string(),
  /** New at each start of the node's process. */
  bootId: z.string(),
  /** Grows with each inventory sent; `welcome` names the one it answers. */
  serial: z.number(),
  /** Node's clock, epoch ms. */
  timeMs: z.number(),
  benches: z.array(benchSpecSchema),
  instruments: z.array(instrumentSpecSchema),
  /** Attempts that are accepted and not wholly acknowledged; `nextSeq`: documents below it exist on the node or were acknowledged. */
  attempts: z.array(
    z.object({
      ...attemptKey,
      fence: z.number(),
      state: z.enum(['waiting', 'running', 'stopped']),
      nextSeq: z.number(),
      firstHeld: z.number(),
    }),
  ),
})
export type Inventory = z.infer<typeof inventorySchema>

/** hub → node: the answer to an inventory. */
export const welcomeSchema = z.object({
  serial: z.number(),
  hubTimeMs: z.number(),
  /** For each attempt of the inventory: documents below `seq` are committed on the hub; `wanted: false`: stop and forget it. */
  attempts: z.array(z.object({ ...attemptKey, seq: z.number(), wanted: z.boolean() })),
  /** By which the node knows the hub's tokens for services, instead of those that it was told before. */
  serviceKeys: z.array(serviceKeySchema).max(8).optional(),
  /** Of the hub's page, as https://lab.example.edu, from which browsers come straight to the node. */
  pageOrigin: z.url().max(300).optional(),
})
export type Welcome = z.infer<typeof welcomeSchema>

export const assignSchema = z.object({ assignments: z.array(assignmentSchema) })

/** node → hub, after its own commit. Retry `later` in a refusal puts the run back in the queue; `never` ends it as failed. */
export const acceptedSchema = z.object({
  accepted: z.array(z.object({ ...attemptKey })),
  refused: z.array(z.object({ ...attemptKey, error: labErrorSchema })),
})
export type Accepted = z.infer<typeof acceptedSchema>

export const documentsSchema = z.object({ documents: z.array(nodeDocumentSchema) })

/** hub → node, after its commit: every document with a lower seq of that attempt is safe on the hub. */
export const acknowledgeSchema = z.object({ upTo: z.array(z.object({ ...attemptKey, seq: z.number() })) })
export type Acknowledge = z.infer<typeof acknowledgeSchema>

export const cancelSchema = z.object({ cancels: z.array(z.object({ ...attemptKey, reason: z.string() })) })

/** What a signal holds. */
export const scalarSchema = z.union([z.number(), z.string(), z.boolean()])

export const samplesSchema = z.record(
  z.string(),
  z.object({ unit: z.string(), time: z.array(z.number()), values: z.array(scalarSchema) }),
)
/** Values of signals, by `part.signal`, each with its time in epoch seconds. */
export type SessionSamples = z.infer<typeof samplesSchema>

/** node → hub, may be lost: how far running attempts are. */
export const liveSchema = z.object({
  runs: z.array(
    z.object({
      ...attemptKey,
      /** 0 to 1. */
      progress: z.number(),
      secondsLeft: z.number().optional(),
      /** The step being done: its label, else its path. */
      step: z.string(),
      /** Latest value per `part.signal`. */
      readings: z.record(z.string(), z.object({ value: z.number(), unit: z.string(), time: z.number() })).optional(),
      /** Of a session: where it is, and what was read and set since the message before, the newest of it when it was much. */
      session: z
        .object({
          stage: sessionStageSchema,
          /** How long its live step lasts in all, while it does: what `secondsLeft` is the rest of. */
          seconds: z.number().optional(),
          samples: samplesSchema,
        })
        .optional(),
    }),
  ),
})
export type Live = z.infer<typeof liveSchema>

/** hub → node call, JSON-RPC 2.0 in shape. Methods: see `nodeMethods`. */
export const requestSchema = z.object({
  id: z.string(),
  method: z.string(),
  params: z.unknown(),
  /** The node stops working on it after this long. */
  deadlineMs: z.number(),
})
export const replySchema = z.object({
  id: z.string(),
  result: z.unknown().optional(),
  error: labErrorSchema.optional(),
})

/** How browsers get to the pages of a lab's own server: through the hub, or by themselves. */
export const labPageWaySchema = z.enum(['hub', 'direct'])
export type LabPageWay = z.infer<typeof labPageWaySchema>

/** What was asked of a lab's own server through the hub, as it stands among its session's commands. */
export const visitRowSchema = z.object({
  by: z.string().max(64),
  what: z.string().max(40),
  target: z.string().max(400),
  value: z.string().max(400),
  outcome: z.string().max(100),
})
export type VisitRow = z.infer<typeof visitRowSchema>

/** Where the hub takes the pictures of a node's camera: a WebSocket, with the token as its bearer. */
export const CAMERA_LINE_PATH = '/camera-line'

/** Where the hub takes the node's end of a tunnel to a lab's own server: a WebSocket, with the token as its bearer. */
export const LAB_TUNNEL_PATH = '/lab-tunnel'

const lease = z.string()
const benchName = z.string()
export const readingSchema = z.object({
  value: scalarSchema,
  unit: z.string(),
  time: z.number(),
})

/** What a person does in a session; keys are `part.signal`, values in the signal's unit. */
export const sessionCommandSchema = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('set'), values: z.record(signalKeySchema, scalarSchema) }),
  z.strictObject({
    what: z.literal('call'),
    action: signalKeySchema,
    arguments: z.record(identifierSchema, scalarSchema).optional(),
  }),
  z.strictObject({ what: z.literal('read'), signals: z.array(signalKeySchema).min(1).max(64) }),
])
export type SessionCommand = z.infer<typeof sessionCommandSchema>

/** Parameters and results of the calls that a hub makes on a node. */
export const nodeMethods = {
  /** Takes the bench's lease for direct use, for `ttlMs` or as long as the node grants; refused while a run or another lease holds it. Expires without renewal; its end drives the bench to its safe state. The lease is of the id that is asked for: asked again by whose it is, it is answered again, and lasts from then. A node of an earlier version gives another id. */
  'lease.take': {
    params: z.object({
      bench: benchName,
      holder: z.string(),
      fence: z.number(),
      ttlMs: z.number(),
      lease: z.string().max(200).optional(),
    }),
    result: z.object({ lease, ttlMs: z.number() }),
  },
  'lease.renew': {
    params: z.object({ bench: benchName, lease, ttlMs: z.number() }),
    result: z.object({ ttlMs: z.number() }),
  },
  /** `ended`: somebody else than its holder ends it, whom the node tells so. */
  'lease.release': {
    params: z.object({ bench: benchName, lease, ended: endedHoldSchema.optional() }),
    result: z.object({ safe: z.boolean() }),
  },
  /** Sets, then reads, in one exchange; keys are `part.signal`, values in the signal's unit. Limits are enforced. */
  'bench.exchange': {
    params: z.object({
      bench: benchName,
      lease: lease.optional(),
      set: z.record(z.string(), scalarSchema).optional(),
      read: z.array(z.string()).optional(),
      /** What is read comes with what the instrument said before its calibration. */
      raw: z.literal(true).optional(),
    }),
    result: z.object({ readings: z.record(z.string(), readingSchema.extend({ raw: scalarSchema.optional() })) }),
  },
  /** A command of the person `by` to the bench of an active session. */
  'session.command': {
    params: z.object({ ...attemptKey, by: z.string(), command: sessionCommandSchema }),
    result: z.object({ readings: z.record(z.string(), readingSchema) }),
  },
  /** Makes an active session `seconds` long in all; one that is as long already stays as it is. */
  'session.extend': {
    params: z.object({ ...attemptKey, by: z.string(), seconds: z.number() }),
    result: z.object({ secondsLeft: z.number() }),
  },
  /** Ends an active session; one that has ended stays as it is. */
  'session.finish': { params: z.object({ ...attemptKey, by: z.string() }), result: z.object({}) },
  /** Does the checks of a bench now, but for those that would disturb whoever uses it. */
  'bench.check': {
    params: z.object({ bench: benchName }),
    result: z.object({ checks: z.array(checkReportSchema) }),
  },
  /** Resets those interlocks of a bench that are latched, or the one named; refused while what tripped one still holds. */
  'bench.reset-interlock': {
    params: z.object({ bench: benchName, interlock: z.string().optional() }),
    result: z.object({ interlocks: z.array(interlockStatusSchema) }),
  },
  /** The calibrations of the node's signals. */
  'node.calibrations': { params: z.object({}), result: z.object({ calibrations: calibrationHistoriesSchema }) },
  /**
   * Adds a calibration of `instrument.signal` to its history, or undoes the newest, in the name of the person `by`; refused
   * while somebody has the bench. The answer is the signal's whole history.
   */
  'node.calibrate': {
    params: z.object({ signal: z.string(), by: z.string(), change: z.union([calibrationSchema, z.literal('undo')]) }),
    result: z.object({ history: z.array(calibrationRecordSchema) }),
  },
  /**
   * What the node finds on its own machine. With `scan`, I2C buses are asked who is there, except those whose instruments are
   * in use or watched by an interlock. One look at a time: `look-under-way`.
   */
  'node.look': { params: z.object({ scan: z.boolean() }), result: nodeHardwareSchema },
  /** Makes an instrument of a find, in the name of the person `by`, at once and for good. */
  'node.add-instrument': {
    params: addInstrumentSchema.extend({ by: z.string() }),
    result: z.object({ instrument: shownInstrumentSchema }),
  },
  /** Removes one that was added, and that no bench has. */
  'node.remove-instrument': { params: z.object({ name: z.string() }), result: z.object({}) },
  /** The page of the lab's own server on which an active session takes place. */
  'session.visit': {
    params: z.object(attemptKey),
    result: z.object({ url: z.string(), through: labPageWaySchema }),
  },
  /**
   * Connects the lab's own server with the hub: the node opens a WebSocket to `LAB_TUNNEL_PATH` with `token`, and both
   * carry bytes from then on. `hub` is how browsers reach the hub, for a node that knows no other way. Nothing but the
   * server's configured address is reached.
   */
  'session.dial': {
    params: z.object({ ...attemptKey, hub: z.url({ protocol: /^https?$/ }), token: z.string() }),
    result: z.object({}),
  },
  /**
   * Shows what a camera of an active session's bench sees: the node opens a WebSocket to `CAMERA_LINE_PATH` with `token`
   * and sends pictures (shared/contracts/picture-messages) until the session is over or the hub closes it. Each is answered
   * by an empty message once it has come; the node sends no more than `MOST_UNANSWERED` before that.
   */
  'session.look': {
    params: z.object({ ...attemptKey, part: z.string(), hub: z.url({ protocol: /^https?$/ }), token: z.string() }),
    result: z.object({}),
  },
  /** How many requests browsers have made of the lab's own server through the hub, so far. */
  'session.used': { params: z.object({ ...attemptKey, requests: z.number() }), result: z.object({}) },
  /** What was asked of the lab's own server: rows for the session's commands. */
  'session.noted': {
    params: z.object({ ...attemptKey, rows: z.array(visitRowSchema).max(100) }),
    result: z.object({}),
  },
  /** The hub is there: without this the node ends its sessions. One that is `awaited` does not end for being idle. */
  'session.renew': {
    params: z.object({ sessions: z.array(z.object({ ...attemptKey, awaited: z.literal(true).optional() })) }),
    result: z.object({}),
  },
  /** Ends tokens of services before their time, and closes the links that were opened with one of them. */
  'services.revoke': { params: revokedSchema, result: z.object({ closed: z.number().int() }) },
} as const
export type NodeMethod = keyof typeof nodeMethods

/** Health checks of benches: as node.yaml has them, as a node tells of them, and as the API shows them. */
import * as z from 'zod'
import { identifierSchema } from '../capabilities/signals.ts'
import { parameterValueSchema } from './common.ts'

const count = z.int().nonnegative()

/** One check of a bench in node.yaml; what its kind wants of `config` is the kind's to say. */
export const checkEntrySchema = z.strictObject({
  kind: z
    .string()
    .min(1)
    .max(100)
    .describe(
      'What is checked: reachable (a host answers), identify (an instrument says who it is), protocol (a run succeeds).',
    ),
  config: z.record(z.string(), z.unknown()).default({}).describe("The kind's settings for this check."),
  title: z.string().max(100).describe('What people call it.').exactOptional(),
  everyS: z
    .number()
    .min(1)
    .max(7 * 86_400)
    .describe('How often, in seconds. Default: 60; for protocol a day.')
    .exactOptional(),
  timeoutS: z
    .number()
    .min(0.1)
    .max(86_400)
    .describe(
      'How long one try may take, in seconds; more than 60 for protocol only. Default: 5; for protocol twice its estimate and a minute.',
    )
    .exactOptional(),
  retries: z.int().min(0).max(10).default(2).describe('How often it is tried again before it counts as failed.'),
  failuresBeforeOut: z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe('So many failures in a row take the bench out of use.'),
  passesBeforeBack: z.int().min(1).max(100).default(2).describe('So many passes in a row give the bench back to runs.'),
})
export type CheckEntry = z.output<typeof checkEntrySchema>

/** Where an output of a check's run must lie. */
const expectationSchema = z.strictObject({
  low: z.number().describe('The least that will do.').exactOptional(),
  high: z.number().describe('The most that will do.').exactOptional(),
  unit: z.string().max(50).describe('The unit of low and high. Default: that of the output.').exactOptional(),
})
export type Expectation = z.output<typeof expectationSchema>

const quantitySchema = z.strictObject({
  value: z.number().describe('The number.'),
  unit: z.string().max(50).describe('Its unit.'),
})

/** The config of a `protocol` check; what it names is the hub's to know. */
export const protocolCheckSchema = z.strictObject({
  lab: z.string().min(1).max(63).describe('The lab, by its name in the catalogue; the bench must serve it.'),
  protocol: z.string().min(1).max(63).describe('The protocol of the lab that is run.'),
  parameters: z
    .record(identifierSchema, z.union([parameterValueSchema, quantitySchema]))
    .default({})
    .describe('Values of its parameters; those that are missing take their defaults.'),
  expect: z
    .record(identifierSchema, expectationSchema)
    .default({})
    .describe(
      'Where outputs of the run must lie: low, high or both for each. Without, it is enough that the run succeeds.',
    ),
})
export type ProtocolCheck = z.output<typeof protocolCheckSchema>

/** How a check went the last time, and how often in a row it went so. */
export const checkReportSchema = z.object({
  name: z.string(),
  passed: z.boolean(),
  /** In a row; one of the two is 0. */
  failures: count,
  passes: count,
  /** What is wrong, where it failed. */
  reason: z.string().optional(),
  at: z.iso.datetime(),
})
export type CheckReport = z.infer<typeof checkReportSchema>

/** A check as a node announces it. */
export const announcedCheckSchema = z.object({
  name: z.string(),
  kind: z.string(),
  title: z.string().optional(),
  everyS: z.number(),
  failuresBeforeOut: z.number(),
  passesBeforeBack: z.number(),
  /** Of a check that the hub does, by a run on the bench. */
  run: z
    .object({ config: z.record(z.string(), z.unknown()), retries: z.number(), timeoutS: z.number().optional() })
    .optional(),
  /** The newest, where there is one. */
  report: checkReportSchema.optional(),
})
export type AnnouncedCheck = z.infer<typeof announcedCheckSchema>

/** A check as the API shows it. */
export const shownCheckSchema = z.object({
  name: z.string(),
  /** What people call it; its name where it has no title. */
  title: z.string(),
  kind: z.string().optional(),
  everyS: z.number().optional(),
  /** The newest outcome; without, it was not done yet. */
  passed: z.boolean().optional(),
  reason: z.string().optional(),
  checkedAt: z.iso.datetime().optional(),
  /** It keeps the bench from runs. */
  failing: z.boolean(),
  /** The run of the newest outcome, for a check that is a run. */
  run: z.string().optional(),
  /** The run that is on the bench for it now; `fraction` is how far it is. */
  underWay: z.object({ run: z.string(), fraction: z.number().optional() }).optional(),
  /** Somebody asked for it: it begins as soon as nobody uses the bench or waits for it. */
  asked: z.literal(true).optional(),
  /** Why it is never done: what is wrong in node.yaml. */
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})
export type ShownCheck = z.infer<typeof shownCheckSchema>

/** What a bench is as a whole: of use, planned not to be, away, or broken. */
export const benchConditions = ['up', 'maintenance', 'offline', 'fault'] as const
/** What made it so: the bench itself, the staff, its node, an instrument, an interlock, a safe state or a clean-up that failed, a check. */
export const benchCauses = [
  'bench',
  'staff',
  'node',
  'instrument',
  'interlock',
  'safe-state',
  'clean-up',
  'check',
] as const

export const benchChangeSchema = z.object({
  at: z.iso.datetime(),
  /** Without, it is so still. */
  until: z.iso.datetime().optional(),
  state: z.enum(benchConditions),
  cause: z.enum(benchCauses),
  reason: z.string().optional(),
  /** The run of a check that made it so. */
  run: z.string().optional(),
  /** Who of the staff made it so; only staff and lab builders see it. */
  by: z.string().optional(),
})
export type BenchChange = z.infer<typeof benchChangeSchema>

export const shownUptimeSchema = z.object({
  /** Of the last so many days. */
  days: z.number(),
  /** 0 to 1: of the time in which it was meant to be up; null when there was none. */
  share: z.number().nullable(),
  upS: z.number(),
  downS: z.number(),
  /** Maintenance and closing times. */
  plannedS: z.number(),
  /** Before the first that is known of the bench. */
  unknownS: z.number(),
})
export type ShownUptime = z.infer<typeof shownUptimeSchema>

/** `GET /api/v1/benches/{bench}/history`. */
export const benchHistorySchema = z.object({
  uptime: z.array(shownUptimeSchema),
  /** The newest first; the oldest may have begun before the time asked for. */
  changes: z.array(benchChangeSchema),
})
export type BenchHistory = z.infer<typeof benchHistorySchema>

/** `GET` and `PUT /api/v1/me/bench-letters`. */
export const changeBenchLettersSchema = z.strictObject({ wanted: z.boolean() })
export const benchLettersSchema = z.object({
  /** One gets a letter when a bench goes out of use and when it is of use again. */
  wanted: z.boolean(),
  /** False where the site has no mail server. */
  possible: z.boolean(),
})
export type BenchLetters = z.infer<typeof benchLettersSchema>

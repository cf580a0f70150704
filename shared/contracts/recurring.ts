/** Recurring runs: a run that is made anew whenever a cron expression is due, as the API takes and shows them. */
import * as z from 'zod'
import { timeZoneSchema } from './bench-care.ts'
import { labErrorSchema, nameSchema, parameterInputSchema, textSchema, writtenText } from './common.ts'
import { priorities, runStateSchema } from './run-state.ts'

const time = z.iso.datetime()
/** As a person writes it, with any offset. */
const givenTime = z.iso.datetime({ offset: true })
const cron = z.string().trim().min(1).max(100)

/** What becomes of a due time while the run before still waits or is under way. */
export const overlapRules = ['skip', 'queue'] as const
/** What becomes of due times that passed while the hub was down: one run for all of them, or none. */
export const missedRules = ['once', 'skip'] as const

const fields = z.strictObject({
  name: writtenText(80).min(1),
  lab: nameSchema,
  protocol: nameSchema,
  parameters: z.record(z.string(), parameterInputSchema).default({}),
  /** Only this bench: `<node>.<bench>`. */
  bench: z.string().max(127).optional(),
  /** Lower is sooner; what its owner may not have becomes the soonest that is allowed. */
  priority: z.number().int().min(priorities.soonest).max(priorities.latest).optional(),
  /** Minute, hour, day of the month, month, day of the week. */
  cron,
  /** By whose calendar and clock; the hub's own unless given. */
  timeZone: timeZoneSchema.optional(),
  /** Not before; from now on unless given. */
  from: givenTime.optional(),
  /** Not at or after; without end unless given. */
  until: givenTime.optional(),
  overlap: z.enum(overlapRules).default('skip'),
  missed: z.enum(missedRules).default('once'),
})

/** `POST /api/v1/recurring`. */
export const createRecurringSchema = fields
export type CreateRecurring = z.input<typeof createRecurringSchema>

/** `PUT /api/v1/recurring/{id}`: what is not given stays, null takes away. */
export const changeRecurringSchema = z.strictObject({
  name: fields.shape.name.optional(),
  protocol: nameSchema.optional(),
  parameters: fields.shape.parameters.unwrap().optional(),
  bench: fields.shape.bench.nullable(),
  priority: fields.shape.priority.nullable(),
  cron: cron.optional(),
  timeZone: timeZoneSchema.optional(),
  from: fields.shape.from.nullable(),
  until: fields.shape.until.nullable(),
  overlap: z.enum(overlapRules).optional(),
  missed: z.enum(missedRules).optional(),
})
export type ChangeRecurring = z.input<typeof changeRecurringSchema>

/** `active`: due times are to come; `over`: none are. */
export const recurringStates = ['active', 'paused', 'over'] as const
export type RecurringState = (typeof recurringStates)[number]

/** Who or what paused it: a person, several refusals in a row, or that its owner has no account any more. */
export const pauseCauses = ['asked', 'refusals', 'owner-left'] as const
export type PauseCause = (typeof pauseCauses)[number]

/**
 * What came of a due time. `run`: a run was made; `skipped`: the one before was not over; `missed`: it passed while the
 * hub was down; `refused`: its owner may not, or no bench could.
 */
export const dueOutcomes = ['run', 'skipped', 'missed', 'refused'] as const
export type DueOutcome = (typeof dueOutcomes)[number]

export const dueTimeSchema = z.object({
  due: time,
  outcome: z.enum(dueOutcomes),
  /** The run that was made, and how it stands; gone with the run. */
  run: z.object({ id: z.string(), state: runStateSchema }).optional(),
  /** Set when a person asked for it, rather than the calendar. */
  byHand: z.literal(true).optional(),
  /** Due times before this one that passed while the hub was down; 100 stands for that or more. */
  missedBefore: z.number().optional(),
  /** Why it was refused. */
  error: labErrorSchema.optional(),
})
export type DueTime = z.infer<typeof dueTimeSchema>

export const recurringSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(recurringStates),
  pausedFor: z.enum(pauseCauses).optional(),
  lab: z.string(),
  labTitle: textSchema.optional(),
  protocol: z.string(),
  protocolTitle: textSchema.optional(),
  parameters: z.record(z.string(), parameterInputSchema),
  bench: z.string().optional(),
  priority: z.number().optional(),
  cron: z.string(),
  timeZone: z.string(),
  from: time.optional(),
  until: time.optional(),
  overlap: z.enum(overlapRules),
  missed: z.enum(missedRules),
  /** Whose it is: its runs are theirs, and it makes them while they may queue the lab. */
  person: z.object({ id: z.string(), name: z.string() }),
  /** The next five due times; none while it is paused. */
  next: z.array(time),
  /** What came of the last ten, the newest first. */
  last: z.array(dueTimeSchema),
  createdAt: time,
})
export type Recurring = z.infer<typeof recurringSchema>

/** `GET /api/v1/recurring-times`: what an expression means. */
export const askTimesSchema = z.object({
  cron,
  timeZone: timeZoneSchema.optional(),
  from: givenTime.optional(),
  until: givenTime.optional(),
})
export const nextTimesSchema = z.object({ timeZone: z.string(), next: z.array(time) })
export type NextTimes = z.infer<typeof nextTimesSchema>

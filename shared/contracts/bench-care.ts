/** When benches are not for runs: maintenance and weekly closing times, as the API takes and shows them. */
import * as z from 'zod'
import { isTimeZone } from '../primitives/zoned-time.ts'
import { writtenText } from './common.ts'

const time = z.iso.datetime()
/** As a person writes it, with any offset. */
const givenTime = z.iso.datetime({ offset: true })

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof weekdays)[number]

export const timeZoneSchema = z
  .string()
  .max(64)
  .refine(isTimeZone, 'is not the name of a time zone, such as Europe/Madrid')

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day, such as 18:30')

/** The same hours on these days of every week; an end that is not after the beginning is on the next day. */
export const weeklySchema = z.strictObject({
  days: z.array(z.enum(weekdays)).min(1).max(7),
  from: clockTime,
  until: clockTime.or(z.literal('24:00')),
  timeZone: timeZoneSchema,
})
export type Weekly = z.infer<typeof weeklySchema>

const outagePlan = {
  /** Shown to everybody who waits for the bench. */
  reason: writtenText(200).min(1),
  /** Now, unless given. */
  from: givenTime.optional(),
  /** Until somebody puts the bench back, unless given. */
  until: givenTime.optional(),
  /** Instead of `from` and `until`; the hub's own time zone unless given. */
  weekly: weeklySchema.extend({ timeZone: timeZoneSchema.optional() }).optional(),
  /** Cancels the run that is on the bench when it begins; otherwise that run finishes first. */
  atOnce: z.boolean().default(false),
}

interface PlannedTimes {
  readonly from?: string | undefined
  readonly until?: string | undefined
  readonly weekly?: object | undefined
}

function checkTimes({ from, until, weekly }: PlannedTimes, context: z.RefinementCtx): void {
  if (weekly !== undefined && (from !== undefined || until !== undefined)) {
    context.addIssue({ code: 'custom', path: ['weekly'], message: 'stands instead of from and until' })
  }
  if (from !== undefined && until !== undefined && Date.parse(until) <= Date.parse(from)) {
    context.addIssue({ code: 'custom', path: ['until'], message: 'must be after from' })
  }
}

/** `POST /api/v1/benches/{bench}/outages`. */
export const planOutageSchema = z.strictObject(outagePlan).superRefine(checkTimes)
export type PlanOutage = z.input<typeof planOutageSchema>

/** `POST /api/v1/outages`: the same for several benches, for all of them or none. */
export const planOutagesSchema = z
  .strictObject({
    /** Ids, each once. */
    benches: z
      .array(z.string().max(130))
      .min(1)
      .max(200)
      .refine((ids) => new Set(ids).size === ids.length, 'names a bench twice'),
    ...outagePlan,
  })
  .superRefine(checkTimes)
export type PlanOutages = z.input<typeof planOutagesSchema>

/** `GET /api/v1/benches/{bench}/outages`. */
export const outageSchema = z.object({
  id: z.string(),
  bench: z.string(),
  reason: z.string(),
  atOnce: z.boolean(),
  weekly: weeklySchema.optional(),
  /** When it is in force now or the next time; without `until` it lasts until somebody ends it. */
  from: time,
  until: time.optional(),
  inForce: z.boolean(),
  createdBy: z.string(),
  createdAt: time,
})
export type Outage = z.infer<typeof outageSchema>

/** What a bench shows of the outage that is in force, and of the next. */
export const shownOutageSchema = z.object({
  reason: z.string(),
  from: time,
  until: time.optional(),
  weekly: z.boolean(),
})

/** `GET /api/v1/nodes/{node}/removal`, `GET /api/v1/benches/{bench}/removal`: what removing it would do. */
export const removalPreviewSchema = z.object({
  /** Taken out of the site, with what is planned for them and their history. */
  benches: z.array(z.string()),
  /** Runs that wait for these benches and no others: cancelled. */
  waiting: z.number(),
  /** Runs that were on them: they stay, with their results. */
  runsKept: z.number(),
  /** What stands against it now, and what to do; without it, it may be removed. */
  hindrance: z.string().optional(),
})
export type RemovalPreview = z.infer<typeof removalPreviewSchema>

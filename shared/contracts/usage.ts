/** Who used what, when, from where and for how long, as the API shows it to staff. One schema each. */
import * as z from 'zod'
import { timeZoneSchema } from './bench-care.ts'
import { nameSchema, outputSchema, parametersSchema } from './common.ts'
import { runStateSchema } from './run-state.ts'

const time = z.iso.datetime()
const given = z.iso.datetime({ offset: true })
const seconds = z.number()

/** Whose use it was: without a name once the account is closed, or the time for names is over. */
export const userOfSchema = z.object({ id: z.string(), name: z.string(), pseudonym: z.literal(true).optional() })
export type UserOf = z.infer<typeof userOfSchema>

/** `GET /api/v1/usage/uses`: a run or a live session. */
export const useSchema = z.object({
  /** Of the run, or of the session, which is the same. */
  id: z.string(),
  person: userOfSchema,
  lab: z.string(),
  protocol: z.string(),
  session: z.boolean(),
  bench: z.string().nullable(),
  /** Where the request came from; for admins and for whose use it is, as long as addresses are kept. */
  address: z.string().optional(),
  /** ISO 3166-1, two letters, or `site`: the site's own network; without it, unknown. */
  country: z.string().optional(),
  askedAt: time,
  startedAt: time.optional(),
  endedAt: time.optional(),
  /** From being asked for to the start; while it waits, so far. */
  waitS: seconds,
  /** From the start to the end; while it lasts, so far. */
  lastsS: seconds.optional(),
  state: runStateSchema,
  /** Given by hand, of a live session. */
  commands: z.number().optional(),
  /** How often results were taken away as a file. */
  downloads: z.number(),
})
export type Use = z.infer<typeof useSchema>

/** `GET /api/v1/usage/uses/{id}`. */
export const useDetailSchema = useSchema.extend({
  /** Why it ended as it did. */
  reason: z.string().optional(),
  parameters: parametersSchema,
  outputs: z.record(z.string(), outputSchema),
  /** Rows that were recorded, by stream. */
  rows: z.record(z.string(), z.number()),
  /** The first 500; all are at `…/commands.csv`. */
  given: z.array(
    z.object({
      at: time,
      by: userOfSchema,
      what: z.string(),
      target: z.string(),
      /** JSON. */
      value: z.string(),
      /** `done`, or why not. */
      outcome: z.string(),
    }),
  ),
  moreGiven: z.boolean(),
  /** Results that somebody took as a file: the first 500; all are at `…/files.csv`. */
  taken: z.array(z.object({ at: time, by: userOfSchema, what: z.string() })),
  moreTaken: z.boolean(),
})
export type UseDetail = z.infer<typeof useDetailSchema>

/** Which uses; all that is given must fit. */
export const useFilterSchema = z.object({
  course: nameSchema.optional().describe('Of the people in a group or within it whom the caller teaches'),
  person: z.string().max(254).optional().describe('Of this person, by id or mail address'),
  lab: z.string().max(63).optional(),
  bench: z.string().max(130).optional(),
  state: runStateSchema.optional(),
  country: z
    .string()
    .regex(/^([A-Z]{2}|site|unknown)$/, 'must be two capital letters, site or unknown')
    .optional()
    .describe('From there: two letters of ISO 3166-1, `site` for the site’s own network, or `unknown`'),
  from: given.optional().describe('Asked for from this time on'),
  to: given.optional().describe('Asked for before this time'),
})
export type UseFilter = z.infer<typeof useFilterSchema>

const mostDays = 800
const dayMs = 86_400_000

/** What a view looks back on: the last 30 days unless given; hours and weekdays are those of the time zone. */
export const periodQuerySchema = z.object({
  from: given.optional().describe('30 days before the end unless given'),
  to: given.optional().describe('Now unless given'),
  timeZone: timeZoneSchema.default('UTC').describe('Whose hours and weekdays, such as Europe/Madrid'),
})
export interface Period {
  readonly from: number
  readonly to: number
  readonly timeZone: string
}

/** The period in ms; what is wrong with it as an issue. */
export function periodOf(
  query: z.output<typeof periodQuerySchema>,
  nowMs: number,
  longestDays = mostDays,
): Period | { readonly path: string; readonly message: string } {
  const to = query.to === undefined ? nowMs : Date.parse(query.to)
  const from = query.from === undefined ? to - Math.min(30, longestDays) * dayMs : Date.parse(query.from)
  if (from >= to) return { path: 'query.to', message: 'must be after from' }
  if (to - from > longestDays * dayMs) {
    return { path: 'query.from', message: `is more than ${longestDays} days before to: choose a shorter period` }
  }
  return { from, to, timeZone: query.timeZone }
}

const periodSchema = z.object({ from: time, to: time, timeZone: z.string() })

/** Bench time in seconds by weekday, Monday first, and hour of the day. */
export const hoursSchema = z.array(z.array(seconds))

/** `GET /api/v1/usage/courses/{id}`: who of a course did what. */
export const courseUsageSchema = z.object({
  course: z.object({ id: z.string(), name: z.string() }),
  period: periodSchema,
  /** By name; those without a use too. */
  people: z.array(
    z.object({
      person: userOfSchema,
      /** Their mail address. */
      email: z.string(),
      uses: z.number(),
      /** On benches. */
      seconds,
      lastAt: time.optional(),
      labs: z.array(
        z.object({
          lab: z.string(),
          uses: z.number(),
          /** How many of these ended well: who has one is done with the lab. */
          succeeded: z.number(),
          seconds,
          lastAt: time,
          lastState: runStateSchema,
        }),
      ),
    }),
  ),
  hours: hoursSchema,
})
export type CourseUsage = z.infer<typeof courseUsageSchema>

/** `GET /api/v1/usage/courses/{id}/timeline`: which uses were on which bench when. */
export const timelineSchema = z.object({
  period: periodSchema,
  benches: z.array(
    z.object({
      bench: z.string(),
      uses: z.array(
        z.object({
          id: z.string(),
          person: userOfSchema,
          lab: z.string(),
          from: time,
          /** Without it, it lasts. */
          until: time.optional(),
          state: runStateSchema,
        }),
      ),
      /** When staff drove it by hand: with whom only for whose use it is and for who may see theirs. */
      direct: z.array(
        z.object({ id: z.string(), person: userOfSchema.optional(), from: time, until: time.optional() }),
      ),
    }),
  ),
  /** True when there were more than one answer holds: choose a shorter period. */
  more: z.boolean(),
})
export type Timeline = z.infer<typeof timelineSchema>

/** `GET /api/v1/usage/courses/{id}/similar`: the same chosen parameters by different people, near in time. A hint, no proof. */
export const similarSchema = z.object({
  period: periodSchema,
  withinHours: z.number(),
  hints: z.array(
    z.object({
      lab: z.string(),
      protocol: z.string(),
      /** Those that are not at what the lab suggests. */
      chosen: parametersSchema,
      uses: z.array(z.object({ id: z.string(), person: userOfSchema, at: time })),
      /** Between the two nearest of different people. */
      apartS: seconds,
    }),
  ),
})
export type Similar = z.infer<typeof similarSchema>

const waitSchema = z.object({ uses: z.number(), medianS: seconds, p95S: seconds })

/** What countries are looked up in, when a use is asked for; of neither, the site has no database of countries. */
export const countrySourceSchema = z.object({
  /** As its maker calls it: `DBIP-Country-Lite`. */
  database: z.string().optional(),
  /** When it was made. */
  builtAt: time.optional(),
  /** Why the file that the site names can not be read. */
  problem: z.string().optional(),
})
export type CountrySource = z.infer<typeof countrySourceSchema>

/** `GET /api/v1/usage/site`. */
export const siteUsageSchema = z.object({
  period: periodSchema,
  uses: z.number(),
  people: z.number(),
  /** On benches. */
  seconds,
  /** In which staff drove benches by hand, besides. */
  directS: seconds,
  benches: z.array(
    z.object({
      bench: z.string(),
      uses: z.number(),
      seconds,
      /** Driven by hand, besides. */
      directS: seconds,
      /** Not closed by staff within the period, so far. */
      openS: seconds,
      /** Both of the open time, 0 to 1 and over where it was used while closed; null: it was never open. */
      share: z.number().nullable(),
    }),
  ),
  labs: z.array(
    z.object({
      lab: z.string(),
      uses: z.number(),
      people: z.number(),
      seconds,
      /** Of all benches that serve it or did. */
      openS: seconds,
      share: z.number().nullable(),
      /** Of those that started. */
      wait: waitSchema.optional(),
    }),
  ),
  /** By the hour in which they were asked for; all 24. */
  waits: z.array(waitSchema.extend({ hour: z.number() })),
  /** As in uses: two letters, `site`, or none where it is unknown. */
  countries: z.array(z.object({ country: z.string().optional(), uses: z.number(), people: z.number() })),
  countrySource: countrySourceSchema,
  hours: hoursSchema,
})
export type SiteUsage = z.infer<typeof siteUsageSchema>

/** `GET` and `PUT /api/v1/settings/usage`: how long what names people is kept; null keeps it for good. */
export const usageRulesSchema = z.strictObject({
  /** Addresses of uses, of sign-ins and in the audit log; 0 keeps none. */
  addressDays: z.number().int().min(0).max(36_500).nullable(),
  /** After so many days a use has a pseudonym instead of its person. */
  nameDays: z.number().int().min(30).max(36_500).nullable(),
})
export type UsageRules = z.infer<typeof usageRulesSchema>

/** `POST /api/v1/settings/usage/preview`: what such rules would take away now. */
export const usagePreviewSchema = z.object({
  addresses: z.number(),
  /** Uses that would lose their name, and of how many people. */
  uses: z.number(),
  people: z.number(),
})
export type UsagePreview = z.infer<typeof usagePreviewSchema>

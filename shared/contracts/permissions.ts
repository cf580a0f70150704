/** Permissions: who may use which lab how; one schema each for hub, page and command line. */
import * as z from 'zod'
import { SESSION_PROTOCOL } from '../protocol/session-protocol.ts'
import { nameSchema, writtenText } from './common.ts'
import { roles } from './people.ts'
import { priorities } from './run-state.ts'
import { termNames } from './terms.ts'

const time = z.iso.datetime()
const yearS = 366 * 86_400
const seconds = z.number().int().min(0).max(yearS).nullable()
const count = z.number().int().min(0).max(100_000).nullable()

/** What a permission gives; null is without limit. */
export const termsSchema = z.strictObject({
  mayQueue: z.boolean(),
  mayBook: z.boolean(),
  /** May lose a booking or a session to somebody who comes first, after a warning. */
  mayBeBumped: z.boolean(),
  /** The soonest that a request gets; lower is sooner. */
  priority: z.number().int().min(priorities.soonest).max(priorities.latest),
  /** Of a live session, seconds. */
  sessionS: seconds,
  /** Reservations at once: runs that wait or run, sessions and bookings to come. */
  mostOpen: count,
  /** Bench time per day and per week, seconds. */
  dayS: seconds,
  weekS: seconds,
  /** How far ahead one may book, seconds, and how many bookings to come one may have. */
  bookAheadS: seconds,
  mostBookings: count,
  /** Whether the time until a run begins counts as bench time. */
  countsSetup: z.boolean(),
})
export type Terms = z.infer<typeof termsSchema>
export type Term = keyof Terms

/** To whom: everyone who is signed in and no guest, a role, a group with all within it, or a person (also by mail address). */
export const subjectSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('everyone') }),
  z.strictObject({ kind: z.literal('role'), id: z.enum(roles) }),
  z.strictObject({ kind: z.literal('group'), id: nameSchema }),
  z.strictObject({ kind: z.literal('person'), id: z.string().min(1).max(254) }),
])
export type Subject = z.infer<typeof subjectSchema>

/** A protocol of the lab, or its live sessions. */
export const protocolNameSchema = z.union([nameSchema, z.literal(SESSION_PROTOCOL)])

const scope = {
  subject: subjectSchema,
  /** Null: every lab. */
  lab: nameSchema.nullable(),
  /** Null: every protocol. */
  protocols: z.array(protocolNameSchema).min(1).max(100).nullable(),
  from: time.optional(),
  until: time.optional(),
  note: writtenText(200).min(1).optional(),
}

/** `GET /api/v1/permissions` → page of these. */
export const permissionSchema = z.object({
  id: z.string(),
  ...scope,
  /** Of the group or the person. */
  subjectName: z.string().optional(),
  gives: termsSchema,
})
export type Permission = z.infer<typeof permissionSchema>

/** `POST /api/v1/permissions`: what is not said of `gives` comes from the template, else is the usual. */
export const createPermissionSchema = z.strictObject({
  ...scope,
  lab: scope.lab.default(null),
  protocols: scope.protocols.default(null),
  template: nameSchema.optional(),
  gives: termsSchema.partial().default({}),
})
export type CreatePermission = z.input<typeof createPermissionSchema>

/** `PUT /api/v1/permissions/{id}`: what is left out stays; null takes times and the note away. */
export const changePermissionSchema = z.strictObject({
  subject: subjectSchema.optional(),
  lab: scope.lab.optional(),
  protocols: scope.protocols.optional(),
  from: time.nullable().optional(),
  until: time.nullable().optional(),
  note: scope.note.nullable(),
  gives: termsSchema.partial().optional(),
})
export type ChangePermission = z.infer<typeof changePermissionSchema>

/** `POST /api/v1/permissions/bulk`: one change to many, or their removal; with `preview` nothing is done. */
export const bulkPermissionsSchema = z
  .strictObject({
    ids: z.array(z.string().min(1).max(63)).min(1).max(500),
    change: changePermissionSchema.optional(),
    remove: z.boolean().default(false),
    preview: z.boolean().default(false),
  })
  .refine(({ change, remove }) => (change === undefined) === remove, {
    path: ['change'],
    message: 'say what to change, or "remove": true',
  })
export const bulkDoneSchema = z.object({
  items: z.array(z.object({ before: permissionSchema, after: permissionSchema.nullable() })),
})
export type BulkDone = z.infer<typeof bulkDoneSchema>

/** `GET /api/v1/permission-templates`; `PUT …/{id}` makes or changes one. */
export const saveTemplateSchema = z.strictObject({ title: writtenText(120).min(1), gives: termsSchema })
export const templateSchema = saveTemplateSchema.extend({ id: z.string() })
export type PermissionTemplate = z.infer<typeof templateSchema>

const MOST_GIVEN = 500

/** `POST /api/v1/permission-templates/{id}/apply`: its terms to each of these in each of these labs, all or none. */
export const applyTemplateSchema = z
  .strictObject({
    subjects: z.array(subjectSchema).min(1).max(100),
    labs: z.array(scope.lab).min(1).max(100).default([null]).describe('Null: every lab'),
    from: scope.from,
    until: scope.until,
    note: scope.note,
    preview: z.boolean().default(false).describe('Only say what would be given'),
  })
  .refine(({ subjects, labs }) => subjects.length * labs.length <= MOST_GIVEN, {
    path: ['subjects'],
    message: `gives more than ${MOST_GIVEN} permissions: name fewer`,
  })
export type ApplyTemplate = z.input<typeof applyTemplateSchema>
export const appliedTemplateSchema = z.object({
  /** Without ids in a preview. */
  items: z.array(permissionSchema.extend({ id: z.string().optional() })),
  /** How many are left out, since the same is given already. */
  already: z.number(),
})
export type AppliedTemplate = z.infer<typeof appliedTemplateSchema>

/** What is left to book of a lab now; null is without limit. */
export const bookingAllowanceSchema = z.object({
  may: z.boolean(),
  /** One booking, seconds. */
  longestS: z.number().nullable(),
  /** It begins at most so many seconds from now. */
  aheadS: z.number().nullable(),
  /** Bookings that are not over, and how many more there may be. */
  most: z.number().nullable(),
  left: z.number().nullable(),
  /** Of the bench time of today and of this week, with bookings counted, seconds. */
  dayLeftS: z.number().nullable(),
  weekLeftS: z.number().nullable(),
})
export type BookingAllowance = z.infer<typeof bookingAllowanceSchema>

/** `GET /api/v1/labs/{lab}/permission`: what somebody may now, and which permission gives what. */
export const effectiveSchema = z.object({
  /** An admin is not limited. */
  unlimited: z.boolean(),
  gives: termsSchema,
  /** By term the id of the permission that gives it; terms that none gives are missing. */
  sources: z.partialRecord(z.enum(termNames as [Term, ...Term[]]), z.string()),
  /** Those that hold now for this lab and protocol. */
  permissions: z.array(permissionSchema),
  /** The lab's protocols that may be queued. */
  protocols: z.array(z.string()),
  booking: bookingAllowanceSchema,
  /** Bench time so far, seconds, what waits and runs included. */
  used: z.object({ open: z.number(), dayS: z.number(), weekS: z.number() }),
  /** When quotas begin anew. */
  dayEnds: time,
  weekEnds: time,
  /** Whom to ask for more, by name. */
  ask: z.array(z.string()),
})
export type EffectivePermission = z.infer<typeof effectiveSchema>

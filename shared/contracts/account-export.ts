/** `GET /api/v1/me/export`: all that the hub knows of a person, for that person to keep. */
import * as z from 'zod'
import { meSchema, runSchema, tokenSchema } from './api.ts'
import { auditEntrySchema } from './audit.ts'
import { parametersSchema } from './common.ts'
import { passkeySchema } from './passkeys.ts'
import { scalarSchema } from './sync.ts'

const time = z.iso.datetime()
const json = z.record(z.string(), z.unknown())

/** What the person made, booked and was allowed; where they asked from; what the audit log says. */
export const tracesSchema = z.object({
  sessions: z.array(
    z.object({
      createdAt: time,
      lastSeenAt: time,
      expiresAt: time,
      address: z.string().nullable(),
      userAgent: z.string().nullable(),
    }),
  ),
  /** From where runs were asked for, while that is kept. */
  origins: z.array(z.object({ run: z.string(), address: z.string().nullable(), country: z.string().nullable() })),
  downloads: z.array(z.object({ run: z.string(), at: time, what: z.string() })),
  /** Benches that the person drove directly, with what was set, read and answered. */
  directUses: z.array(
    z.object({
      id: z.string(),
      bench: z.string(),
      address: z.string().nullable(),
      country: z.string().nullable(),
      from: time,
      until: time.nullable(),
      ended: z.string().nullable(),
      exchanges: z.array(
        z.object({
          at: time,
          way: z.string(),
          address: z.string().nullable(),
          set: z.record(z.string(), scalarSchema),
          read: z.array(z.string()),
          answer: z.record(z.string(), z.unknown()).optional(),
          error: z.string().optional(),
        }),
      ),
    }),
  ),
  groups: z.array(z.object({ id: z.string(), name: z.string(), role: z.string(), since: time })),
  invitations: z.array(
    z.object({
      id: z.string(),
      role: z.string(),
      note: z.string().nullable(),
      most: z.number(),
      used: z.number(),
      createdAt: time,
      expiresAt: time,
      revokedAt: time.nullable(),
    }),
  ),
  bookings: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      lab: z.string(),
      start: time,
      end: time,
      places: z.number(),
      note: z.string().optional(),
    }),
  ),
  /** `weekly`: days, time of day, time zone, first and last day. */
  series: z.array(z.object({ id: z.string(), lab: z.string(), weekly: json, createdAt: time })),
  recurring: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      lab: z.string(),
      protocol: z.string(),
      parameters: parametersSchema,
      cron: z.string(),
      timeZone: z.string(),
      pausedFor: z.string().nullable(),
      createdAt: time,
    }),
  ),
  permissions: z.array(
    z.object({
      lab: z.string().nullable(),
      protocols: z.array(z.string()).nullable(),
      note: z.string().nullable(),
      from: time.nullable(),
      until: time.nullable(),
      gives: json,
      createdAt: time,
    }),
  ),
  partnerIn: z.array(z.object({ session: z.string(), since: time })),
  chat: z.array(z.object({ session: z.string(), at: time, text: z.string() })),
  notices: z.array(z.object({ booking: z.string(), what: z.string(), at: time })),
  letters: z.array(z.object({ ofBenches: z.boolean() })),
  audit: z.array(
    auditEntrySchema
      .pick({ at: true, action: true, subject: true, detail: true })
      .extend({ address: z.string().nullable() }),
  ),
})
export type Traces = z.infer<typeof tracesSchema>

export const accountExportSchema = tracesSchema.extend({
  exportedAt: time,
  person: meSchema,
  tokens: z.array(tokenSchema),
  passkeys: z.array(passkeySchema.omit({ id: true })),
  runs: z.array(runSchema),
})
export type AccountExport = z.infer<typeof accountExportSchema>

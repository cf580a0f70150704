/** The audit log: who changed what, kept for staff. One schema each. */
import * as z from 'zod'

/** `GET /api/v1/audit`: newest first. */
export const auditEntrySchema = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  /** Who did it: an id, with the name while there is an account; neither where the hub did it by itself. */
  person: z.string().optional(),
  personName: z.string().optional(),
  /** Such as `person.role`: what it was done to, and what was done. */
  action: z.string(),
  subject: z.string(),
  /** The subject's name, where it is a person. */
  subjectName: z.string().optional(),
  /** Where it was done from, as long as addresses are kept; none where the hub did it by itself. */
  address: z.string().optional(),
  /** What was and what is, or what else there is to say. */
  detail: z.record(z.string(), z.unknown()),
})
export type AuditEntry = z.infer<typeof auditEntrySchema>

/** Which entries; all that is given must fit. */
export const auditFilterSchema = z.object({
  person: z.string().max(254).optional().describe('Who did it: an id or a mail address'),
  action: z.string().max(80).optional().describe('Such as person.role, or settings for all of settings.…'),
  subject: z.string().max(254).optional().describe('What it was done to: an id, or the mail address of a person'),
  from: z.iso.datetime({ offset: true }).optional().describe('From this time on'),
  to: z.iso.datetime({ offset: true }).optional().describe('Before this time'),
})
export type AuditFilter = z.infer<typeof auditFilterSchema>

/** Groups of people and courses, nested: one schema each for hub, page and command line. */
import * as z from 'zod'
import { nameSchema, writtenText } from './common.ts'
import { groupKinds, groupRoles } from './people.ts'

const time = z.iso.datetime()
const title = writtenText(120).min(1)
const outer = nameSchema.describe('The group that it is within: who is in this one counts in that one too')

/** `GET /api/v1/groups` → page of these; `GET /api/v1/groups/{id}`. */
export const groupSchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(groupKinds),
  within: z.string().optional(),
  /** Of a course: outside these times being in it gives nothing. */
  from: time.optional(),
  until: time.optional(),
  /** Who counts as a member, each once, those of groups within it too. */
  people: z.number(),
  instructors: z.array(z.object({ id: z.string(), name: z.string() })),
  /** What the caller is in it, directly or through a group within it. */
  mine: z.enum(groupRoles).optional(),
  /** Whether the caller may see its people. */
  sees: z.boolean(),
  /** Whether the caller may change it. */
  manages: z.boolean(),
})
export type Group = z.infer<typeof groupSchema>

/** `POST /api/v1/groups`. */
export const createGroupSchema = z.strictObject({
  id: nameSchema,
  name: title,
  kind: z.enum(groupKinds).default('group'),
  within: outer.optional(),
  from: time.optional(),
  until: time.optional(),
})
export type CreateGroup = z.infer<typeof createGroupSchema>

/** `PUT /api/v1/groups/{id}`: what is left out stays, null takes away. */
export const changeGroupSchema = z.strictObject({
  name: title.optional(),
  kind: z.enum(groupKinds).optional(),
  within: outer.nullable().optional(),
  from: time.nullable().optional(),
  until: time.nullable().optional(),
})
export type ChangeGroup = z.infer<typeof changeGroupSchema>

/** `GET /api/v1/groups/{id}/removal`: what goes with the group, before it is removed. */
export const groupRemovalSchema = z.object({
  /** Who is in it directly; their accounts stay. */
  people: z.number(),
  /** Groups within it, which move to where it was. */
  inner: z.array(z.string()),
  /** Open invitations into it, which are taken back. */
  invitations: z.number(),
  /** Permissions that it has, which end. */
  permissions: z.number(),
})
export type GroupRemoval = z.infer<typeof groupRemovalSchema>

/** `GET /api/v1/groups/{id}/members`. */
export const groupMemberSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role: z.enum(groupRoles),
  /** The group within, for somebody who is not in this one directly. */
  through: z.string().optional(),
})
export type GroupMember = z.infer<typeof groupMemberSchema>

const AT_ONCE = 1000

/** `POST /api/v1/groups/{id}/members`: all of it is done, or nothing. */
export const changeMembersSchema = z
  .strictObject({
    add: z
      .array(
        z.strictObject({
          who: z.string().min(1).max(254).describe('A person’s id or mail address'),
          role: z.enum(groupRoles).default('member'),
        }),
      )
      .max(AT_ONCE)
      .default([]),
    remove: z.array(z.string().min(1).max(254)).max(AT_ONCE).default([]),
  })
  .refine(({ add, remove }) => add.length + remove.length > 0, { path: ['add'], message: 'name somebody' })
export type ChangeMembers = z.infer<typeof changeMembersSchema>
export const changedMembersSchema = z.object({ added: z.number(), changed: z.number(), removed: z.number() })
export type ChangedMembers = z.infer<typeof changedMembersSchema>

/** Why one does not leave a group by oneself: a course is its instructors' to change, and no group loses its last one. */
export const stayReasons = ['course', 'last-instructor'] as const
export type StayReason = (typeof stayReasons)[number]

/** `GET /api/v1/me/groups`: one that the caller was put into; `DELETE …/{id}` leaves it. */
export const ownGroupSchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(groupKinds),
  role: z.enum(groupRoles),
  /** When the caller came in. */
  since: time,
  /** Of a course: outside these times being in it gives nothing. */
  from: time.optional(),
  until: time.optional(),
  /** Of whom one asks. */
  instructors: z.array(z.string()),
  /** Why the caller can not leave it; missing where they may. */
  stays: z.enum(stayReasons).optional(),
})
export type OwnGroup = z.infer<typeof ownGroupSchema>

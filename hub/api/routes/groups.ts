import { page } from '@fernlab/shared/contracts/api'
import { nameSchema } from '@fernlab/shared/contracts/common'
import {
  changedMembersSchema,
  changeGroupSchema,
  changeMembersSchema,
  createGroupSchema,
  groupMemberSchema,
  groupRemovalSchema,
  groupSchema,
} from '@fernlab/shared/contracts/groups'
import { z } from '@hono/zod-openapi'
import type { AddRoute, ApiParts } from '../context.ts'
import { cursorAfter, cursorId, pageQuery } from '../paging.ts'

const tag = 'People'
const path = '/api/v1/groups/{id}'
const params = z.object({ id: nameSchema })

/** Groups and courses: staff see all, others those in which they are; instructors of a group see its people. */
export function groupRoutes(add: AddRoute, { groups }: ApiParts): void {
  const after = (cursor: string | undefined) => {
    const id = cursorId(cursor)
    return id === undefined ? {} : { after: id }
  }
  const pageOf = <Item extends { readonly id: string }>({ items, more }: { items: Item[]; more: boolean }) => {
    const last = items.at(-1)
    return { items, ...(more && last !== undefined ? { cursor: cursorAfter(last.id) } : {}) }
  }
  add(
    {
      method: 'get',
      path: '/api/v1/groups',
      tag,
      summary: 'Groups and courses: staff see all, others those in which they are',
      access: 'groups.read',
      query: pageQuery.extend({ q: z.string().max(100).optional().describe('A part of the id or of the name') }),
      answer: { schema: page(groupSchema), what: 'Groups by id' },
    },
    async ({ c, query: { limit, cursor, q }, caller }) => {
      const search = q === undefined ? {} : { search: q }
      return c.json(pageOf(await groups.list(caller, { limit, ...after(cursor), ...search })))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/groups',
      tag,
      summary: 'Make a group or a course',
      description: 'Whoever makes it and is no admin is its instructor.',
      access: 'groups.manage',
      errors: ['group-exists', 'group-invalid', 'group-unknown'],
      body: createGroupSchema,
      answer: { status: 201, schema: groupSchema, what: 'The group' },
    },
    async ({ c, body, caller }) => c.json(await groups.create(caller, body), 201),
  )
  add(
    {
      method: 'get',
      path,
      tag,
      summary: 'A group',
      access: 'groups.read',
      params,
      answer: { schema: groupSchema, what: 'The group' },
    },
    async ({ c, params: { id }, caller }) => c.json(await groups.get(caller, id)),
  )
  add(
    {
      method: 'put',
      path,
      tag,
      summary: 'Change a group, or move it into another one',
      access: 'groups.manage',
      errors: ['group-exists', 'group-cycle', 'group-invalid'],
      params,
      body: changeGroupSchema,
      answer: { schema: groupSchema, what: 'The group' },
    },
    async ({ c, params: { id }, body, caller }) => c.json(await groups.change(caller, id, body)),
  )
  add(
    {
      method: 'get',
      path: `${path}/removal`,
      tag,
      summary: 'What removing a group would take away',
      access: 'groups.manage',
      params,
      answer: { schema: groupRemovalSchema, what: 'What goes with it' },
    },
    async ({ c, params: { id }, caller }) => c.json(await groups.removal(caller, id)),
  )
  add(
    {
      method: 'delete',
      path,
      tag,
      summary: 'Remove a group; accounts and runs stay',
      access: 'groups.manage',
      params,
      answer: { status: 204, what: 'It is gone' },
    },
    async ({ c, params: { id }, caller }) => {
      await groups.remove(caller, id)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'get',
      path: `${path}/members`,
      tag,
      summary: 'Who is in a group, for staff and its instructors',
      access: 'groups.read',
      params,
      query: pageQuery.extend({
        q: z.string().max(100).optional().describe('A part of the name or of the address'),
        inner: z.enum(['true', 'false']).default('false').describe('Those of groups within it too'),
      }),
      answer: { schema: page(groupMemberSchema), what: 'People by id' },
    },
    async ({ c, params: { id }, query: { limit, cursor, q, inner }, caller }) => {
      const search = q === undefined ? {} : { search: q }
      const which = { limit, ...after(cursor), ...search, inner: inner === 'true' }
      return c.json(pageOf(await groups.members(caller, id, which)))
    },
  )
  add(
    {
      method: 'post',
      path: `${path}/members`,
      tag,
      summary: 'Put people into a group and take others out, all or nothing',
      access: 'groups.manage',
      errors: ['members-invalid'],
      params,
      body: changeMembersSchema,
      answer: { schema: changedMembersSchema, what: 'How many' },
    },
    async ({ c, params: { id }, body, caller }) => c.json(await groups.changeMembers(caller, id, body)),
  )
}

import { page } from '@fernlab/shared/contracts/api'
import { nameSchema } from '@fernlab/shared/contracts/common'
import {
  appliedTemplateSchema,
  applyTemplateSchema,
  bulkDoneSchema,
  bulkPermissionsSchema,
  changePermissionSchema,
  createPermissionSchema,
  type EffectivePermission,
  effectiveSchema,
  permissionSchema,
  protocolNameSchema,
  saveTemplateSchema,
  templateSchema,
} from '@fernlab/shared/contracts/permissions'
import { subjectKinds } from '@fernlab/shared/contracts/terms'
import { z } from '@hono/zod-openapi'
import { can } from '../../accounts/can.ts'
import { dayOf, dayStart, mondayOf } from '../../permissions/bench-use.ts'
import { whomToAsk } from '../../permissions/whom-to-ask.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { cursorAfter, cursorId, pageQuery } from '../paging.ts'
import { notFound } from '../problems.ts'
import { mayKnow } from './labs.ts'

const tag = 'Permissions'
const path = '/api/v1/permissions/{id}'
const params = z.object({ id: z.string().max(63) })
const templateParams = z.object({ id: nameSchema })

/** Who may use which lab how: admins say it, staff read it, everybody reads what holds for them. */
export function permissionRoutes(add: AddRoute, parts: ApiParts): void {
  const { permissions } = parts
  add(
    {
      method: 'get',
      path: '/api/v1/permissions',
      tag,
      summary: 'Permissions',
      access: 'permissions.read',
      query: pageQuery.extend({
        lab: nameSchema.optional().describe('Those that count in this lab, also those for every lab'),
        kind: z.enum(subjectKinds).optional(),
        subject: z.string().max(63).optional().describe('A role, a group or a person, by id'),
      }),
      answer: { schema: page(permissionSchema), what: 'Permissions by id' },
    },
    async ({ c, query: { limit, cursor, ...filter } }) => {
      const after = cursorId(cursor)
      const { items, more } = await permissions.list(filter, { limit, ...(after === undefined ? {} : { after }) })
      const last = items.at(-1)
      return c.json({ items, ...(more && last !== undefined ? { cursor: cursorAfter(last.id) } : {}) })
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/permissions',
      tag,
      summary: 'Give a permission',
      access: 'permissions.manage',
      errors: ['permission-invalid', 'template-unknown'],
      body: createPermissionSchema,
      answer: { status: 201, schema: permissionSchema, what: 'The permission' },
    },
    async ({ c, body, caller }) => c.json(await permissions.create(caller, body), 201),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/permissions/bulk',
      tag,
      summary: 'Change or remove many permissions, all or none; with `preview`, only say what would be',
      access: 'permissions.manage',
      errors: ['permission-invalid', 'permission-unknown'],
      body: bulkPermissionsSchema,
      answer: { schema: bulkDoneSchema, what: 'Each as it was and as it is' },
    },
    async ({ c, body, caller }) => c.json(await permissions.bulk(caller, body)),
  )
  add(
    {
      method: 'get',
      path,
      tag,
      summary: 'A permission',
      access: 'permissions.read',
      params,
      answer: { schema: permissionSchema, what: 'The permission' },
    },
    async ({ c, params: { id } }) => c.json(await permissions.get(id)),
  )
  add(
    {
      method: 'put',
      path,
      tag,
      summary: 'Change a permission, at once',
      access: 'permissions.manage',
      errors: ['permission-invalid'],
      params,
      body: changePermissionSchema,
      answer: { schema: permissionSchema, what: 'The permission' },
    },
    async ({ c, params: { id }, body, caller }) => c.json(await permissions.change(caller, id, body)),
  )
  add(
    {
      method: 'delete',
      path,
      tag,
      summary: 'Take a permission away, at once; what waits already stays',
      access: 'permissions.manage',
      params,
      answer: { status: 204, what: 'It is gone' },
    },
    async ({ c, params: { id }, caller }) => {
      await permissions.remove(caller, id)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'post',
      path: `${path}/copy`,
      tag,
      summary: 'Give the same permission to somebody else, for another lab or at another time',
      access: 'permissions.manage',
      errors: ['permission-invalid'],
      params,
      body: changePermissionSchema,
      answer: { status: 201, schema: permissionSchema, what: 'The new permission' },
    },
    async ({ c, params: { id }, body, caller }) => c.json(await permissions.copy(caller, id, body), 201),
  )
  add(
    {
      method: 'get',
      path: '/api/v1/permission-templates',
      tag,
      summary: 'Terms by name, to begin a permission with',
      access: 'permissions.read',
      answer: { schema: page(templateSchema), what: 'All templates by id' },
    },
    async ({ c }) => c.json({ items: await permissions.templates() }),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/permission-templates/{id}',
      tag,
      summary: 'Make or change a template; permissions that began with it stay as they are',
      access: 'permissions.manage',
      errors: ['permission-invalid'],
      params: templateParams,
      body: saveTemplateSchema,
      answer: { schema: templateSchema, what: 'The template' },
    },
    async ({ c, params: { id }, body, caller }) => {
      await permissions.saveTemplate(caller, { id, ...body })
      return c.json({ id, ...body })
    },
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/permission-templates/{id}',
      tag,
      summary: 'Remove a template; permissions that began with it stay',
      access: 'permissions.manage',
      params: templateParams,
      answer: { status: 204, what: 'It is gone' },
    },
    async ({ c, params: { id }, caller }) => {
      await permissions.removeTemplate(caller, id)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/permission-templates/{id}/apply',
      tag,
      summary: 'Give a template’s terms to many, in many labs, all or none; with `preview`, only say what would be',
      description: 'What is given already in the same way is left out.',
      access: 'permissions.manage',
      errors: ['permission-invalid'],
      params: templateParams,
      body: applyTemplateSchema,
      answer: { schema: appliedTemplateSchema, what: 'The new permissions' },
    },
    async ({ c, params: { id }, body, caller }) => c.json(await permissions.applyTemplate(caller, id, body)),
  )
  effectiveRoute(add, parts)
}

function effectiveRoute(
  add: AddRoute,
  { accounts, groups, catalogue, permissions, standings, bookings, store, clock }: ApiParts,
): void {
  add(
    {
      method: 'get',
      path: '/api/v1/labs/{lab}/permission',
      tag,
      summary: 'What one may in a lab now, and which permission gives what',
      description: 'Of those that hold now for this lab and protocol the most generous for each term wins.',
      access: 'catalogue.read',
      params: z.object({ lab: nameSchema }),
      query: z.object({
        protocol: protocolNameSchema.optional().describe('Without it: in any of them'),
        person: z.string().max(63).optional().describe('Somebody else, for staff and whoever teaches them'),
      }),
      answer: { schema: effectiveSchema, what: 'What holds' },
    },
    async ({ c, params, query, caller }) => {
      const lab = await catalogue.lab(params.lab)
      if (lab === undefined || !mayKnow(lab, caller)) throw notFound(`the lab ${params.lab}`)
      const other = query.person !== undefined && query.person !== caller.personId
      const seen = !other || can(caller, 'people.read') || (await groups.teaches(caller.personId, query.person ?? ''))
      const person = other && seen ? await accounts.person(query.person ?? '') : undefined
      if (other && person === undefined) throw notFound(`the person ${query.person}`)
      const who = person === undefined ? caller : { personId: person.id, role: person.role }
      const standing = await standings.of(who, lab.id)
      const { gives, sources, holding } = standing.effective(query.protocol)
      const today = dayOf(clock.now())
      const answer: EffectivePermission = {
        unlimited: standing.unlimited,
        gives,
        sources,
        permissions: await permissions.named(holding),
        protocols: Object.keys(lab.protocols).filter((name) => standing.effective(name).gives.mayQueue),
        booking: await bookings.allowance(who, lab),
        used: standing.used(gives.countsSetup),
        dayEnds: new Date(dayStart(today + 1)).toISOString(),
        weekEnds: new Date(dayStart(mondayOf(today) + 7)).toISOString(),
        ask: await whomToAsk(store, lab.id),
      }
      return c.json(answer)
    },
  )
}

import { page } from '@fernlab/shared/contracts/api'
import { nameSchema } from '@fernlab/shared/contracts/common'
import { ownGroupSchema } from '@fernlab/shared/contracts/groups'
import { z } from '@hono/zod-openapi'
import type { AddRoute, ApiParts } from '../context.ts'

/** The groups and courses that one was put into, and leaving them. */
export function ownGroupRoutes(add: AddRoute, { groups }: ApiParts): void {
  const path = '/api/v1/me/groups'
  add(
    {
      method: 'get',
      path,
      tag: 'Account',
      summary: 'The groups and courses that one is in directly, by name',
      access: 'groups.read',
      answer: { schema: page(ownGroupSchema), what: 'All of them' },
    },
    async ({ c, caller }) => c.json({ items: await groups.own(caller.personId) }),
  )
  add(
    {
      method: 'delete',
      path: `${path}/{id}`,
      tag: 'Account',
      summary: 'Leave a group',
      description:
        'A course that is not over is left by the hands of its instructors, and the last instructor of a group stays: 409 `group-stays`.',
      access: 'account.manage',
      errors: ['group-stays'],
      params: z.object({ id: nameSchema }),
      answer: { status: 204, what: 'One is in it no more' },
    },
    async ({ c, params: { id }, caller }) => {
      await groups.leave(caller, id)
      return c.body(null, 204)
    },
  )
}

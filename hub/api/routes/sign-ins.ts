import { signInSchema } from '@fernlab/shared/contracts/sign-ins'
import { z } from '@hono/zod-openapi'
import type { AddRoute, ApiParts } from '../context.ts'

/** Where one is signed in, and ending that. */
export function signInRoutes(add: AddRoute, { accounts }: ApiParts): void {
  const path = '/api/v1/me/sign-ins'
  add(
    {
      method: 'get',
      path,
      tag: 'Account',
      summary: 'Where one is signed in, the last seen first',
      access: 'account.manage',
      answer: { schema: z.object({ items: z.array(signInSchema) }), what: 'Browsers and programs' },
    },
    async ({ c, caller }) => c.json({ items: await accounts.signIns.list(caller) }),
  )
  add(
    {
      method: 'delete',
      path: `${path}/{id}`,
      tag: 'Account',
      summary: 'Sign out in one place, at once',
      access: 'account.manage',
      params: z.object({ id: z.string().max(63) }),
      answer: { status: 204, what: 'It has ended' },
    },
    async ({ c, params, caller }) => {
      await accounts.signIns.end(caller, params.id)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'post',
      path: `${path}/end-others`,
      tag: 'Account',
      summary: 'Sign out everywhere but here; no browser is trusted any more',
      access: 'account.manage',
      answer: { status: 204, what: 'They have ended' },
    },
    async ({ c, caller }) => {
      await accounts.signIns.endOthers(caller)
      return c.body(null, 204)
    },
  )
}

import { page } from '@fernlab/shared/contracts/api'
import { runIdSchema } from '@fernlab/shared/contracts/common'
import { directFilterSchema, directUseDetailSchema, directUseSchema } from '@fernlab/shared/contracts/direct-use'
import { z } from '@hono/zod-openapi'
import type { AddRoute, ApiParts } from '../context.ts'
import { csvAnswer } from '../csv-answer.ts'
import { cursorAfter, cursorId, pageQuery } from '../paging.ts'
import { notFound } from '../problems.ts'
import * as tables from './usage-tables.ts'

const tag = 'Usage'
const path = '/api/v1/usage/direct'
const csv = { what: 'CSV with a header', type: 'text/csv' }
const one = { method: 'get', tag, access: 'usage.read', params: z.object({ id: runIdSchema }) } as const

/** Direct uses of benches by staff, as JSON and as tables. */
export function directUseRoutes(add: AddRoute, { usage }: ApiParts): void {
  add(
    {
      method: 'get',
      path,
      tag,
      summary: 'Benches that staff drove by hand, newest first: one’s own, those of whom one teaches, for admins all',
      access: 'usage.read',
      errors: ['group-unknown'],
      query: pageQuery.extend(directFilterSchema.shape),
      answer: { schema: page(directUseSchema), what: 'Direct uses' },
    },
    async ({ c, query: { limit, cursor, ...filter }, caller }) => {
      const { items, more } = await usage.direct.list(caller, filter, { limit, before: cursorId(cursor) })
      const last = items.at(-1)
      return c.json({ items, ...(more && last !== undefined ? { cursor: cursorAfter(last.id) } : {}) })
    },
  )
  add(
    {
      method: 'get',
      path: `${path}.csv`,
      tag,
      summary: 'The same as a table, all of them',
      access: 'usage.read',
      errors: ['group-unknown'],
      query: directFilterSchema,
      answer: csv,
    },
    async ({ c, query, caller }) => {
      const uses = usage.direct.all(caller, query)
      // A course that is not the caller's is refused before the answer begins.
      const first = await uses.next()
      return csvAnswer(c, 'fernlab-direct-use.csv', () => tables.direct(first, uses))
    },
  )
  add(
    {
      ...one,
      path: `${path}/{id}`,
      summary: 'A direct use with what was set and read in it, and what came back',
      answer: { schema: directUseDetailSchema, what: 'The direct use' },
    },
    async ({ c, params: { id }, caller }) => {
      const use = await usage.direct.get(caller, id)
      if (use === undefined) throw notFound(`the direct use ${id}`)
      return c.json(use)
    },
  )
  add(
    { ...one, path: `${path}/{id}/exchanges.csv`, summary: 'All that was set and read in a direct use', answer: csv },
    async ({ c, params: { id }, caller }) => {
      const exchanges = await usage.direct.exchanges(caller, id)
      if (exchanges === undefined) throw notFound(`the direct use ${id}`)
      return csvAnswer(c, `${id}-exchanges.csv`, () => tables.exchanges(exchanges))
    },
  )
}

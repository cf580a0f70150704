import { removalPreviewSchema } from '@fernlab/shared/contracts/bench-care'
import { z } from '@hono/zod-openapi'
import type { AddRoute, ApiParts } from '../context.ts'
import { benchParams, nodeParams } from './fleet.ts'

const confirmQuery = z.object({
  confirm: z.string().max(200).optional().openapi({ description: 'The name again: removing can not be undone' }),
})

/** Nodes and benches that are gone for good. */
export function removalRoutes(add: AddRoute, { removal }: ApiParts): void {
  add(
    {
      method: 'get',
      path: '/api/v1/nodes/{node}/removal',
      tag: 'Fleet',
      summary: 'What removing the node would do, and what stands against it',
      access: 'nodes.manage',
      params: nodeParams,
      answer: { schema: removalPreviewSchema, what: 'What would go and what would stay' },
    },
    async ({ c, params }) => c.json(await removal.previewNode(params.node)),
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/nodes/{node}',
      tag: 'Fleet',
      summary: 'Remove a node that is gone for good, with its benches; its runs and their results stay',
      description: 'Refused while it is connected and not revoked, and while one of its benches is held.',
      access: 'nodes.manage',
      errors: ['not-confirmed', 'still-in-use'],
      params: nodeParams,
      query: confirmQuery,
      answer: { status: 204, what: 'It is removed' },
    },
    async ({ c, params, query, caller }) => {
      await removal.removeNode(params.node, query.confirm, caller.personId)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/benches/{bench}/removal',
      tag: 'Fleet',
      summary: 'What removing the bench would do, and what stands against it',
      access: 'nodes.manage',
      params: benchParams,
      answer: { schema: removalPreviewSchema, what: 'What would go and what would stay' },
    },
    async ({ c, params }) => c.json(await removal.previewBench(params.bench)),
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/benches/{bench}',
      tag: 'Fleet',
      summary: 'Remove a bench that its node has no more; its runs and their results stay',
      access: 'nodes.manage',
      errors: ['not-confirmed', 'still-in-use'],
      params: benchParams,
      query: confirmQuery,
      answer: { status: 204, what: 'It is removed' },
    },
    async ({ c, params, query, caller }) => {
      await removal.removeBench(params.bench, query.confirm, caller.personId)
      return c.body(null, 204)
    },
  )
}

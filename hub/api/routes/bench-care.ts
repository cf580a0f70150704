import { outageSchema, planOutageSchema } from '@fernlab/shared/contracts/bench-care'
import { z } from '@hono/zod-openapi'
import type { AddRoute, ApiParts } from '../context.ts'
import { benchParams } from './fleet.ts'

/** When benches are not for runs; staff and lab builders plan it. */
export function benchCareRoutes(add: AddRoute, { benchCare }: ApiParts): void {
  add(
    {
      method: 'get',
      path: '/api/v1/benches/{bench}/outages',
      tag: 'Fleet',
      summary: 'When the bench is not for runs: maintenance and closing times that are in force or to come',
      access: 'benches.read',
      params: benchParams,
      answer: { schema: z.object({ items: z.array(outageSchema) }), what: 'Outages, the soonest first' },
    },
    async ({ c, params }) => c.json({ items: await benchCare.outages(params.bench) }),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/benches/{bench}/outages',
      tag: 'Fleet',
      summary: 'Put the bench into maintenance now or later, or close it at the same hours of every week',
      description:
        'No run is begun that would not end before. A run that is on the bench when it begins finishes first, or is cancelled with the reason if `atOnce` is true.',
      access: 'benches.maintain',
      params: benchParams,
      body: planOutageSchema,
      answer: { status: 201, schema: outageSchema, what: 'The outage' },
    },
    async ({ c, params, body, caller }) => c.json(await benchCare.plan(params.bench, body, caller.personId), 201),
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/benches/{bench}/outages/{outage}',
      tag: 'Fleet',
      summary: 'Take an outage back; the bench takes runs again if it was the one in force',
      access: 'benches.maintain',
      params: benchParams.extend({ outage: z.string().max(63) }),
      answer: { status: 204, what: 'It is taken back' },
    },
    async ({ c, params, caller }) => {
      await benchCare.end(params.bench, params.outage, caller.personId)
      return c.body(null, 204)
    },
  )
}

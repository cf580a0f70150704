import { benchSchema } from '@fernlab/shared/contracts/api'
import { outageSchema, planOutageSchema, planOutagesSchema } from '@fernlab/shared/contracts/bench-care'
import {
  type BenchHistory,
  benchHistorySchema,
  benchLettersSchema,
  changeBenchLettersSchema,
} from '@fernlab/shared/contracts/bench-checks'
import { z } from '@hono/zod-openapi'
import type { Caller } from '../../accounts/caller.ts'
import { can } from '../../accounts/can.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { csvLine } from '../csv-line.ts'
import { notFound } from '../problems.ts'
import { benchParams, viewerOf } from './fleet.ts'

const givenTime = z.iso.datetime({ offset: true })
const dayMs = 86_400_000
const historyQuery = z.object({
  /** 30 days before the end unless given. */
  from: givenTime.optional(),
  /** Now unless given. */
  to: givenTime.optional(),
})

/** When benches are not for runs, which staff and lab builders plan; whether they are sound, and what became of them. */
export function benchCareRoutes(add: AddRoute, parts: ApiParts): void {
  const { benchCare, benchChecks, benchHistory, benchLetters, fleet, config, clock } = parts
  const lettersOf = async ({ personId }: Caller) => ({
    wanted: await benchLetters.wanted(personId),
    possible: config.mail,
  })
  const historyOf = async (
    bench: string,
    { from, to }: z.output<typeof historyQuery>,
    caller: Caller,
  ): Promise<BenchHistory> => {
    const end = to === undefined ? clock.now() + 1 : Date.parse(to)
    const begin = from === undefined ? end - 30 * dayMs : Date.parse(from)
    const { uptime, changes } = await benchHistory.of(bench, { from: begin, to: end })
    if (can(caller, 'benches.maintain')) return { uptime, changes }
    return { uptime, changes: changes.map(({ by: _, ...change }) => change) }
  }
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
        'No run is begun that would not end before. A run that is on the bench when it begins finishes first, or is cancelled with the reason if `atOnce` is true; the person of a live session then has the rest of its time at the head of the queue.',
      access: 'benches.maintain',
      errors: ['outage-over', 'outages-too-many'],
      params: benchParams,
      body: planOutageSchema,
      answer: { status: 201, schema: outageSchema, what: 'The outage' },
    },
    async ({ c, params, body, caller }) => c.json(await benchCare.plan(params.bench, body, caller.personId), 201),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/outages',
      tag: 'Fleet',
      summary: 'Put several benches into maintenance, or close them at the same hours, all of them or none',
      description:
        'The same as for each bench by itself, in one write. What is wrong with a bench is told with its place in the list.',
      access: 'benches.maintain',
      body: planOutagesSchema,
      answer: {
        status: 201,
        schema: z.object({ items: z.array(outageSchema) }),
        what: 'The outages, in the order of the benches',
      },
    },
    async ({ c, body, caller }) => c.json({ items: await benchCare.planMany(body, caller.personId) }, 201),
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/benches/{bench}/outages/{outage}',
      tag: 'Fleet',
      summary: 'Take an outage back; the bench takes runs again if it was the one in force',
      access: 'benches.maintain',
      errors: ['outage-unknown'],
      params: benchParams.extend({ outage: z.string().max(63) }),
      answer: { status: 204, what: 'It is taken back' },
    },
    async ({ c, params, caller }) => {
      await benchCare.end(params.bench, params.outage, caller.personId)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/benches/{bench}/history',
      tag: 'Fleet',
      summary: 'What became of the bench, newest first, and its uptime over a day, a week and 30 days',
      description:
        'Uptime is the share of the time in which the bench was meant to be up: maintenance and closing times are counted apart. 400 days are kept. Who of the staff made a change is told to staff and lab builders.',
      access: 'benches.read',
      params: benchParams,
      query: historyQuery,
      answer: { schema: benchHistorySchema, what: 'Uptime and changes' },
    },
    async ({ c, params, query, caller }) => c.json(await historyOf(params.bench, query, caller)),
  )
  add(
    {
      method: 'get',
      path: '/api/v1/benches/{bench}/history.csv',
      tag: 'Fleet',
      summary: 'What became of the bench, newest first, as a table',
      access: 'benches.read',
      params: benchParams,
      query: historyQuery,
      answer: { what: 'CSV with a header', type: 'text/csv' },
    },
    async ({ c, params, query, caller }) => {
      const { changes } = await historyOf(params.bench, query, caller)
      const lines = changes.map(({ at, until = '', state, cause, reason = '', by = '', run = '' }) =>
        csvLine([at, until, state, cause, reason, by, run]),
      )
      const text = csvLine(['at', 'until', 'state', 'cause', 'reason', 'by', 'run']) + lines.join('')
      return c.body(text, 200, {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="fernlab-${params.bench}.csv"`,
        'cache-control': 'no-store',
      })
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/benches/{bench}/checks',
      tag: 'Fleet',
      summary: 'Do the bench’s checks now',
      description:
        'Those that would disturb somebody who uses the bench are left out. Answers when they are done, at the latest after a minute; those that are runs are `asked` then, and done as soon as nobody uses the bench or waits for it.',
      access: 'benches.maintain',
      errors: ['node-offline', 'node-silent'],
      params: benchParams,
      answer: { schema: benchSchema, what: 'The bench, with how its checks went' },
    },
    async ({ c, params, caller }) => {
      await benchChecks.now(params.bench, caller.personId)
      const bench = await fleet.bench(params.bench, viewerOf(caller))
      if (bench === undefined) throw notFound(`the bench ${params.bench}`)
      return c.json(bench)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/me/bench-letters',
      tag: 'Fleet',
      summary: 'Whether one gets a letter when a bench goes out of use and when it is of use again',
      description: 'Admins and lab builders do unless they say otherwise, instructors do not.',
      access: 'benches.maintain',
      answer: { schema: benchLettersSchema, what: 'Whether one does' },
    },
    async ({ c, caller }) => c.json(await lettersOf(caller)),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/me/bench-letters',
      tag: 'Fleet',
      summary: 'Get letters about benches, or get none',
      access: 'benches.maintain',
      body: changeBenchLettersSchema,
      answer: { schema: benchLettersSchema, what: 'Whether one gets them now' },
    },
    async ({ c, body, caller }) => {
      await benchLetters.want(caller.personId, body.wanted)
      return c.json(await lettersOf(caller))
    },
  )
}

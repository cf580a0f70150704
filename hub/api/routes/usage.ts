import { page } from '@fernlab/shared/contracts/api'
import { nameSchema, runIdSchema } from '@fernlab/shared/contracts/common'
import {
  courseUsageSchema,
  type Period,
  periodOf,
  periodQuerySchema,
  similarSchema,
  siteUsageSchema,
  timelineSchema,
  usagePreviewSchema,
  usageRulesSchema,
  useDetailSchema,
  useFilterSchema,
  useSchema,
} from '@fernlab/shared/contracts/usage'
import { z } from '@hono/zod-openapi'
import type { Caller } from '../../accounts/caller.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { csvAnswer } from '../csv-answer.ts'
import { cursorAfter, cursorId, pageQuery } from '../paging.ts'
import { notFound, refusal } from '../problems.ts'
import * as tables from './usage-tables.ts'

const tag = 'Usage'
const course = z.object({ id: nameSchema })
const courses = '/api/v1/usage/courses/{id}'
const similarQuery = periodQuerySchema.extend({
  withinHours: z.coerce.number().min(0.1).max(720).default(24).describe('How near in time counts'),
})
/** Bars of more days are too fine to be seen. */
const timelineDays = 31

/** Uses, and the views of a course and of the site, each as JSON and as a table. */
export function usageRoutes(add: AddRoute, { usage, maintenance, clock }: ApiParts): void {
  const within = (query: z.output<typeof periodQuerySchema>, longestDays?: number): Period => {
    const period = periodOf(query, clock.now(), longestDays)
    if (!('path' in period)) return period
    throw Object.assign(refusal('request-invalid', `${period.path}: ${period.message}`), { issues: [period] })
  }

  for (const [path, summary] of [
    [
      '/api/v1/usage/uses',
      'Runs and sessions as uses, newest first: one’s own, those of whom one teaches, for admins all',
    ],
    ['/api/v1/usage', 'The same as /api/v1/usage/uses'],
  ] as const) {
    add(
      {
        method: 'get',
        path,
        tag,
        summary,
        access: 'usage.read',
        errors: ['group-unknown'],
        query: pageQuery.extend(useFilterSchema.shape),
        answer: { schema: page(useSchema), what: 'Uses' },
      },
      async ({ c, query: { limit, cursor, ...filter }, caller }) => {
        const { items, more } = await usage.list(caller, filter, { limit, before: cursorId(cursor) })
        const last = items.at(-1)
        return c.json({ items, ...(more && last !== undefined ? { cursor: cursorAfter(last.id) } : {}) })
      },
    )
  }
  add(
    {
      method: 'get',
      path: '/api/v1/usage/uses.csv',
      tag,
      summary: 'The same as a table, all of them',
      access: 'usage.read',
      errors: ['group-unknown'],
      query: useFilterSchema,
      answer: { what: 'CSV with a header', type: 'text/csv' },
    },
    async ({ c, query, caller }) => {
      const uses = usage.all(caller, query)
      // A course that is not the caller's is refused before the answer begins.
      const first = await uses.next()
      return csvAnswer(c, 'fernlab-uses.csv', () => tables.uses(first, uses))
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/usage/uses/{id}',
      tag,
      summary: 'A use with what was commanded in it and who took its results',
      access: 'usage.read',
      params: z.object({ id: runIdSchema }),
      answer: { schema: useDetailSchema, what: 'The use' },
    },
    async ({ c, params: { id }, caller }) => {
      const use = await usage.get(caller, id)
      if (use === undefined) throw notFound(`the use ${id}`)
      return c.json(use)
    },
  )

  const csv = { what: 'CSV with a header', type: 'text/csv' }
  const recordOf = async (caller: Caller, id: string) => {
    const record = await usage.record(caller, id)
    if (record === undefined) throw notFound(`the use ${id}`)
    return record
  }
  const ofUse = {
    method: 'get',
    tag,
    access: 'usage.read',
    params: z.object({ id: runIdSchema }),
    answer: csv,
  } as const
  add(
    { ...ofUse, path: '/api/v1/usage/uses/{id}/commands.csv', summary: 'All that was commanded in a live session' },
    async ({ c, params: { id }, caller }) => {
      const { commands } = await recordOf(caller, id)
      return csvAnswer(c, `${id}-commands.csv`, () => tables.commands(commands()))
    },
  )
  add(
    { ...ofUse, path: '/api/v1/usage/uses/{id}/files.csv', summary: 'Who took results of a use as files' },
    async ({ c, params: { id }, caller }) => {
      const { files } = await recordOf(caller, id)
      return csvAnswer(c, `${id}-files.csv`, () => tables.files(files()))
    },
  )

  const view = { method: 'get', tag, access: 'usage.read', params: course, query: periodQuerySchema } as const
  const asTable = 'For who teaches the course, as a table'
  add(
    {
      ...view,
      path: courses,
      summary: 'Who of a course did what, and when in the week; for who teaches it',
      answer: { schema: courseUsageSchema, what: 'Everybody in the course, with or without uses' },
    },
    async ({ c, params, query, caller }) => c.json(await usage.course(caller, params.id, within(query))),
  )
  add(
    { ...view, path: `${courses}/people.csv`, summary: asTable, answer: csv },
    async ({ c, params, query, caller }) => {
      const { people } = await usage.course(caller, params.id, within(query))
      return csvAnswer(c, `${params.id}-people.csv`, () => tables.people(people))
    },
  )
  add(
    { ...view, path: `${courses}/hours.csv`, summary: asTable, answer: csv },
    async ({ c, params, query, caller }) => {
      const { hours } = await usage.course(caller, params.id, within(query))
      return csvAnswer(c, `${params.id}-hours.csv`, () => tables.hours(hours))
    },
  )
  add(
    {
      ...view,
      path: `${courses}/timeline`,
      summary: `Which uses of a course were on which bench when, of ${timelineDays} days at most`,
      answer: { schema: timelineSchema, what: 'Uses by bench' },
    },
    async ({ c, params, query, caller }) =>
      c.json(await usage.timeline(caller, params.id, within(query, timelineDays))),
  )
  add(
    { ...view, path: `${courses}/timeline.csv`, summary: asTable, answer: csv },
    async ({ c, params, query, caller }) => {
      const { benches } = await usage.timeline(caller, params.id, within(query, timelineDays))
      return csvAnswer(c, `${params.id}-timeline.csv`, () => tables.timeline(benches))
    },
  )
  add(
    {
      ...view,
      path: `${courses}/similar`,
      query: similarQuery,
      summary: 'Uses of different people with the same chosen parameters, near in time: hints to talk about, no proof',
      description: 'Parameters that the lab suggests are none; what many of the course chose is taken for their task.',
      answer: { schema: similarSchema, what: 'Hints, the nearest in time first' },
    },
    async ({ c, params, query: { withinHours, ...query }, caller }) =>
      c.json(await usage.similar(caller, params.id, within(query), withinHours)),
  )
  add(
    { ...view, path: `${courses}/similar.csv`, query: similarQuery, summary: asTable, answer: csv },
    async ({ c, params, query: { withinHours, ...query }, caller }) => {
      const { hints } = await usage.similar(caller, params.id, within(query), withinHours)
      return csvAnswer(c, `${params.id}-similar.csv`, () => tables.similar(hints))
    },
  )

  add(
    {
      method: 'get',
      path: '/api/v1/settings/usage',
      tag,
      summary: 'How long uses keep addresses and names',
      access: 'usage.read-site',
      answer: { schema: usageRulesSchema, what: 'The rules' },
    },
    async ({ c }) => c.json(await maintenance.usageRules()),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/settings/usage',
      tag,
      summary: 'Choose how many days uses keep addresses and names; null keeps them for good',
      description: 'What is older is taken away at once and each night, and can not be brought back.',
      access: 'settings.change',
      body: usageRulesSchema,
      answer: { schema: usageRulesSchema, what: 'The rules' },
    },
    async ({ c, body, caller }) => {
      await maintenance.setUsageRules(body, caller.personId)
      return c.json(await maintenance.usageRules())
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/settings/usage/preview',
      tag,
      summary: 'What such rules would take away now; changes nothing',
      access: 'settings.change',
      body: usageRulesSchema,
      answer: { schema: usagePreviewSchema, what: 'How much' },
    },
    async ({ c, body }) => c.json(await maintenance.previewUsageRules(body)),
  )

  const site = { method: 'get', tag, access: 'usage.read-site', query: periodQuerySchema } as const
  add(
    {
      ...site,
      path: '/api/v1/usage/site',
      summary: 'How much of the benches was used, how long people waited, and where they came from',
      answer: { schema: siteUsageSchema, what: 'The views' },
    },
    async ({ c, query }) => c.json(await usage.site(within(query))),
  )
  for (const [name, table] of Object.entries(tables.site)) {
    add(
      { ...site, path: `/api/v1/usage/site/${name}.csv`, summary: `The site’s ${name}, as a table`, answer: csv },
      async ({ c, query }) => {
        const found = await usage.site(within(query))
        return csvAnswer(c, `fernlab-${name}.csv`, () => table(found))
      },
    )
  }
}

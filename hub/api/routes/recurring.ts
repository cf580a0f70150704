import { page } from '@fernlab/shared/contracts/api'
import {
  askTimesSchema,
  changeRecurringSchema,
  createRecurringSchema,
  nextTimesSchema,
  type Recurring,
  recurringSchema,
} from '@fernlab/shared/contracts/recurring'
import { z } from '@hono/zod-openapi'
import type { Caller } from '../../accounts/caller.ts'
import { can, decide } from '../../accounts/can.ts'
import { submissionErrors } from '../call-errors.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { cursorAfter, cursorId, pageQuery } from '../paging.ts'
import { notFound, refusal } from '../problems.ts'

const tag = 'Recurring runs'
const recurringParams = z.object({ id: z.string().max(63) })
const answer = { schema: recurringSchema, what: 'The recurring run' }

const listQuery = pageQuery.extend({
  lab: z.string().max(63).optional(),
  /** For staff: whose; everybody's unless given. */
  person: z.string().max(63).optional(),
})

/** Runs that are made anew whenever a cron expression is due: one's own, for staff everybody's. */
export function recurringRoutes(add: AddRoute, { recurring }: ApiParts): void {
  const readable = async (caller: Caller, id: string): Promise<Recurring> => {
    const found = await recurring.get(id)
    if (found === undefined || decide(caller, 'recurring.read', { ownerId: found.person.id }) !== 'yes') {
      throw notFound(`the recurring run ${id}`)
    }
    return found
  }
  /** Its runs are the owner's, with the owner's permissions: nobody else says what they do. */
  const own = async (caller: Caller, id: string): Promise<Recurring> => {
    const found = await readable(caller, id)
    if (found.person.id === caller.personId) return found
    const hint = 'Only its owner may change it. You may pause or remove it, and make one of your own.'
    throw refusal('forbidden', 'a recurring run is changed and run by its owner', hint)
  }

  add(
    {
      method: 'post',
      path: '/api/v1/recurring',
      tag,
      summary: 'Make a run recur, by a cron expression in a time zone',
      description:
        'A time that the clocks skip is due as they skip it, one that they show twice is due the first time. Its owner must be allowed to queue the lab each time.',
      access: 'recurring.manage',
      errors: [
        'lab-unknown',
        'protocol-unknown',
        'cron-invalid',
        'recurring-invalid',
        'recurring-too-many',
        ...submissionErrors,
      ],
      body: createRecurringSchema,
      answer: { ...answer, status: 201 },
    },
    async ({ c, body, caller }) => {
      const made = await recurring.create(caller, body)
      c.header('location', `/api/v1/recurring/${made.id}`)
      return c.json(made, 201)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/recurring',
      tag,
      summary: 'Recurring runs, the newest first: one’s own, for staff everybody’s',
      access: 'recurring.read',
      query: listQuery,
      answer: { schema: page(recurringSchema), what: 'Recurring runs' },
    },
    async ({ c, query, caller }) => {
      const { lab, limit } = query
      const everybody = can(caller, 'recurring.read-any')
      if (!everybody && query.person !== undefined && query.person !== caller.personId) return c.json({ items: [] })
      const person = everybody ? query.person : caller.personId
      const before = cursorId(query.cursor)
      const { items, cursor } = await recurring.list({
        limit,
        ...(lab === undefined ? {} : { lab }),
        ...(person === undefined ? {} : { person }),
        ...(before === undefined ? {} : { cursor: before }),
      })
      return c.json({ items, ...(cursor === undefined ? {} : { cursor: cursorAfter(cursor) }) })
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/recurring-times',
      tag,
      summary: 'The next five times of a cron expression',
      access: 'recurring.read',
      errors: ['cron-invalid'],
      query: askTimesSchema,
      answer: { schema: nextTimesSchema, what: 'The times' },
    },
    async ({ c, query }) => c.json(recurring.times(query)),
  )
  add(
    {
      method: 'get',
      path: '/api/v1/recurring/{id}',
      tag,
      summary: 'A recurring run, with its next times and what came of the last',
      access: 'recurring.read',
      params: recurringParams,
      answer,
    },
    async ({ c, params, caller }) => c.json(await readable(caller, params.id)),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/recurring/{id}',
      tag,
      summary: 'Change a recurring run',
      description: 'What is not given stays; null takes away.',
      access: 'recurring.manage',
      errors: ['lab-unknown', 'protocol-unknown', 'cron-invalid', 'recurring-invalid', ...submissionErrors],
      params: recurringParams,
      body: changeRecurringSchema,
      answer,
    },
    async ({ c, params, body, caller }) => {
      await own(caller, params.id)
      return c.json(await recurring.change(caller, params.id, body))
    },
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/recurring/{id}',
      tag,
      summary: 'Remove a recurring run; the runs that it made stay',
      access: 'recurring.manage',
      params: recurringParams,
      answer: { status: 204, what: 'It is gone' },
    },
    async ({ c, params, caller }) => {
      await readable(caller, params.id)
      await recurring.remove(caller, params.id)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/recurring/{id}/pause',
      tag,
      summary: 'Pause a recurring run: its times pass without a run',
      access: 'recurring.manage',
      params: recurringParams,
      answer,
    },
    async ({ c, params, caller }) => {
      await readable(caller, params.id)
      return c.json(await recurring.pause(caller, params.id))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/recurring/{id}/resume',
      tag,
      summary: 'Let a paused recurring run go on with its next time',
      access: 'recurring.manage',
      errors: ['recurring-invalid', 'owner-left'],
      params: recurringParams,
      answer,
    },
    async ({ c, params, caller }) => {
      await readable(caller, params.id)
      return c.json(await recurring.resume(caller, params.id))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/recurring/{id}/run',
      tag,
      summary: 'Make its run now as well; its times stay',
      access: 'recurring.manage',
      errors: ['owner-left', 'lab-unknown', 'protocol-unknown', ...submissionErrors],
      params: recurringParams,
      answer: { ...answer, status: 201 },
    },
    async ({ c, params, caller }) => {
      await own(caller, params.id)
      return c.json(await recurring.runNow(caller, params.id), 201)
    },
  )
}

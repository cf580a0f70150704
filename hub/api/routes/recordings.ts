/** What cameras have recorded of sessions. */
import { recordingSchema } from '@fernlab/shared/contracts/recordings'
import { z } from '@hono/zod-openapi'
import { createRecorded } from '../../cameras/recorded.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { once, streamedWith, takingWith } from '../streamed-answer.ts'
import { readableRun, runParams } from './runs.ts'

/** Unless it is named, that which the run's data are of. */
const attemptQuery = z.object({ attempt: z.coerce.number().int().min(1).optional() })

/** The film of a session, as its page plays it. */
export function recordingRoutes(add: AddRoute, parts: ApiParts): void {
  const { results } = parts
  const recorded = createRecorded(parts.store)
  const taken = takingWith(parts)
  const streamed = streamedWith(parts.log)
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/recording',
      tag: 'Results',
      summary: 'What cameras have recorded of a session: the time of each picture, by pieces',
      access: 'runs.read',
      params: runParams,
      query: attemptQuery,
      answer: { schema: recordingSchema, what: 'The pieces of each camera; none where nothing was recorded' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      return c.json(await recorded.of(run.id, query.attempt ?? (await results.attemptOf(run))))
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/recording/{part}/{number}',
      tag: 'Results',
      summary: 'A piece of a recording: its pictures one after another',
      description:
        'For each picture four bytes with the length of what follows, eight with when it was seen (epoch seconds, IEEE 754), and the JPEG file; numbers have their big end first.',
      access: 'runs.read',
      errors: ['recording-unknown'],
      params: runParams.extend({ part: z.string().max(64), number: z.string().max(10) }),
      query: attemptQuery,
      answer: { what: 'The pictures', type: 'application/octet-stream' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      const { part } = params
      // Whether there is such a piece is not said before it is known who asks.
      const number = /^\d+$/.test(params.number) ? Number(params.number) : -1
      const attempt = query.attempt ?? (await results.attemptOf(run))
      const piece = await recorded.piece({ runId: run.id, attempt, part, number })
      return streamed(c, await taken(c, run, caller, once(piece), 'recording'), 'application/octet-stream')
    },
  )
}

/** What cameras have recorded of sessions. */
import type { Run } from '@fernlab/shared/contracts/api'
import { recordingSchema } from '@fernlab/shared/contracts/recordings'
import { z } from '@hono/zod-openapi'
import { filmFile, filmTimesCsv } from '../../cameras/films.ts'
import { createRecorded } from '../../cameras/recorded.ts'
import { startOf } from '../../results/pages.ts'
import { byteRange } from '../byte-range.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { problemResponse, refusal } from '../problems.ts'
import { once, streamedWith, takingWith } from '../streamed-answer.ts'
import { attemptIn } from './run-data.ts'
import { readableRun, runParams } from './runs.ts'

/** Unless it is named, that which the run's data are of. */
const attemptQuery = z.object({ attempt: z.coerce.number().int().min(1).optional() })

const partParams = runParams.extend({ part: z.string().max(64) })
const VIDEO = 'video/x-matroska'

const nameOf = (run: Run, attempt: number | undefined): string =>
  `${run.lab}-${run.protocol}-${run.id.slice(-8)}${attemptIn(run, attempt)}`

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
      description:
        'With `since`, the `cursor` of an earlier answer, only the pieces that have come since: ask so again while a session goes on.',
      access: 'runs.read',
      params: runParams,
      query: attemptQuery.extend({
        since: z
          .string()
          .regex(/^\d{1,15}$/, 'must be the cursor of an earlier answer')
          .optional(),
      }),
      answer: { schema: recordingSchema, what: 'The pieces of each camera; none where nothing was recorded' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      return c.json(await recorded.of(run.id, query.attempt ?? (await results.attemptOf(run)), query.since))
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/recording/{part}/film.mkv',
      tag: 'Results',
      summary: 'A recording as one video: Matroska with motion JPEG, each picture with its own time',
      description:
        'Made as it is read, from the pieces that are there. Takes `Range` and `If-Range`. Browsers do not play motion JPEG; VLC, mpv and ffmpeg do.',
      access: 'runs.read',
      errors: ['recording-unknown', 'range-empty'],
      params: partParams,
      query: attemptQuery,
      answer: { what: 'The video', type: VIDEO },
      otherAnswers: [{ status: 206, what: 'The part of it that was asked for', type: VIDEO }],
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      const { part } = params
      const attempt = query.attempt ?? (await results.attemptOf(run))
      const file = await filmFile(recorded, { runId: run.id, attempt, part }, `${run.lab}, ${run.id}, ${part}`)
      // Parts are of GET alone (RFC 9110, section 14.2).
      const asked = c.req.method === 'GET' ? c.req.header('range') : undefined
      const range = byteRange({ range: asked, ifRange: c.req.header('if-range') }, file)
      if (range.kind === 'none') {
        const error = refusal('range-empty', `the film has ${file.bytes} bytes, none of them in ${asked}`)
        return problemResponse(error, c.req.path, { 'content-range': `bytes */${file.bytes}` })
      }
      const { from, to } = range.kind === 'part' ? range : { from: 0, to: file.bytes }
      const headers = {
        'accept-ranges': 'bytes',
        etag: file.tag,
        'content-length': String(to - from),
        ...(range.kind === 'part' ? { 'content-range': `bytes ${from}-${to - 1}/${file.bytes}` } : {}),
      }
      const bytes = await taken(c, run, caller, file.content(from, to), 'film.mkv')
      const name = `${nameOf(run, query.attempt)}-${part}.mkv`
      return streamed(c, bytes, VIDEO, name, { headers, status: range.kind === 'part' ? 206 : 200 })
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/recording/{part}/times.csv',
      tag: 'Results',
      summary: 'When each picture of a recording was seen, as CSV (RFC 4180)',
      description:
        'Columns: `picture`, counted from 1; `film_s`, where it stands in the video; `time_s`, seconds since the run’s start, and `time_epoch_s`, seconds since 1970, both as in its data.',
      access: 'runs.read',
      errors: ['recording-unknown'],
      params: partParams,
      query: attemptQuery,
      answer: { what: 'CSV', type: 'text/csv' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      const { part } = params
      const attempt = query.attempt ?? (await results.attemptOf(run))
      const start = await startOf(parts.store, run.id, attempt)
      const lines = await filmTimesCsv(recorded, { runId: run.id, attempt, part }, start?.time)
      const name = `${nameOf(run, query.attempt)}-${part}-times.csv`
      return streamed(c, await taken(c, run, caller, lines), 'text/csv; charset=utf-8', name)
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
      params: partParams.extend({ number: z.string().max(10) }),
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

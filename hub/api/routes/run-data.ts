import { dataSchema, type Run, runStreamsSchema } from '@fernlab/shared/contracts/api'
import { isFinal } from '@fernlab/shared/contracts/run-state'
import { z } from '@hono/zod-openapi'
import type { Caller } from '../../accounts/caller.ts'
import { type FollowedAttempt, followAttempt } from '../../results/follow-attempt.ts'
import { createFollowers, type Look } from '../../results/followers.ts'
import { type Bytes, type DataRequest, mainStream } from '../../results/results.ts'
import { readCursor, runEvents } from '../../results/run-events.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { once, streamedWith, takingWith } from '../streamed-answer.ts'
import { mayRead, readableRun, runParams } from './runs.ts'

const seconds = z.coerce.number().refine(Number.isFinite, 'must be epoch seconds')

const dataQuery = z.object({
  stream: z.string().max(100).optional(),
  attempt: z.coerce.number().int().min(1).optional(),
  /** Epoch seconds. */
  from: seconds.optional(),
  to: seconds.optional(),
  columns: z.string().max(4000).optional(),
  /** At most so many rows, every peak kept. */
  points: z.coerce.number().int().min(10).max(20_000).optional(),
  /** As instruments gave them, before the calibrations in the run’s configuration. */
  values: z.enum(['calibrated', 'raw']).optional(),
})
const documentsQuery = z.object({
  attempt: z.coerce.number().int().min(1).optional(),
  /** Those that come while it goes on, too. */
  follow: z.enum(['true', 'false']).default('false'),
  /** So many documents are left out. */
  skip: z.coerce.number().int().min(0).default(0),
})
const csvQuery = dataQuery.extend({ time: z.enum(['relative', 'epoch', 'iso']).default('relative') })

type Query = z.output<typeof dataQuery>

/** Documents, data and live events of a run. */
export function runDataRoutes(add: AddRoute, parts: ApiParts): void {
  const { results } = parts
  const taken = takingWith(parts)
  const streamed = streamedWith(parts.log)
  const followers = createFollowers()
  const { look } = followers
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/documents',
      tag: 'Results',
      summary: 'The run’s documents in the Bluesky event model, as JSON lines',
      description:
        'With `follow=true` the answer goes on while the attempt does, its documents as they come, and ends with it; blank lines keep the connection meanwhile. Whoever was cut off goes on with `skip`, the number of documents that have arrived. Closes when the token or the session ends. One person follows at most 64 runs at a time, events and documents counted together.',
      access: 'runs.read',
      errors: ['follows-too-many'],
      params: runParams,
      query: documentsQuery,
      answer: { what: 'One `{name, doc}` a line', type: 'application/jsonl' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      const { skip } = query
      if (query.follow === 'false') {
        const bytes = await results.documents(run, query.attempt, { skip })
        return streamed(c, await taken(c, run, caller, bytes), 'application/jsonl')
      }
      const gone = new AbortController()
      const attempt = query.attempt ?? (isFinal(run.state) ? await results.attemptOf(run) : run.attempt)
      const { runs, clock } = parts
      const follow = () => followAttempt({ runs, clock, runId: run.id, attempt, signal: gone.signal, look })
      const followed = followedBy(follow, (more) => results.documents(run, attempt, { skip, more, look }))
      const permitted = whilePermitted(parts, { events: followed, run, headers: c.req.raw.headers, caller, gone, look })
      // Whoever goes on after a break takes the same.
      const answer = followers.answer(caller.personId, () => taken(c, run, caller, permitted, 'documents'))
      return streamed(c, answer, 'application/jsonl', undefined, {
        onGone: () => gone.abort(),
      })
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/streams',
      tag: 'Results',
      summary: 'The streams of an attempt, with how many rows each has',
      access: 'runs.read',
      params: runParams,
      query: z.object({ attempt: z.coerce.number().int().min(1).optional() }),
      answer: { schema: runStreamsSchema, what: 'Of the last attempt that has documents, unless one is named' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      return c.json(await results.streams(run, query.attempt))
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/data.json',
      tag: 'Results',
      summary: 'A stream in columns; with `points`, reduced for a chart with every peak kept',
      access: 'runs.read',
      errors: ['stream-unknown', 'column-unknown', 'calibration-not-invertible'],
      params: runParams,
      query: dataQuery,
      answer: { schema: dataSchema, what: 'The data' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      const { points } = query
      if (points !== undefined) return c.json(await results.reduced(run, { ...wanted(query), points }))
      return streamed(
        c,
        await taken(c, run, caller, await results.json(run, wanted(query))),
        'application/json',
        fileName(run, query, 'json'),
      )
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/data.csv',
      tag: 'Results',
      summary: 'A stream as CSV (RFC 4180), units in the header',
      description:
        'The first column is `time_s`, seconds since the run’s start; `?time=epoch` and `?time=iso` give others.',
      access: 'runs.read',
      errors: ['stream-unknown', 'column-unknown', 'calibration-not-invertible'],
      params: runParams,
      query: csvQuery,
      answer: { what: 'CSV', type: 'text/csv' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      const request = { ...wanted(query), time: query.time }
      return streamed(
        c,
        await taken(c, run, caller, await results.csv(run, request)),
        'text/csv; charset=utf-8',
        fileName(run, query, 'csv'),
      )
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/data.parquet',
      tag: 'Results',
      summary: 'A stream as Apache Parquet',
      access: 'runs.read',
      errors: ['stream-unknown', 'column-unknown', 'calibration-not-invertible'],
      params: runParams,
      query: dataQuery,
      answer: { what: 'Parquet', type: 'application/vnd.apache.parquet' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      const file = fileName(run, query, 'parquet')
      return streamed(
        c,
        await taken(c, run, caller, await results.parquet(run, wanted(query))),
        'application/vnd.apache.parquet',
        file,
      )
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/data.h5',
      tag: 'Results',
      summary: 'A stream as HDF5',
      access: 'runs.read',
      errors: ['stream-unknown', 'column-unknown', 'calibration-not-invertible'],
      params: runParams,
      query: dataQuery,
      answer: { what: 'HDF5', type: 'application/x-hdf5' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      return streamed(
        c,
        await taken(c, run, caller, await results.hdf5(run, wanted(query))),
        'application/x-hdf5',
        fileName(run, query, 'h5'),
      )
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/pictures/{file}',
      tag: 'Results',
      summary: 'A picture that a camera took into the run, as JPEG',
      description:
        'Names and times of the pictures of a part, `view` say, are the rows of the stream `view.pictures`: `GET /api/v1/runs/{id}/data.json?stream=view.pictures`.',
      access: 'runs.read',
      errors: ['picture-unknown'],
      params: runParams.extend({ file: z.string().max(100) }),
      query: z.object({ attempt: z.coerce.number().int().min(1).optional() }),
      answer: { what: 'The picture', type: 'image/jpeg' },
    },
    async ({ c, params, query, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      const picture = await results.picture(run, params.file, query.attempt)
      return streamed(c, await taken(c, run, caller, once(picture), 'pictures'), 'image/jpeg')
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}/events',
      tag: 'Runs',
      summary: 'The run as server-sent events; `Last-Event-ID` resumes without a gap',
      description:
        'Events: `state`, `streams`, `data`, `progress`, `wait`, `outputs`, and at last `end` with the whole run. Closes when the token or the session ends. One person follows at most 64 runs at a time, events and documents counted together.',
      access: 'runs.read',
      errors: ['follows-too-many'],
      params: runParams,
      answer: { what: 'Events', type: 'text/event-stream' },
    },
    async ({ c, params, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      const gone = new AbortController()
      const cursor = readCursor(c.req.header('last-event-id'))
      const events = runEvents({
        store: parts.store,
        runs: parts.runs,
        clock: parts.clock,
        run,
        cursor,
        signal: gone.signal,
        look,
      })
      const permitted = whilePermitted(parts, { events, run, headers: c.req.raw.headers, caller, gone, look })
      const answer = followers.answer(caller.personId, async () => encoded(permitted))
      return streamed(c, answer, 'text/event-stream; charset=utf-8', undefined, {
        onGone: () => gone.abort(),
      })
    },
  )
}

const permissionMs = 1_000

/** Ends the events with the caller's right to them: at once when it ends here, else before anything is sent a second later. */
async function* whilePermitted<Piece>(
  parts: Pick<ApiParts, 'accounts' | 'groups' | 'clock'>,
  options: {
    readonly events: AsyncGenerator<Piece, void, void>
    readonly run: Run
    readonly headers: Headers
    readonly caller: Caller
    readonly gone: AbortController
    readonly look: Look
  },
): AsyncGenerator<Piece, void, void> {
  const { accounts, groups, clock } = parts
  const { events, run, headers, caller, gone, look } = options
  let askedAt = clock.monotonic()
  const ask = async () => {
    askedAt = clock.monotonic()
    const permits = await look(async () => mayRead(parts, await accounts.authenticate(headers), run))
    if (!permits) gone.abort()
  }
  // Until it is known, as if it had ended: a look-up that fails permits nothing.
  const askNow = () => void ask().catch(() => gone.abort())
  const stops = [
    accounts.onEnded((personId) => {
      if (personId === caller.personId) askNow()
    }),
    groups.onChange(() => {
      if (run.person.id !== caller.personId) askNow()
    }),
  ]
  try {
    for await (const piece of events) {
      if (clock.monotonic() - askedAt >= permissionMs) await ask()
      if (gone.signal.aborted) return
      yield piece
    }
  } finally {
    for (const stop of stops) stop()
  }
}

/** Listens from when the answer is read to its end. */
async function* followedBy(
  follow: () => FollowedAttempt,
  documents: (more: FollowedAttempt['more']) => Promise<Bytes>,
): Bytes {
  const followed = follow()
  try {
    yield* await documents(followed.more)
  } finally {
    followed.stop()
  }
}

/** A name that tells the downloads of a person's runs apart: lab, protocol, the end of the run's id, stream. */
function fileName(run: Run, query: Query, extension: string): string {
  const stream = query.stream ?? mainStream(Object.keys(run.rows), run.rows) ?? 'data'
  const which = `${attemptIn(run, query.attempt)}-${stream}${query.values === 'raw' ? '-raw' : ''}`
  return `${run.lab}-${run.protocol}-${run.id.slice(-8)}${which}.${extension}`
}

/** Tells the files of a run that had several attempts apart, where one was named. */
export function attemptIn(run: Pick<Run, 'attempt'>, attempt: number | undefined): string {
  return attempt === undefined || run.attempt === 1 ? '' : `-attempt-${attempt}`
}

function wanted({ stream, attempt, from, to, columns, points, values }: Query): DataRequest {
  return {
    ...(stream === undefined ? {} : { stream }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(columns === undefined ? {} : { columns: columns.split(',') }),
    ...(points === undefined ? {} : { points }),
    ...(values === 'raw' ? { values } : {}),
  }
}

async function* encoded(texts: AsyncGenerator<string, void, void>): Bytes {
  const encoder = new TextEncoder()
  try {
    for await (const text of texts) yield encoder.encode(text)
  } finally {
    await texts.return()
  }
}

import { page, type Run, runSchema, submitRunSchema } from '@fernlab/shared/contracts/api'
import { nameSchema, parameterInputSchema, runIdSchema, writtenText } from '@fernlab/shared/contracts/common'
import { isFinal, type RunState, runStates } from '@fernlab/shared/contracts/run-state'
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Caller } from '../../accounts/caller.ts'
import { can, decide } from '../../accounts/can.ts'
import type { ListRuns } from '../../runs/runs.ts'
import { submissionErrors } from '../call-errors.ts'
import type { AddRoute, ApiParts, Env, RouteAnswer } from '../context.ts'
import { checkKey } from '../idempotency.ts'
import { cursorAfter, cursorId, pageQuery } from '../paging.ts'
import { notFound, refusal } from '../problems.ts'
import { whoseOf } from '../whose.ts'

export const runParams = z.object({ id: runIdSchema })

const listQuery = pageQuery.extend({
  lab: z.string().max(63).optional(),
  /** One state, or several with commas between. */
  state: z.string().max(200).optional(),
  person: z.string().max(63).optional(),
  /** Made by this recurring run. */
  recurring: z.string().max(63).optional(),
  /** Made by the checks of this bench, which are left out otherwise; for who looks after benches. */
  checks: z.string().max(127).optional(),
  /** Of everybody in a group or within it, for staff and its instructors. */
  group: nameSchema.optional(),
})

const rerunSchema = z.strictObject({
  parameters: z.record(z.string(), parameterInputSchema).optional(),
  bench: z.string().max(127).optional(),
  note: writtenText(200).optional(),
})

const replayedRun: RouteAnswer = {
  status: 200,
  schema: runSchema,
  what: 'The run that the same call with this Idempotency-Key made before',
}
const longestWaitMs = 30_000

/** Whether the caller may know of the run: it is theirs, they are staff, or teach whose it is. */
export async function mayRead(
  { groups }: Pick<ApiParts, 'groups'>,
  caller: Caller | undefined,
  { person, check }: Pick<Run, 'person' | 'check'>,
): Promise<boolean> {
  if (caller === undefined) return false
  // Who looks after benches reads what their checks found.
  if (check !== undefined && can(caller, 'benches.maintain')) return true
  const decision = decide(caller, 'runs.read', { ownerId: person.id })
  return decision === 'yes' || (decision === 'unseen' && (await groups.teaches(caller.personId, person.id)))
}

/** The run, if the caller may know of it; another person's reads as if it did not exist, but to who teaches them. */
export async function readableRun(
  { runs, groups }: Pick<ApiParts, 'runs' | 'groups'>,
  caller: Caller,
  id: string,
): Promise<Run> {
  const run = await runs.get(id)
  if (run === undefined || !(await mayRead({ groups }, caller, run))) throw notFound(`the run ${id}`)
  return run
}

/** Submitting, listing, cancelling and repeating runs. */
export function runRoutes(add: AddRoute, parts: ApiParts): void {
  const { runs } = parts

  const submit = async (c: Context<Env>, caller: Caller, body: z.output<typeof submitRunSchema>) => {
    const key = c.req.header('idempotency-key')
    if (key !== undefined) checkKey(key)
    const { run, replayed } = await runs.submit(caller, body, key === undefined ? {} : { idempotencyKey: key })
    if (replayed) c.header('idempotency-replayed', 'true')
    c.header('location', `/api/v1/runs/${run.id}`)
    return c.json(await waitAsPreferred(c, parts, run), replayed ? 200 : 201)
  }

  add(
    {
      method: 'post',
      path: '/api/v1/runs',
      often: true,
      tag: 'Runs',
      summary: 'Submit a run',
      description: 'With `Prefer: wait=30` the answer comes when the run is over, or after so many seconds.',
      access: 'runs.submit',
      errors: ['lab-unknown', 'protocol-unknown', ...submissionErrors],
      body: submitRunSchema,
      idempotency: 'own',
      answer: { status: 201, schema: runSchema, what: 'The run, which the database has committed' },
      otherAnswers: [replayedRun],
    },
    ({ c, body, caller }) => submit(c, caller, body),
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs',
      tag: 'Runs',
      summary: 'Runs, newest first: one’s own, for staff everybody’s',
      access: 'runs.read',
      errors: ['bench-unknown', 'group-unknown'],
      query: listQuery,
      answer: { schema: page(runSchema), what: 'Runs' },
    },
    async ({ c, query, caller }) => {
      const states = readStates(query.state)
      const cursor = cursorId(query.cursor)
      const checksOf = query.checks
      if (checksOf !== undefined && !can(caller, 'benches.maintain')) return c.json({ items: [] })
      const whose = await whoseOf(parts, caller, query, checksOf !== undefined || can(caller, 'runs.read-any'))
      if (whose === undefined) return c.json({ items: [] })
      const filter = {
        limit: query.limit,
        ...whose,
        ...(query.lab === undefined ? {} : { lab: query.lab }),
        ...(query.recurring === undefined ? {} : { recurring: query.recurring }),
        ...(checksOf === undefined ? {} : { checksOf }),
        ...(cursor === undefined ? {} : { cursor }),
      }
      return c.json(await listStates(parts, filter, states))
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/runs/{id}',
      tag: 'Runs',
      summary: 'A run',
      description: 'With `Prefer: wait=30` the answer comes when the run is over, or after so many seconds.',
      access: 'runs.read',
      params: runParams,
      answer: { schema: runSchema, what: 'The run' },
    },
    async ({ c, params, caller }) =>
      c.json(await waitAsPreferred(c, parts, await readableRun(parts, caller, params.id))),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/runs/{id}/cancel',
      tag: 'Runs',
      summary: 'Cancel a run',
      description:
        'A queued run ends at once, one under way stops safely and keeps its data, a finished one stays as it is.',
      access: 'runs.cancel',
      params: runParams,
      answer: { schema: runSchema, what: 'The run' },
    },
    async ({ c, params, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      if (!can(caller, 'runs.cancel', { ownerId: run.person.id })) {
        const hint = 'You see this run as an instructor of a group. Its owner and the staff may stop it.'
        throw refusal('forbidden', 'a run is stopped by whose it is and by the staff', hint)
      }
      return c.json(isFinal(run.state) ? run : await runs.cancel(params.id, caller))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/runs/{id}/give-up',
      tag: 'Runs',
      summary: 'End a run whose node is gone for good, with what has arrived',
      access: 'nodes.manage',
      errors: ['run-not-assigned'],
      params: runParams,
      answer: { schema: runSchema, what: 'The run' },
    },
    async ({ c, params, caller }) => {
      const run = await readableRun(parts, caller, params.id)
      return c.json(await runs.giveUp(run.id, caller))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/runs/{id}/rerun',
      tag: 'Runs',
      summary: 'Run it again, with changes',
      access: 'runs.submit',
      errors: ['lab-unknown', 'protocol-unknown', 'session-not-repeatable', ...submissionErrors],
      params: runParams,
      body: rerunSchema,
      bodyOptional: true,
      idempotency: 'own',
      answer: { status: 201, schema: runSchema, what: 'The new run' },
      otherAnswers: [replayedRun],
    },
    async ({ c, params, body, caller }) => {
      const old = await readableRun(parts, caller, params.id)
      if (old.session === true) {
        throw refusal(
          'session-not-repeatable',
          'this was a live session: open a new one',
          'Open a new session instead.',
        )
      }
      const { parameters = {}, bench, note } = body ?? {}
      return submit(c, caller, {
        lab: old.lab,
        protocol: old.protocol,
        parameters: { ...old.parameters, ...parameters },
        ...(bench === undefined ? {} : { bench }),
        ...(note === undefined ? {} : { note }),
      })
    },
  )
}

function readStates(text: string | undefined): RunState[] | undefined {
  if (text === undefined) return undefined
  const states = text.split(',').map((name) => {
    const state = runStates.find((known) => known === name)
    if (state !== undefined) return state
    const path = 'query.state'
    const message = `${JSON.stringify(name)} is not a state; there are ${runStates.join(', ')}`
    throw Object.assign(refusal('request-invalid', `${path}: ${message}`), { issues: [{ path, message }] })
  })
  return [...new Set(states)]
}

/** Runs in any of the states, newest first; ids grow with time, so lists by state can be merged. */
async function listStates(
  { runs }: Pick<ApiParts, 'runs'>,
  filter: Omit<ListRuns, 'state'>,
  states: readonly RunState[] | undefined,
): Promise<{ items: Run[]; cursor?: string }> {
  const lists =
    states === undefined
      ? [await runs.list(filter)]
      : await Promise.all(states.map((state) => runs.list({ ...filter, state })))
  const items = lists.flatMap((list) => list.items).sort((a, b) => (a.id < b.id ? 1 : -1))
  const shown = items.slice(0, filter.limit)
  const more = items.length > shown.length || lists.some((list) => list.cursor !== undefined)
  const last = shown.at(-1)
  return {
    items: shown,
    ...(more && last !== undefined ? { cursor: cursorAfter(last.id) } : {}),
  }
}

/** Waits for the run's end as long as `Prefer: wait=<s>` asks (RFC 7240), at most 30 s. */
async function waitAsPreferred(c: Context<Env>, { runs, clock }: ApiParts, run: Run): Promise<Run> {
  const seconds = /(?:^|[,;\s])wait=(\d{1,4})\b/.exec(c.req.header('prefer') ?? '')?.[1]
  if (seconds === undefined) return run
  const waitMs = Math.min(longestWaitMs, Number(seconds) * 1000)
  c.header('preference-applied', `wait=${waitMs / 1000}`)
  if (isFinal(run.state)) return run
  await new Promise<void>((resolve) => {
    const done = () => {
      stop()
      cancel()
      c.req.raw.signal.removeEventListener('abort', done)
      resolve()
    }
    const stop = runs.onChange(({ runId, kind, state }) => {
      if (runId === run.id && kind === 'state' && (state === undefined || isFinal(state))) done()
    })
    const cancel = clock.after(waitMs, done)
    c.req.raw.signal.addEventListener('abort', done, { once: true })
    // It may have ended between being read and being watched.
    runs.get(run.id).then((present) => {
      if (present === undefined || isFinal(present.state)) done()
    }, done)
  })
  return (await runs.get(run.id)) ?? run
}

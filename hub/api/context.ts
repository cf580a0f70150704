/** What every route is given, and how routes are declared: schema, access and handler in one place. */
import { boundWords } from '@fernlab/shared/contracts/issue-words'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import type { Accounts } from '../accounts/accounts.ts'
import type { Caller } from '../accounts/caller.ts'
import { type Action, decide, rolesFor, scopesFor } from '../accounts/can.ts'
import type { Visitor } from '../accounts/identity.ts'
import type { BenchCare } from '../bench-care/bench-care.ts'
import type { BenchChecks } from '../bench-care/bench-checks.ts'
import type { BenchHistory } from '../bench-care/bench-history.ts'
import type { BenchLetters } from '../bench-care/bench-letters.ts'
import type { NodeCalibrations } from '../bench-care/calibrations.ts'
import type { InterlockResets } from '../bench-care/interlock-resets.ts'
import type { BookingLetters } from '../bookings/booking-letters.ts'
import type { Bookings } from '../bookings/bookings.ts'
import type { BookingNotices } from '../bookings/notices.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Directory } from '../directory/directory.ts'
import type { ServiceTokens } from '../directory/service-tokens.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { NodeHardwareBook } from '../fleet/node-hardware.ts'
import type { Removal } from '../fleet/removal.ts'
import type { Groups } from '../groups/groups.ts'
import type { LabPages } from '../lab-pages/lab-pages.ts'
import type { LabVisits } from '../lab-servers/lab-visits.ts'
import type { Maintenance } from '../maintenance/maintenance.ts'
import type { Monitoring } from '../monitoring/monitoring.ts'
import type { Permissions } from '../permissions/permissions.ts'
import type { Standings } from '../permissions/standings.ts'
import type { RecurringRuns } from '../recurring/recurring.ts'
import type { Results } from '../results/results.ts'
import type { Runs } from '../runs/runs.ts'
import type { Scheduling } from '../scheduling/scheduling.ts'
import type { LabVisitors } from '../sessions/lab-visitors.ts'
import type { Rooms } from '../sessions/rooms.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { callingFrom } from '../store/calling-from.ts'
import type { Store } from '../store/store.ts'
import type { Usage } from '../usage/usage.ts'
import { descriptionOf, errorsOf, problemAnswers, repeats } from './describe-call.ts'
import type { KnownCode } from './error-codes.ts'
import { createIdempotency } from './idempotency.ts'
import { inlined } from './inlined.ts'
import { problemResponse, refusal } from './problems.ts'
import type { WholeAnswer } from './whole-answers.ts'

/** What the settings say about the API. */
export interface ApiConfig {
  readonly site: string
  readonly title: string
  readonly version: string
  /** Where people reach the hub; asked late, since the port may be chosen late. */
  readonly publicUrl: () => string
  /** Addresses of the broker for nodes, best first; by the host that was asked, unless the settings name one. */
  readonly mqttUrls: (host?: string) => readonly string[]
  /** True when the listening server speaks TLS itself or a proxy does. */
  readonly secure: boolean
  /** Whether a password can be reset by mail. */
  readonly mail: boolean
  readonly trustedProxies: readonly string[]
  /** Origins that the page may show in frames, by the host that was asked. */
  readonly frames: (host: string) => readonly string[]
  /** The built page; without it the API alone is served. */
  readonly webFolder?: string
}

export interface ApiParts {
  readonly store: Store
  readonly accounts: Accounts
  readonly groups: Groups
  readonly permissions: Permissions
  readonly standings: Standings
  readonly catalogue: Catalogue
  readonly fleet: Fleet
  readonly directory: Directory
  readonly serviceTokens: ServiceTokens
  readonly benchCare: BenchCare
  readonly benchChecks: Pick<BenchChecks, 'now' | 'putBack'>
  readonly interlockResets: InterlockResets
  readonly nodeCalibrations: NodeCalibrations
  readonly nodeHardware: NodeHardwareBook
  readonly benchHistory: Pick<BenchHistory, 'of'>
  readonly benchLetters: Pick<BenchLetters, 'wanted' | 'want'>
  readonly removal: Removal
  readonly runs: Runs
  readonly sessions: Sessions
  readonly rooms: Pick<Rooms, 'hasControl'>
  readonly labVisitors: LabVisitors
  readonly bookings: Bookings
  readonly bookingNotices: BookingNotices
  readonly bookingLetters: Pick<BookingLetters, 'of' | 'change'>
  readonly recurring: RecurringRuns
  readonly labPages: Pick<LabPages, 'open'>
  readonly labVisits: Pick<LabVisits, 'open'>
  readonly results: Results
  readonly maintenance: Maintenance
  readonly scheduling: Pick<Scheduling, 'rules' | 'change'>
  readonly usage: Usage
  readonly monitoring: Monitoring
  readonly config: ApiConfig
  readonly clock: Clock
  readonly log: Log
}

export type Env = { Variables: { caller: Caller | undefined; address: string; host: string }; Bindings: NodeBindings }

/** What the Node server hands over; absent when the app is called without a socket. */
interface NodeBindings {
  readonly incoming?: { readonly socket: { readonly remoteAddress?: string } }
  /** Left for the server by the one who made the answer. */
  whole?: WholeAnswer
}

export type Api = OpenAPIHono<Env>
export type Access = 'public' | 'signed-in' | Action

type Shape = z.ZodType | undefined
type Out<S extends Shape> = S extends z.ZodType ? z.output<S> : undefined

export interface RouteAnswer {
  /** 200 unless given. */
  readonly status?: number
  readonly schema?: z.ZodType
  readonly type?: string
  readonly what: string
}

export interface RouteSpec<P extends Shape, Q extends Shape, B extends Shape> {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  /** Codes of its own; those of every call of its kind need no mention. */
  readonly errors?: readonly KnownCode[]
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** A body that may be left out. */
  readonly bodyOptional?: true
  readonly answer: RouteAnswer
  /** What else is answered besides problems, each with its own status. */
  readonly otherAnswers?: readonly RouteAnswer[]
  /**
   * Every unsafe call of a person honours `Idempotency-Key` and keeps its answer; said where it is otherwise: the route
   * honours it itself, the answer holds a secret and only that it was done is kept, or what failed or the hub was killed
   * in is done again, since the route knows by the key what of it was done.
   */
  readonly idempotency?: 'own' | 'secret' | 'done-again'
  /** Called by many at once, and leaves nothing in the audit log: nobody is followed through it. */
  readonly often?: true
  /** The last parameter may hold slashes. */
  readonly deep?: true
}

export interface RouteInput<P extends Shape, Q extends Shape, B extends Shape> {
  readonly c: Context<Env>
  readonly params: Out<P>
  readonly query: Out<Q>
  readonly body: Out<B>
  /** For public routes a stranger is possible: ask `c.get('caller')` there. */
  readonly caller: Caller
}

export type AddRoute = <P extends Shape = undefined, Q extends Shape = undefined, B extends Shape = undefined>(
  spec: RouteSpec<P, Q, B>,
  handler: (input: RouteInput<P, Q, B>) => Promise<Response> | Response,
) => void

/** Throws unless the caller may do it: `sign-in-needed`, `second-factor-needed`, `forbidden`, `scope-missing`. */
export function requireAccess(caller: Caller | undefined, access: Access): void {
  if (access === 'public') return
  if (access === 'signed-in') {
    if (caller === undefined) throw signInNeeded()
    return
  }
  switch (decide(caller, access)) {
    case 'yes':
    case 'unseen':
      return
    case 'sign-in':
      throw signInNeeded()
    case 'second-factor':
      throw refusal(
        'second-factor-needed',
        'this site wants its staff to have a second factor; set it up first',
        'Set up your second factor first: this site wants one of its staff.',
      )
    case 'role':
      throw refusal(
        'forbidden',
        `this needs the role ${rolesFor(access).join(' or ')}; yours is ${caller?.role}${access === 'benches.drive' ? LIVE_SESSION : ''}`,
        'Your account may not do this. Ask the staff.',
      )
    case 'scope':
      throw refusal('scope-missing', `this needs a token with one of the scopes ${scopesFor(access).join(', ')}`)
  }
}

/** How those who may not take a bench by hand come by one. */
const LIVE_SESSION =
  '; whoever works in a live session of a lab has its bench as well (fernlab session start, fernlab.Session in Python)'

function signInNeeded() {
  return refusal('sign-in-needed', 'this needs somebody who is signed in', 'Sign in first.')
}

/**
 * Declares routes on the app so that OpenAPI, validation and access come from the same words. `describe` puts those that were
 * added into the app's document, once: no start waits for what is read now and then.
 */
export function routesOn(
  app: Api,
  parts: Pick<ApiParts, 'store' | 'clock' | 'maintenance'>,
): { readonly add: AddRoute; describe(): void } {
  const idempotency = createIdempotency(parts)
  let undescribed: (() => void)[] = []
  const add: AddRoute = (spec, handler) => {
    const { access, params, query, body, answer, otherAnswers = [] } = spec
    const repeat = repeats(spec) ? (spec.idempotency ?? 'keep') : undefined
    const guard: MiddlewareHandler<Env> = async (c, next) => {
      requireAccess(c.get('caller'), access)
      return repeat === undefined || repeat === 'own' ? next() : idempotency(c, next, repeat)
    }
    const headers = repeat === undefined ? {} : { headers: idempotencyHeader }
    const called = {
      method: spec.method,
      path: spec.path,
      request: {
        ...headers,
        ...(params === undefined ? {} : { params }),
        ...(query === undefined ? {} : { query }),
        ...(body === undefined
          ? {}
          : { body: { required: spec.bodyOptional !== true, content: { 'application/json': { schema: body } } } }),
      },
    }
    undescribed.push(() =>
      app.openAPIRegistry.registerPath({
        ...called,
        ...(body === undefined ? {} : { request: { ...called.request, body: shownBody(spec, body) } }),
        tags: [spec.tag],
        summary: spec.summary,
        description: descriptionOf(spec),
        'x-access': access,
        security: access === 'public' ? [] : [{ token: [] }, { session: [] }],
        responses: {
          ...problemAnswers(errorsOf(spec)),
          ...Object.fromEntries(
            [answer, ...otherAnswers].map((each) => [
              each.status ?? 200,
              { description: each.what, ...contentOf(each) },
            ]),
          ),
          default: { $ref: '#/components/responses/problem' },
        },
      } as never),
    )
    const route = createRoute({ ...called, hide: true, middleware: [guard], responses: {} } as never) as never
    const run = async (c: Context<Env>) => {
      const valid = (target: string) => c.req.valid(target as never) as never
      const input = {
        c,
        params: params === undefined ? (undefined as never) : valid('param'),
        query: query === undefined ? (undefined as never) : valid('query'),
        body: body === undefined ? (undefined as never) : valid('json'),
        caller: c.get('caller') as Caller,
      }
      if (spec.method === 'get' || spec.often === true) return handler(input)
      return callingFrom(parts.maintenance.keepsAddresses() ? c.get('address') : undefined, () => handler(input))
    }
    app.openapi(route, run as never)
    if (spec.deep === undefined) return
    const deep = spec.path.replace(/\{\w+\}$/, '*').replaceAll(/\{(\w+)\}/g, ':$1')
    app.on(spec.method.toUpperCase(), deep, guard, (c) => {
      const named = { ...c.req.param() }
      return handler({
        c,
        params: named as never,
        query: undefined as never,
        body: undefined as never,
        caller: c.get('caller') as Caller,
      })
    })
  }
  const describe = () => {
    for (const register of undescribed) register()
    undescribed = []
  }
  return { add, describe }
}

function contentOf({ schema, type }: RouteAnswer) {
  if (schema === undefined && type === undefined) return {}
  return {
    content: { [type ?? 'application/json']: { schema: schema === undefined ? { type: 'string' } : shown(schema) } },
  }
}

/** By zod itself: the framework takes what may be left out by `exactOptional` for required. Answers may say more one day. */
function shown(schema: z.ZodType): object {
  const { $schema: _, ...made } = z.toJSONSchema(schema, {
    override: ({ zodSchema: { _zod }, jsonSchema }) => {
      if (_zod.def.type === 'object' && !('catchall' in _zod.def)) delete jsonSchema.additionalProperties
    },
  })
  return inlined(made)
}

/** As the framework describes it, except where that would take what may be left out by `exactOptional` for required. */
function shownBody({ bodyOptional }: { readonly bodyOptional?: boolean }, schema: z.ZodType) {
  let isExact = false
  const { $schema: _, ...made } = z.toJSONSchema(schema, {
    io: 'input',
    override: ({ zodSchema: { _zod } }) => {
      isExact ||= _zod.traits.has('$ZodExactOptional')
    },
  })
  return { required: bodyOptional !== true, content: { 'application/json': { schema: isExact ? made : schema } } }
}

const idempotencyHeader = z.object({
  'idempotency-key': z
    .string()
    .max(200)
    .optional()
    .openapi({ description: 'Within 24 h the same call with the same key is answered again, not done again' }),
})

const ownWords = z.locales.en().localeError

/** In plain words, unless its schema has words of its own. */
function issueText(issue: z.core.$ZodIssue): string {
  const words = boundWords(issue)
  if (words === undefined) return issue.message
  const own = ownWords(issue as z.core.$ZodRawIssue)
  return issue.message === (typeof own === 'string' ? own : own?.message) ? words : issue.message
}

/** The app that routes are added to; input that does not fit its schema becomes one problem with every issue. */
export function createApp(log: Log): Api {
  const app = new OpenAPIHono<Env>({
    defaultHook: (result, _c) => {
      if (result.success) return
      const place = { json: '', query: 'query.', param: '', header: 'header.' }[result.target as 'json'] ?? ''
      const issues = result.error.issues.map((issue) => ({
        path: `${place}${issue.path.map(String).join('.')}`,
        message: issueText(issue),
      }))
      const first = issues[0]
      const error = refusal(
        'request-invalid',
        first === undefined ? 'the request does not fit' : `${first.path || 'body'}: ${first.message}`,
      )
      return problemResponse(Object.assign(error, { issues }))
    },
  })
  app.onError((error, c) => answerError(error, c, log))
  return app
}

function answerError(error: unknown, c: Context<Env>, log: Log): Response {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 0
  if (status === 400) return problemResponse(refusal('malformed-json', 'the body is not JSON'))
  const response = problemResponse(error)
  if (response.status >= 500 && response.status !== 501) {
    const details = error instanceof LabError ? { details: error.details } : {}
    const fields = {
      method: c.req.method,
      path: c.req.path,
      status: response.status,
      error: describe(error),
      ...details,
    }
    log.error(fields, 'a request failed')
  }
  return response
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** The browser or program behind a call. */
export const visitor = (c: Context<Env>): Visitor => ({
  address: c.get('address'),
  userAgent: c.req.header('user-agent'),
})

/**
 * The hub over HTTP: every route, who may call it, and how it fails.
 *
 * INVARIANTS: a call is refused by origin, size and kind before it reaches a route; who calls is known before a body is
 * held; a route without `access: 'public'` never runs for a stranger; every error is a problem document.
 */
import { problemSchema } from '@fernlab/shared/contracts/api'
import { tooLongList } from '@fernlab/shared/contracts/people'
import { createAdaptorServer } from '@hono/node-server'
import { z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import { sessionCookieName } from '../accounts/session-cookies.ts'
import { contentSecurityPolicy, pageHeaders } from '../web/csp.ts'
import { apiDescription, problemExamples, withExamples } from './api-examples.ts'
import { asyncApi } from './async-api.ts'
import { createAttempts } from './attempts.ts'
import { type BodyLimit, limitBody } from './body-limit.ts'
import { createClientAddress } from './client-address.ts'
import { type Api, type ApiParts, createApp, type Env, requireAccess, routesOn } from './context.ts'
import { docsPage, docsStyle, type OpenApiDocument } from './docs-page.ts'
import { checkOrigin } from './origin.ts'
import { problemResponse, refusal } from './problems.ts'
import { auditRoutes } from './routes/audit.ts'
import { authRoutes } from './routes/auth.ts'
import { benchCareRoutes } from './routes/bench-care.ts'
import { bookingNoticeRoutes } from './routes/booking-notices.ts'
import { bookingRoutes } from './routes/bookings.ts'
import { calibrationRoutes } from './routes/calibrations.ts'
import { directUseRoutes } from './routes/direct-use.ts'
import { directoryRoutes } from './routes/directory.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { groupRoutes } from './routes/groups.ts'
import { labRoutes } from './routes/labs.ts'
import { nodeHardwareRoutes } from './routes/node-hardware.ts'
import { notBuiltRoutes } from './routes/not-built.ts'
import { operationsRoutes } from './routes/operations.ts'
import { ownAccountRoutes } from './routes/own-account.ts'
import { ownGroupRoutes } from './routes/own-groups.ts'
import { passkeyRoutes } from './routes/passkeys.ts'
import { peopleRoutes } from './routes/people.ts'
import { peopleImportRoutes } from './routes/people-import.ts'
import { permissionRoutes } from './routes/permissions.ts'
import { recordingRoutes } from './routes/recordings.ts'
import { recurringRoutes } from './routes/recurring.ts'
import { registrationRoutes } from './routes/registration.ts'
import { removalRoutes } from './routes/removal.ts'
import { runDataRoutes } from './routes/run-data.ts'
import { runRoutes } from './routes/runs.ts'
import { secondFactorRoutes } from './routes/second-factor.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { signInRoutes } from './routes/sign-ins.ts'
import { siteRoutes } from './routes/site.ts'
import { usageRoutes } from './routes/usage.ts'
import { openStaticFiles } from './static-files.ts'
import { sendWhole } from './whole-answers.ts'

export type { ApiConfig, ApiParts } from './context.ts'

const bodyLimit = 1_000_000
const pushLimit = 20_000_000
const listLimit = 30_000_000
const minuteMs = 60_000

/** Puts the routes together; `app.fetch` answers requests. */
export async function createApi(parts: ApiParts): Promise<Api> {
  const { accounts, clock, config, log, monitoring } = parts
  const app = createApp(log)
  const addresses = createClientAddress(config.trustedProxies)
  const guesses = createAttempts({ clock, most: 20, windowMs: minuteMs })
  const questions = createAttempts({ clock, most: 600, windowMs: minuteMs })
  const letters = createAttempts({ clock, most: 20, windowMs: 10 * minuteMs })
  const codes = createAttempts({ clock, most: 10, windowMs: 15 * minuteMs })
  const lettersTo = createAttempts({ clock, most: 4, windowMs: 60 * minuteMs })

  app.use('*', async (c, next) => {
    const startedAt = clock.monotonic()
    const socketAddress = c.env?.incoming?.socket.remoteAddress
    c.set('address', addresses.of(socketAddress, c.req.raw.headers))
    const forwarded = addresses.trusts(socketAddress) ? c.req.header('x-forwarded-host') : undefined
    c.set('host', forwarded ?? c.req.header('host') ?? new URL(c.req.url).host)
    await next()
    for (const [name, value] of Object.entries(answerHeaders))
      if (!c.res.headers.has(name)) c.res.headers.set(name, value)
    if (config.secure) c.res.headers.set('strict-transport-security', 'max-age=31536000')
    const { method } = c.req
    monitoring.noteRequest({ method, status: c.res.status, seconds: (clock.monotonic() - startedAt) / 1000 })
  })
  app.use('/api/*', async (c, next) => {
    const ownOrigins = [new URL(config.publicUrl()).origin]
    checkOrigin({ method: c.req.method, headers: c.req.raw.headers, host: c.get('host'), ownOrigins })
    await next()
  })
  const whoCalls: MiddlewareHandler<Env> = async (c, next) => {
    const caller = await accounts.authenticate(c.req.raw.headers)
    if (caller === undefined && c.req.header('authorization') !== undefined) {
      throw refusal(
        'token-refused',
        'the token is unknown, expired or revoked',
        'Your token no longer works. Make a new one.',
      )
    }
    c.set('caller', caller === undefined ? undefined : { ...caller, address: c.get('address') })
    await next()
  }
  app.use('/api/v1/*', whoCalls)
  app.use('/metrics', whoCalls)
  app.use('/api/*', limitBody(bodyLimitOf))
  app.use('/api/*', requireJson)
  const packed = compress()
  app.use('/api/v1/*', (c, next) => {
    if (!worthPacking(c)) return next()
    keepWhole(c)
    return packed(c, next)
  })

  const { add, describe } = routesOn(app, parts)
  operationsRoutes(add, parts)
  authRoutes(add, parts, guesses)
  siteRoutes(add, parts, { guesses, letters })
  secondFactorRoutes(add, parts, { guesses, codes })
  passkeyRoutes(add, parts, { guesses, questions })
  registrationRoutes(add, parts, { guesses, letters, lettersTo })
  signInRoutes(add, parts)
  ownAccountRoutes(add, parts, { guesses })
  labRoutes(add, parts)
  runRoutes(add, parts)
  runDataRoutes(add, parts)
  recordingRoutes(add, parts)
  sessionRoutes(add, parts)
  bookingNoticeRoutes(add, parts)
  bookingRoutes(add, parts)
  recurringRoutes(add, parts)
  fleetRoutes(add, parts, guesses)
  calibrationRoutes(add, parts)
  directoryRoutes(add, parts)
  nodeHardwareRoutes(add, parts)
  benchCareRoutes(add, parts)
  removalRoutes(add, parts)
  peopleRoutes(add, parts)
  peopleImportRoutes(add, parts)
  groupRoutes(add, parts)
  ownGroupRoutes(add, parts)
  permissionRoutes(add, parts)
  auditRoutes(add, parts)
  usageRoutes(add, parts)
  directUseRoutes(add, parts)
  notBuiltRoutes(app)
  describeApi(app, parts, describe)

  const page = config.webFolder === undefined ? undefined : await openStaticFiles(config.webFolder, config)
  app.notFound(async (c) => {
    const path = c.req.path
    const allowed = methodsAt(app, path)
    if (allowed.length > 0) {
      const error = refusal(
        'method-not-allowed',
        `${path} can be called with ${allowed.join(', ')}, not with ${c.req.method}`,
      )
      return problemResponse(error, undefined, { allow: allowed.join(', ') })
    }
    const answer = path.startsWith('/api/')
      ? undefined
      : await page?.answer(c.req.raw, { frame: config.frames(c.get('host')), connect: NODES })
    return answer ?? problemResponse(refusal('not-found', `${path} does not exist`))
  })
  return app
}

/** Where nodes are: which there are is not for whoever is given the page, and they come and go while it is open. */
const NODES = ['ws:', 'wss:']

/** An HTTP server for the app, not listening yet; the caller may add upgrades to it. */
export function createApiServer(app: Api): ReturnType<typeof createAdaptorServer> {
  return createAdaptorServer({ fetch: sendWhole(app.fetch), overrideGlobalObjects: false })
}

const answerHeaders: Readonly<Record<string, string>> = {
  ...pageHeaders,
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** Gives JSON answers their length, by which `compress` leaves the small ones alone, and keeps their text for `sendWhole`. */
function keepWhole(c: Context<Env>): void {
  const json = (value: unknown, status?: never, headers?: Record<string, string>) => {
    const text = JSON.stringify(value)
    const length = String(Buffer.byteLength(text))
    const type = { 'content-type': 'application/json' }
    const response = c.body(text, status, { ...type, ...headers, 'content-length': length })
    if (c.env !== undefined) c.env.whole = { response, text }
    return response
  }
  c.json = json as unknown as typeof c.json
}

/** Events must not wait for more, files are packed already, and whole downloads would cost the hub more than the wire. */
function worthPacking(c: Context<Env>): boolean {
  if (c.req.path.endsWith('/data.json')) return c.req.query('points') !== undefined
  return !/\/(events|documents|data\.(csv|parquet|h5))$|\/files\//.test(c.req.path)
}

/** A lab or a list of people may be large, so who may send one is asked before any of it is held. */
function bodyLimitOf(c: Context<Env>): BodyLimit {
  const { method, path } = c.req
  if (method === 'PUT' && /^\/api\/v1\/labs\//.test(path)) {
    requireAccess(c.get('caller'), 'labs.push')
    return { bytes: pushLimit }
  }
  if (method === 'POST' && path === '/api/v1/users/import') {
    requireAccess(c.get('caller'), 'people.invite')
    return { bytes: listLimit, because: `the list ${tooLongList}` }
  }
  return { bytes: bodyLimit }
}

/** A body that is not JSON is refused by its kind; forms from other sites never look like calls. */
const requireJson: MiddlewareHandler<Env> = async (c, next) => {
  const { method } = c.req
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return next()
  const hasBody = c.req.header('transfer-encoding') !== undefined || Number(c.req.header('content-length') ?? 0) > 0
  const type = c.req.header('content-type')
  if (hasBody && !/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type ?? '')) {
    throw refusal('wrong-content-type', `the body is ${type ?? 'of no kind'}; send application/json`)
  }
  return next()
}

function methodsAt(app: Api, path: string): string[] {
  const methods = new Set<string>()
  for (const { method, path: pattern } of app.routes) {
    if (method === 'ALL' || !pattern.startsWith('/')) continue
    const regex = new RegExp(
      `^${pattern
        .replaceAll(/[.]/g, '\\.')
        .replaceAll(/:\w+(\{[^}]*\})?/g, '[^/]+')
        .replaceAll('*', '.*')}$`,
    )
    if (regex.test(path)) methods.add(method)
  }
  return [...methods].sort()
}

function describeApi(app: Api, { config }: ApiParts, describe: () => void): void {
  const registry = app.openAPIRegistry
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' })
  registry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: sessionCookieName(config.secure),
  })
  registry.registerComponent('schemas', 'Problem', z.toJSONSchema(problemSchema) as never)
  registry.registerComponent('responses', 'problem', {
    description: 'A problem (RFC 9457) with a stable code',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  })
  for (const [code, example] of Object.entries(problemExamples)) registry.registerComponent('examples', code, example)
  let made: ReturnType<Api['getOpenAPI31Document']> | undefined
  const document = () => {
    if (made !== undefined) return made
    describe()
    made = withExamples(
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: {
          title: 'Fernlab hub',
          version: config.version,
          description: apiDescription,
          license: { name: 'MIT' },
        },
        servers: [{ url: '/' }],
      }),
    )
    return made
  }
  const cached = { 'cache-control': 'public, max-age=60' }
  app.get('/openapi.json', (c) => c.json(document(), 200, cached))
  app.get('/asyncapi.json', (c) => {
    const { site, version } = config
    return c.json(asyncApi({ site, version, mqttUrls: config.mqttUrls() }), 200, cached)
  })
  app.get('/docs', (c) => {
    c.header('content-security-policy', contentSecurityPolicy())
    return c.html(docsPage(document() as unknown as OpenApiDocument))
  })
  app.get('/docs/style.css', (c) => c.body(docsStyle, 200, { 'content-type': 'text/css; charset=utf-8', ...cached }))
}

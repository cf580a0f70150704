/**
 * better-auth behind our own port: passwords and sessions in cookies, nothing else of it.
 *
 * INVARIANTS: only the calls in `allowed` reach better-auth; a session that was looked up stays good for at most
 * `cacheMs`, and in this process ends at once with sign-out, a new password or `forget`.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import { betterAuth } from 'better-auth'
import { parseCookies } from 'better-auth/cookies'
import type { Store } from '../store/store.ts'
import type { Caller } from './caller.ts'

/** The calls below `/api/auth` that people may make. */
export const allowed: Readonly<Record<string, 'GET' | 'POST'>> = {
  '/sign-in/email': 'POST',
  '/sign-out': 'POST',
  '/get-session': 'GET',
  '/change-password': 'POST',
}

const cacheMs = 5_000
const mostCached = 5_000
const sessionDays = 14
/** better-auth wants an address; people's requests are given this one after the api has checked theirs. */
const innerOrigin = 'http://hub.internal'

export interface Identity {
  authenticate(headers: Headers): Promise<Caller | undefined>
  handle(request: Request): Promise<Response | undefined>
  /** Signs in and returns the `Set-Cookie` lines. */
  signIn(email: string, password: string): Promise<readonly string[]>
  hashPassword(password: string): Promise<string>
  /** Drops what is remembered of the person's sessions. */
  forget(personId: string): void
}

export interface IdentityOptions {
  readonly store: Store
  readonly secret: string
  readonly secure: boolean
  readonly clock: Clock
  readonly log: Log
}

/** Opens better-auth on the hub's store. */
export function createIdentity({ store, secret, secure, clock, log }: IdentityOptions): Identity {
  const auth = betterAuth({
    appName: 'fernlab',
    baseURL: innerOrigin,
    basePath: '/api/auth',
    secret,
    database: { db: store.db, type: 'sqlite' },
    telemetry: { enabled: false },
    logger: { log: (level, message) => log[level === 'error' ? 'error' : 'debug']({}, message) },
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: 10, maxPasswordLength: 200 },
    session: { expiresIn: sessionDays * 86_400, disableSessionRefresh: true },
    // The api limits attempts by client address, for these calls and for its own.
    rateLimit: { enabled: false },
    advanced: {
      cookiePrefix: 'fernlab',
      useSecureCookies: secure,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', secure },
      ipAddress: { disableIpTracking: true },
    },
  })
  const cookieName = `${secure ? '__Secure-' : ''}fernlab.session_token`
  const cached = new Map<string, { caller: Caller; untilMs: number }>()

  const sessionCookie = (headers: Headers) => parseCookies(headers.get('cookie') ?? '').get(cookieName)

  const lookUp = async (headers: Headers): Promise<Caller | undefined> => {
    const cookie = headers.get('cookie') ?? ''
    const found = await auth.api.getSession({ headers: new Headers({ cookie }), query: { disableRefresh: true } })
    if (found === null) return undefined
    const { id, name, email } = found.user
    const row = await store.db.selectFrom('person').select('role').where('id', '=', id).executeTakeFirst()
    return { personId: id, name, email, role: row?.role ?? 'guest', scopes: 'all', via: 'session' }
  }

  return {
    authenticate: async (headers) => {
      const key = sessionCookie(headers)
      if (key === undefined) return undefined
      const known = cached.get(key)
      if (known !== undefined && known.untilMs > clock.monotonic()) return known.caller
      const caller = await lookUp(headers)
      cached.delete(key)
      if (caller === undefined) return undefined
      if (cached.size >= mostCached) cached.delete(cached.keys().next().value ?? '')
      cached.set(key, { caller, untilMs: clock.monotonic() + cacheMs })
      return caller
    },
    handle: async (request) => {
      const url = new URL(request.url)
      const path = url.pathname.slice('/api/auth'.length)
      if (!Object.hasOwn(allowed, path) || allowed[path] !== request.method) return undefined
      const key = sessionCookie(request.headers)
      const person = key === undefined ? undefined : cached.get(key)?.caller.personId
      const headers = new Headers({ accept: 'application/json', origin: innerOrigin })
      for (const name of ['cookie', 'content-type', 'user-agent']) {
        const value = request.headers.get(name)
        if (value !== null) headers.set(name, value)
      }
      const body = request.method === 'POST' ? await request.text() : null
      if (key !== undefined) cached.delete(key)
      const inner = new Request(`${innerOrigin}${url.pathname}${url.search}`, { method: request.method, headers, body })
      const response = await auth.handler(inner)
      if (key !== undefined) cached.delete(key)
      if (path === '/change-password' && person !== undefined) forget(person)
      return response
    },
    signIn: async (email, password) => {
      const response = await auth.api.signInEmail({ body: { email, password }, asResponse: true })
      return response.headers.getSetCookie()
    },
    hashPassword: async (password) => (await auth.$context).password.hash(password),
    forget,
  }

  function forget(personId: string): void {
    for (const [key, { caller }] of cached) if (caller.personId === personId) cached.delete(key)
  }
}

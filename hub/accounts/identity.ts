/**
 * better-auth behind our own port: passwords and sessions in cookies, nothing else of it.
 *
 * INVARIANTS: only the calls in `allowed` reach better-auth; what was looked up of a session holds for at most `cacheMs`;
 * in this process a session ends at once with sign-out, a new password or `forget`, also for a look-up under way.
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
  /** False also for people without a password. */
  verifyPassword(personId: string, password: string): Promise<boolean>
  /** Drops what is remembered of the person's sessions, and tells that they may have ended. */
  forget(personId: string): void
  /** Calls back with the person of whom a session may have ended; returns how to stop. */
  onEnded(listener: (personId: string) => void): () => void
}

export interface IdentityOptions {
  readonly store: Store
  readonly secret: string
  readonly secure: boolean
  readonly clock: Clock
  readonly log: Log
}

/** The cookie that carries a session; over HTTPS browsers keep it to HTTPS by its name. */
export const sessionCookieName = (secure: boolean): string => `${secure ? '__Secure-' : ''}fernlab.session_token`

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
  const cookieName = sessionCookieName(secure)
  const cached = new Map<string, { caller: Caller; untilMs: number }>()
  const listeners = new Set<(personId: string) => void>()
  /** Grows with each end of a session: what was read before it is not remembered. */
  let ends = 0

  const sessionCookie = (headers: Headers) => parseCookies(headers.get('cookie') ?? '').get(cookieName)

  const lookUp = async (headers: Headers): Promise<Caller | undefined> => {
    const cookie = headers.get('cookie') ?? ''
    const found = await auth.api.getSession({ headers: new Headers({ cookie }), query: { disableRefresh: true } })
    if (found === null) return undefined
    const { id, name, email } = found.user
    const row = await store.db.selectFrom('person').select('role').where('id', '=', id).executeTakeFirst()
    // A sign-in that was under way while the account was closed.
    if (row === undefined) return undefined
    return { personId: id, name, email, role: row.role, scopes: 'all', via: 'session' }
  }

  const authenticate = async (headers: Headers): Promise<Caller | undefined> => {
    const key = sessionCookie(headers)
    if (key === undefined) return undefined
    const known = cached.get(key)
    if (known !== undefined && known.untilMs > clock.monotonic()) return known.caller
    const endsBefore = ends
    // From before the look-up: what it finds may be as old as that.
    const untilMs = clock.monotonic() + cacheMs
    const caller = await lookUp(headers)
    cached.delete(key)
    if (caller === undefined) return undefined
    if (ends !== endsBefore) return caller
    if (cached.size >= mostCached) cached.delete(cached.keys().next().value ?? '')
    cached.set(key, { caller, untilMs })
    return caller
  }

  return {
    authenticate,
    handle: async (request) => {
      const url = new URL(request.url)
      const path = url.pathname.slice('/api/auth'.length)
      if (!Object.hasOwn(allowed, path) || allowed[path] !== request.method) return undefined
      const ending = path === '/sign-out' || path === '/change-password'
      const person = ending ? (await authenticate(request.headers))?.personId : undefined
      const headers = new Headers({ accept: 'application/json', origin: innerOrigin })
      for (const name of ['cookie', 'content-type', 'user-agent']) {
        const value = request.headers.get(name)
        if (value !== null) headers.set(name, value)
      }
      const body = request.method === 'POST' ? await request.text() : null
      const inner = new Request(`${innerOrigin}${url.pathname}${url.search}`, { method: request.method, headers, body })
      try {
        return await auth.handler(inner)
      } finally {
        if (person !== undefined) forget(person)
      }
    },
    signIn: async (email, password) => {
      const response = await auth.api.signInEmail({ body: { email, password }, asResponse: true })
      return response.headers.getSetCookie()
    },
    hashPassword: async (password) => (await auth.$context).password.hash(password),
    verifyPassword: async (personId, password) => {
      const row = await store.db
        .selectFrom('account')
        .select('password')
        .where('userId', '=', personId)
        .where('providerId', '=', 'credential')
        .executeTakeFirst()
      const hash = row?.password ?? null
      return hash !== null && (await auth.$context).password.verify({ hash, password })
    },
    forget,
    onEnded: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }

  function forget(personId: string): void {
    ends++
    for (const [key, { caller }] of cached) if (caller.personId === personId) cached.delete(key)
    for (const listener of listeners) listener(personId)
  }
}

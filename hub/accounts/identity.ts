/**
 * better-auth behind our own port: passwords and sessions in cookies, nothing else of it.
 *
 * INVARIANTS: only the calls in `allowed` reach better-auth; what was looked up of a session holds for at most `cacheMs`;
 * in this process a session ends at once with sign-out, a new password or `forget`, also for a look-up under way; of
 * several cookies of the session's name none shadows the one that is somebody's.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import { betterAuth } from 'better-auth'
import { createAuthEndpoint } from 'better-auth/api'
import { setSessionCookie } from 'better-auth/cookies'
import * as z from 'zod'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { Caller } from './caller.ts'
import { hasSecondFactor } from './factors.ts'
import { followed } from './followed.ts'
import type { LastSeen } from './last-seen.ts'
import { cookiePrefix, sessionCookieName, valuesOf, withOnly } from './session-cookies.ts'
import { needsSecondFactor, type SignInRulesBook } from './sign-in-rules.ts'

/** The calls below `/api/auth` that people may make. */
export const allowed = {
  '/sign-in/email': 'POST',
  '/sign-out': 'POST',
  '/get-session': 'GET',
  '/change-password': 'POST',
} as const
type Allowed = keyof typeof allowed
const isAllowed = (path: string, method: string): path is Allowed =>
  Object.hasOwn(allowed, path) && allowed[path as Allowed] === method

const cacheMs = 5_000
const mostCached = 5_000
const sessionDays = 14
/** better-auth wants an address; people's requests are given this one after the api has checked theirs. */
const innerOrigin = 'http://hub.internal'
/** Tells better-auth where a call is from; no header of a visitor's reaches it. */
const addressHeader = 'x-fernlab-address'

/** Begins a session without a password, after another proof of who it is; nothing outside this process can call it. */
const startSession = {
  id: 'fernlab',
  endpoints: {
    startSession: createAuthEndpoint(
      '/fernlab/start-session',
      { method: 'POST', body: z.object({ personId: z.string() }), metadata: { SERVER_ONLY: true } },
      async (ctx) => {
        const { internalAdapter } = ctx.context
        const user = await internalAdapter.findUserById(ctx.body.personId)
        if (user === null) return ctx.json({ started: false })
        const session = await internalAdapter.createSession(user.id)
        await setSessionCookie(ctx, { session, user })
        return ctx.json({ started: true })
      },
    ),
  },
} as const

export interface Identity {
  authenticate(headers: Headers): Promise<Caller | undefined>
  handle(request: Request, from: Visitor): Promise<Response | undefined>
  /** Signs the person in and returns the `Set-Cookie` lines. */
  start(personId: string, from: Visitor): Promise<readonly string[]>
  /** Ends the session that an answer of `handle` has just begun, before anybody heard of it. */
  undo(sessionToken: string): Promise<void>
  hashPassword(password: string): Promise<string>
  /** False also for people without a password. */
  verifyPassword(personId: string, password: string): Promise<boolean>
  /** Drops what is remembered of the person's sessions, and tells that they may have ended. */
  forget(personId: string): void
  /** Drops what is remembered of everybody's sessions: other rules hold. */
  forgetAll(): void
  /** Calls back with the person of whom a session may have ended; returns how to stop. */
  onEnded(listener: (personId: string) => void): () => void
}

/** The browser or program that signs in. */
export interface Visitor {
  readonly address: string
  readonly userAgent: string | undefined
}

export interface IdentityOptions {
  readonly store: Store
  readonly secret: string
  readonly secure: boolean
  readonly rules: SignInRulesBook
  readonly lastSeen: Pick<LastSeen, 'note'>
  readonly clock: Clock
  readonly log: Log
}

/** Opens better-auth on the hub's store. */
export function createIdentity({ store, secret, secure, rules, lastSeen, clock, log }: IdentityOptions): Identity {
  const auth = betterAuth({
    appName: 'fernlab',
    baseURL: innerOrigin,
    basePath: '/api/auth',
    secret,
    database: { db: store.db, type: 'sqlite' },
    telemetry: { enabled: false },
    logger: { log: (level, message) => log[level === 'error' ? 'error' : 'debug']({}, message) },
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: 10, maxPasswordLength: 200 },
    plugins: [startSession],
    session: { expiresIn: sessionDays * 86_400, disableSessionRefresh: true },
    // The api limits attempts by client address, for these calls and for its own.
    rateLimit: { enabled: false },
    advanced: {
      cookiePrefix: `${cookiePrefix(secure)}fernlab`,
      // That would be a prefix of its own, which scripts of other ports could set.
      useSecureCookies: false,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', secure },
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
  })
  const cookieName = sessionCookieName(secure)
  const cached = new Map<string, { caller: Caller; untilMs: number }>()
  const listeners = new Set<(personId: string) => void>()
  /** Grows with each end of a session: what was read before it is not remembered. */
  let ends = 0

  const lookUp = async (value: string): Promise<Caller | undefined> => {
    const asked = { headers: new Headers({ cookie: `${cookieName}=${value}` }), query: { disableRefresh: true } }
    const found = await followed(() => auth.api.getSession(asked))
    if (found === null) return undefined
    const { id, name, email } = found.user
    const sessionId = found.session.id
    const row = await store.db
      .selectFrom('person')
      .select((eb) => ['person.role', hasSecondFactor(eb).as('secured')])
      .where('person.id', '=', id)
      .where('person.suspended_at', 'is', null)
      .executeTakeFirst()
    // A sign-in that was under way while the account was closed or suspended.
    if (row === undefined) return undefined
    const { role } = row
    const lacking = !row.secured && needsSecondFactor(await rules.now(), role)
    const mustSetUp = lacking ? { mustSetUp: 'second-factor' as const } : {}
    lastSeen.note(sessionId)
    return { personId: id, name, email, role, scopes: 'all', via: 'session', sessionId, ...mustSetUp }
  }

  const holder = async (key: string): Promise<Caller | undefined> => {
    const known = cached.get(key)
    if (known !== undefined && known.untilMs > clock.monotonic()) return known.caller
    const endsBefore = ends
    // From before the look-up: what it finds may be as old as that.
    const untilMs = clock.monotonic() + cacheMs
    const caller = await lookUp(key)
    cached.delete(key)
    if (caller === undefined) return undefined
    if (ends !== endsBefore) return caller
    if (cached.size >= mostCached) cached.delete(cached.keys().next().value ?? '')
    cached.set(key, { caller, untilMs })
    return caller
  }

  /** Of several cookies the one that is somebody's; of two people's neither, since one of them was put in. */
  const theOne = async (headers: Headers): Promise<{ value: string; caller: Caller } | undefined> => {
    const found: { value: string; caller: Caller }[] = []
    for (const value of valuesOf(headers.get('cookie'), cookieName)) {
      const caller = await holder(value)
      if (caller !== undefined) found.push({ value, caller })
    }
    const [first] = found
    return found.every(({ caller }) => caller.personId === first?.caller.personId) ? first : undefined
  }
  const authenticate = async (headers: Headers) => (await theOne(headers))?.caller

  return {
    authenticate,
    handle: async (request, from) => {
      const url = new URL(request.url)
      const path = url.pathname.slice('/api/auth'.length)
      if (!isAllowed(path, request.method)) return undefined
      const ending = path === '/sign-out' || path === '/change-password'
      const one = await theOne(request.headers)
      const person = ending ? one?.caller.personId : undefined
      const headers = headersFrom(from)
      headers.set('accept', 'application/json')
      headers.set('cookie', withOnly(request.headers.get('cookie'), cookieName, one?.value))
      const type = request.headers.get('content-type')
      if (type !== null) headers.set('content-type', type)
      const body = request.method === 'POST' ? await request.text() : null
      const inner = new Request(`${innerOrigin}${url.pathname}${url.search}`, { method: request.method, headers, body })
      try {
        const answer = await followed(() => auth.handler(inner))
        if (path === '/change-password' && answer.ok && person !== undefined) await noteNewPassword(person)
        return answer
      } finally {
        if (person !== undefined) forget(person)
      }
    },
    start: async (personId, from) => {
      const call = { body: { personId }, headers: headersFrom(from), asResponse: true } as const
      return (await followed(() => auth.api.startSession(call))).headers.getSetCookie()
    },
    undo: async (sessionToken) => {
      await store.write([store.db.deleteFrom('session').where('token', '=', sessionToken)])
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
    forgetAll: () => {
      ends++
      cached.clear()
    },
    onEnded: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }

  /** better-auth has written by then: this entry alone may be lost when the hub is killed in between. */
  async function noteNewPassword(personId: string): Promise<void> {
    await store.write([auditEntries(store, clock)(personId, 'password.changed', personId)])
  }

  function forget(personId: string): void {
    ends++
    for (const [key, { caller }] of cached) if (caller.personId === personId) cached.delete(key)
    for (const listener of listeners) listener(personId)
  }
}

function headersFrom({ address, userAgent }: Visitor): Headers {
  const headers = new Headers({ origin: innerOrigin, [addressHeader]: address })
  if (userAgent !== undefined) headers.set('user-agent', userAgent)
  return headers
}

/**
 * Brings the pages of labs' own servers to browsers, at the origin of labs' pages: the entry, the cookie behind it, and
 * every request until the session is over, or the sign-in by which somebody came.
 *
 * INVARIANTS: nothing is passed on but for somebody who takes part in an active session, asked anew at least every
 * `RECHECK_MS`, and of what is open at once where an account changes; nothing to another address than that of the session's
 * lab; what only hubs may ask is passed on for nobody; no other site's page, nor a sandboxed one of this origin, asks in a
 * visitor's name.
 */
import type { Agent, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { SessionVisit } from '@fernlab/shared/contracts/sessions'
import type { LabPageWay, VisitRow } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { forward, forwardSocket, type NoAnswer } from './forward.ts'
import { ambiguous } from './headers.ts'
import { refusedTarget } from './path-guard.ts'
import { cookieOf, createLabCookies, type LabCookies, passName } from './visit-cookies.ts'
import { type SayOptions, say, type VisitNotice } from './visit-page.ts'
import { createVisitTokens, ENTRY_MS, type Visit } from './visit-tokens.ts'
import { createVisitUse, type VisitUse } from './visit-use.ts'

/** What of sessions it needs. */
export interface VisitedSessions {
  /** Where the lab's page is; throws `session-not-active`, `no-own-server`, `node-offline`. */
  visit(id: string): Promise<{ readonly url: string; readonly through: LabPageWay }>
  isActive(id: string): boolean
  /** Is the person the owner or a partner of an active session? */
  takesPart(id: string, personId: string): Promise<boolean>
  noteVisit(id: string, rows: VisitRow[]): Promise<unknown>
  onChange(listener: (change: { readonly runId: string; readonly kind: string }) => void): () => void
}

export interface LabVisits {
  /** An address for the browser of somebody who takes part; throws what `sessions.visit` throws, and `pages-unreachable`. */
  open(visitor: {
    readonly sessionId: string
    readonly personId: string
    readonly signIn: string
    readonly host: string
  }): Promise<SessionVisit>
  /** Answers what is for a lab's own server; false leaves it to others. */
  take(request: IncomingMessage, response: ServerResponse): boolean
  /** The same for requests to speak WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  close(): void
}

export interface CreateLabVisitsOptions {
  readonly sessions: VisitedSessions
  /** Does the sign-in still hold, of such a person, who may use benches at all? */
  readonly mayWork: (visit: Visit) => Promise<boolean>
  /** Calls back with the person whose rights may have changed. */
  readonly onEnded: (listener: (personId: string) => void) => () => void
  readonly tunnels: { agentFor(sessionId: string): Promise<Agent>; requested(sessionId: string): void }
  /** The origin for visits of this session, for who reaches the hub at this host; undefined where there is none. */
  readonly originOf: (host: string, sessionId: string) => string | undefined
  readonly publicUrl: () => string
  /** Is the path one of the files that are served at this origin besides? */
  readonly isPageFile: (path: string) => boolean
  readonly clock: Clock
  readonly log: Log
}

/** Nothing below it is the lab's. */
const OWN_PATH = '/.fernlab/'
const ENTRY = /^\/\.fernlab\/visit\/([\w.-]{1,1000})(\?replace)?$/
const RECHECK_MS = 1000
const MOST_REQUESTS = 40
const MOST_SOCKETS = 16
/** Sessions that are over, whose cookies can still be taken back. */
const MOST_OVER = 200

/** A lab's own server while a session takes place there. */
interface Host {
  readonly lab: string
  readonly entry: string
  readonly cookies: LabCookies
  readonly use: VisitUse
  /** What is being passed on, and for whom. */
  readonly open: Map<AbortController, Visit>
  /** Until when who came by a sign-in is known to take part (monotonic ms). */
  readonly checked: Map<string, number>
  requests: number
  sockets: number
}

/** No browser is anywhere yet. */
export function createLabVisits(options: CreateLabVisitsOptions): LabVisits {
  const { sessions, mayWork, onEnded, tunnels, originOf, publicUrl, isPageFile, clock, log } = options
  const tokens = createVisitTokens({ clock })
  const hosts = new Map<string, Host>()
  const overCookies = new Map<string, LabCookies>()
  /** What was read of somebody's rights before a change of anybody's lets nobody in. */
  let rightsChanges = 0

  const end = (sessionId: string) => {
    const host = hosts.get(sessionId)
    if (host === undefined) return
    hosts.delete(sessionId)
    overCookies.set(sessionId, host.cookies)
    for (const oldest of overCookies.keys()) if (overCookies.size > MOST_OVER) overCookies.delete(oldest)
    for (const connection of host.open.keys()) connection.abort()
  }
  const stopChanges = sessions.onChange(({ runId, kind }) => {
    if (kind === 'state' && hosts.has(runId) && !sessions.isActive(runId)) end(runId)
  })

  /** Nobody's connections outlast their right to new ones. */
  const cutWhoMayNot = async (personId: string) => {
    rightsChanges++
    for (const host of hosts.values()) host.checked.clear()
    for (const host of hosts.values()) {
      for (const [connection, visit] of host.open) {
        if (visit.personId !== personId) continue
        const stays = await takesPart(visit, host).catch((error: unknown) => {
          noteFailure(asLabError(error))
          // A look-up that fails permits nothing.
          return false
        })
        if (!stays) connection.abort()
      }
    }
  }
  const stopEnded = onEnded((personId) => void cutWhoMayNot(personId))

  const hostOf = (sessionId: string, page: URL, secure: boolean): Host => {
    const known = hosts.get(sessionId)
    if (known !== undefined) return known
    const entry = page.pathname
    const host: Host = {
      lab: page.origin,
      entry: `${page.pathname}${page.search}`,
      cookies: createLabCookies(sessionId, secure),
      use: createVisitUse({ entry, tell: (rows) => sessions.noteVisit(sessionId, rows), log }),
      open: new Map(),
      checked: new Map(),
      requests: 0,
      sockets: 0,
    }
    hosts.set(sessionId, host)
    return host
  }

  const isSecure = (origin: string) => origin.startsWith('https:')
  /** The visitor's pass; its cookie has another name where browsers come over TLS. */
  const visitOf = ({ headers: { cookie } }: IncomingMessage): Visit | 'unreadable' | undefined => {
    const pass = cookieOf(cookie, passName(true)) ?? cookieOf(cookie, passName(false))
    return pass === undefined ? undefined : (tokens.read(pass) ?? 'unreadable')
  }
  const takesPart = async (visit: Visit, host: Host): Promise<boolean> => {
    const { sessionId, personId, signIn } = visit
    if ((host.checked.get(signIn) ?? 0) > clock.monotonic()) return true
    const before = rightsChanges
    if (!(await sessions.takesPart(sessionId, personId)) || !(await mayWork(visit))) return false
    if (rightsChanges !== before) return takesPart(visit, host)
    host.checked.set(signIn, clock.monotonic() + RECHECK_MS)
    return true
  }

  /** Whether it may be passed on, or what to say instead. */
  const admit = async (request: IncomingMessage): Promise<{ visit: Visit; host: Host } | Refusal> => {
    const visit = visitOf(request)
    if (visit === undefined || visit === 'unreadable') return { notice: 'not-open' }
    const { sessionId } = visit
    const host = hosts.get(sessionId)
    // What is said of a session that is over takes back what its lab has left in the browser.
    if (host === undefined || !sessions.isActive(sessionId)) {
      const cookies = overCookies.get(sessionId)?.forget() ?? host?.cookies.forget() ?? []
      return {
        notice: 'over',
        visit,
        headers: { ...cleared, ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }) },
      }
    }
    if (ambiguous(request) !== undefined) return { notice: 'unreadable', visit, headers: { connection: 'close' } }
    const refused = refusedTarget(request.url ?? '')
    if (refused === 'not-a-path' || ['TRACE', 'TRACK'].includes(request.method ?? ''))
      return { notice: 'unreadable', visit }
    if (refused !== undefined || request.headers['service-worker'] !== undefined || isForeign(request, visit.origin)) {
      return { notice: 'refused', visit }
    }
    return (await takesPart(visit, host)) ? { visit, host } : { notice: 'not-yours', visit }
  }

  const tell = (
    request: IncomingMessage,
    response: ServerResponse,
    refusal: Refusal,
    more: Partial<SayOptions> = {},
  ) => {
    const { notice, visit, headers } = refusal
    const { accept, 'accept-language': language } = request.headers
    const back = new URL(visit === undefined ? '/' : `/sessions/${visit.sessionId}`, publicUrl()).href
    say(response, {
      notice,
      accept,
      language,
      back,
      isSession: visit !== undefined,
      ...(headers === undefined ? {} : { headers }),
      ...more,
    })
  }

  const enter = async (request: IncomingMessage, response: ServerResponse) => {
    const [, token = '', replace] = ENTRY.exec(request.url ?? '') ?? []
    const { method, headers } = request
    const opened = tokens.look(token)
    // Of what looks ahead, nobody has opened anything.
    const isAhead =
      method !== 'GET' || /prefetch|prerender/i.test(String(headers['sec-purpose'] ?? headers.purpose ?? ''))
    if (opened === undefined || isAhead) return tell(request, response, { notice: 'used' })
    const before = visitOf(request)
    const isOther = before !== undefined && before !== 'unreadable' && before.sessionId !== opened.sessionId
    const other = isOther ? hosts.get(before.sessionId) : undefined
    if (other !== undefined && replace === undefined) {
      const goOn = `${OWN_PATH}visit/${token}?replace`
      return tell(request, response, { notice: 'other-open', visit: before as Visit }, { goOn })
    }
    const visit = tokens.take(token)
    const host = visit === undefined ? undefined : hosts.get(visit.sessionId)
    if (visit === undefined) return tell(request, response, { notice: 'used' })
    if (host === undefined || !sessions.isActive(visit.sessionId))
      return tell(request, response, { notice: 'over', visit })
    if (!(await takesPart(visit, host))) return tell(request, response, { notice: 'not-yours', visit })
    const secure = isSecure(visit.origin)
    const pass = `${passName(secure)}=${tokens.pass(visit)}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
    const left = isOther ? (other?.cookies ?? overCookies.get(before.sessionId))?.forget() : undefined
    response.writeHead(303, {
      location: host.entry,
      'set-cookie': [...(left ?? []), pass],
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      // What a session before has left here is gone; a page that is opened again keeps what it has.
      ...(isOther ? cleared : {}),
    })
    response.end()
  }

  const passOn = async (request: IncomingMessage, response: ServerResponse) => {
    const admitted = await admit(request)
    if ('notice' in admitted) return tell(request, response, admitted)
    const { visit, host } = admitted
    if (host.requests >= MOST_REQUESTS) return tell(request, response, { notice: 'busy', visit, headers: retrySoon })
    host.requests++
    const connection = opened(visit, host)
    try {
      const why = await forward(request, response, await betweenOf(visit, host, connection))
      if (why === undefined) return
      const isOver = hosts.get(visit.sessionId) !== host
      const isCut = connection.signal.aborted && !isOver
      tell(request, response, isCut ? { notice: 'not-yours', visit } : refusalFor(why, visit, isOver))
    } finally {
      host.open.delete(connection)
      host.requests--
    }
  }

  /** Cut at once where the session has ended since it was admitted. */
  const opened = (visit: Visit, host: Host): AbortController => {
    const connection = new AbortController()
    host.open.set(connection, visit)
    if (hosts.get(visit.sessionId) !== host) connection.abort()
    return connection
  }

  const betweenOf = async (visit: Visit, { lab, cookies, use }: Host, connection: AbortController) => {
    const { sessionId, personId, origin } = visit
    const agent = await tunnels.agentFor(sessionId)
    tunnels.requested(sessionId)
    return {
      agent,
      between: { origin, lab, cookies },
      personId,
      use,
      over: connection.signal,
      clock,
    }
  }

  const passSocket = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const admitted = await admit(request)
    if ('notice' in admitted) return refuseSocket(socket, admitted.notice === 'over' ? 410 : 403)
    const { visit, host } = admitted
    if (host.sockets >= MOST_SOCKETS) return refuseSocket(socket, 503)
    host.sockets++
    const connection = opened(visit, host)
    try {
      const why = await forwardSocket(request, { socket, head }, await betweenOf(visit, host, connection))
      if (why !== undefined) refuseSocket(socket, why === 'late' ? 504 : why === 'busy' ? 503 : 502)
    } finally {
      host.open.delete(connection)
      host.sockets--
    }
  }

  /** A node that is away is told elsewhere, and once. */
  const noteFailure = (error: LabError) => {
    const level = error.kind === 'bug' ? 'error' : 'debug'
    log[level]({ error: error.message }, 'a request to a lab’s own server could not be passed on')
  }

  const isOurs = (request: IncomingMessage): boolean => {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    if (path.startsWith(OWN_PATH)) return true
    return !isPageFile(path) && visitOf(request) !== undefined
  }

  return {
    open: async ({ sessionId, personId, signIn, host }) => {
      const { url, through } = await sessions.visit(sessionId)
      if (through === 'direct') return { url, through }
      const origin = originOf(host, sessionId)
      if (origin === undefined) throw noOrigin(host)
      hostOf(sessionId, new URL(url), isSecure(origin))
      const token = tokens.entry({ sessionId, personId, signIn, origin })
      const expiresAt = new Date(clock.now() + ENTRY_MS).toISOString()
      return { url: `${origin}${OWN_PATH}visit/${token}`, through, expiresAt }
    },
    take: (request, response) => {
      if (!isOurs(request)) return false
      const isOwnPath = (request.url ?? '').startsWith(OWN_PATH)
      const answered = isOwnPath ? enter(request, response) : passOn(request, response)
      answered.catch((thrown: unknown) => {
        const error = asLabError(thrown)
        noteFailure(error)
        if (response.headersSent) {
          response.destroy()
          return
        }
        const visit = visitOf(request)
        const of = visit === undefined || visit === 'unreadable' ? {} : { visit }
        tell(request, response, { notice: error.code === 'session-not-active' ? 'over' : 'unreachable', ...of })
      })
      return true
    },
    upgrade: (request, socket, head) => {
      if (!isOurs(request) || request.headers.upgrade?.toLowerCase() !== 'websocket') return false
      // After an upgrade request nobody else hears the connection's errors.
      socket.on('error', () => socket.destroy())
      passSocket(request, socket, head).catch((thrown: unknown) => {
        noteFailure(asLabError(thrown))
        refuseSocket(socket, 502)
      })
      return true
    },
    close: () => {
      stopChanges()
      stopEnded()
      for (const sessionId of [...hosts.keys()]) end(sessionId)
    },
  }
}

interface Refusal {
  readonly notice: VisitNotice
  readonly visit?: Visit
  readonly headers?: SayOptions['headers']
}

/** Not `cookies`: those of the hub go with them, since they are of the whole host. */
const cleared = { 'clear-site-data': '"cache", "storage"' }
const retrySoon = { 'retry-after': '1' }

function refusalFor(why: NoAnswer, visit: Visit, isOver: boolean): Refusal {
  if (isOver) return { notice: 'over', visit, headers: cleared }
  return { notice: why, visit, ...(why === 'busy' ? { headers: retrySoon } : {}) }
}

/** Another page than the lab's own asks: only to be shown, as by a link, does it get anything. */
function isForeign({ headers, method }: IncomingMessage, own: string): boolean {
  const site = headers['sec-fetch-site']
  if (site === undefined) return headers.origin !== undefined && headers.origin !== own
  if (site === 'same-origin' || site === 'none') return false
  return headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document' || method !== 'GET'
}

function refuseSocket(socket: Duplex, status: number): void {
  const head = `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
  socket.end(head, () => socket.destroy())
}

const noOrigin = (host: string): LabError =>
  new LabError({
    code: 'pages-unreachable',
    kind: 'configuration',
    message: `there is no second origin for labs' own servers at ${host.slice(0, 100)}: set FERNLAB_PAGES_URL to one that a proxy passes to the port of the pages`,
    studentMessage: 'This hub has no address for the lab’s own page yet. Tell the staff.',
  })
